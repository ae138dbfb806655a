"""The grammar of `lokal chats`: its actions and their options."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.cli import help as help_texts

STDIN = Path("-")
"""What stands for standard input among files."""


def add_chats(chats: argparse.ArgumentParser) -> None:
    """The actions of `lokal chats` and their options."""
    actions = chats.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="all chats: pinned ones (*), then the one used last")
    listed.add_argument("--archived", action="store_true", help="those that were put away instead")
    _add_json(listed)
    which = "its id, the start of it, or last"
    show = actions.add_parser("show", help="the messages of a chat along its open branch")
    show.add_argument("id", metavar="ID", help=which)
    _add_json(show)
    export = actions.add_parser("export", help="write a chat to standard output")
    export.add_argument("id", metavar="ID", help=which)
    export.add_argument(
        "--format",
        choices=("md", "json"),
        default="md",
        help="md: the open branch (default); json: everything",
    )
    search = actions.add_parser(
        "search", description=help_texts.CHATS_SEARCH, help="the messages that have all these words"
    )
    search.add_argument("words", nargs="+", metavar="TEXT", help='words, or the start of them; "a phrase"')
    search.add_argument("--limit", type=_count, default=20, metavar="N", help="at most so many (20)")
    _add_json(search)
    rename = actions.add_parser("rename", help="give a chat another title")
    rename.add_argument("id", metavar="ID", help=which)
    rename.add_argument("words", nargs="+", metavar="TITLE", help="the new title")
    delete = actions.add_parser(
        "rm", description=help_texts.CHATS_RM, help="delete chats forever; asks first"
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help=which)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    imported = actions.add_parser(
        "import", description=help_texts.CHATS_IMPORT, help="import chats that were exported"
    )
    imported.add_argument(
        "files", nargs="+", type=_source, metavar="FILE", help="an exported file; - is standard input"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _source(text: str) -> Path:
    """A file; one that is named `-` is written as `./-`."""
    path = Path(text)
    return path if text == "-" or path != STDIN else Path.cwd() / path


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 10_000):
        raise argparse.ArgumentTypeError("needs a number from 1 to 10000")
    return int(text)
