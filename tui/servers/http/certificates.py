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


def tls_context(environ: Mapping[str, str], ca_file: str = "") -> ssl.SSLContext:
    """certifi's certificates, the machine's own, among which that of the house may be, those in the file that
    SSL_CERT_FILE names, and those in `ca_file`, where that of the server itself will do too. Raises ServerError where one
    of the two files cannot be used.

    Not `ssl.create_default_context`, nor `load_default_certs`: they read more of the environment (SSL_CERT_DIR,
    SSLKEYLOGFILE), and pass over what is missing in silence, or end with it.
    """
    try:
        context = _usual()
    except OSError as error:  # ssl.SSLError is one
        raise unusable(error) from error
    if named := environ.get("SSL_CERT_FILE", ""):
        _load(context, named, "SSL_CERT_FILE", f"{safe_line(named)}: ", "Correct the variable, or unset it")
    if ca_file:
        _load(
            context, ca_file, "ca_file", "", "Correct ca_file of this server under [[servers]] in the config"
        )
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def unusable(error: OSError) -> ServerError:
    """The error for an OpenSSL of this machine, or a configuration of it, that does not work."""
    return ServerError(
        "OpenSSL cannot be used on this machine",
        safe_line(str(error)),
        "It, its certificates or its openssl.cnf may be damaged",
    )


def _usual() -> ssl.SSLContext:
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    if sys.platform == "win32":
        context.load_default_certs()
        return context
    usual = ssl.get_default_verify_paths()
    file, folder = Path(usual.openssl_cafile), Path(usual.openssl_capath)
    if file.is_file():
        context.load_verify_locations(cafile=file)
    if folder.is_dir():
        context.load_verify_locations(capath=folder)
    return context


def _load(context: ssl.SSLContext, path: str, called: str, shown: str, hint: str) -> None:
    """Trust the certificates in the file at `path`, which an error calls `called`; `shown` stands before the reason.
    Raises ServerError."""
    try:
        text = read_bytes(path, MAX_FILE).decode("ascii", "ignore")  # a comment may be in any language
        context.load_verify_locations(cadata=text)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if isinstance(error, FileNotFoundError):
            reason = "There is no such file"
        elif isinstance(error, ssl.SSLError | ValueError):
            reason = "It holds no certificates in PEM form"
        else:
            reason = safe_line(error.strerror or "It cannot be read")
        raise ServerError(
            f"The certificates in {called} cannot be read",
            shown + reason,
            f"{hint}; servers with http need none",
        ) from error
