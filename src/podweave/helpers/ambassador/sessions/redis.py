"""The start of a Redis connection through the ambassador. No I/O.

    state     comes                    goes                                       next
    DIALLING  connected                TLS, where it is configured                LOGIN
              connected, or TLS is on  AUTH with the Secret's login, SELECT       LOGIN
    LOGIN     +OK for each             -                                          relayed
              an error                 the error, or once more with a login that
                                       has changed, or later when it is busy

What the client says waits in the kernel until then. From then on its own AUTH, HELLO and RESET
are looked for (RedisCommands); without a login nothing is.
"""

from __future__ import annotations

from podweave.helpers.ambassador.sessions.interface import (
    Conversation,
    Dial,
    Refuse,
    Rejected,
    Relay,
    Secure,
    ToUpstream,
    Unready,
)
from podweave.helpers.ambassador.sessions.redis_commands import RedisCommands, login_command
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.wire import resp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.ambassador.sessions.interface import Command, Target

_REPLY_LIMIT = 4096
_DENIED = (b"WRONGPASS", b"NOAUTH", b"NOPERM", b"ERR invalid password", b"ERR AUTH")
_NOT_NOW = (b"LOADING", b"BUSY", b"MASTERDOWN", b"TRYAGAIN", b"ERR max number of clients")


class RedisConversation(Conversation):
    __slots__ = ("_expected", "_inspector", "_replies", "_target")

    def __init__(self) -> None:
        super().__init__()
        self.wants_client = False
        self._replies = b""
        self._expected = 0
        self._target: Target | None = None
        self._inspector: RedisCommands | None = None

    def begin(self) -> Sequence[Command]:
        return (Dial(),)

    def connected(self, target: Target) -> Sequence[Command]:
        self._target = target
        self._replies = b""
        self._inspector = None
        return (Secure(),) if target.tls else self._log_in(target)

    def secured(self, certificate: bytes | None) -> Sequence[Command]:
        assert self._target is not None
        return self._log_in(self._target)

    def failed(self, error: DialError) -> Sequence[Command]:
        return (Refuse(error, resp.error(f"can't connect to Redis: {error.message}")),)

    def from_upstream(self, data: bytes) -> Sequence[Command]:
        self._replies += data
        while self._expected:
            line, end, rest = self._replies.partition(b"\r\n")
            if not end:
                if len(line) > _REPLY_LIMIT:
                    return self._refused("the answer to the login is no line")
                return ()
            self._replies = rest
            if line != b"+OK":
                return self._turned_away(line)
            self._expected -= 1
        return (Relay(self._replies, inspector=self._inspector),)

    def _log_in(self, target: Target) -> Sequence[Command]:
        database = target.database.encode()
        commands = []
        if target.login is not None:
            authenticate = login_command(target.login)
            commands.append(authenticate)
            self._inspector = RedisCommands(authenticate, database)
        if database:
            commands.append(resp.command(b"SELECT", database))
        self._expected = len(commands)
        if not commands:
            return (Relay(),)
        return (ToUpstream(b"".join(commands)),)

    def _turned_away(self, line: bytes) -> Sequence[Command]:
        assert self._target is not None
        if not line.startswith(b"-"):
            return self._refused("the answer to the login is no reply of Redis")
        said = line[1:].decode("utf-8", "replace")
        label = self._target.label
        error = DialError("REDIS_" + said.partition(" ")[0][:32], f"{label}: {said}")
        if line[1:].startswith(_NOT_NOW):
            return (Unready(error, line + b"\r\n"),)
        if line[1:].startswith(_DENIED) and self._target.login is not None:
            told = resp.error(f"{label} refuses the login of the profile's Secret: {said}")
            return (Rejected(error, told),)
        return (Refuse(error, line + b"\r\n"),)

    def _refused(self, message: str) -> Sequence[Command]:
        assert self._target is not None
        error = DialError("EPROTO", f"{self._target.label}: {message}")
        return (Refuse(error, resp.error(error.message)),)
