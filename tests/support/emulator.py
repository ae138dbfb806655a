"""A terminal to look at what was sent: pyte's screen, made to behave as terminals in use do.

pyte knows neither SU, SD nor background colour erase, keeps the halves of cut wide characters, drops many marks, and
tracks no dim, conceal, overline or double underline. `Terminal.cells()` gives what a person would see: two blanks that look alike
are equal, whatever their foreground.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyte
from pyte.screens import Char, Margins, wcwidth

# Modes and private sequences that pyte would print or trip over; none of them draws anything.
_SILENT = re.compile("\x1b\\[[<>=][0-9;]*[a-zA-Z]|\x1b\\[\\?(?!7[hl])[0-9;]*[a-zA-Z]|\x1b\\[\\?[0-9;]*\\$p")
_INCOMPLETE = re.compile("\x1b(?:\\[[0-9;?<=>$]*|\\][^\x07\x1b]*\x1b?)?\\Z")
_SYMBOLS = re.compile("[\u2300-\u2bff\U0001f000-\U0001ffff]")
_SEEN_ON_BLANKS = frozenset({"4", "21", "5", "6", "7", "9", "51", "52", "53"})
_OFF = {
    "22": {"1", "2"},
    "23": {"3"},
    "24": {"4", "21"},
    "25": {"5", "6"},
    "27": {"7"},
    "28": {"8"},
    "29": {"9"},
    "54": {"51", "52"},
    "55": {"53"},
}


class Cell(NamedTuple):
    """What is seen in one column; an empty glyph is the second half of a wide character."""

    glyph: str
    foreground: str
    background: str
    attributes: frozenset[str]
    link: str


class Style(NamedTuple):
    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()
    link: str = ""


_PLAIN = Style()


class _Screen(pyte.Screen):
    """pyte's screen with the whole SGR state in `Char.fg`, as a key of `styles`."""

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        erases_with_colour: bool,
        scrolls_with_colour: bool,
        narrow_symbols: bool,
    ) -> None:
        self.style = _PLAIN
        self.styles: dict[str, Style] = {"default": _PLAIN}
        self.erases_with_colour = erases_with_colour
        self.scrolls_with_colour = scrolls_with_colour
        self.narrow_symbols = narrow_symbols
        super().__init__(columns, lines)

    def select_graphic_rendition(self, *attrs: int, **kwargs: Any) -> None:
        foreground, background, attributes, link = self.style
        codes = [str(attr) for attr in attrs or (0,)]
        while codes:
            code = codes.pop(0)
            if code == "0":
                foreground, background, attributes = "", "", frozenset()
            elif code in ("38", "48"):
                count = 4 if codes[0] == "2" else 2
                colour, codes = ";".join((code, *codes[:count])), codes[count:]
                foreground, background = (colour, background) if code == "38" else (foreground, colour)
            elif code in _OFF:
                attributes -= _OFF[code]
            elif code in ("39", "49"):
                foreground, background = ("", background) if code == "39" else (foreground, "")
            elif 30 <= int(code) <= 37 or 90 <= int(code) <= 97:
                foreground = code
            elif 40 <= int(code) <= 47 or 100 <= int(code) <= 107:
                background = code
            else:
                attributes |= {code}
        self._take(Style(foreground, background, attributes, link))

    def select_link(self, url: str) -> None:
        self._take(self.style._replace(link=url))

    def _take(self, style: Style) -> None:
        self.style = style
        key = repr(style)
        self.styles[key] = style
        self.cursor.attrs = Char(" ", fg=key)

    def _erased(self, with_colour: bool) -> Char:
        style = Style(background=self.style.background) if with_colour else _PLAIN
        self.styles[repr(style)] = style
        return Char(" ", fg=repr(style))

    def draw(self, data: str) -> None:
        """Draws; a wide character that loses a half to another character loses its other half too.

        pyte leaves such halves, and drops marks that have no combining class; here each zero-width character stays
        with the one before it. Nothing is joined, and nothing wraps at the right edge.
        """
        line = self.buffer[self.cursor.y]
        for character in data:
            columns = wcwidth(character)
            if self.narrow_symbols and _SYMBOLS.match(character):
                columns = min(columns, 1)
            if columns <= 0:
                x = self.cursor.x - 1
                while x > 0 and line[x].data == "":
                    x -= 1
                if x >= 0:
                    line[x] = line[x]._replace(data=line[x].data + character)
                continue
            x = min(self.cursor.x, self.columns - columns)
            self._cut(x)
            self._cut(x + columns)
            line[x] = self.cursor.attrs._replace(data=character)
            if columns == 2:
                line[x + 1] = self.cursor.attrs._replace(data="")
            self.cursor.x = x + columns

    def _cut(self, x: int) -> None:
        """Blanks the wide character, if any, that has its halves left and right of the border before column x."""
        line = self.buffer[self.cursor.y]
        if 0 < x < self.columns and line[x].data == "":
            line[x - 1] = line[x - 1]._replace(data=" ")
            line[x] = line[x]._replace(data=" ")

    def erase_characters(self, count: int | None = None) -> None:
        self._erase(range(self.cursor.x, min(self.cursor.x + (count or 1), self.columns)))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        self._erase((range(self.cursor.x, self.columns), range(self.cursor.x + 1), range(self.columns))[how])

    def _erase(self, columns: range) -> None:
        self._cut(columns.start)
        self._cut(columns.stop)
        for x in columns:
            self.buffer[self.cursor.y][x] = self._erased(self.erases_with_colour)

    def index(self) -> None:
        bottom = (self.margins or Margins(0, self.lines - 1)).bottom
        scrolls = self.cursor.y == bottom
        super().index()
        if scrolls:
            self._fill(bottom)

    def reverse_index(self) -> None:
        top = (self.margins or Margins(0, self.lines - 1)).top
        scrolls = self.cursor.y == top
        super().reverse_index()
        if scrolls:
            self._fill(top)

    def set_margins(self, top: int | None = None, bottom: int | None = None, **kwargs: Any) -> None:
        super().set_margins(top, bottom)
        # pyte leaves the cursor where it is when the region is reset; DECSTBM homes it (VT510 manual).
        self.cursor_position()

    def scroll_up(self, count: int = 1) -> None:
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = (self.margins or Margins(0, self.lines - 1)).bottom
        for _ in range(count or 1):
            self.index()
        self.cursor.x, self.cursor.y = x, y

    def scroll_down(self, count: int = 1) -> None:
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = (self.margins or Margins(0, self.lines - 1)).top
        for _ in range(count or 1):
            self.reverse_index()
        self.cursor.x, self.cursor.y = x, y

    def _fill(self, y: int) -> None:
        for x in range(self.columns):
            self.buffer[y][x] = self._erased(self.scrolls_with_colour)


