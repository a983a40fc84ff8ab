"""Does the I/O of one conversation: its client's bytes, its commands, its end.

    client is there ──> conversation ──> Dial ──> TLS ──> conversation ──> relayed
                             ^            │        │           │
                             └── again ───┴────────┴───────────┴──> last words, closed

An upstream that hangs up before it has said a word is asked again, as one that refuses connections:
so do load balancers without a server, and servers that are just ending.

One deadline for all of it, from the first Dial on: connecting, TLS, and what the upstream has to
say before the conversation is over. And one for the client, for each time that it is waited for:
a server would send it away as well. What one side doesn't take at once is kept, and until it is
gone the other side is not read.
"""

from __future__ import annotations

from podweave.helpers.ambassador.dial import FIRST_PAUSE, LAST_PAUSE, random_number
from podweave.helpers.ambassador.sessions import interface
from podweave.helpers.ambassador.sessions.interface import Refuse
from podweave.helpers.ambassador.sessions.upstream_side import UpstreamSide
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from typing import Any

    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.sessions.interface import Command, Conversation, Target
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.loop import Timer

LOGIN_TIMEOUT = "LOGIN_TIMEOUT"
"""The reason of a DialError: it is the client who says nothing, or not all."""

_HUNG_UP = ("ECONNRESET", "EPIPE")

_READ_SIZE = 65536
_TOO_LATE = 0.02
"""Seconds to the deadline in which nothing is begun any more."""


