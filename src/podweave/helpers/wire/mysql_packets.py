"""Packets of MySQL's protocol, and how strings and numbers stand in them. No I/O.

A packet is three bytes of length (little-endian), a sequence number, and its payload. The numbers
run on within a conversation and begin anew with each command. Packets of a start-up are small:
what is longer than PACKET_LIMIT breaks the protocol.
"""

from __future__ import annotations

PACKET_LIMIT = 65536
"""Bytes of a payload: a handshake response with many connection attributes is the longest."""


class MysqlError(Exception):
    """The other side doesn't speak MySQL as it should; the message says where."""


class Packets:
    """Takes bytes in any pieces and gives whole packets: (sequence number, payload)."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> None:
        self._buffer += data

    def next_packet(self) -> tuple[int, bytes] | None:
        """The next packet, None as long as it isn't whole. MysqlError when it is too long."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[:3], "little")
        if length > PACKET_LIMIT:
            raise MysqlError(f"a packet of {length} bytes in the start-up")
        if len(buffer) < 4 + length:
            return None
        sequence = buffer[3]
        payload = bytes(buffer[4 : 4 + length])
        del buffer[: 4 + length]
        return sequence, payload

    def rest(self) -> bytes:
        """What has come behind the last packet; it is the caller's now."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def packet(sequence: int, payload: bytes) -> bytes:
    """A packet. ValueError when the payload is longer than one packet carries."""
    if len(payload) >= 0xFFFFFF:
        raise ValueError("longer than a packet")
    return len(payload).to_bytes(3, "little") + bytes((sequence & 0xFF,)) + payload


def length_encoded(data: bytes) -> bytes:
    """A string with its length before it."""
    size = len(data)
    if size < 251:
        return bytes((size,)) + data
    if size < 1 << 16:
        return b"\xfc" + size.to_bytes(2, "little") + data
    return b"\xfd" + size.to_bytes(3, "little") + data


class Reader:
    """Reads a payload from the front; MysqlError where it is too short."""

    __slots__ = ("_payload", "_place", "_what")

    def __init__(self, payload: bytes, what: str) -> None:
        self._payload = payload
        self._place = 0
        self._what = what

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._payload)

    def take(self, count: int) -> bytes:
        end = self._place + count
        if end > len(self._payload):
            raise MysqlError(f"{self._what} is cut off")
        data = self._payload[self._place : end]
        self._place = end
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def until_nul(self) -> bytes:
        end = self._payload.find(b"\0", self._place)
        if end < 0:
            raise MysqlError(f"{self._what} is cut off")
        data = self._payload[self._place : end]
        self._place = end + 1
        return data

    def length_encoded(self) -> bytes:
        size = self.byte()
        if size >= 251:
            widths = {0xFC: 2, 0xFD: 3, 0xFE: 8}
            if size not in widths:
                raise MysqlError(f"{self._what} has no such length")
            size = self.number(widths[size])
        return self.take(size)

    def rest(self) -> bytes:
        data = self._payload[self._place :]
        self._place = len(self._payload)
        return data