class _Stream(pyte.Stream):
    def __init__(self, screen: _Screen) -> None:
        self.csi = {**pyte.Stream.csi, "S": "scroll_up", "T": "scroll_down"}
        super().__init__(screen)


class Terminal:
    """A terminal of `columns` by `lines`. It starts full of rubbish, so that nothing is right by chance.

    `erases_with_colour`: EL and ECH leave the pen's background (BCE); `scrolls_with_colour`: so do scrolled-in rows.
    `narrow_symbols`: it draws emoji and the like in one column, as terminals from before Unicode 9 do.
    """

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        erases_with_colour: bool = True,
        scrolls_with_colour: bool = True,
        narrow_symbols: bool = False,
    ) -> None:
        self._screen = _Screen(
            columns,
            lines,
            erases_with_colour=erases_with_colour,
            scrolls_with_colour=scrolls_with_colour,
            narrow_symbols=narrow_symbols,
        )
        self._stream = _Stream(self._screen)
        self._incomplete = ""
        self.bytes_fed = 0
        self.feed("\x1b[?7l\x1b[31;44m" + "\r\n".join(["?" * columns] * lines) + "\x1b[m")
        self.bytes_fed = 0

    def feed(self, text: str) -> None:
        """Takes what was sent; a sequence that is not complete waits for its rest."""
        self.bytes_fed += len(text.encode())
        text = self._incomplete + text
        incomplete = _INCOMPLETE.search(text)
        self._incomplete = incomplete.group() if incomplete else ""
        text = text[: incomplete.start()] if incomplete else text
        for part in re.split("(\x1b\\]8;[^;]*;[^\x1b]*\x1b\\\\)", _SILENT.sub("", text)):
            if part.startswith("\x1b]8;"):
                self._screen.select_link(part[4:-2].partition(";")[2])
            else:
                self._stream.feed(part)

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size, full of rubbish again: terminals move what they showed as they like."""
        self._screen.resize(lines, columns)
        for y in range(lines):
            for x in range(columns):
                self._screen.buffer[y][x] = Char("?", fg="default")

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return self._screen.cursor.x, self._screen.cursor.y

    @property
    def pen_is_plain(self) -> bool:
        return self._screen.style == _PLAIN

    @property
    def margins(self) -> tuple[int, int] | None:
        margins = self._screen.margins
        return None if margins is None else (margins.top, margins.bottom)

    def text(self) -> list[str]:
        """The rows as text, without what ends them in blanks."""
        return ["".join(cell.glyph for cell in row).rstrip() for row in self.cells()]

    def cells(self) -> list[list[Cell]]:
        return [
            [self._cell(self._screen.buffer[y][x]) for x in range(self._screen.columns)]
            for y in range(self._screen.lines)
        ]

    def _cell(self, char: Char) -> Cell:
        style = self._screen.styles[char.fg]
        if char.data != " ":
            return Cell(char.data, *style)
        seen = style.attributes & _SEEN_ON_BLANKS
        if seen or style.link:
            return Cell(" ", style.foreground, style.background, seen, style.link)
        return Cell(" ", "", style.background, frozenset(), "")


def difference(wanted: Sequence[Sequence[Cell]], shown: Sequence[Sequence[Cell]]) -> str:
    """The first cell that is not as wanted, in words; empty when all are."""
    for y, (wanted_row, shown_row) in enumerate(zip(wanted, shown, strict=True)):
        for x, (wanted_cell, shown_cell) in enumerate(zip(wanted_row, shown_row, strict=True)):
            if wanted_cell != shown_cell:
                return f"column {x}, row {y}: wanted {wanted_cell}, shown {shown_cell}"
    return ""
