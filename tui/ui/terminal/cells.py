"""Rows of terminal cells: what stands in each column, and where terminals may disagree about it.

A cell holds the whole cluster (base character with its marks) in the cluster's first column and an empty string in
its further columns. Widths are Rich's, because Textual laid the frame out with them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from rich.cells import cell_len, get_character_cell_size

from tui.ui.terminal.sgr import DEFAULT_PEN, Pen, blank_pen, parameters

BLANK = " "
CONTINUED = ""
# A cell whose content on the terminal is not known. No frame can hold it: controls never get into a row.
UNKNOWN = "\x00"

# One column wide in every terminal and every Unicode version: Latin, Greek, Cyrillic, Vietnamese, common punctuation,
# arrows, box drawing, Braille. Text of these only needs no look at its clusters.
SIMPLE = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u0384-\u038a\u0391-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff]*"
)
# What acts on a terminal instead of being drawn, and what turns text around on it (Unicode UAX #9, 2.1-2.5).
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# Halves of surrogate pairs: no terminal can be sent one; they are as wide as what stands for them.
_HALVES = re.compile("[\ud800-\udfff]")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Two columns wide since the first wcwidth (Markus Kuhn, 2000-2007): Hangul, kana, Han, full-width forms.
_LONG_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
                        "\U00020000-\U0003fffd]")  # fmt: skip
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True, repr=False)
class CellRow:
    """One row: `glyphs` and `pens` have one entry a column.

    `careful` = some cluster's width is not the same in all terminals; `right_to_left` = a terminal may reorder the row.
    `leading` = zero-width marks before the first cell, which belong to whatever stands left of the row.
    """

    glyphs: tuple[str, ...]
    pens: tuple[Pen, ...]
    careful: bool = False
    right_to_left: bool = False
    leading: str = ""

    def __repr__(self) -> str:
        pens = [f"{len(list(group))}*{tuple(pen)}" for pen, group in groupby(self.pens)]
        return f"Row({''.join(self.glyphs)!r}, {', '.join(pens)})"

    @property
    def width(self) -> int:
        return len(self.glyphs)

    @classmethod
    def of(cls, runs: Iterable[tuple[str, Pen]], width: int | None = None) -> CellRow:
        """The row that `runs` of text fill; cut, or filled with default blanks, to `width` columns if given.

        Control characters have no width for Textual and are left out: on the wire they would act.
        """
        glyphs: list[str] = []
        pens: list[Pen] = []
        careful = right_to_left = False
        leading = ""
        for text, pen in runs:
            empty = blank_pen(pen)
            if SIMPLE.fullmatch(text):
                glyphs.extend(text)
                pens.extend([empty if character == BLANK else pen for character in text])
                continue
            right_to_left = right_to_left or _RIGHT_TO_LEFT.search(text) is not None
            for cluster, columns in clusters(text):
                if not columns and glyphs:
                    careful = not settled(_marked(glyphs, cluster)) or careful
                elif not columns:
                    leading += cluster
                if not columns:
                    continue
                careful = careful or not settled(cluster)
                glyphs.append(cluster)
                glyphs.extend([CONTINUED] * (columns - 1))
                pens.extend([empty if cluster == BLANK else pen] * columns)
        row = cls(tuple(glyphs), tuple(pens), careful, right_to_left, leading)
        return row if width is None else row.fitted(width)

    def looks(self) -> list[tuple[str, str]]:
        """The row as (SGR parameters, text) runs, without the default blanks at its end."""
        runs: list[tuple[Pen, list[str]]] = []
        for glyph, pen in zip(self.glyphs, self.pens, strict=True):
            # A blank between two words looks the same in their pen.
            if runs and (runs[-1][0] == pen or (glyph == BLANK and blank_pen(runs[-1][0]) == pen)):
                runs[-1][1].append(glyph)
            else:
                runs.append((pen, [glyph]))
        texts = [(parameters(pen), "".join(glyphs)) for pen, glyphs in runs]
        if texts and texts[-1][0] == "":
            texts[-1] = ("", texts[-1][1].rstrip(BLANK))
        return [run for run in texts if run[1]]

    @classmethod
    def unknown(cls, width: int) -> CellRow:
        """A row whose content on the terminal is not known; it differs from every other in every cell."""
        return cls((UNKNOWN,) * width, (DEFAULT_PEN,) * width)

    def fitted(self, width: int) -> CellRow:
        """The row cut or filled to `width` columns."""
        missing = width - self.width
        if not missing:
            return self
        if missing > 0:
            return self._like(self.glyphs + (BLANK,) * missing, self.pens + (DEFAULT_PEN,) * missing)
        return self._like(self.glyphs[:width], self.pens[:width], mend_end=self.glyphs[width] == CONTINUED)

    def replaced(self, x: int, piece: CellRow) -> CellRow:
        """The row with `piece` laid over it from column `x`; a wide cluster that loses a half becomes blanks."""
        piece = piece.fitted(min(piece.width, self.width - x))
        end = x + piece.width
        left = self._like(
            self.glyphs[:x], self.pens[:x], mend_end=x < self.width and self.glyphs[x] == CONTINUED
        )
        if piece.leading and x:
            glyphs = list(left.glyphs)
            marked = _marked(glyphs, piece.leading)
            left = CellRow(tuple(glyphs), left.pens, self.careful or not settled(marked), self.right_to_left)
        rest = end
        while rest < self.width and self.glyphs[rest] == CONTINUED:
            rest += 1
        blanks = tuple(blank_pen(pen) for pen in self.pens[end:rest])
        return CellRow(
            left.glyphs + piece.glyphs + (BLANK,) * (rest - end) + self.glyphs[rest:],
            left.pens + piece.pens + blanks + self.pens[rest:],
            left.careful or piece.careful,
            self.right_to_left or piece.right_to_left,
        )

    def _like(self, glyphs: tuple[str, ...], pens: tuple[Pen, ...], mend_end: bool = False) -> CellRow:
        """The same kind of row with other cells; `mend_end`: its last cluster was cut in two and is made blank."""
        if mend_end and glyphs:
            head = len(glyphs) - 1
            while head and glyphs[head] == CONTINUED:
                head -= 1
            missing = len(glyphs) - head
            glyphs = glyphs[:head] + (BLANK,) * missing
            pens = pens[:head] + tuple(blank_pen(pen) for pen in pens[head:])
        return CellRow(glyphs, pens, self.careful, self.right_to_left, self.leading)


def clusters(text: str) -> list[tuple[str, int]]:
    """`text` as clusters with their columns, which add up to what Textual measured for the text.

    A cluster is a character with the zero-width ones after it, joined over zero-width joiners. Where the parts do not
    add up to the whole, the whole is one cluster.
    """
    text = _HALVES.sub("\ufffd", _CONTROLS.sub("", text))
    parts: list[str] = []
    joined = False
    for character in text:
        if parts and (joined or not get_character_cell_size(character)):
            parts[-1] += character
        else:
            parts.append(character)
        joined = character == _JOINER
    if joined:
        # It has nothing to join here, but a terminal could join to it what is drawn next.
        parts[-1] = parts[-1].rstrip(_JOINER)
    measured = [(part, cell_len(part)) for part in parts if part]
    total = cell_len(text)
    return measured if sum(columns for _, columns in measured) == total else [(text, total)]


@lru_cache(maxsize=8192)
def settled(cluster: str) -> bool:
    """Whether every terminal in use gives `cluster` the same width as Rich does.

    Emoji, flags, joined sequences, variation selectors and the vowel signs of Indic scripts are not: their widths
    depend on the Unicode version and the font of the terminal.
    """
    if len(cluster) <= 1 and cluster.isascii():
        return True
    base, marks = cluster[0], cluster[1:]
    if any(
        unicodedata.category(mark) != "Mn" or "\ufe00" <= mark <= "\ufe0f" or mark > "\uffff"
        for mark in marks
    ):
        return False
    columns = get_character_cell_size(base)
    if columns == 2:
        return _LONG_WIDE.match(base) is not None
    return columns == 1 and base < "\U0001f000" and unicodedata.category(base) not in ("Mc", "Mn", "Cf", "Cn")


@lru_cache(maxsize=8192)
def reach(cluster: str) -> int:
    """The most columns that a terminal may draw `cluster` in; 0 for one that is settled, and so covers its own only."""
    if settled(cluster):
        return 0
    return 2 * sum(character != _JOINER and unicodedata.category(character) != "Mn" for character in cluster)


def _marked(glyphs: list[str], marks: str) -> str:
    """Adds zero-width `marks` to the last cluster, unless it has them, and returns it. There must be one."""
    x = len(glyphs) - 1
    while x and glyphs[x] == CONTINUED:
        x -= 1
    if not glyphs[x].endswith(marks):
        glyphs[x] += marks
    return glyphs[x]
