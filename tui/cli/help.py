"""What `--help` says beside the options, in lines of at most 78 columns."""

from __future__ import annotations

import textwrap

MAX_WIDTH = 78
"""Columns that help fills at the most: longer lines are hard to read, and 80 is what everybody has."""

TOP_USAGE = """lokal [OPTIONS]
       lokal COMMAND [OPTIONS] ..."""

TOP = """Chat with a model on this machine, in the terminal.

Without a command lokal opens its screen. It looks for Ollama, llama.cpp,
LM Studio, vLLM and text-generation-webui on this machine and talks to the
one it finds, and to nothing else.

commands:
  ask PROMPT          print the answer to one question
  bench               measure how fast a model reads and answers
  doctor              show what lokal finds: servers, folders, the terminal
  presets list|show|… the presets: new, copy, rename, diff, edit, rm
  chats list|show|search|rename|rm|export|import
                      the chats that were kept
  models list|show|ps|load|unload|pull|update|rm|cp|create
                      the models of the server
  models files|fit|catalog|modelfile
                      models without a server: on this machine, by name
  lokal COMMAND --help says more about each."""

PLAIN = (
    "chat line by line, without a screen: for screen readers and serial lines; chosen by itself where TERM is dumb. "
    "What is piped in is asked line by line; the exit status is that of lokal ask"
)

EXAMPLES = """examples:
  lokal                                 open the screen
  lokal --gguf model.gguf               ... with a model file, no server
  lokal --server 192.168.1.5:11434      ... with a server elsewhere
  lokal --preset creative --set top_k=80
                                        ... with other parameters, this once
  lokal --resume                        open the last chat again
  lokal --plain                         line by line; /help lists the commands
  git diff | lokal ask "Write a commit message"

files:
  ~/.config/lokal/config.toml     the settings; config.example.toml has each
  ~/.config/lokal/presets/        your presets, a TOML file each
  ~/.config/lokal/themes/         your themes, a TOML file each
  ~/.local/share/lokal/chats.db   the chats
  ~/.local/state/lokal/           logs, and the prompts of the ↑ key
  The folders are below XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_STATE_HOME
  where these are set; lokal doctor names them.

environment:
  LOKAL_API_KEY   the key of the server of --server, and of no other
  SSL_CERT_FILE   certificates to trust for https, beside ca_file
  OLLAMA_HOST     one of the places that lokal looks at
  VISUAL, EDITOR  the editor of Alt+E
A proxy that asks for a name and a password gets them in the address of the
server, https://name:password@host.
"""

ASK_USAGE = "lokal ask [OPTIONS] PROMPT"
ASK = """Ask one question. The answer goes to standard output as it comes, all else to
standard error. What is piped in is given to the model after the question,
without escape sequences; it is UTF-8 unless --encoding says otherwise.
Nothing is saved without --save."""

_ASK_EXAMPLES = """examples:
  lokal ask "What does chmod 640 mean?"
  journalctl -n 50 | lokal ask "What went wrong?"
  lokal ask --json --set temperature=0 --set seed=1 "2+2?" | jq .text
  lokal ask --schema invoice.json "What is in it?" < mail.txt | jq .total

exit status:
  0 answered; 2 wrong usage; 3 no server answers; 4 the server refused, the
  answer broke off or does not fit its schema; 130 interrupted; 1 all else
"""

GUIDE = "ask lokal's own guide, which knows only lokal and local models, whatever else answers"

BENCH_USAGE = "lokal bench [OPTIONS]"
BENCH = """Measure a model on the server in use: the time to the first word, and how
many tokens a second it reads and writes, with prompts of several lengths.
Nothing that it says is kept. What it reached is, in the state folder, so that
the next time it is said whether the model has become slower. Esc or Ctrl+C
ends it with what was measured so far."""
BENCH_EXAMPLES = """examples:
  lokal bench                              the model in use
  lokal bench --model llama3.2:3b --json
  lokal bench --gguf model.gguf --set threads=4
  lokal bench --depths 128,16384 --runs 5

The rates are the server's own where it tells them, else those of lokal's
clock; each table says which. Each prompt is a new one, so that no cache
answers for the model. Parameters that a model is loaded with are those of the
preset and of --set; the likeliest word is taken each time.
"""