class Session:
    """A client who is held while its conversation lasts."""

    __slots__ = (
        "_board",
        "_client_ended",
        "_client_mask",
        "_conversation",
        "_heard",
        "_over",
        "_patience",
        "_pause",
        "_refusal",
        "_retried",
        "_to_client",
        "_unready",
        "_upstream",
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
        self.since = board.loop.now()
        self.profile: Profile = board.profile
        self._board = board
        self._conversation = conversation
        self._refusal = refusal
        self._upstream = UpstreamSide(board, self)
        self._heard = False
        """The upstream has said something."""
        self._over = False
        self._patience: Timer | None = None
        """Runs while the client is waited for."""
        self._client_ended = False
        self._to_client = b""
        self._pause = FIRST_PAUSE
        self._retried = False
        self._unready: interface.Unready | None = None
        """What an upstream has said last that was there, but not ready."""
        board.held[self] = None
        self._client_mask = READ if conversation.wants_client else 0
        board.loop.add(sock.fileno(), self._client_mask, self._client_ready)
        self._do(conversation.begin())

    # What the switchboard does with a held client.

    def dial(self) -> None:
        """The profile has been switched: begin anew there, unless it is too late for that."""
        if self._upstream.begun and not self._conversation.committed:
            self._upstream.deadline = 0.0
            self._retried = False
            self._unready = None
            self._heard = False
            self.since = self._board.loop.now()
            self._upstream.dial()

    def close(self) -> None:
        if not self._over:
            self._release()
            reset(self.sock)

    # What the upstream's side tells.

    def connected(self, target: Target) -> None:
        self.profile = self._upstream.profile
        self._heard = False
        self._do(self._conversation.connected(target))

    def secured(self, certificate: bytes | None) -> None:
        self._do(self._conversation.secured(certificate))

    def read(self, data: bytes) -> None:
        self._heard = True
        self._do(self._conversation.from_upstream(data))

    def failed(self, error: DialError) -> None:
        if not self._conversation.timed:
            # It has waited for the client, as this one did, and has had enough before.
            self._upstream.is_there()
        if error.reason == "ETIMEDOUT" and self._unready is not None and not self._heard:
            # The deadline has cut an attempt short, which says nothing.
            self._refuse(self._unready)
            return
        commands = self._conversation.failed(error)
        if error.reason in _HUNG_UP and not self._heard:
            commands = [
                interface.Unready(each.error, each.farewell) if type(each) is Refuse else each
                for each in commands
            ]
        self._do(commands)

    def flushed(self) -> None:
        if not self._over:
            self._update()

    def is_late(self) -> bool:
        return self._conversation.timed

    # Commands.

    def _do(self, commands: Iterable[Command]) -> None:
        if not self._waits:
            # Ahead of what the upstream is to do now, in all of its time.
            self._wait(False)
        for command in commands:
            if self._over:
                return
            _PERFORM[type(command)](self, command)
        if not self._over and not self._client_mask & WRITE:
            self._flush_to_client()
        if not self._over:
            self._update()

    def _send_to_client(self, command: interface.ToClient) -> None:
        # Sent when all commands are done: a start-up is many small messages.
        self._to_client += command.data

    def _send_to_upstream(self, command: interface.ToUpstream) -> None:
        self._upstream.put(command.data)

    def _begin_dial(self, command: interface.Dial) -> None:
        if self._refusal is not None:
            self._do(self._conversation.failed(self._refusal))
            return
        if not self._upstream.deadline:
            self.since = self._board.loop.now()
        self._upstream.place = command.place
        self._upstream.dial()

    def _secure(self, command: interface.Secure) -> None:
        self._upstream.secure()

    def _relay(self, command: interface.Relay) -> None:
        self._flush_to_client()
        if self._over:
            return
        upstream, turn, to_upstream = self._upstream.take()
        self._release()
        self._board.connected(
            self,
            upstream,
            self._to_client + command.to_client,
            to_upstream + command.to_upstream,
            command.closed,
            turn=turn,
            inspector=command.inspector,
        )

    def _rejected(self, command: interface.Rejected) -> None:
        """The Secret may have changed since the login was read, or just be changing."""
        files, target = self.profile.credentials, self._upstream.target
        if files is None or target is None or self._retried:
            self._refuse(command)
            return
        self._retried = True
        try:
            changed = files.read() != target.login
        except DialError:
            changed = False
        if changed:
            self._upstream.dial()
        else:
            self._refuse(command)

    def _ask_again(self, command: interface.Unready) -> None:
        self._unready = command
        self._heard = False
        left = self._upstream.time_left
        if left < _TOO_LATE:
            self._refuse(command)
            return
        self._upstream.report(command.error)
        pause = self._pause * (1.0 - random_number() / 2)
        self._pause = min(self._pause * 2, LAST_PAUSE)
        self._upstream.dial_later(min(pause, left * 0.9))

    def _refuse(self, command: Refuse) -> None:
        self._upstream.report(command.error)
        self._release()
        self._board.refused(command.error)
        if self._to_client or command.farewell:
            self._board.linger(self.sock, self._to_client + command.farewell)
        else:
            reset(self.sock)

    def _refuse_blameless(self, command: interface.Blameless) -> None:
        self._upstream.is_there()
        self._refuse(command)

    def _close(self, command: interface.Close) -> None:
        self._upstream.is_there()
        self._release()
        self._board.linger(self.sock, self._to_client)

    # The client.

    def _client_ready(self, events: int) -> None:
        if events & WRITE:
            self._flush_to_client()
            if not self._over and not self._to_client:
                self._upstream.want(True)
                self._upstream.read()
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
                self._board.metrics.gone.value += 1
                self._do(self._conversation.client_ended())
        elif not events & (READ | WRITE):
            self._client_gone()
        else:
            self._update()

    def _flush_to_client(self) -> None:
        if not self._to_client:
            return
        try:
            self._to_client = self._to_client[self.sock.send(self._to_client) :]
        except BlockingIOError:
            return
        except OSError:
            self._client_gone()

    def _client_gone(self) -> None:
        self._board.metrics.gone.value += 1
        self.close()

    def _update(self) -> None:
        """Watch for what is wanted now."""
        mask = WRITE if self._to_client else 0
        conversation, unsent = self._conversation, self._upstream.unsent
        if conversation.wants_client and not self._client_ended and not unsent:
            mask |= READ
        if mask != self._client_mask:
            self._client_mask = mask
            self._board.loop.modify(self.sock.fileno(), mask)
        self._upstream.want(not self._to_client)
        self._wait(self._waits)

    @property
    def _waits(self) -> bool:
        """Whether it is the client who is waited for."""
        conversation = self._conversation
        return conversation.wants_client and not (conversation.timed and self._upstream.deadline)

    def _wait(self, waits: bool) -> None:
        """Begin, or end, to wait for the client."""
        if self._patience is not None and not waits:
            self._patience.cancel()
            self._patience = None
            self._upstream.renew()
        elif waits and self._patience is None:
            seconds = self._board.settings.login_timeout
            self._patience = self._board.loop.call_later(seconds, self._waited)

    def _waited(self) -> None:
        seconds = self._board.settings.login_timeout
        message = f"the client has not logged in within {seconds:g} s"
        self._do(self._conversation.waited(DialError(LOGIN_TIMEOUT, message)))

    def _release(self) -> None:
        """Nothing of this is watched or held any more; the client's socket is still open."""
        self._upstream.drop()
        self._over = True
        self._wait(False)
        self._board.loop.remove(self.sock.fileno())
        del self._board.held[self]


_PERFORM: dict[type[Command], Callable[[Session, Any], None]] = {
    interface.ToClient: Session._send_to_client,
    interface.ToUpstream: Session._send_to_upstream,
    interface.Dial: Session._begin_dial,
    interface.Secure: Session._secure,
    interface.Relay: Session._relay,
    interface.Rejected: Session._rejected,
    interface.Unready: Session._ask_again,
    Refuse: Session._refuse,
    interface.Blameless: Session._refuse_blameless,
    interface.Close: Session._close,
}
