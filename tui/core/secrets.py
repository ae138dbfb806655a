"""Keeping secrets out of what is shown, written down and handed to other programs."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterable, Mapping

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


def masked(text: str, key: str) -> str:
    """`text` with every occurrence of `key`, and every longer part of it, as MASK. Call it before `text` is cut."""
    key = key.strip()
    if len(key) < LEAST or not text:
        return text
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


def without_keys(environ: Mapping[str, str], keys: Iterable[str] = ()) -> dict[str, str]:
    """The environment for a program that lokal starts: without LOKAL_API_KEY, and without any variable that holds one of
    the `keys`, as those do that `api_key_env` in the config names; a short one, such as `none`, is no secret, and may be
    what another variable says."""
    secret = {key for key in keys if len(key) >= PART}
    return {
        name: value for name, value in environ.items() if name != KEY_VARIABLE and value.strip() not in secret
    }
