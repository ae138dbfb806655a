"""All that a server tells of one model, as a page: figures, template, licence, Modelfile. It can be copied."""

from __future__ import annotations

from textual import events

from tui.core.model_management import ModelDetails
from tui.core.text import safe_block, safe_line, safe_name
from tui.models.description import MODELFILE, DescriptionPart, as_text, description_of
from tui.ui.keys import named_by
from tui.ui.output import CopyWanted
from tui.ui.page import Line, PageScreen, table
from tui.ui.widgets.row import wrap_words

MOST_VALUE = 2000
"""Characters of a value that are shown; copied is all of it."""
COPY, COPY_MODELFILE = "c", "m"
_COMMANDS = frozenset(
    ("from", "parameter", "template", "system", "adapter", "license", "message", "requires", "draft", "renderer", "parser")
)  # fmt: skip


class ModelPage(PageScreen):
    """Letters copy here, so nothing is looked for."""

    def __init__(self, details: ModelDetails, key: str) -> None:
        """`key` is the one that opened it, in Textual's notation."""
        parts = description_of(details)
        self._texts = {COPY: safe_block(as_text(details.name, parts))}
        hint = "c copies · Esc back"
        if details.modelfile.strip():
            self._texts[COPY_MODELFILE] = safe_block(details.modelfile)
            hint = "c copies all · m the Modelfile · Esc back"
        super().__init__(safe_name(details.name, 60), lambda width: page_lines(parts, width), key, hint=hint)

    def on_key(self, event: events.Key) -> None:
        """The keys that copy, and those of every page."""
        if copies := named_by(event, {key: key for key in self._texts}):
            event.stop()
            event.prevent_default()
            self.post_message(CopyWanted(lambda: self._texts[copies]))
        else:
            super().on_key(event)


def page_lines(parts: tuple[DescriptionPart, ...], width: int) -> tuple[Line, ...]:
    """The lines of the page."""
    lines: list[Line] = []
    for part in parts:
        if part.title:
            lines += [(), ((f" {part.title}", "accent"),)]
        lines += table([row for name, value in part.facts for row in _rows(name, value)], width)
        for text in safe_block(part.text).expandtabs(4).splitlines():
            lines += _text_lines(text, width, is_modelfile=part.title == MODELFILE)
    return tuple(lines)


def _rows(name: str, value: str) -> list[tuple[str, str, str]]:
    """A name and its value, which may have several lines, as the settings of a router's model do."""
    texts = safe_block(value[:MOST_VALUE]).splitlines() or [""]
    return [("" if at else safe_line(name, 60), "muted", text) for at, text in enumerate(texts)]


def _text_lines(text: str, width: int, *, is_modelfile: bool) -> list[Line]:
    """A line of a text, wrapped between words; its indentation stays. In a Modelfile commands and comments stand out."""
    indent = text[: len(text) - len(text.lstrip())][: width // 2]
    wrapped = wrap_words(text, max(10, width - 3 - len(indent))) or [""]
    lines: list[Line] = [((f"  {indent}{line}", "foreground"),) for line in wrapped]
    if not is_modelfile:
        return lines
    if text.startswith("#"):
        return [((f"  {line}", "muted"),) for line in wrapped]
    command, blank, rest = wrapped[0].partition(" ")
    if not indent and command.lower() in _COMMANDS:
        lines[0] = ((f"  {command}", "second"), (f"{blank}{rest}", "foreground"))
    return lines
