"""Reading a damaged database page by page, without SQLite, which refuses a file as a whole for one bad page.

The file format: https://www.sqlite.org/fileformat2.html. Nothing that is read is trusted: whatever is in the file, what
comes out is rows of plain values, some of them cut short or missing. What was committed to the write-ahead log counts.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui import files

Value = str | bytes | int | float | None

PAGE_SIZE = 4096
"""What lokal's databases have; for a file whose header says nothing that makes sense."""
_LEAF, _INTERIOR, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x05, 0x0A, 0x02
_MOST_COLUMNS = 100
_MOST_BYTES = 1_000_000_000
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_LOG_LIMIT = 1 << 28
"""Bytes of a write-ahead log at the most; SQLite begins anew after 4 MB as soon as nobody reads."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """`table` is None where the page is not known to belong to one; `whole` = nothing of it is missing."""

    table: str | None
    rowid: int
    values: tuple[Value, ...]
    whole: bool


class Pages:
    """The pages of a file, with those of its log in their place. Raises OSError when the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._handle = files.open_handle(path, os.O_RDONLY)
        self.unreadable = 0
        """How many pages the disk did not give."""
        header = self._read(0, 100)
        size, reserved = int.from_bytes(header[16:18], "big"), header[20:21] or b"\0"
        size = 65536 if size == 1 else size
        is_sane = 512 <= size <= 65536 and size & (size - 1) == 0
        self.size = size if is_sane else PAGE_SIZE
        self.usable = self.size - (reserved[0] if reserved[0] <= 32 else 0)
        self._logged = _log_of(path.with_name(f"{path.name}-wal"), self.size)
        in_file = -(-os.fstat(self._handle).st_size // self.size)
        self.count = max([in_file, *self._logged])

    def close(self) -> None:
        os.close(self._handle)

    def __getitem__(self, number: int) -> bytes:
        """A page, numbered from 1, filled up with zeros where the file ends."""
        if number in self._logged:
            return self._logged[number]
        return self._read((number - 1) * self.size, self.size).ljust(self.size, b"\0")

    def _read(self, offset: int, size: int) -> bytes:
        try:
            os.lseek(self._handle, offset, os.SEEK_SET)
            return os.read(self._handle, size)
        except OSError:  # a bad sector
            self.unreadable += 1
            return b""


def _log_of(path: Path, page_size: int) -> dict[int, bytes]:
    """The pages that were committed to a write-ahead log and are not all in the database yet."""
    try:
        data = files.read_bytes(path, _LOG_LIMIT)
    except OSError:
        return {}
    if len(data) < 32 or int.from_bytes(data[:4], "big") not in _WAL_MAGIC:
        return {}
    salts, frame_size = data[16:24], 24 + page_size
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(32, len(data) - frame_size + 1, frame_size):
        number, pages_after = struct.unpack(">II", data[at : at + 8])
        if data[at + 8 : at + 16] != salts or not number:
            break
        waiting[number] = data[at + 24 : at + frame_size]
        if pages_after:  # the last frame of a transaction says how long the database is then
            committed.update(waiting)
            waiting.clear()
    return committed


def rows(pages: Pages) -> Iterator[TableRow]:
    """All rows that can be made out, those first that belong to a table for sure."""
    seen: set[int] = set()
    tables = _tables(pages, seen)
    for name, root in tables:
        yield from _walk(pages, name, root, seen)
    seen |= _free(pages)
    for number in range(2, pages.count + 1):
        if number not in seen:
            seen.add(number)
            page = pages[number]
            if page[0] not in (_INTERIOR, _INDEX_LEAF, _INDEX_INTERIOR) and page.strip(b"\0"):
                yield from _cells(pages, page, 0, None, seen)


def _tables(pages: Pages, seen: set[int]) -> list[tuple[str, int]]:
    """Names and first pages of the tables, as far as the schema can be read."""
    found = []
    for row in _walk(pages, "sqlite_master", 1, seen):
        kind, name, _, root = (*row.values, None, None, None, None)[:4]
        if kind == "table" and isinstance(name, str) and isinstance(root, int):
            found.append((name, root))
    return found


def _walk(pages: Pages, table: str, root: int, seen: set[int]) -> Iterator[TableRow]:
    """The rows of a table, from its first page down."""
    left = [root]
    while left:
        number = left.pop()
        if (number in seen and number != 1) or not 1 <= number <= pages.count:
            continue
        seen.add(number)
        page, start = pages[number], 100 if number == 1 else 0
        if page[start] == _INTERIOR:
            places = [start + 8, *reversed(_pointers(page, start, 12))]
            children = [int.from_bytes(page[at : at + 4], "big") for at in places]
            left += [child for child in children if child != 1]
        elif page[start] == _LEAF:
            yield from _cells(pages, page, start, table, seen)
        else:
            seen.discard(number)  # not what it should be: perhaps a row of it can be made out later


def _pointers(page: bytes, start: int, header: int) -> list[int]:
    """Where the cells of a page are, by what it says; those that cannot be are left out."""
    count = min(int.from_bytes(page[start + 3 : start + 5], "big"), (len(page) - start - header) // 2)
    places = struct.unpack_from(f">{count}H", page, start + header)
    return [at for at in places if start + header <= at < len(page) - 3]


def _cells(pages: Pages, page: bytes, start: int, table: str | None, seen: set[int]) -> Iterator[TableRow]:
    for at in _pointers(page, start, 8):
        try:
            size, at = _varint(page, at)
            rowid, at = _varint(page, at)
            if not 0 < size <= _MOST_BYTES:
                continue
            payload, chain = _payload(pages, page, at, size)
            values, whole = _record(payload, size)
        except (IndexError, ValueError):
            continue
        if values:
            seen |= chain
            yield TableRow(table, rowid, values, whole)


def _payload(pages: Pages, page: bytes, at: int, size: int) -> tuple[bytes, set[int]]:
    """What a cell holds, with what overflows into other pages; and which pages these are."""
    usable = pages.usable
    if size <= usable - 35:
        return page[at : at + size], set()
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    local = local if local <= usable - 35 else least
    parts, had, chain = [page[at : at + local]], local, set[int]()
    number = int.from_bytes(page[at + local : at + local + 4], "big")
    while had < size and 2 <= number <= pages.count and number not in chain:
        chain.add(number)
        more = pages[number]
        part = more[4 : min(usable, 4 + size - had)]
        parts.append(part)
        had += len(part)
        number = int.from_bytes(more[:4], "big")
    return b"".join(parts), chain


def _record(payload: bytes, size: int) -> tuple[tuple[Value, ...], bool]:
    """The values of a record, and whether nothing is missing. Raises IndexError and ValueError for what is no record."""
    header_size, at = _varint(payload, 0)
    if not at <= header_size <= min(size, 1000):
        raise ValueError("no record")
    kinds = []
    while at < header_size:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if len(kinds) > _MOST_COLUMNS or sum(map(_length, kinds)) + header_size != size:
        raise ValueError("no record")
    values = []
    for kind in kinds:
        length = _length(kind)
        values.append(
            _value(kind, payload[at : at + length]) if at + length <= len(payload) or kind >= 12 else None
        )
        at += length
    return tuple(values), len(payload) == size


def _length(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in (10, 11) or kind < 0:
        raise ValueError("no such type")
    return (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind == 7:
        return float(struct.unpack(">d", data)[0])
    if kind < 7:
        return int.from_bytes(data, "big", signed=True)
    return data if kind % 2 == 0 else data.decode("utf-8", "replace")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next one begins."""
    number = 0
    for count in range(8):
        byte = data[at + count]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + count + 1
    return number << 8 | data[at + 8], at + 9


def _free(pages: Pages) -> set[int]:
    """The pages that hold nothing any more: what is still in them was deleted, or stands elsewhere now."""
    free: set[int] = set()
    number = int.from_bytes(pages[1][32:36], "big")
    while 2 <= number <= pages.count and number not in free:
        free.add(number)
        trunk = pages[number]
        count = min(int.from_bytes(trunk[4:8], "big"), pages.usable // 4 - 2)
        free.update(struct.unpack_from(f">{count}I", trunk, 8))
        number = int.from_bytes(trunk[:4], "big")
    return free
