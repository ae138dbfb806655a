"""Turns as they go out: what of an attachment is text and what is a picture."""

from __future__ import annotations

import base64

from tui.core.attaching import is_picture
from tui.core.message import Attachment
from tui.core.request import Turn
from tui.core.text import plain_text, safe_line, safe_name
from tui.errors import Refused


def text_of(turn: Turn) -> str:
    """The turn's text, with the files that are text in front of it, each in a frame with its name.

    Raises Refused for a file that is neither a picture nor text.
    """
    files = [_as_text(file) for file in turn.attachments if not is_picture(file)]
    return "\n\n".join([*files, turn.content]) if files else turn.content


def pictures_of(turn: Turn) -> tuple[Attachment, ...]:
    """The attachments that a model has to see."""
    return tuple(file for file in turn.attachments if is_picture(file))


def text_files_of(turn: Turn) -> tuple[Attachment, ...]:
    """The attachments that a model has to read."""
    return tuple(file for file in turn.attachments if not is_picture(file))


def base64_of(file: Attachment) -> str:
    """The file's bytes in base64, as Ollama takes a picture."""
    return base64.b64encode(file.data).decode("ascii")


def data_url(file: Attachment) -> str:
    """The file as a data URL, as OpenAI-like servers take a picture."""
    return f"data:{file.media_type};base64,{base64_of(file)}"


def _as_text(file: Attachment) -> str:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{safe_name(file.name, 80)} cannot be sent",
            "It is neither a picture nor UTF-8 text",
            "Take it out",
        ) from error
    name = safe_line(file.name, 200)
    return f"--- FILE {name} ---\n{plain_text(text).rstrip()}\n--- END OF {name} ---"
