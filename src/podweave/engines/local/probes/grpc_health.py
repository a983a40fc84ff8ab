"""A grpc probe's exchange: grpc.health.v1.Health/Check over HTTP/2. Bytes in, bytes out, no I/O.

One stream on a connection of its own, in clear text with prior knowledge, so little of HTTP/2 is
needed: our headers go out as literals that are never indexed, uncompressed. Of the answer's
headers nothing is decoded: success is a message on the stream that says SERVING. What an error's
trailers say would need a whole HPACK decoder, dynamic table and Huffman code included; the
status is searched for where it stands uncompressed or in the usual Huffman spelling, for the
message alone.
"""

from __future__ import annotations

import struct
from typing import Final

MAX_FRAME: Final = 16384
MAX_MESSAGE: Final = 64 * 1024

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_STREAM: Final = 1
_SERVING: Final = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


class GrpcHealth:
    """Send `opening`, feed what comes, send what `feed` returns, until `verdict` is set."""

    def __init__(self, service: str, authority: str) -> None:
        self.verdict: tuple[bool, str] | None = None
        self._service = service
        self._authority = authority
        self._received = b""
        self._message = b""

    def opening(self) -> bytes:
        fields = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/grpc.health.v1.Health/Check"),
            (":authority", self._authority),
            ("content-type", "application/grpc"),
            ("user-agent", "kube-probe/1.33"),
            ("te", "trailers"),
        )
        block = b"".join(b"\x10" + _string(name) + _string(value) for name, value in fields)
        service = self._service.encode()
        request = b"\x0a" + _varint(len(service)) + service if service else b""
        message = b"\x00" + struct.pack(">I", len(request)) + request
        return (
            _PREFACE
            + _frame(_SETTINGS, 0, 0, b"")
            + _frame(_HEADERS, _END_HEADERS, _STREAM, block)
            + _frame(_DATA, _END_STREAM, _STREAM, message)
        )

    def feed(self, data: bytes) -> bytes:
        self._received += data
        answers = b""
        while self.verdict is None and len(self._received) >= 9:
            length = int.from_bytes(self._received[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", self._received[3:9])
            if length > MAX_FRAME:
                self.verdict = (False, "not an HTTP/2 server")
                break
            if len(self._received) < 9 + length:
                break
            payload = self._received[9 : 9 + length]
            self._received = self._received[9 + length :]
            answers += self._frame(kind, flags, stream & 0x7FFFFFFF, payload)
        return answers

    def ended(self) -> None:
        """The peer closed the connection."""
        if self.verdict is None:
            self.verdict = (False, "the connection was closed before an answer")

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == _SETTINGS and not flags & _ACK:
            return _frame(_SETTINGS, _ACK, 0, b"")
        if kind == _PING and not flags & _ACK:
            return _frame(_PING, _ACK, 0, payload)
        if kind == _GOAWAY or (kind == _RESET and stream == _STREAM):
            self.verdict = (False, "the server refused the stream")
        elif stream == _STREAM and kind == _DATA:
            if flags & _PADDED and payload:
                payload = payload[1 : len(payload) - payload[0]]
            self._message += payload
            if len(self._message) > MAX_MESSAGE:
                self.verdict = (False, "the answer is no HealthCheckResponse")
            else:
                self._judge()
        if stream == _STREAM and kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            self._ended_stream(payload if kind == _HEADERS else b"")
        return b""

    def _judge(self) -> None:
        """The answer is one message: five bytes of prefix, then a protobuf with field 1."""
        if len(self._message) < 5:
            return
        length = int.from_bytes(self._message[1:5], "big")
        if len(self._message) < 5 + length:
            return
        status = _first_field(self._message[5 : 5 + length])
        name = _SERVING.get(status, str(status))
        self.verdict = (status == 1, f"service {self._service!r} is {name}")

    def _ended_stream(self, trailers: bytes) -> None:
        if self.verdict is None:
            unknown = b"grpc-status\x015" in trailers or b"grpc-status\x815" in trailers
            why = "the server doesn't know the service" if unknown else "no answer but an error"
            self.verdict = (False, f"health check of service {self._service!r}: {why}")


def _string(text: str) -> bytes:
    """An HPACK string without Huffman code; ours are all shorter than 16 KiB."""
    data = text.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    return b"\x7f" + _varint(len(data) - 127) + data


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _first_field(message: bytes) -> int:
    """HealthCheckResponse.status: field 1, a varint; absent means 0. -1: not understood."""
    status, place = 0, 0
    try:
        while place < len(message):
            key, place = _read_varint(message, place)
            if key & 7 == 0:
                value, place = _read_varint(message, place)
                if key >> 3 == 1:
                    status = value
            elif key & 7 == 2:
                length, place = _read_varint(message, place)
                place += length
            elif key & 7 in (1, 5):
                place += 8 if key & 7 == 1 else 4
            else:
                return -1
    except IndexError:
        return -1
    return status


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128 or shift > 63:
            return number, place
