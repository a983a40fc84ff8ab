"""The socket of a connection to an upstream: what is sent on it, and how it ends.

idle     in its peer's list; whatever happens to it there is its end
at work  has a client; requests and responses strictly one after the other
"""

from __future__ import annotations

import socket
from os import read

from podweave.helpers.ambassador.read_buffer import buffer as _buffer
from podweave.helpers.ambassador.read_buffer import view as _view
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.sender import Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.http.group import Group
    from podweave.helpers.ambassador.http.incoming import Incoming
    from podweave.helpers.ambassador.http.peers import Peer
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.tls_socket import TlsSocket


class UpstreamConnection(Sender):
    """`Outgoing` makes responses of what is read."""

    __slots__ = (
        "_beginning",
        "_broken",
        "_loop",
        "_mask",
        "_probe",
        "_read",
        "_sock",
        "_tls",
        "_waits",
        "_watched",
        "client",
        "group",
        "idle_until",
        "peer",
        "turn",
        "uses",
    )

    def __init__(
        self,
        group: Group,
        peer: Peer,
        sock: socket.socket | TlsSocket,
        turn: Turn,
    ) -> None:
        super().__init__(sock.fileno())
        self.group = group
        self.turn = turn
        turn.holder = self
        self._loop = group.front.loop
        self.peer = peer
        self._sock = sock
        self._tls = None if isinstance(sock, socket.socket) else sock
        self._read: Callable[[int, int], bytes] = read
        if self._tls is not None:
            self._read, self._write = self._read_tls, self._write_tls
        self.client: Incoming | None = None
        self.uses = 0
        self.idle_until = 0.0
        """On the loop's clock."""
        self._waits = False
        self._beginning = False
        """The first bytes of a request are being sent."""
        self._broken = False
        self._probe = False
        """The request is the one that decides about a half-open breaker."""
        self._mask = READ
        self._watched = True
        self._loop.add(self._fd, READ, self.ready)

    def ready(self, events: int) -> None:
        """The loop's call."""
        raise NotImplementedError

    @property
    def responding(self) -> bool:
        """The head of the response has been passed on."""
        raise NotImplementedError

    @property
    def blocked(self) -> bool:
        """Takes no more of the request for now."""
        return bool(self.unsent) or self._broken

    # What faults on purpose are put into: as a relay's leg.

    @property
    def profile(self) -> str:
        return self.group.profile.name

    @property
    def upstream(self) -> UpstreamConnection:
        return self

    @property
    def sock(self) -> socket.socket | TlsSocket:
        return self._sock

    @property
    def both_ways_open(self) -> bool:
        return self._fd >= 0 and not self._broken

    def watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._loop.add(self._fd, self._mask, self.ready)

    def unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove(self._fd)

    # What its request and its client call.

    def judge(self, status: int) -> None:
        """How the request went; 0 for no response."""
        self._probe = False
        self.group.judge(self.peer, status)

    def alive(self) -> bool:
        """Whether the upstream hasn't hung up, as far as can be known by now."""
        raw = self._sock if isinstance(self._sock, socket.socket) else self._sock.raw
        try:
            raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def begin(self, client: Incoming, message: bytes) -> None:
        """Send the client's request, as far as it is there."""
        self.client = client
        client.outgoing = self
        self.uses += 1
        self.peer.busy += 1
        self.group.sent += len(message)
        if self.peer.breaker is not None:
            self._probe = not self.peer.breaker.closed
            self.peer.breaker.begin(self.group.front.now())
        self._beginning = True
        self.put(message)
        self._beginning = False

    def forward(self, data: bytes) -> None:
        """More of the request's content."""
        if self._broken:
            return
        self.group.sent += len(data)
        self.put(data)

    def resume(self) -> None:
        """The client takes more of the response again."""
        if not self._waits:
            return
        self._waits = False
        self._update()
        if self._tls is not None:
            self._read_on(self._tls)

    def close(self) -> None:
        """Whoever uses it has let go of it, or doesn't want it any more."""
        if self._fd < 0:
            return
        if self.client is not None:
            self._let_go()
        self.unwatch()
        self.leave()
        self._sock.close()
        self.group.closed(self)
        self.turn.end()

    def reset(self) -> None:
        """A switch takes the connection away, with what is under way on it."""
        client = self.client
        if client is not None:
            client.cut()
        self.close()

    def detach(self) -> socket.socket | TlsSocket:
        """Give up the socket and the turn: it is no connection of HTTP any more."""
        self._let_go()
        self.unwatch()
        self.leave()
        return self._sock

    def _let_go(self) -> None:
        client = self.client
        assert client is not None
        self.client = None
        client.outgoing = None
        self.peer.busy -= 1
        if self._probe and self.peer.breaker is not None:
            self.peer.breaker.given_up()

    def _read_tls(self, fd: int, size: int) -> bytes:
        assert self._tls is not None
        return bytes(_view[: self._tls.recv_into(_buffer)])

    def _write_tls(self, fd: int, data: bytes | memoryview) -> int:
        assert self._tls is not None
        return self._tls.send(data)

    def _read_on(self, tls: TlsSocket) -> None:
        """Read what TLS holds already: epoll doesn't know of it."""
        while self.client is not None and not self._waits and tls.buffered:
            self.ready(READ)

    def _send_blocked(self) -> None:
        self._update()

    def _drained(self) -> None:
        self._update()
        if self.client is not None:
            self.client.watch()

    def _send_failed(self, error: OSError) -> None:
        if self._beginning and self.client is not None:
            # Nothing of the request has left: it may be sent again, whatever it is.
            self.client.lost(self, f"sending the request failed: {error.strerror}", unsent=True)
            return
        # A response may have come all the same (413, as a rule).
        self._broken = True
        self._update()
        if self.client is not None:
            self.client.watch()

    def _update(self) -> None:
        mask = 0 if self._waits else READ
        if self.unsent:
            mask |= WRITE
        if self._fd < 0:
            return
        if not self._watched:
            self._watched = True
            self._loop.add(self._fd, mask, self.ready)
        elif mask != self._mask:
            self._loop.modify(self._fd, mask)
        self._mask = mask

    @property
    def _label(self) -> str:
        return self.peer.upstream.label
