"""Watches a relayed Redis connection for the client's own logins. No I/O.

AUTH    sent on with the Secret's login: its reply has its place among the others, without
        anybody counting replies
HELLO   sent on without its AUTH; version and name stay, and so does the reply's form
RESET   logs out, so a login, the database's number and an ECHO of a random text are sent
        behind it; their replies are found by that text and taken out
"""

from __future__ import annotations

import os
from binascii import b2a_hex

from podweave.helpers.wire.resp import CommandReader, RespError, command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.sessions.credentials import Login

_NAMES = frozenset((b"AUTH", b"HELLO", b"RESET"))
_OK = b"+OK\r\n"


def login_command(login: Login) -> bytes:
    """AUTH as the Secret has it: a password alone is the default user's."""
    password = login.password or b""
    if login.username:
        return command(b"AUTH", login.username.encode(), password)
    return command(b"AUTH", password)


class RedisCommands:
    """An inspector of a relay: see inspection.Inspector."""

    __slots__ = ("_expected", "_held", "_login", "_opaque", "_reader", "_replies", "_restore")

    def __init__(self, login: bytes, database: bytes = b"") -> None:
        self._login = login
        self._restore = login + (command(b"SELECT", database) if database else b"")
        self._replies = _OK * (2 if database else 1)
        self._reader = CommandReader(_NAMES)
        self._opaque = False
        """The client has left the protocol: the server is to tell it so."""
        self._expected: list[bytes] = []
        """For each RESET that isn't answered: the reply to its ECHO."""
        self._held = b""

    def from_client(self, data: bytes) -> tuple[bytes, bytes] | None:
        if self._opaque:
            return data, b""
        held = self._reader.held
        try:
            parts = self._reader.read(data)
        except RespError:
            self._opaque = True
            return held + data, b""
        if len(parts) == 1 and isinstance(parts[0], bytes):
            return parts[0], b""
        return b"".join(part if isinstance(part, bytes) else self._own(part) for part in parts), b""

    def from_upstream(self, data: bytes) -> tuple[bytes, bytes] | None:
        if not self._expected:
            return data, b""
        if self._held:
            data = self._held + data
            self._held = b""
        passed = []
        while self._expected:
            reply = self._expected[0]
            end = data.find(reply)
            if end < 0:
                kept = _overlap(data, self._replies + reply)
                self._held = data[len(data) - kept :]
                data = data[: len(data) - kept]
                break
            if not data.endswith(self._replies, 0, end):
                # The login behind the RESET has failed: nobody could go on with this connection.
                return None
            passed.append(data[: end - len(self._replies)])
            data = data[end + len(reply) :]
            self._expected.pop(0)
        passed.append(data)
        return b"".join(passed), b""

    def _own(self, words: list[bytes]) -> bytes:
        name = words[0].upper()
        if name == b"AUTH":
            # With a wrong number of words it is the client's error to hear of.
            return self._login if len(words) in (2, 3) else command(*words)
        if name == b"HELLO":
            return command(*_without_login(words))
        if len(words) > 1:
            return command(*words)
        token = b2a_hex(os.urandom(16))
        self._expected.append(b"$%d\r\n%b\r\n" % (len(token), token))
        return command(*words) + self._restore + command(b"ECHO", token)


def _without_login(words: list[bytes]) -> list[bytes]:
    """HELLO [version [AUTH name password] [SETNAME name]]"""
    kept = words[:2]
    place = 2
    while place < len(words):
        if words[place].upper() == b"AUTH" and place + 2 < len(words):
            place += 3
        else:
            kept.append(words[place])
            place += 1
            if words[place - 1].upper() == b"SETNAME" and place < len(words):
                kept.append(words[place])
                place += 1
    return kept


def _overlap(data: bytes, token: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of `token`."""
    for count in range(min(len(data), len(token)), 0, -1):
        if data.endswith(token[:count]):
            return count
    return 0
