"""What the key page says of each place, below all keys: what happens there that no single key is about.

`{command.id}` stands for the key that the command has; one without a key is named by its title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.core.commands import BY_ID, key_name

_KEY = re.compile(r"\{([a-z._]+)\}")

_NOTES: Mapping[str, tuple[str, ...]] = {
    "everywhere": (
        "Every key can be changed: [keys] in config.toml. The mouse is left to the terminal, so that text is selected and "
        "copied as everywhere else.",
    ),
    "composer": (
        "A question that you send while an answer comes in is put in line. It is asked when the answer is whole, and after "
        "one that was stopped or failed only when you say so.",
        "What you have not sent is kept for each chat, also through a crash, with its files and the edits of messages that "
        "you have begun. It is never sent by itself.",
        "/attach FILE sends a text (UTF-8, up to 1 MB) or a picture (PNG, JPEG, WebP, GIF, up to 20 MB) with the question. "
        "Where something is written already, {attach} asks for the name over it.",
        "A long paste is one piece: ⟦pasted 4,200 lines · 1⟧. {history.search} finds prompts whatever their accents and "
        "capitals. {editor} opens $VISUAL, $EDITOR, or the editor that there is; an answer that comes in goes on.",
    ),
    "messages": (
        "{message.prompt} on an answer shows the prompt that it was given to, as the server's template puts it together: special "
        "tokens stand in ⟨ ⟩. /prompt does so for the next question.",
        "What is copied goes to this machine's clipboard where you sit at it (wl-copy, xclip, xsel, pbcopy), to tmux where it "
        "runs, and else to the terminal by OSC 52, which it may ignore; lokal says which way it went.",
        "Long code lines and wide tables are never wrapped. A file that is there is never replaced unasked. A new chat by "
        "{message.branch} has a number in its title. What was deleted can be brought back for a day.",
    ),
    "fit": (
        "“ctx 1.2k of 8k” says how much of the context window is in use, “~1.2k” by estimate. Other programs and servers cut "
        "off the beginning of a conversation that has become too long, and say nothing. lokal sends nothing that would not "
        "fit, and lists what can be done. What the model no longer sees stays in the chat, marked “not seen”.",
        "{choices.enter} goes to the list; until then you go on writing, and no letter chooses anything. llama.cpp, vLLM and "
        "text-generation-webui are asked to count. For Ollama and LM Studio the count is an estimate that learns from "
        "theirs, and you may ask anyway where the server is sure to refuse rather than to cut.",
    ),
    "chat": (
        "The guide is a model of 3 MB inside lokal, in the built-in engine. It answers questions about lokal, local models, "
        "servers and parameters, in English, Russian, Polish, Vietnamese and Uzbek, and says of everything else that it does "
        "not know it. {guide.ask} talks to it from then on, /guide QUESTION asks it this once.",
        "What the built-in engine has read of a chat is saved when you leave it, so that a long one goes on at once when you "
        "open it again: “ready, 6.1k tokens reused”. In config.toml, warm_chats_mb says how much of the disk that may take, 0 "
        "= none. After 15 minutes without a question (engine_idle) the engine is ended, and its memory is free; it starts "
        "again as you write.",
        "{advise} lists what can be wrong with the answers, and proposes exact values: the last question is asked again with "
        "them, both answers stay, and you keep the values, save them to the preset, or drop them. lokal says once a chat when "
        "an answer goes round in circles or was cut at max_tokens.",
        "Where other programs take the processor, so that an answer of the built-in engine is far slower than usual, it goes "
        "on with one thread after that answer, and says so; “threads” of a preset is left as it is. “lokal bench”, in the "
        "shell, says how fast a model is here, and whether it was faster before.",
    ),
    "chats": (
        "The list is beside the chat from 120 columns on. “zazolc net” finds what has both words, or words that begin so; "
        "words in quotation marks must follow each other; accents and capitals do not matter.",
        "{chats.use} on what was found opens the chat there, on the branch that has it, with the words marked until "
        "{answer.stop}. A running answer goes on behind the list; opening another chat stops it, and keeps what came. A chat "
        "that another lokal deletes while it is open here goes on as a new one. What was deleted comes back for a day.",
    ),
    "compare": (
        "/ladder temperature 0.1 0.7 1.2 sends one question at several values of a parameter, with one seed, and says under each "
        "answer how it compares with the first; without values it climbs the usual range. It shows what a parameter does.",
        "/compare asks the open preset and the next one the last question again. “/compare technical creative@qwen2.5:7b: Why "
        "is the sky blue?” says who, two to four presets, models or preset@model, and after a colon what; “technical on lab” "
        "asks another server, by its name in the config or its address.",
        "All answers are kept beside each other, whatever you do, each with its parameters; a column in which nothing came is "
        "none. What would not fit a column is asked about before anything is sent, and the others can be asked without it.",
    ),
    "models": (
        "What a server cannot do with models is said under the list, and by the key with the reason. A copy shares its weights "
        "with the model that it was made of, so deleting one of them may free nothing: {model.delete} says before what it frees.",
        "Downloads are done by the server, one after the other. They go on while you chat, after a broken line, and in the next "
        "lokal. {pull.pause} lets one wait where the server can; {pull.earlier} and {pull.later} change the order. On Ollama "
        "{model.update} is the only way to learn whether there is something newer. “lokal models” does the same in the shell.",
    ),
    "settings": (
        "A parameter that a server does not take is shown as such and not sent.",
        "/persona lists personas: an instruction and examples that the model answers like. One is sent as the system prompt of the "
        "chat; your own are files in the folder personas of the config.",
        "/preset save puts the values in use into the preset, save NAME into another one; drop forgets them. new NAME, copy NAME, "
        "rename NAME, describe TEXT, delete, undo, reset, move N and diff NAME do what they say, “lokal presets” in the shell "
        "too. A preset is a TOML file: one that is put into the folder is there at once, and comments in it stay.",
    ),
    "slash": (
        "The start of a name is enough. Another preset, model or server counts from the next answer on. /help set explains a "
        "command or a parameter at length; /set shows what is sent, /set top_k explains, /set - removes all that was set for "
        "this run.",
        "With /schema, or lokal ask --schema, the server itself is told to write nothing but JSON (Ollama, llama.cpp, LM "
        "Studio, vLLM), and lokal checks the whole answer: “fits invoice.json”, or where it does not (“at /items/2/price: a "
        "number is wanted, there is a string”). What of a schema lokal does not check, such as “format” and “pattern”, is "
        "named. The answer is shown indented and kept as it came.",
        "While you write a slash command, ↑ and ↓ choose from the list: Enter does what is chosen, or waits for what has to "
        "follow it; Tab only fills it in. A command is one line; only /system and /compare may have more. One that there is "
        "not is never sent, and stays where it is. To send a text that starts with a slash, write // at its start; a path, "
        "such as /etc/hosts, is sent as it is, and so are several lines that begin with no command.",
    ),
}  # fmt: skip
"""By the place in which a command works; `slash` = those that are written."""


def notes(place: str, keys: Mapping[str, str]) -> tuple[str, ...]:
    """What is to be said of a place, with the keys that the commands have now (in Textual's notation, by id)."""

    def named(found: re.Match[str]) -> str:
        command = BY_ID[found[1]]
        by_name = f"“{command.title}”{' in the palette' if command.shown else ''}"
        return key_name(keys.get(command.id, "")) or by_name

    return tuple(_KEY.sub(named, note) for note in _NOTES.get(place, ()))
