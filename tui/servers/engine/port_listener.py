"""Who listens on a loopback port: proof that it is lokal's own engine, where no Unix socket can be had.

Any user of the machine can take a port that is free. What is sent there, the key first of all, may only go to the
process that lokal has started, so the system is asked which process listens: before a connection is made and again
before the first byte goes out over it. The engine binds its port once in its life, so that it had the port in between.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

LOOPBACK = "127.0.0.1"

_LISTEN = "0A"  # the state of a listening socket in /proc/net/tcp, proc(5)


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def can_tell() -> bool:
    """Whether this system says which process listens on a port."""
    return sys.platform == "win32" or Path("/proc/self/net/tcp").exists()


def listens(process: int, port: int) -> bool:
    """Whether the process with the id `process`, and nobody else, listens on `port` of 127.0.0.1. False where the system
    does not tell."""
    if sys.platform == "win32":
        return _owners_on_windows(port) == {process}
    listening = _sockets_at(port)
    return bool(listening) and listening <= _sockets_of(process)


def _sockets_at(port: int) -> frozenset[str]:
    """The inode numbers of the sockets that listen on `port` of 127.0.0.1."""
    address = f"{int.from_bytes(socket.inet_aton(LOOPBACK), sys.byteorder):08X}:{port:04X}"
    try:
        lines = Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except (OSError, ValueError):
        return frozenset()
    found = (line.split() for line in lines)
    return frozenset(part[9] for part in found if len(part) > 9 and part[1] == address and part[3] == _LISTEN)


def _sockets_of(process: int) -> frozenset[str]:
    """The inode numbers of all sockets that a process of this user has open."""
    inodes: set[str] = set()
    try:
        if Path(f"/proc/{process}").stat().st_uid != os.getuid():
            return frozenset()  # the number is another's by now
        for entry in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = str(entry.readlink())
            except OSError:
                continue  # closed meanwhile
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    except OSError:
        return frozenset()
    return frozenset(inodes)


def _owners_on_windows(port: int) -> set[int]:
    """The ids of the processes that listen on `port` of 127.0.0.1 (GetExtendedTcpTable of iphlpapi, rows of the type
    MIB_TCPROW_OWNER_PID: state, local address, local port, remote address, remote port, process; 4 bytes each)."""
    if sys.platform != "win32":
        return set()
    import ctypes
    import struct

    owner_pid_listener, no_error, too_small = 3, 0, 122
    ask = ctypes.WinDLL("iphlpapi").GetExtendedTcpTable
    size = ctypes.c_ulong(0)
    buffer = ctypes.create_string_buffer(1)
    for _ in range(5):  # the table may grow between two calls
        code = ask(buffer, ctypes.byref(size), False, int(socket.AF_INET), owner_pid_listener, 0)
        if code != too_small:
            break
        buffer = ctypes.create_string_buffer(size.value)
    if code != no_error:
        return set()
    (count,) = struct.unpack_from("<I", buffer.raw)
    rows = (struct.unpack_from("<6I", buffer.raw, 4 + 24 * place) for place in range(count))
    wanted = int.from_bytes(socket.inet_aton(LOOPBACK), "little")
    return {row[5] for row in rows if row[1] == wanted and socket.ntohs(row[2] & 0xFFFF) == port}
