"""Watches a relayed MySQL connection for changes of its user, which need the Secret's login.

Pools send COM_CHANGE_USER to clean a connection. Its login is the application's own, scrambled
with the ambassador's nonce: the server would refuse it. So it is sent on with the Secret's login,
and what the server asks on top of that is answered here. All else passes as it is: only the heads
of the client's packets are looked at.
"""

from __future__ import annotations

from podweave.helpers.wire import mysql
from podweave.helpers.wire.mysql import HandshakeResponse
from podweave.helpers.wire.mysql_login import CACHING_SHA2
from podweave.helpers.wire.mysql_packets import PACKET_LIMIT, MysqlError, Packets, packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.sessions.mysql_login import MysqlLogin


class MysqlCommands:
    """An inspector of a relay: see inspection.Inspector."""

    __slots__ = (
        "_answers",
        "_change",
        "_changing",
        "_database",
        "_held",
        "_left",
        "_login",
        "_response",
        "_waiting",
    )

    def __init__(self, response: HandshakeResponse, login: MysqlLogin, database: bytes) -> None:
        self._response = response
        self._login = login
        self._database = database
        """The profile's, empty where it names none."""
        self._left = 0
        """Bytes until the client's next packet."""
        self._held = b""
        """The beginning of a packet that isn't known yet."""
        self._changing = False
        self._change = mysql.ChangeUser(b"", b"", b"", b"")
        self._answers = Packets()
        self._waiting = b""
        """What a client said before it knew the answer to its change of user."""

    def from_client(self, data: bytes) -> tuple[bytes, bytes] | None:
        try:
            return self._from_client(data)
        except MysqlError:
            return None

    def from_upstream(self, data: bytes) -> tuple[bytes, bytes] | None:
        if not self._changing:
            return data, b""
        try:
            return self._from_changing(data)
        except MysqlError:
            return None

    def _from_client(self, data: bytes) -> tuple[bytes, bytes]:
        if self._changing:
            self._waiting += data
            if len(self._waiting) > PACKET_LIMIT:
                raise MysqlError("the client doesn't wait for the answer to its change of user")
            return b"", b""
        size = len(data)
        if not self._held and size == self._left:
            self._left = 0
            return data, b""
        if self._held:
            data = self._held + data
            size = len(data)
            self._held = b""
        place = self._left
        while place + 4 <= size:
            end = place + 4 + int.from_bytes(data[place : place + 3], "little")
            if end > place + 4:
                if place + 4 == size:
                    break
                if data[place + 4] == mysql.COM_CHANGE_USER and data[place + 3] == 0:
                    return self._change_user(data, place, end)
            place = end
        if place < size:
            self._held = data[place:]
            data = data[:place]
            self._left = 0
        else:
            self._left = place - size
        return data, b""

    def _from_changing(self, data: bytes) -> tuple[bytes, bytes]:
        self._answers.receive(data)
        back = b""
        while (taken := self._answers.next_packet()) is not None:
            sequence, payload = taken
            kind = payload[0] if payload else -1
            if kind == mysql.AUTH_SWITCH:
                answer: bytes | None = self._login.switched(*mysql.parse_auth_switch(payload))
            elif kind == mysql.AUTH_MORE_DATA:
                answer = self._login.more(payload[1:])
            else:
                return self._changed(kind, payload, back)
            if answer is not None:
                back += packet(sequence + 1, answer)
        return b"", back

    def _change_user(self, data: bytes, place: int, end: int) -> tuple[bytes, bytes]:
        if end - place > PACKET_LIMIT:
            raise MysqlError("a change of user that is too long")
        self._left = 0
        if len(data) < end:
            self._held = data[place:]
            return data[:place], b""
        self._change = mysql.parse_change_user(data[place + 4 : end], self._response.capabilities)
        ours = self._response
        auth = self._login.first()
        change = mysql.ChangeUser(
            ours.user,
            auth,
            self._database or self._change.database,
            self._change.charset,
            self._login.plugin,
            self._change.attributes,
        )
        self._changing = True
        self._answers = Packets()
        self._waiting = data[end:]
        return data[:place] + packet(0, change.render(ours.capabilities)), b""

    def _changed(self, kind: int, payload: bytes, back: bytes) -> tuple[bytes, bytes]:
        """The server's last word."""
        told = b""
        sequence = 1
        change = self._change
        if kind == mysql.OK and change.plugin == CACHING_SHA2 and change.auth:
            told = packet(1, b"\x01\x03")
            sequence = 2
        told += packet(sequence, payload) + self._answers.rest()
        self._changing = False
        waiting, self._waiting = self._waiting, b""
        if waiting:
            back += self._from_client(waiting)[0]
        return told, back
