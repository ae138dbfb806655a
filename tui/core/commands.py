"""Every action a person can take: id, title, help, key.

Bindings, the command palette and the key page (F1) are made from here.
A default key is one that a legacy terminal can send through SSH and tmux; the ids can be bound to other keys in the
config under `[keys]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `where` is where its key works: `everywhere`, `chat`, `composer`, `choices` (a list of choices has
    the focus), `messages` (while the cursor is on the messages), `fit` (while lokal asks what to do about a question
    that does not fit; the composer can be written in meanwhile), `chats` (the list of them),
    `compare` (answers side by side), `models` or `settings`.

    `key` is in Textual's notation, empty = none. `shown` = the palette offers it. `short` is the word beside its key
    in the instrument line. `slash` is its name in the composer, `/preset`, without the slash; `argument` says what may
    follow, as usage lines do: `NAME`, `[NAME]`, empty = nothing.
    """

    id: str
    title: str
    help: str
    key: str = ""
    where: str = "everywhere"
    short: str = ""
    shown: bool = True
    slash: str = ""
    argument: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("send", "Send", "Send what is in the composer", "enter", where="composer", short="send", shown=False),
    Command("newline", "New line", "Start a new line; Alt+Enter and Shift+Enter may do it too",
            "ctrl+j", where="composer", short="new line", shown=False),
    Command("history.previous", "Earlier prompt", "In the first line: show the prompt before this one", "up",
            where="composer", shown=False),
    Command("history.next", "Later prompt", "In the last line: show the prompt after this one", "down",
            where="composer", shown=False),
    Command("answer.stop", "Stop the answer", "Stop at once and keep what came", "escape", "chat", "stop", slash="stop"),
    Command("answer.retry", "Ask again", "Ask the last question again, or one that has no answer; the old answer stays", "f5",
            "chat", "retry", slash="retry"),
    Command("answer.continue", "Continue the answer", "Continue an answer that was stopped or cut", "f6",
            "chat", "continue", slash="continue"),
    Command("reasoning.toggle", "Fold or unfold reasoning", "Show or hide what the model thought", "ctrl+o",
            "chat", "reasoning", slash="reasoning"),
    Command("server.help", "Start or name a server", "Show how to start Ollama or llama-server here; connect to the address of another server",
            short="servers"),
    Command("chats.open", "Chats", "Show all chats: open, search, rename, pin, archive, delete", "f7", short="chats", slash="chats"),
    Command("search", "Search all chats", "Find words in everything that was said", "ctrl+f", short="search",
            slash="search", argument="[TEXT]"),
    Command("messages.enter", "Go to the messages", "Go to the messages above: copy, edit, branch, delete, fold",
            "shift+tab", "composer", "messages"),
    Command("choices.enter", "Go to the choices", "Go to the list of choices, where lokal shows one; ↓ in an empty composer does too",
            "tab", "composer", "choose", shown=False),
    Command("history.search", "Search earlier prompts", "Find a prompt of any chat by its words", "ctrl+r", "composer"),
    Command("editor", "Write in your editor", "Open the draft, or a message you edit, in $VISUAL or $EDITOR", "alt+e", "composer",
            "editor", slash="editor"),
    Command("attach", "Attach a file", "Send a text file or an image with the question", where="composer",
            slash="attach", argument="[FILE]"),
    Command("paste.open", "Open a pasted piece", "Show the text of a long paste that is shown as one piece", "alt+p",
            "composer"),
    Command("queue.take_back", "Take back the waiting question", "Bring the question that waits back into the composer",
            "alt+up", "composer"),
    Command("preset.use", "Use a preset", "Switch to that preset; without a name, list them",
            slash="preset", argument="[NAME]", shown=False),
    Command("model.choose", "Use a model", "Chat with that model; without a name, list them", slash="model",
            argument="[NAME]", shown=False),
    Command("server.use", "Use a server", "Talk to another server: an address or a name from the config", slash="server",
            argument="[URL]", shown=False),
    Command("theme.use", "Use a theme", "Change the colours; without a name, list the themes", slash="theme",
            argument="[NAME]", shown=False),
    Command("system.set", "System prompt", "Give this chat its own system prompt; without a text, show it; “-” removes it",
            slash="system", argument="[TEXT]", shown=False),
    Command("persona.use", "Use a persona", "Let the model answer as the examples of a persona do, from the next answer on; without a name, "
            "list them; “-” ends it", slash="persona", argument="[NAME|FILE]", shown=False),
    Command("parameter.set", "Set a parameter", "Set a parameter for this run: top_k=40; “top_k=” sends none; without a name, list what is set",
            slash="set", argument="[NAME=VALUE]", shown=False),
    Command("chat.rename", "Rename the chat", "Give this chat another title", slash="rename", argument="TITLE", shown=False),
    Command("chat.title", "Title by the model", "Ask the model for a title of this chat", slash="title"),
    Command("chat.branch", "Branch into a new chat", "Go on from here in a new chat; this one stays", slash="branch"),
    Command("chat.export", "Export the chat", "Write this chat to a file: .md or .json; /export! overwrites one",
            slash="export", argument="[FILE]"),
    Command("chat.import", "Import chats", "Read chats of lokal, Open WebUI, ChatGPT or oterm from a file", slash="import",
            argument="FILE", shown=False),
    Command("copy", "Copy", "Copy the last answer; a number copies that code block, “all” the chat", slash="copy",
            argument="[N|all]"),
    Command("compare", "Side by side", "Send one prompt to presets, models or preset@model, side by side; “on SERVER” after "
            "one asks there, a question follows after a colon", slash="compare", argument="[NAME ...] [: QUESTION]"),
    Command("ladder", "One parameter, several values", "Send one prompt at several values of a parameter, side by side: "
            "temperature 0.1 0.7 1.2", slash="ladder", argument="NAME [VALUE ...] [: QUESTION]"),
    Command("schema", "Structured output", "Get the answers of this chat as JSON: “json”, a schema file, or “off”", slash="schema",
            argument="[json|FILE|off]", shown=False),
    Command("advise", "Advice", "Say what is wrong with the answers, and try the values that help against it", "alt+a",
            short="advice", slash="advise", argument="[SYMPTOM]"),
    Command("prompt", "What the model will see", "Show the prompt of the next question as the server's template makes it, with a text "
            "or with what is written", slash="prompt", argument="[TEXT]"),
    Command("stats", "Statistics", "Show tokens, speed and context of this chat", slash="stats"),
    Command("undo", "Undo", "Bring back what was deleted last", slash="undo"),
    Command("scroll.page_up", "Page up", "Up one page", "pageup", where="chat", shown=False),
    Command("scroll.page_down", "Page down", "Down one page", "pagedown", where="chat", shown=False),
    Command("scroll.start", "Go to the start", "Go to the first message", "ctrl+home", where="chat"),
    Command("scroll.end", "Go to the end", "Go to the newest line, and follow it", "ctrl+g", where="chat", short="end"),
    Command("preset.next", "Next preset", "Switch to the next preset; a running answer keeps its own", "ctrl+t",
            short="preset"),
    *(Command(f"preset.{n}", f"Preset {n}", "Switch to the preset with that number", f"alt+{n}", shown=False)
      for n in range(1, 10)),
    Command("chat.new", "New chat", "Start an empty chat; this one is kept", "ctrl+n", short="new chat", slash="new"),
    Command("tab.chat", "Chat", "Show the chat", "f2", short="chat"),
    Command("tab.models", "Models", "Show the server's models", "f3", short="models", slash="models"),
    Command("tab.settings", "Settings", "Show the presets and their parameters", "f4", short="settings", slash="settings"),
    Command("server.search", "Look for servers", "Ask the known addresses again", "f8", short="look again"),
    Command("guide.ask", "Ask the guide", "Ask the small model inside lokal; it knows lokal, local models and parameters, nothing else",
            "alt+g", short="guide", slash="guide", argument="[QUESTION]"),
    Command("gguf.open", "Open a model file", "List the GGUF files on this machine and what each would take, and start the built-in llama.cpp with one",
            "alt+o", short="open a file", slash="open", argument="[FILE]"),
    Command("theme.next", "Next theme", "Switch to the next theme", "f9"),
    Command("screen.redraw", "Redraw the screen", "Draw the whole screen again, if another program has written on it", "ctrl+l"),
    Command("help", "Keys", "Show every key", "f1", short="keys", slash="help", argument="[COMMAND]"),
    Command("palette", "Command palette", "Find any command by name", "ctrl+p", shown=False),
    Command("suspend", "Suspend", "Go back to the shell; its command fg brings lokal back", slash="suspend"),
    Command("quit", "Quit", "Save and leave", "ctrl+q", short="quit", slash="quit"),
    *(Command(id, title, help, key, "messages", short, shown=False) for id, title, help, key, short in (
        ("message.previous", "Previous message", "Go to the previous message", "up", ""),
        ("message.next", "Next message", "Go to the next message", "down", ""),
        ("block.previous", "Previous code block", "Go to the previous code block", "[", ""),
        ("block.next", "Next code block", "Go to the next code block", "]", ""),
        ("sibling.previous", "Previous answer", "Show the previous answer or question in this place: from 2/3 to 1/3", "left", ""),
        ("sibling.next", "Next answer", "Show the next answer or question in this place: from 1/3 to 2/3", "right", ""),
        ("message.left", "Scroll left", "Scroll long code lines and wide tables back to their start", "shift+left", ""),
        ("message.right", "Scroll right", "Show the rest of long code lines and wide tables",
         "shift+right", ""),
        ("message.copy", "Copy", "Copy the message, or the code block under the cursor; 1–9 copy that code block", "c", "copy"),
        ("message.copy_all", "Copy the chat", "Copy the whole chat as Markdown", "C", ""),
        ("message.write", "Write to a file", "Write the message or code block to a file", "w", "write"),
        ("message.edit", "Edit", "Edit a question and ask it again, or edit an answer and continue it; the old one stays", "e", "edit"),
        ("message.view", "Open in your editor", "Look at the message in $VISUAL or $EDITOR", "v", ""),
        ("message.retry", "Another answer", "Ask for another answer in this place", "r", "retry"),
        ("message.retry_preset", "Another answer, next preset", "Ask for another answer with the next preset", "t", ""),
        ("message.retry_model", "Another answer, other model", "Ask for another answer with the next model", "m", ""),
        ("message.continue", "Continue", "Continue an answer that was stopped or cut", "g", "continue"),
        ("message.branch", "Branch", "Start a new chat with all messages up to here", "b", "branch"),
        ("message.prompt", "What the model saw", "Show the prompt that the answer was given to, as the server's template makes it", "p", ""),
        ("message.delete", "Delete", "Delete the message and what follows it; u brings it back", "d", "delete"),
        ("message.undo", "Undo", "Bring back what was deleted last", "u", "undo"),
        ("message.fold", "Fold", "Fold or unfold reasoning and long blocks of the message", "space", "fold"),
        ("messages.leave", "Back to writing", "Go back to the composer", "escape", "back"),
    )),
    *(Command(id, title, help, key, "choices", short, shown=False) for id, title, help, key, short in (
        ("choices.previous", "Previous choice", "Go to the previous choice", "up", ""),
        ("choices.next", "Next choice", "Go to the next choice", "down", ""),
        ("choices.take", "Take the choice", "Do what is chosen; its number does too, while nothing is written", "enter", "choose"),
    )),
    *(Command(id, title, help, where="fit", shown=False) for id, title, help in (
        ("fit.drop", "Leave the oldest out", "Hide the oldest questions and answers from the model; they stay in the chat"),
        ("fit.summary", "Summarise the oldest", "Let the model write a summary of what it will no longer see, and use that instead"),
        ("fit.window", "Larger window", "Reload the model with a larger context window: Ollama and the built-in llama.cpp do"),
        ("fit.anyway", "Ask anyway", "Send it, where the count is an estimate and the server refuses what does not fit"),
        ("fit.cancel", "Do not ask", "Put the text back into the composer"),
    )),
    *(Command(id, title, help, key, "chats", short, shown=False) for id, title, help, key, short in (
        ("chats.use", "Open", "Open the chat, at the place that was found", "enter", "open"),
        ("chats.search", "Search", "Search all messages; Esc ends the search", "/", "search"),
        ("chats.rename", "Rename", "Give the chat another title", "r", "rename"),
        ("chats.pin", "Pin", "Keep the chat at the top; press again to undo", "p", "pin"),
        ("chats.archive", "Archive", "Move the chat to the archive, or back", "a", "archive"),
        ("chats.archived", "Show the archive", "Show the archived chats, or the others again", "A", ""),
        ("chats.delete", "Delete", "Delete the chat; u brings it back", "d", "delete"),
        ("chats.undo", "Undo", "Bring back the chat that was deleted last", "u", "undo"),
        ("chats.export", "Export", "Write the chat to a new Markdown file in the current folder", "e", ""),
        ("chats.leave", "Back", "Go back to the open chat", "escape", "back"),
    )),
    *(Command(id, title, help, key, "compare", short, shown=False) for id, title, help, key, short in (
        ("compare.previous", "Previous column", "Go to the column at the left; ↑ ↓ PgUp PgDn scroll it", "left", ""),
        ("compare.next", "Next column", "Go to the column at the right", "right", ""),
        ("compare.left", "Scroll left", "Scroll long code lines and wide tables back to their start", "shift+left", ""),
        ("compare.right", "Scroll right", "Show the rest of long code lines and wide tables",
         "shift+right", ""),
        ("compare.keep", "Keep this answer", "Continue the chat with this answer; the others stay as other answers", "enter", "keep"),
        ("compare.stop", "Stop, then leave", "Stop the answers; press again to go back: all of them stay",
         "escape", "stop"),
    )),
    Command("model.use", "Use this model", "Chat with the model under the cursor", "enter", where="models", short="use",
            shown=False),
    Command("model.files", "Model files", "List the GGUF files on this machine, with what each would take in memory, and open one",
            "o", where="models", short="files", shown=False),
    Command("model.refresh", "Refresh", "Ask the server for its models again", "r", where="models", short="refresh",
            shown=False),
    Command("models.leave", "Back", "Go back to the chat; an answer that comes in there goes on", "escape", where="models",
            short="back", shown=False),
    *(Command(id, title, help, key, "models", short, shown=False) for id, title, help, key, short in (
        ("model.filter", "Filter", "Show only models that have these words in their name, family, size or in what they can",
         "/", "filter"),
        ("model.sort", "Sort", "Order the list by name, size, last change or what is in memory, or as the server does", "s", "sort"),
        ("model.details", "Details", "Show all that the server tells of the model: layers, template, licence, Modelfile", "i",
         "details"),
        ("model.load", "Load", "Load the model into memory, so that the first answer need not wait for it", "l", "load"),
        ("model.unload", "Unload", "Take the model out of memory now", "u", "unload"),
        ("model.keep", "Keep loaded", "Keep a model in memory until it is unloaded by hand", "K", "keep"),
        ("model.unload_all", "Free the memory", "Take all models out of memory now", "U", "free memory"),
        ("model.pull", "Download", "Download a model: by the server, as llama3.2:3b, or by lokal from Hugging Face, as hf:ORG/REPO:QUANT", "p",
         "download"),
        ("model.update", "Update all", "Download all models again, which costs nothing for one that is up to date", "A", ""),
        ("model.delete", "Delete", "Delete the model from the server's disk, once it was said what that frees", "d", "delete"),
        ("model.copy", "Copy", "Give the model a second name", "c", "copy"),
        ("model.rename", "Rename", "Give the model another name", "R", "rename"),
        ("model.create", "New model", "Make a model of your own: of this one with your preset and system prompt, or from a GGUF file", "n",
         "new"),
        ("model.load_with", "Load with …", "Load the model with a context window of your choice, and for how long: 8192 30m", "L", ""),
        ("model.adapters", "LoRA adapters", "Change how strongly the LoRA adapters of the model are applied: 1 as trained, 0 off", "a",
         "adapters"),
        ("model.mark", "Mark", "Mark the model, to delete several at once; press again to undo", "space", "mark"),
        ("pull.pause", "Pause or go on", "Pause the download under the cursor, or let it go on", "P", "pause"),
        ("pull.cancel", "Stop the download", "Stop the download under the cursor, and forget it; one that is done goes from the list",
         "x", "stop"),
        ("pull.earlier", "Earlier", "Let the download under the cursor come earlier", "[", ""),
        ("pull.later", "Later", "Let the download under the cursor come later", "]", ""),
    )),
    Command("preset.save", "Save the preset", "Write the preset to its file", "ctrl+s", where="settings", short="save"),
    Command("preset.revert", "Undo changes", "Go back to the preset as it is saved", "ctrl+z", where="settings",
            short="revert"),
    *(Command(id, title, help, key, "settings", short, shown=False) for id, title, help, key, short in (
        ("preset.new", "New preset", "Make a preset: its name is asked for", "n", "new"),
        ("preset.copy", "Copy the preset", "Make another preset of the one in use, with the values as they are now", "c", "copy"),
        ("preset.rename", "Rename the preset", "Give the preset in use another name", "R", ""),
        ("preset.delete", "Delete the preset", "Delete the preset in use; u brings it back", "d", ""),
        ("preset.undo", "Bring back a preset", "Bring back the preset that was deleted last", "u", ""),
        ("preset.diff", "What was changed", "Show in what the preset in use differs from how it is saved", "v", ""),
        ("preset.earlier", "Preset earlier", "Move the preset in use up in the list, to a lower number", "[", ""),
        ("preset.later", "Preset later", "Move the preset in use down in the list", "]", ""),
    )),
    Command("parameter.less", "Less", "One step down", "left", where="settings", shown=False),
    Command("parameter.more", "More", "One step up", "right", where="settings", shown=False),
    Command("parameter.unset", "Server's default", "Do not send this parameter", "x", where="settings",
            short="server's default", shown=False),
    Command("settings.leave", "Back", "Take back a value that is being typed, else back to the chat; an answer that comes "
            "in there goes on", "escape", where="settings", short="back", shown=False),
)  # fmt: skip

