"""Where the hub is and who asks there, as huggingface_hub finds it: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME/token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tui import files
from tui.core.endpoint import Endpoint
from tui.errors import UsageError
from tui.paths import home

HUB = "https://huggingface.co"
_MOST_TOKEN = 4096


def hub_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """The hub, with the person's token where there is one. Over plain http a token goes to this machine only. Raises UsageError
    for an HF_ENDPOINT that is no address, and where HF_HUB_OFFLINE forbids it."""
    if environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "on", "yes", "true"):
        raise UsageError(
            "HF_HUB_OFFLINE is set, so Hugging Face is not asked", "", "Unset it to download from there"
        )
    url = (environ.get("HF_ENDPOINT", "").strip() or HUB).rstrip("/")
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc:
        raise UsageError("HF_ENDPOINT is no address", "", f"Write it like {HUB}, or unset it")
    endpoint = Endpoint(url)
    token = hub_token(environ)
    if not token or (parts.scheme == "http" and not endpoint.on_this_machine):
        return endpoint
    return Endpoint(url, api_key=token)


def hub_token(environ: Mapping[str, str]) -> str:
    """The token of the person; empty where there is none."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if token := environ.get(name, "").strip():
            return token
    named, hub_home = environ.get("HF_TOKEN_PATH", ""), environ.get("HF_HOME", "")
    if not named and not hub_home:
        try:
            hub_home = str(home(environ) / ".cache" / "huggingface")
        except UsageError:
            return ""
    path = Path(named).expanduser() if named else Path(hub_home).expanduser() / "token"
    try:
        text = files.read_bytes(path, _MOST_TOKEN).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if text.isprintable() and " " not in text else ""
