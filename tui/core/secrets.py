"""Keeping secrets out of what is shown, written down and handed to other programs."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

KEY_VARIABLE = "LOKAL_API_KEY"
"""The environment variable with the key of the server that --server names."""
MASK = "[API key]"
LEAST = 4
"""Characters that a key must have to be looked for: a shorter one is in every other word, and protects nothing."""
PART = 8
"""Characters of a key in a row that count as a part of it; server messages often repeat its beginning or its end."""


def without_login(address: str) -> str:
    """What a person wrote as an address, without what may be a name and a password before its `@`."""
    before, at, host = address.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return f"{scheme if separator else ''}{separator}…@{host}" if at else address


def names_login(line: str) -> bool:
    """Whether a slash line names a server with what may be a name and a password: such a line is written down nowhere."""
    return line.lstrip().startswith("/server") and "@" in line


def credential_in(value: str) -> list[str]:
    """What is secret in the value of an HTTP header: after a scheme's name, such as `Bearer`, only what follows, and of
    Basic authentication the password too."""
    scheme, _, rest = value.strip().partition(" ")
    if not rest or not scheme.isalpha():
        return [value.strip()]
    found = [rest.strip()]
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # also of what is no UTF-8
            found.append(base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2])
    return found


def encoded(key: str) -> tuple[str, ...]:
    """What a key becomes in an address and in Base64, wherever in a longer text it stands there; the longest first.
    None for a key that is too short to be known again."""
    if len(key) < PART:
        return ()
    raw = key.encode("utf-8", "replace")
    forms = {quote(key, safe=""), quote(key)}
    for before in range(3):  # bytes of the group of three in which the key begins
        text = base64.b64encode(bytes(before) + raw).decode()
        begin, end = -(-before * 4 // 3), (before + len(raw)) * 4 // 3
        forms |= {text[begin:end], text[begin:end].translate(_FOR_ADDRESSES)}
    return tuple(sorted(forms - {key}, key=len, reverse=True))


_FOR_ADDRESSES = str.maketrans("+/", "-_")


def masked(text: str, key: str) -> str:
    """`text` with every occurrence of `key`, and every longer part of it, as MASK, and what it becomes by `encoded`.
    Call it before `text` is cut."""
    key = key.strip()
    if len(key) < LEAST or not text:
        return text
    for form in encoded(key):
        text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    lower, sought = text.lower(), key.lower()
    if len(lower) != len(text):  # a letter whose small form is longer; rare enough to be compared as it is
        lower, sought = text, key
    part = min(PART, len(sought))
    spans: list[tuple[int, int]] = []
    parts = {sought[at : at + part] for at in range(len(sought) - part + 1)}
    found = re.compile("(?=(" + "|".join(re.escape(each) for each in sorted(parts)) + "))")
    for match in found.finditer(lower):
        start, end = match.start(), match.start() + part
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    for start, end in reversed(spans):
        text = text[:start] + MASK + text[end:]
    return text


_ESCAPED = re.compile(rb"\\(u00(?:[2-6][0-9a-fA-F]|7[0-9a-eA-E])|.)", re.DOTALL)


def masked_json(body: bytes, key: str) -> bytes:
    """JSON, or what may be, with MASK for every occurrence of `key`, also where it is written with escapes."""
    key = key.strip()
    if len(key) < PART:
        return body
    forms = [form.encode("utf-8", "replace") for form in (key, json.dumps(key)[1:-1], *encoded(key))]
    plain = _ESCAPED.sub(_unescaped, body) if b"\\" in body else body
    if any(form in plain for form in forms):
        body = plain
    for form in forms:
        body = body.replace(form, MASK.encode())
    return body


def _unescaped(found: re.Match[bytes]) -> bytes:
    """The shortest spelling of an escape of a printable character."""
    escape = found[1]
    if escape == b"/":
        return escape
    if len(escape) == 1:
        return found[0]
    character = bytes([int(escape[1:], 16)])
    return b"\\" + character if character in b'"\\' else character


def without_keys(environ: Mapping[str, str], keys: Iterable[str] = ()) -> dict[str, str]:
    """The environment for a program that lokal starts: without LOKAL_API_KEY, and without any variable that holds one of
    the `keys`, as those do that `api_key_env` in the config names; a short one, such as `none`, is no secret, and may be
    what another variable says."""
    secret = {key for key in keys if len(key) >= PART}
    return {
        name: value for name, value in environ.items() if name != KEY_VARIABLE and value.strip() not in secret
    }