DOCTOR = """Show the servers that answer, with their models, lokal's folders, what this
terminal can do, and what is wrong in lokal's files."""
PRESETS = "A preset is a named set of parameters; lokal keeps each in a file of its own."
CHATS = "Chats are kept by the screen, and by lokal ask --save."
_NOT_SENT = "A parameter that a server does not take is shown as such and not sent."
CHATS_SEARCH = """Search all messages and titles. Every word must be there and may go on: “serv”
finds “server”. Accents and case do not matter: “zazolc” finds “zażółć”. Words
in quotation marks must follow each other: lokal chats search '"bad gateway"'"""
CHATS_RM = """Delete chats forever, with all their messages. This cannot be undone; what
is deleted in the list of chats on the screen can be restored there for a day."""
CHATS_IMPORT = """Import chats from files: lokal's own JSON (lokal chats export --format json),
what Open WebUI exports, conversations.json from a ChatGPT export, and the
text files of oterm; - reads standard input. All files are read before a chat
is saved. Chats that are already there are skipped; a chat that cannot be read
is named and left out (the exit status is then 1)."""


MODELS = """Manage the models of the server in use, or of --server URL. What a kind of
server cannot do it says in one line: vLLM has the model it was started with,
LM Studio deletes on its own page only, Ollama can do everything.
Exit statuses are those of lokal ask."""
MODELS_PULL = """Let the server download models, one after the other. What breaks off is tried
again and goes on where it was; Ctrl+C stops, and what came is kept. What was
cut off, with the connection to this machine too, is on a list: without a NAME
lokal models pull goes on with it.
hf:org/repo, hf:org/repo:Q4_K_M or an address on huggingface.co is downloaded
by lokal itself, without a server, to the folder models in its data folder,
and checked. HF_ENDPOINT, HF_TOKEN and the Hugging Face cache are honoured."""
MODELS_UPDATE = """Download what is new of models that are there, and say what changed: weights,
template, settings, licence. Ollama has no other way to look for an update."""
MODELS_RM = """Delete models from the server's disk, after saying what that frees: weights
that another model has too stay. Without a terminal it takes --yes. Files that
lokal downloaded are named as “lokal models files” does, or as hf:org/repo."""
MODELS_CREATE = """Make a model on Ollama: from a Modelfile, or from a model or a GGUF file, with
a preset and a system prompt. Files that the server lacks are sent to it."""
MODELS_FILES = """List the GGUF files on this machine, newest first: lokal's own folder, the
Hugging Face cache, LM Studio, Ollama's store, llama.cpp's cache, and the
folders of model_folders in the config. No server is asked."""
MODELS_FIT = """Say how much memory a model would take and whether this machine has it:
weights, KV cache for the context and its type, compute buffers. A number
with ~ is estimated from the model's header; for a file the built-in engine
is asked itself where it is installed."""
MODELS_MODELFILE = """Write a Modelfile to standard output, from a model with the values and the
system prompt of a preset and examples; or take one apart: --file FILE --save
NAME makes a preset of it, and prints its examples. Both ways are the same."""
MODELS_CATALOG = """List models that are known by name, with what they are good at, what they
need, and what their licence permits. What is empty nobody here knows."""


def presets_epilogue() -> str:
    """The end of `lokal presets --help`: what is in the presets that ship."""
    from tui.core.presets import SHIPPED

    names = list(dict.fromkeys(name for preset in SHIPPED for name in preset.values))
    rows = [
        ("", *names),
        *((preset.name, *(str(preset.values.get(name, "")) for name in names)) for preset in SHIPPED),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    about = [f"  {preset.name:{widths[0]}}  {preset.description}" for preset in SHIPPED]
    return "\n".join(("the presets that ship:", *lines, "", *about, "", _NOT_SENT))


def ask_epilogue() -> str:
    """The end of `lokal ask --help`, with the names that `--set` takes."""
    from tui.core.parameters import REGISTRY

    names = ", ".join(parameter.name for parameter in REGISTRY)
    wrapped = textwrap.fill(
        names, MAX_WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return f"parameters that --set takes:\n{wrapped}\n\n{_ASK_EXAMPLES}"
