"""A session's way to its upstream: the dial, TLS, bytes, and the deadline for all of it.

    dial ──> turn (or a place that is known) ──> connected ──> secured ──> taken by the relay
                    │                                │             │
                    └──────────> failed <────────────┴─────────────┘

What the upstream doesn't take at once is kept. It is read as long as its owner wants that.
"""

from __future__ import annotations

import errno
import socket
from os import write

from podweave.helpers.ambassador.sessions.interface import Target
from podweave.helpers.dialing.connector import DialError, from_errno, is_loopback
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.sender import Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.connector import Cancellable
    from podweave.helpers.dialing.tls import Handshake, TlsError
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Timer

    class Owner(Protocol):
        """Told what becomes of it, never from within its own call but for `put`, `read`."""

        def connected(self, target: Target) -> None: ...

        def secured(self, certificate: bytes | None) -> None: ...

        def read(self, data: bytes) -> None: ...

        def failed(self, error: DialError) -> None: ...

        def flushed(self) -> None:
            """Nothing is pending any more."""

        def is_late(self) -> bool:
            """Whether the deadline counts at the moment."""


_READ_SIZE = 65536


class UpstreamSide(Sender):
    __slots__ = (
        "_again",
        "_board",
        "_dial",
        "_handshake",
        "_late_timer",
        "_mask",
        "_owner",
        "_reached",
        "_sock",
        "_turn",
        "_wanted",
        "deadline",
        "place",
        "profile",
        "target",
    )

    def __init__(self, board: Switchboard, owner: Owner) -> None:
        super().__init__(-1)
        self._board = board
        self._owner = owner
        self.profile: Profile = board.profile
        self.place: Target | None = None
        """Where an earlier conversation was connected to; None: wherever the profile says."""
        self.target: Target | None = None
        self.deadline = 0.0
        """On the loop's clock; 0: none has begun."""
        self._sock: socket.socket | TlsSocket | None = None
        self._mask = 0
        self._wanted = True
        self._reached: Upstream | None = None
        self._turn: Turn | None = None
        self._dial: Cancellable | None = None
        self._handshake: Handshake | None = None
        self._late_timer: Timer | None = None
        self._again: Timer | None = None

    @property
    def begun(self) -> bool:
        """On the way to an upstream of the profile's, or with it."""
        return self._turn is not None or self._again is not None

    @property
    def label(self) -> str:
        return self.target.label if self.target is not None else "the upstream"

    @property
    def time_left(self) -> float:
        return self.deadline - self._board.loop.now()

    def dial(self) -> None:
        """Connect, or connect anew, within what is left of the deadline."""
        board = self._board
        self.drop()
        if not self.deadline:
            self.deadline = board.loop.now() + board.connect_timeout
        if self.place is None:
            self.profile = board.profile
            self._turn = board.dial(
                self._dialled, deadline=self.deadline, attempted=self._attempted
            )
            return
        self.profile = board.profiles.get(self.place.profile, board.profile)
        host, port = self.place.address
        self._dial = board.connector.connect(host, port, max(self.time_left, 0.0), self._dialled)

    def renew(self) -> None:
        """All of its time again, where it has begun: the client's doesn't count as its own."""
        if not self.deadline:
            return
        self.deadline = self._board.loop.now() + self._board.connect_timeout
        if self._late_timer is not None:
            self._late_timer.cancel()
            self._late_timer = self._board.loop.call_at(self.deadline, self._late)

    def dial_later(self, pause: float) -> None:
        self.drop()
        self._again = self._board.loop.call_later(pause, self.dial)

    def secure(self) -> None:
        from podweave.helpers.dialing.tls import Handshake

        assert self.target is not None
        options = self.profile.tls
        if options is None:
            # A place from before the configuration was changed.
            self._fail(DialError("TLS_FILES", f"{self.label}: TLS is not configured any more"))
            return
        sock = self._unwatch()
        assert isinstance(sock, socket.socket)
        if self._late_timer is not None:
            self._late_timer.cancel()
            self._late_timer = None
        self._handshake = Handshake(
            self._board.loop,
            sock,
            options,
            options.name_for(self.target.host),
            max(self.time_left, 0.0),
            self._secured,
        )

    def want(self, reading: bool) -> None:
        """Whether its bytes are wanted now."""
        self._wanted = reading
        if self._sock is None:
            return
        mask = READ if reading else 0
        if self.unsent:
            mask |= WRITE
        if mask != self._mask:
            self._mask = mask
            self._board.loop.modify(self._sock.fileno(), mask)

    def read(self) -> None:
        """All that has come: with TLS some of it may be where epoll can't see it."""
        sock = self._sock
        while self._wanted and sock is not None and self._sock is sock:
            try:
                data = sock.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(self._translate(error))
                return
            if not data:
                self._fail(DialError("ECONNRESET", f"{self.label} closed the connection"))
                return
            self._owner.read(data)
            if isinstance(sock, socket.socket):
                return

    def take(self) -> tuple[socket.socket | TlsSocket, Turn | None, bytes]:
        """The connection, its turn, and what it hasn't taken: somebody else's from now on."""
        sock, unsent = self._unwatch(), self.unsent
        turn, self._turn = self._turn, None
        self.is_there()
        self.drop()
        return sock, turn, unsent

    def is_there(self) -> None:
        """The upstream has done, or said, what can be expected of it."""
        upstream, self._reached = self._reached, None
        if upstream is not None:
            self._board.attempted(upstream, None)

    def report(self, error: DialError) -> None:
        """Connecting was well, and yet nothing came of it: for the upstream's state."""
        upstream, self._reached = self._reached, None
        if upstream is not None:
            self._board.attempted(upstream, error)

    def drop(self) -> None:
        """Away from the upstream, whatever has been reached."""
        self._hang_up()
        self._reached = None

    def _hang_up(self) -> None:
        for timer in (self._late_timer, self._again):
            if timer is not None:
                timer.cancel()
        self._late_timer = self._again = None
        for step in (self._dial, self._handshake):
            if step is not None:
                step.cancel()
        self._dial = self._handshake = None
        if self._turn is not None:
            self._turn.end()
            self._turn = None
        if self._sock is not None:
            self._unwatch().close()
        self.drop_unsent()

    def _attempted(self, upstream: Upstream, error: DialError | None) -> None:
        if error is None:
            # It counts as reached when its side of the conversation is through.
            self._reached = upstream
        else:
            self._board.attempted(upstream, error)

    def _dialled(self, result: socket.socket | DialError) -> None:
        self._dial = None
        if isinstance(result, DialError):
            self._owner.failed(result)
            return
        self._watch(result)
        try:
            self.target = self.place if self.place is not None else self._describe(result)
        except DialError as error:
            self._fail(error)
            return
        except OSError:
            # Connected, and reset meanwhile; the system says no more than that it isn't connected.
            assert self._reached is not None
            self._fail(from_errno(errno.ECONNRESET, f"connect to {self._reached.label}"))
            return
        self._owner.connected(self.target)

    def _describe(self, sock: socket.socket) -> Target:
        """DialError when the login can't be read, OSError when the connection is gone already."""
        profile, upstream = self.profile, self._reached
        assert upstream is not None
        address = sock.getpeername()[:2]
        local = is_loopback(upstream.host)
        if is_loopback(address[0]) and not local:
            # The broker's own loopback, which is not ours.
            address = (upstream.host, upstream.port)
        return Target(
            upstream.label,
            profile=profile.name,
            host=upstream.host,
            address=address,
            tls=profile.tls is not None,
            loopback=local,
            login=profile.credentials.read() if profile.credentials is not None else None,
            database=profile.database,
        )

    def _secured(self, result: TlsSocket | TlsError) -> None:
        self._handshake = None
        if isinstance(result, DialError):
            self._fail(result)
            return
        self._watch(result)
        self._owner.secured(result.certificate)
        if result.buffered:
            self.read()

    def _ready(self, events: int) -> None:
        if events & WRITE and self.unsent:
            self.flush()
        if events & READ or not events & WRITE:
            self.read()

    def _drained(self) -> None:
        self._owner.flushed()

    def _send_failed(self, error: OSError) -> None:
        # The upstream's last words say more than this error, if there are any.
        sock = self._sock
        self.read()
        if sock is not None and self._sock is sock:
            self._fail(self._translate(error))

    def _late(self) -> None:
        if self._owner.is_late():
            seconds = self._board.connect_timeout
            message = f"{self.label} is connected but has not answered in {seconds:g} s"
            self._fail(DialError("ETIMEDOUT", message))

    def _fail(self, error: DialError) -> None:
        self._hang_up()
        self._owner.failed(error)

    def _translate(self, error: OSError) -> DialError:
        if isinstance(self._sock, socket.socket):
            return from_errno(error.errno or 0, self.label)
        from podweave.helpers.dialing.tls import translate

        return translate(error, self.label)

    def _watch(self, sock: socket.socket | TlsSocket) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._write = write if isinstance(sock, socket.socket) else lambda _, data: sock.send(data)
        self._mask = READ
        self._wanted = True
        self._board.loop.add(sock.fileno(), READ, self._ready)
        self._late_timer = self._board.loop.call_at(self.deadline, self._late)

    def _unwatch(self) -> socket.socket | TlsSocket:
        sock, self._sock = self._sock, None
        assert sock is not None
        self._board.loop.remove(sock.fileno())
        self.leave()
        return sock
