"""The socket to nftables that owns the table: as long as it is open, the rules are there."""

from __future__ import annotations

import errno

from podweave.helpers.ambassador.kernel import route_localnet
from podweave.helpers.ambassador.kernel.netlink_socket import NetlinkSocket
from podweave.helpers.wire import nftables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.wire.nftables import Counter, Member

_NETFILTER = 12


class NoKernelPathError(Exception):
    """The kernel doesn't let this process redirect connections; the message says what lacks."""


class Netfilter:
    """The table `podweave-ambassador-NAME` for one port of 127.0.0.1."""

    def __init__(self, name: str, port: int) -> None:
        """NoKernelPathError when a capability or a setting is missing."""
        self._table = f"podweave-ambassador-{name}"
        self._port = port
        self._sequence = 0
        try:
            route_localnet.allow()
        except OSError as error:
            message = f"net.ipv4.conf.all.route_localnet is off and can't be set: {error.strerror}"
            raise NoKernelPathError(message) from error
        self._socket = NetlinkSocket(_NETFILTER)
        try:
            batch = nftables.Batch(self._sequence)
            nftables.create(batch, self._table, port)
            self._transact(batch)
        except OSError as error:
            self._socket.close()
            raise NoKernelPathError(_reason(error)) from error

    def divert(self, members: Sequence[Member]) -> None:
        """New connections go to the members; to whoever listens when there are none. OSError."""
        batch = nftables.Batch(self._sequence)
        nftables.divert(batch, self._table, self._port, members)
        self._transact(batch)

    def counters(self) -> dict[str, Counter]:
        """By name: of each member its connections, and of both directions the packets. OSError."""
        self._sequence += 1
        request = nftables.ask_counters(self._sequence, self._table)
        found: dict[str, Counter] = {}
        for message in self._socket.dump(request, self._sequence):
            read = nftables.read_counter(message, self._table)
            if read is not None:
                found[read[0]] = read[1]
        return found

    def close(self) -> None:
        """The table goes; connections that were diverted stay as they are."""
        self._socket.close()

    def _transact(self, batch: nftables.Batch) -> None:
        self._sequence = batch.sequences[-1]
        self._socket.request(batch.render(), batch.sequences)


def _reason(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        return "the capability NET_ADMIN is not granted"
    if error.errno in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT, errno.EPROTONOSUPPORT):
        return f"this kernel's nftables can't do it (Linux 5.12 is needed): {error.strerror}"
    if isinstance(error, TimeoutError):
        return "nftables doesn't answer"
    return f"nftables: {error.strerror}"
