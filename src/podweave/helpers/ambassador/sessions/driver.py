"""Does the I/O of one conversation: its client's bytes, its upstream, its deadline, its end.

    client is there ──> conversation ──> Dial ──> TLS ──> conversation ──> relayed
                             ^            │        │           │
                             └── again ───┴────────┴───────────┴──> last words, closed

One deadline for all of it, from the first Dial on: connecting, TLS, and what the upstream has to
say before the conversation is over. What one side doesn't take at once is kept, and until it is
gone the other side is not read.
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.dial import FIRST_PAUSE, LAST_PAUSE, random_number
from podweave.helpers.ambassador.sessions import interface
from podweave.helpers.ambassador.sessions.interface import Target
from podweave.helpers.dialing.connector import DialError, from_errno, is_loopback
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.ambassador.sessions.interface import Command, Conversation
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.connector import Cancellable
    from podweave.helpers.dialing.tls import Handshake, TlsError
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Timer

_READ_SIZE = 65536
_TOO_LATE = 0.02
"""Seconds to the deadline in which nothing is begun any more."""


class Session:
    """A client who is held while its conversation lasts."""

    __slots__ = (
        "_again",
        "_board",
        "_client_ended",
        "_client_mask",
        "_connected_upstream",
        "_conversation",
        "_deadline",
        "_dial",
        "_handshake",
        "_late_timer",
        "_over",
        "_pause",
        "_place",
        "_refusal",
        "_retried",
        "_target",
        "_to_client",
        "_to_upstream",
        "_turn",
        "_upstream",
        "_upstream_mask",
        "profile",
        "since",
        "sock",
    )

    def __init__(
        self,
        board: Switchboard,
        sock: socket.socket,
        conversation: Conversation,
        refusal: DialError | None = None,
    ) -> None:
        """`refusal`: what the client is told in place of a connection, in its protocol."""
        self.sock = sock
        self._refusal = refusal
        self.profile: Profile = board.profile
        self.since = board.loop.now()
        self._board = board
        self._conversation = conversation
        self._over = False
        self._client_ended = False
        self._to_client = b""
        self._to_upstream = b""
        self._upstream: socket.socket | TlsSocket | None = None
        self._connected_upstream: Upstream | None = None
        self._upstream_mask = 0
        self._target: Target | None = None
        self._place: Target | None = None
        self._turn: Turn | None = None
        self._dial: Cancellable | None = None
        self._handshake: Handshake | None = None
        self._deadline = 0.0
        self._late_timer: Timer | None = None
        self._again: Timer | None = None
        self._pause = FIRST_PAUSE
        self._retried = False
        board.held[self] = None
        self._client_mask = READ if conversation.wants_client else 0
        board.loop.add(sock.fileno(), self._client_mask, self._client_ready)
        self._do(conversation.begin())

    # What the switchboard does with a held client.

    def dial(self) -> None:
        """The profile has been switched: begin anew there, unless it is too late for that."""
        begun = self._turn is not None or self._again is not None
        if begun and not self._conversation.committed:
            self._deadline = 0.0
            self._retried = False
            self._begin_dial(None)

    def close(self) -> None:
        if not self._over:
            self._release()
            reset(self.sock)

    # Commands.

    def _do(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if self._over:
                return
            _PERFORM[type(command)](self, command)
        if not self._over:
            self._update()

    def _send_to_client(self, command: interface.ToClient) -> None:
        if self._to_client:
            self._to_client += command.data
            return
        try:
            sent = self.sock.send(command.data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._client_gone()
            return
        self._to_client = command.data[sent:]

    def _send_to_upstream(self, command: interface.ToUpstream) -> None:
        if self._to_upstream:
            self._to_upstream += command.data
            return
        assert self._upstream is not None
        try:
            sent = self._upstream.send(command.data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            # Its last words, if there are any, say more than this.
            self._read_last_words(error)
            return
        self._to_upstream = command.data[sent:]

    def _begin_dial(self, command: interface.Dial | None) -> None:
        board = self._board
        if command is not None:
            self._place = command.place
        self._drop_upstream()
        if self._refusal is not None:
            self._do(self._conversation.failed(self._refusal))
            return
        now = board.loop.now()
        if not self._deadline:
            self.since = now
            self._deadline = now + board.connect_timeout
        if self._place is not None:
            left = max(self._deadline - now, 0.0)
            profile = board.profiles.get(self._place.profile)
            self.profile = profile if profile is not None else board.profile
            host, port = self._place.address
            self._dial = board.connector.connect(host, port, left, self._dialled)
            return
        self.profile = board.profile
        self._turn = board.dial(self._dialled, deadline=self._deadline, attempted=self._attempted)

    def _attempted(self, upstream: Upstream, error: DialError | None) -> None:
        if error is None:
            # It counts as reached when its side of the conversation is through.
            self._connected_upstream = upstream
        else:
            self._board.attempted(upstream, error)

    def _dialled(self, result: socket.socket | DialError) -> None:
        self._dial = None
        if isinstance(result, DialError):
            self._do(self._conversation.failed(result))
            return
        self._watch_upstream(result)
        try:
            target = self._describe(result)
        except DialError as error:
            self._fail(error)
            return
        except OSError as error:
            self._fail(from_errno(error.errno or 0, "connect"))
            return
        self._target = target
        self._late_timer = self._board.loop.call_at(self._deadline, self._late)
        self._do(self._conversation.connected(target))

    def _describe(self, sock: socket.socket) -> Target:
        """DialError when the login can't be read, OSError when the connection is gone already."""
        if self._place is not None:
            return self._place
        profile = self.profile
        upstream = self._connected_upstream
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

    def _secure(self, command: interface.Secure) -> None:
        from podweave.helpers.dialing.tls import Handshake

        upstream, target, options = self._upstream, self._target, self.profile.tls
        assert isinstance(upstream, socket.socket)
        assert target is not None
        assert options is not None, "the conversation wants TLS where none is configured"
        self._take_upstream()
        if self._late_timer is not None:
            self._late_timer.cancel()
        self._handshake = Handshake(
            self._board.loop,
            upstream,
            options,
            options.name_for(target.host),
            max(self._deadline - self._board.loop.now(), 0.0),
            self._secured,
        )

    def _secured(self, result: TlsSocket | TlsError) -> None:
        self._handshake = None
        if isinstance(result, DialError):
            self._fail(result)
            return
        self._watch_upstream(result)
        self._late_timer = self._board.loop.call_at(self._deadline, self._late)
        self._do(self._conversation.secured(result.certificate))
        if not self._over and result.buffered:
            self._read_upstream()

    def _relay(self, command: interface.Relay) -> None:
        board = self._board
        upstream = self._take_upstream()
        reached = self._connected_upstream
        turn, self._turn = self._turn, None
        self._release()
        if reached is not None:
            board.attempted(reached, None)
        board.connected(
            self,
            upstream,
            self._to_client + command.to_client,
            self._to_upstream + command.to_upstream,
            command.closed,
            turn=turn,
            inspector=command.inspector,
        )

    def _rejected(self, command: interface.Rejected) -> None:
        """The Secret may have changed since the login was read, or just be changing."""
        files, target = self.profile.credentials, self._target
        if files is None or target is None or self._retried:
            self._refuse(command)
            return
        self._retried = True
        try:
            changed = files.read() != target.login
        except DialError:
            changed = False
        if changed:
            self._begin_dial(None)
        else:
            self._refuse(command)

    def _unready(self, command: interface.Unready) -> None:
        loop = self._board.loop
        left = self._deadline - loop.now()
        if left < _TOO_LATE:
            self._refuse(command)
            return
        self._report(command.error)
        self._drop_upstream()
        pause = self._pause * (1.0 - random_number() / 2)
        self._pause = min(self._pause * 2, LAST_PAUSE)
        self._again = loop.call_later(min(pause, left * 0.9), lambda: self._begin_dial(None))

    def _refuse(self, command: interface.Refuse) -> None:
        self._report(command.error)
        self._release()
        self._board.refused(command.error)
        if self._to_client or command.farewell:
            self._board.linger(self.sock, self._to_client + command.farewell)
        else:
            reset(self.sock)

    def _close(self, command: interface.Close) -> None:
        if self._connected_upstream is not None:
            # Whatever it said, it is there.
            self._board.attempted(self._connected_upstream, None)
        self._release()
        self._board.linger(self.sock, self._to_client)

    # Events.

    def _client_ready(self, events: int) -> None:
        if events & WRITE:
            self._flush_to_client()
            if self._over:
                return
        if events & READ and self._client_mask & READ:
            try:
                data = self.sock.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError:
                self._client_gone()
                return
            if data:
                self._do(self._conversation.from_client(data))
            else:
                self._client_ended = True
                self._do(self._conversation.client_ended())
        elif not events & (READ | WRITE):
            self._client_gone()
        else:
            self._update()

    def _upstream_ready(self, events: int) -> None:
        if events & WRITE and self._to_upstream:
            self._flush_to_upstream()
            if self._over or self._upstream is None:
                return
        if events & READ or not events & WRITE:
            self._read_upstream()
        else:
            self._update()

    def _read_upstream(self) -> None:
        """All that has come: with TLS some of it may be where epoll can't see it."""
        upstream = self._upstream
        while not self._over and upstream is not None and self._upstream is upstream:
            if self._to_client:
                return
            try:
                data = upstream.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(self._translate(error))
                return
            if not data:
                self._fail(DialError("ECONNRESET", f"{self._label} closed the connection"))
                return
            self._do(self._conversation.from_upstream(data))
            if isinstance(upstream, socket.socket):
                return

    def _late(self) -> None:
        if self._conversation.timed:
            seconds = self._board.connect_timeout
            message = f"{self._label} is connected but has not answered in {seconds:g} s"
            self._fail(DialError("ETIMEDOUT", message))

    def _client_gone(self) -> None:
        self._board.metrics.gone.value += 1
        self.close()

    def _fail(self, error: DialError) -> None:
        self._drop_upstream(forget=False)
        self._do(self._conversation.failed(error))

    # Bytes that wait.

    def _flush_to_client(self) -> None:
        try:
            self._to_client = self._to_client[self.sock.send(self._to_client) :]
        except BlockingIOError:
            return
        except OSError:
            self._client_gone()
            return
        if not self._to_client:
            self._read_upstream()

    def _flush_to_upstream(self) -> None:
        assert self._upstream is not None
        try:
            self._to_upstream = self._to_upstream[self._upstream.send(self._to_upstream) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._read_last_words(error)

    def _read_last_words(self, failure: OSError) -> None:
        self._to_upstream = b""
        self._read_upstream()
        if not self._over and self._upstream is not None:
            self._fail(self._translate(failure))

    def _update(self) -> None:
        """Watch for what is wanted now."""
        loop = self._board.loop
        mask = WRITE if self._to_client else 0
        if self._conversation.wants_client and not self._client_ended and not self._to_upstream:
            mask |= READ
        if mask != self._client_mask:
            self._client_mask = mask
            loop.modify(self.sock.fileno(), mask)
        if self._upstream is not None:
            mask = 0 if self._to_client else READ
            if self._to_upstream:
                mask |= WRITE
            if mask != self._upstream_mask:
                self._upstream_mask = mask
                loop.modify(self._upstream.fileno(), mask)

    def _watch_upstream(self, upstream: socket.socket | TlsSocket) -> None:
        self._upstream = upstream
        self._upstream_mask = READ
        self._board.loop.add(upstream.fileno(), READ, self._upstream_ready)

    def _take_upstream(self) -> socket.socket | TlsSocket:
        """No longer watched, and somebody else's to close."""
        upstream, self._upstream = self._upstream, None
        assert upstream is not None
        self._board.loop.remove(upstream.fileno())
        return upstream

    # Ends.

    @property
    def _label(self) -> str:
        return self._target.label if self._target is not None else "the upstream"

    def _translate(self, error: OSError) -> DialError:
        if isinstance(self._upstream, socket.socket):
            return from_errno(error.errno or 0, self._label)
        from podweave.helpers.dialing.tls import translate

        return translate(error, self._label)

    def _report(self, error: DialError) -> None:
        """Connecting was well, and yet nothing came of it: for the upstream's state."""
        upstream, self._connected_upstream = self._connected_upstream, None
        if upstream is not None:
            self._board.attempted(upstream, error)

    def _drop_upstream(self, forget: bool = True) -> None:
        for timer in (self._late_timer, self._again):
            if timer is not None:
                timer.cancel()
        self._late_timer = self._again = None
        if self._dial is not None:
            self._dial.cancel()
            self._dial = None
        if self._turn is not None:
            self._turn.end()
            self._turn = None
        if self._handshake is not None:
            self._handshake.cancel()
            self._handshake = None
        if self._upstream is not None:
            self._take_upstream().close()
        self._to_upstream = b""
        if forget:
            self._connected_upstream = None

    def _release(self) -> None:
        """Nothing of this is watched or held any more; the client's socket is still open."""
        to_upstream = self._to_upstream
        self._drop_upstream()
        self._to_upstream = to_upstream
        self._over = True
        self._board.loop.remove(self.sock.fileno())
        del self._board.held[self]


_PERFORM: dict[type[Command], Callable[[Session, Any], None]] = {
    interface.ToClient: Session._send_to_client,
    interface.ToUpstream: Session._send_to_upstream,
    interface.Dial: Session._begin_dial,
    interface.Secure: Session._secure,
    interface.Relay: Session._relay,
    interface.Rejected: Session._rejected,
    interface.Unready: Session._unready,
    interface.Refuse: Session._refuse,
    interface.Close: Session._close,
}
