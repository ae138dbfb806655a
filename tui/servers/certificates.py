"""The certificates that an https server's own is checked against."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from tui.core.text import safe_line
from tui.errors import ServerError
from tui.files import read_bytes

MAX_FILE = 8_000_000
"""Bytes of SSL_CERT_FILE; what Linux systems bring is some 250 kB."""


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """certifi's certificates, the machine's own, among which that of the house may be, and those in the file that
    SSL_CERT_FILE names. Raises ServerError where that one cannot be used.

    Not `ssl.create_default_context`, nor `load_default_certs`: they read more of the environment (SSL_CERT_DIR,
    SSLKEYLOGFILE), and pass over what is missing in silence, or end with it.
    """
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    if sys.platform == "win32":
        context.load_default_certs()
    else:
        usual = ssl.get_default_verify_paths()
        file, folder = Path(usual.openssl_cafile), Path(usual.openssl_capath)
        if file.is_file():
            context.load_verify_locations(cafile=file)
        if folder.is_dir():
            context.load_verify_locations(capath=folder)
    if named := environ.get("SSL_CERT_FILE", ""):
        _load(context, named)
    return context


def _load(context: ssl.SSLContext, named: str) -> None:
    try:
        text = read_bytes(named, MAX_FILE).decode("ascii", "ignore")  # a comment may be in any language
        context.load_verify_locations(cadata=text)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        missing = "There is no such file" if isinstance(error, FileNotFoundError) else ""
        wrong = "It holds no certificates" if isinstance(error, ssl.SSLError | ValueError) else ""
        raise ServerError(
            "The certificates in SSL_CERT_FILE cannot be read",
            f"{safe_line(named)}: {missing or wrong or safe_line(error.strerror or str(error))}"
            if isinstance(error, OSError)
            else f"{safe_line(named)}: {wrong}",
            "Correct the variable, or unset it; servers with http need none",
        ) from error
