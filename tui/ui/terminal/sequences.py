"""What a terminal sends, cut into its parts: text, control characters, and escape sequences as ECMA-48 and xterm have them.

Nothing is decided here about what a sequence means; but each is taken whole or left whole, so that no part of one that
nobody can read is ever typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "control", "paste", "csi", "ss3", "string", "alt", "escape", "broken"]
"""`text` may hold tabs and line ends; `alt` is ESC and one character; `string` is an OSC, DCS, PM, APC or SOS with its end;
`broken` is the beginning of a sequence that something else has cut off."""

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"

# A string that a terminal sends begins like this; anything else after these two characters is Alt and a key.
_REPLY = r"(?:\](?:[0-9]|l|L)|P[0-9>!$+=|]|_G)"
_PART = re.compile(
    r"(?P<text>[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    r"|(?P<paste>\x1b\[200~)"
    # The Linux console's function keys; the old mouse report with its three characters; everything else.
    r"|(?P<csi>\x1b\[(?:\[[@-~]|M[^\x00-\x1f]{3}|(?![\[M])[ -?]*[@-~]))"
    r"|(?P<ss3>\x1bO[0-9;]*[@-~])"
    r"|(?P<string>\x1b[\]P_^X][^\x00-\x1f\x7f]*(?:\x07|\x1b\\))"
    r"|(?P<broken>\x1b(?:\[[ -?]+(?=[^ -~])|O[0-9;]+(?=[^0-9;@-~])|\[M[^\x00-\x1f]{0,2}(?=[\x00-\x1f])"
    rf"|{_REPLY}[^\x00-\x1f\x7f]*(?=[\x00-\x1a\x1c-\x1f\x7f]|\x1b[^\\])))"
    r"|(?P<escape>\x1b(?=\x1b))"
    rf"|(?P<alt>\x1b(?!\[(?:\[|M)?[ -?]*\Z|\[M[^\x00-\x1f]*\Z|O[0-9;]*\Z|[\]P_^X]\x1b?\Z|{_REPLY}[^\x00-\x1f\x7f]*\x1b?\Z)[^\x1b])"
)
LONGEST = 4096
"""Characters of an unfinished sequence that are kept; of a longer one only its beginning is."""


@dataclass(frozen=True, slots=True)
class SequencePart:
    """One piece of the input."""

    kind: Kind
    text: str


def first(text: str, at: int = 0) -> SequencePart | None:
    """The part of `text` that begins at `at`; None where more has to come before that can be said."""
    found = _PART.match(text, at)
    return SequencePart(found.lastgroup, found.group()) if found is not None else None  # type: ignore[arg-type]  # a Kind each


def shortened(unfinished: str) -> str:
    """An unfinished sequence, without what makes one that never ends too long to keep; it is then none that means anything."""
    if len(unfinished) <= LONGEST:
        return unfinished
    return (
        "\x1b[>"
        if unfinished.startswith("\x1b[")
        else "\x1bO0"
        if unfinished.startswith("\x1bO")
        else "\x1b_G"
    )