BY_SLASH: Mapping[str, Command] = {command.slash: command for command in COMMANDS if command.slash}
"""By what is typed after the slash."""

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

_NAMES = {
    "escape": "Esc", "enter": "Enter", "pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "slash": "/",
    "left": "←", "right": "→", "home": "Home", "end": "End", "tab": "Tab", "space": "Space",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as a person reads it, in every text of lokal: `ctrl+t` is `Ctrl+T`, `f1` is `F1`, `pageup` is `PgUp`. A key
    alone is what it writes: `c` is `c`, and `C`, which is Shift and c, is `C`."""
    if len(key) == 1:
        return key
    parts = key.split("+")
    return "+".join(_NAMES.get(part, part.capitalize() if len(part) > 1 else part.upper()) for part in parts)


def keymap(overrides: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The key of each command id with the person's `overrides`, and what is wrong with these, in words.

    An unknown id, a key that another command has in the same place, and one that writes where text is written are
    refused; the default then stays. Two commands may change places, and an empty key takes a command's key away.
    """
    wrong = [f"keys: there is no command “{id}”" for id in overrides if id not in BY_ID]
    writing = [
        id for id, key in overrides.items() if id in BY_ID and BY_ID[id].where in _WRITING and writes(key)
    ]
    wrong += [
        f"keys: {key_name(overrides[id])} is typed in the composer, so it cannot be for “{id}”"
        for id in writing
    ]
    overrides = {id: key for id, key in overrides.items() if id not in writing}
    # Its own key said again changes nothing: in places that lie over each other a key may do two things by itself.
    accepted = {id: key for id, key in overrides.items() if id in BY_ID and key != BY_ID[id].key}
    while True:
        keys = {command.id: accepted.get(command.id, command.key) for command in COMMANDS}
        clash = next(
            ((id, other) for id in reversed(accepted) if (other := _owner(keys, id)) is not None), None
        )
        if clash is None:
            return {id: key for id, key in keys.items() if key}, wrong
        id, other = clash
        wrong.append(f"keys: {key_name(accepted.pop(id))} belongs to “{other}” already, so not to “{id}”")


def _owner(keys: Mapping[str, str], id: str) -> str | None:
    """The other command that has the key of `id` in a place where both work."""
    return next(
        (
            other.id
            for other in COMMANDS
            if other.id != id
            and keys[id]
            and keys[other.id] == keys[id]
            and _meet(BY_ID[id].where, other.where)
        ),
        None,
    )


_PARTS_OF_THE_CHAT = frozenset({"composer", "messages", "choices", "fit"})
_WRITING = frozenset({"everywhere", "chat", "composer", "fit"})
"""Where a key may be meant for what is being written."""


def writes(key: str) -> bool:
    """Whether a key writes something where text is written: a letter, a digit, a sign or the space bar."""
    return key == "space" or (len(key) == 1 and key.isprintable())


def _meet(where: str, other: str) -> bool:
    """Whether two places are ever open together; the composer is a part of the chat, and open while lokal asks."""
    pair = {where, other}
    if len(pair) == 1 or "everywhere" in pair or pair in ({"composer", "fit"}, {"choices", "fit"}):
        return True
    return "chat" in pair and bool(pair & _PARTS_OF_THE_CHAT)
