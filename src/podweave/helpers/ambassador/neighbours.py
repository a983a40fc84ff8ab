"""Who else listens in the Pod: its containers share one network namespace, and its tables.

A server that listens on TCP does so until it has ended, so that its listener says whether the
application is still there when nobody else can (proc_pid_net(5), proc_net(5)).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")

HELPER_PORTS = range(15901, 16001)
"""Where the weaver puts the admin endpoints of helpers."""

_LISTEN = b"0A"
_SIZE_LIMIT = 4 << 20


def others_listen(own: Iterable[int], tables: Iterable[str] = TABLES) -> bool:
    """Whether anybody listens but on these ports, helpers aside. False where it can't be seen."""
    known = {*own, *HELPER_PORTS}
    for table in tables:
        try:
            with open(table, "rb") as stream:
                data = stream.read(_SIZE_LIMIT)
        except OSError:
            continue
        if not listening(data) <= known:
            return True
    return False


def listening(table: bytes) -> set[int]:
    """The ports of the listening sockets in a table of the kernel's."""
    ports = set()
    for line in table.splitlines()[1:]:
        parts = line.split(maxsplit=4)
        if len(parts) > 3 and parts[3] == _LISTEN:
            try:
                ports.add(int(parts[1].rpartition(b":")[2], 16))
            except ValueError:
                continue
    return ports
