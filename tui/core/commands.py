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
    """One action. `where` is where its key works: `everywhere`, `chat`, `composer`, `choices` (a list of ways on has
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
    Command("newline", "New line", "A new line; Alt+Enter and Shift+Enter too, where the terminal has them",
            "ctrl+j", where="composer", short="new line", shown=False),
    Command("history.previous", "Earlier prompt", "In the first line: the prompt before this one", "up",
            where="composer", shown=False),
    Command("history.next", "Later prompt", "In the last line: the prompt after this one", "down",
            where="composer", shown=False),
    Command("answer.stop", "Stop the answer", "Stop at once and keep what came", "escape", "chat", "stop", slash="stop"),
    Command("answer.retry", "Ask again", "Ask the last question again, or for the first time; answers stay as siblings", "f5",
            "chat", "retry", slash="retry"),
    Command("answer.continue", "Continue the answer", "Go on where an answer was stopped or cut", "f6",
            "chat", "continue", slash="continue"),
    Command("reasoning.toggle", "Fold or unfold reasoning", "Show or hide what the model thought", "ctrl+o",
            "chat", "reasoning", slash="reasoning"),
    Command("guide.ask", "Ask the guide", "The small model inside lokal: it knows lokal, local models and parameters, nothing else",
            short="guide", slash="guide"),
    Command("gguf.open", "Open a model file", "Start the built-in llama.cpp with a GGUF file from disk",
            short="open a file", slash="open", argument="[FILE]"),
    Command("server.help", "Start or name a server", "How to start Ollama or llama-server here; another server's address",
            short="servers"),
    Command("chats.open", "Chats", "All chats: open, search, rename, pin, archive, delete", "f7", short="chats", slash="chats"),
    Command("search", "Search all chats", "Find words in everything that was said", "ctrl+f", short="search",
            slash="search", argument="[TEXT]"),
    Command("messages.enter", "Walk the messages", "To the messages above: copy, edit, branch, delete, fold",
            "shift+tab", "composer", "messages"),
    Command("choices.enter", "To the choices", "To the list of ways on, where lokal shows one; ↓ in an empty composer too",
            "tab", "composer", "choose", shown=False),
    Command("history.search", "Search earlier prompts", "Find a prompt of any chat by its words", "ctrl+r", "composer"),
    Command("editor", "Write in your editor", "Open the draft, or a message you edit, in $VISUAL or $EDITOR", "alt+e", "composer",
            "editor", slash="editor"),
    Command("attach", "Attach a file", "Send a text file or an image with the question", where="composer",
            slash="attach", argument="[FILE]"),
    Command("paste.open", "Open a pasted piece", "Put a long paste that is shown as one piece into the text", "alt+p",
            "composer"),
    Command("queue.take_back", "Take back the waiting question", "Bring the question that waits back into the composer",
            "alt+up", "composer"),
    Command("preset.use", "Use a preset", "Switch to that preset; without a name, say which there are",
            slash="preset", argument="[NAME]", shown=False),
    Command("model.choose", "Use a model", "Chat with that model; without a name, list them", slash="model",
            argument="[NAME]", shown=False),
    Command("server.use", "Use a server", "Talk to another server: an address or a name from the config", slash="server",
            argument="[URL]", shown=False),
    Command("theme.use", "Use a theme", "Change the colours; without a name, list the themes", slash="theme",
            argument="[NAME]", shown=False),
    Command("system.set", "System prompt", "Give this chat a system prompt of its own; without a text, show it; “-” takes it away",
            slash="system", argument="[TEXT]", shown=False),
    Command("parameter.set", "Set a parameter", "For this run: /set top_k=40; “top_k=” sends none; alone, what is set",
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
    Command("compare", "Side by side", "The same prompt to presets, models or preset@model, side by side; “on SERVER” after "
            "one asks there, a question follows after a colon", slash="compare", argument="[NAME ...] [: QUESTION]"),
    Command("schema", "Structured output", "Answers of this chat as JSON: “json”, a schema file, or “off”", slash="schema",
            argument="[json|FILE|off]", shown=False),
    Command("stats", "Figures", "Tokens, speed and context of this chat", slash="stats"),
    Command("undo", "Undo", "Bring back what was deleted last", slash="undo"),
    Command("scroll.page_up", "Page up", "Back one page", "pageup", where="chat", shown=False),
    Command("scroll.page_down", "Page down", "On one page", "pagedown", where="chat", shown=False),
    Command("scroll.start", "Go to the start", "To the first message", "ctrl+home", where="chat"),
    Command("scroll.end", "Go to the end", "To the newest line, and follow it", "ctrl+g", where="chat", short="end"),
    Command("preset.next", "Next preset", "Switch to the next preset; a running answer keeps its own", "ctrl+t",
            short="preset"),
    *(Command(f"preset.{n}", f"Preset {n}", "Switch to the preset with that number", f"alt+{n}", shown=False)
      for n in range(1, 10)),
    Command("chat.new", "New chat", "Start an empty chat; this one is kept", "ctrl+n", short="new chat", slash="new"),
    Command("tab.chat", "Chat", "Show the chat", "f2", short="chat"),
    Command("tab.models", "Models", "Show the server's models", "f3", short="models", slash="models"),
    Command("tab.settings", "Settings", "Show the presets and their parameters", "f4", short="settings", slash="settings"),
    Command("server.search", "Look for servers", "Ask the known addresses again", "f8", short="look again"),
    Command("theme.next", "Next theme", "Switch to the next theme", "f9"),
    Command("screen.redraw", "Redraw the screen", "Draw everything anew, where something else has written on the screen", "ctrl+l"),
    Command("help", "Keys", "Show every key", "f1", short="keys", slash="help", argument="[COMMAND]"),
    Command("palette", "Command palette", "Find any command by name", "ctrl+p", shown=False),
    Command("suspend", "Suspend", "Back to the shell; its command fg brings lokal back", slash="suspend"),
    Command("quit", "Quit", "Save and leave", "ctrl+q", short="quit", slash="quit"),
    *(Command(id, title, help, key, "messages", short, shown=False) for id, title, help, key, short in (
        ("message.previous", "Message before", "The message before", "up", ""),
        ("message.next", "Next message", "The message after", "down", ""),
        ("block.previous", "Code block before", "The code block before", "[", ""),
        ("block.next", "Next code block", "The code block after", "]", ""),
        ("sibling.previous", "Other answer before", "The answer or question before in its place: 2/3 to 1/3", "left", ""),
        ("sibling.next", "Next other answer", "The next answer or question in its place: 1/3 to 2/3", "right", ""),
        ("message.left", "Sideways, to the left", "Long code lines and wide tables, back to where they begin", "shift+left", ""),
        ("message.right", "Sideways, to the right", "What of long code lines and wide tables is beyond the right edge",
         "shift+right", ""),
        ("message.copy", "Copy", "Copy the message, or the code block under the cursor; 1–9 copy that code block", "c", "copy"),
        ("message.copy_all", "Copy the chat", "Copy the whole chat as Markdown", "C", ""),
        ("message.write", "Write to a file", "Write the message or code block to a file", "w", "write"),
        ("message.edit", "Edit", "Edit a question and ask it beside the old one; edit an answer and go on from it", "e", "edit"),
        ("message.view", "Open in your editor", "Look at the message in $VISUAL or $EDITOR", "v", ""),
        ("message.retry", "Another answer", "Ask for another answer in this place", "r", "retry"),
        ("message.retry_preset", "Another answer, next preset", "Another answer with the next preset", "t", ""),
        ("message.retry_model", "Another answer, other model", "Another answer with the next model", "m", ""),
        ("message.continue", "Continue", "Go on where the answer was stopped or cut", "g", "continue"),
        ("message.branch", "Branch", "A new chat with all up to here", "b", "branch"),
        ("message.delete", "Delete", "Delete the message and what follows it; u brings it back", "d", "delete"),
        ("message.undo", "Undo", "Bring back what was deleted last", "u", "undo"),
        ("message.fold", "Fold", "Fold or unfold reasoning and long blocks of the message", "space", "fold"),
        ("messages.leave", "Back to writing", "Back to the composer", "escape", "back"),
    )),
    *(Command(id, title, help, key, "choices", short, shown=False) for id, title, help, key, short in (
        ("choices.previous", "Choice before", "The choice before", "up", ""),
        ("choices.next", "Next choice", "The choice after", "down", ""),
        ("choices.take", "Take the choice", "Do what is chosen; so does its number while nothing is written", "enter", "choose"),
    )),
    *(Command(id, title, help, where="fit", shown=False) for id, title, help in (
        ("fit.drop", "Leave the oldest out", "The model no longer sees the oldest questions and answers; they stay in the chat"),
        ("fit.summary", "Summarise the oldest", "The model writes a summary of what it will no longer see, and goes on from that"),
        ("fit.window", "Larger window", "Ollama and the built-in llama.cpp load the model anew with a larger context window"),
        ("fit.anyway", "Ask all the same", "Where the count is an estimate and the server refuses what does not fit"),
        ("fit.cancel", "Do not ask", "The text comes back into the composer"),
    )),
    *(Command(id, title, help, key, "chats", short, shown=False) for id, title, help, key, short in (
        ("chats.use", "Open", "Open the chat, at the place that was found", "enter", "open"),
        ("chats.search", "Search", "Search all messages; Esc ends the search", "/", "search"),
        ("chats.rename", "Rename", "Give the chat another title", "r", "rename"),
        ("chats.pin", "Pin", "Keep the chat at the top, or no longer", "p", "pin"),
        ("chats.archive", "Archive", "Put the chat away, or bring it back", "a", "archive"),
        ("chats.archived", "Show the archive", "Show the archived chats, or the others again", "A", ""),
        ("chats.delete", "Delete", "Delete the chat; u brings it back", "d", "delete"),
        ("chats.undo", "Undo", "Bring back the chat that was deleted last", "u", "undo"),
        ("chats.export", "Export", "Write the chat to a file", "e", ""),
        ("chats.leave", "Back", "Back to the open chat", "escape", "back"),
    )),
    *(Command(id, title, help, key, "compare", short, shown=False) for id, title, help, key, short in (
        ("compare.previous", "Column before", "The column at the left; ↑ ↓ PgUp PgDn scroll it", "left", ""),
        ("compare.next", "Next column", "The column at the right", "right", ""),
        ("compare.left", "Sideways, to the left", "Long code lines and wide tables, back to where they begin", "shift+left", ""),
        ("compare.right", "Sideways, to the right", "What of long code lines and wide tables is beyond the column's edge",
         "shift+right", ""),
        ("compare.keep", "Keep this answer", "Go on from this answer; the others stay beside it", "enter", "keep"),
        ("compare.stop", "Stop, then leave", "Stop the answers that are coming; once more goes back, and all of them stay",
         "escape", "stop"),
    )),
    Command("model.use", "Use this model", "Chat with the model under the cursor", "enter", where="models", short="use",
            shown=False),
    Command("model.refresh", "Refresh", "Ask the server for its models again", "r", where="models", short="refresh",
            shown=False),
    Command("models.leave", "Back", "Back to the chat; an answer that comes in there goes on", "escape", where="models",
            short="back", shown=False),
    Command("preset.save", "Save the preset", "Write the preset to its file", "ctrl+s", where="settings", short="save"),
    Command("preset.revert", "Undo changes", "Back to the preset as it is saved", "ctrl+z", where="settings",
            short="revert"),
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
    """A key as a person reads it: `ctrl+t` is `Ctrl+T`, `f1` is `F1`, `c` is `C` and `C` is `Shift+C`."""
    if len(key) == 1 and key.isupper():
        return f"Shift+{key}"
    parts = key.split("+")
    return "+".join(_NAMES.get(part, part.capitalize() if len(part) > 1 else part.upper()) for part in parts)


def short_key(key: str) -> str:
    """A key as the instrument line shows it: `ctrl+t` is `^T`."""
    name = key_name(key)
    return name.replace("Ctrl+", "^")


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
