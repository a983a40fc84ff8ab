"""The forward protocol of Fluentd and Fluent Bit, version 1, without I/O.

[tag, entries, options]      entries: bytes of [EventTime, record] after each other
                             (PackedForward), compressed by gzip where options say so
{"ack": chunk}               the answer, where options have a `chunk`

HELO, PING, PONG             the handshake, where a server asks for a shared key: both prove
                             that they know it without saying it, and the client says user
                             and password, where the server asks for them
"""

from __future__ import annotations

import struct

from podweave.helpers.wire import msgpack
from podweave.helpers.wire.digests import sha512

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECOND = 1_000_000_000


class ForwardError(Exception):
    """The server doesn't speak the protocol, or doesn't accept the client; the message says so."""


def event_time(nanoseconds: int) -> bytes:
    """EventTime, extension type 0: seconds and nanoseconds, big-endian."""
    seconds, rest = divmod(nanoseconds, _SECOND)
    return struct.pack(">BBII", 0xD7, 0, seconds & 0xFFFFFFFF, rest)


def message(tag: str, entries: bytes, options: dict[str, Any]) -> bytes:
    """A message in PackedForward mode."""
    return b"".join(
        (msgpack.array_head(3), msgpack.pack(tag), msgpack.binary(entries), msgpack.pack(options))
    )


class Hello:
    """What a server begins with: a nonce, and the salt for a password; "" where it wants none."""

    __slots__ = ("nonce", "salt")

    def __init__(self, value: Any) -> None:
        """ForwardError for what is no HELO."""
        if not isinstance(value, list) or len(value) != 2 or value[0] != "HELO":
            raise ForwardError("the server doesn't begin with HELO")
        options = value[1]
        if not isinstance(options, dict):
            raise ForwardError("the server's HELO is none")
        self.nonce = _bytes(options.get("nonce"))
        self.salt = _bytes(options.get("auth"))


def ping(
    hello: Hello, host: str, key: bytes, salt: bytes, username: bytes = b"", password: bytes = b""
) -> bytes:
    """The client's side of the handshake. `salt` is random, of 16 bytes."""
    digest = _digest(salt, host.encode(), hello.nonce, key)
    proof = _digest(hello.salt, username, password) if hello.salt else ""
    name = username.decode("utf-8", "backslashreplace") if hello.salt else ""
    return msgpack.pack(["PING", host, salt, digest, name, proof])


def check_pong(value: Any, hello: Hello, key: bytes, salt: bytes) -> None:
    """ForwardError when the server refuses, or doesn't know the key itself."""
    if not isinstance(value, list) or len(value) != 5 or value[0] != "PONG":
        raise ForwardError("the server's answer to PING is none")
    _, accepted, reason, host, digest = value
    if accepted is not True:
        raise ForwardError(f"the server refuses: {_text(reason) or 'no reason given'}")
    if _text(digest) != _digest(salt, _bytes(host), hello.nonce, key):
        raise ForwardError("the server doesn't know the shared key")


def acknowledged(value: Any) -> str:
    """The chunk that an answer acknowledges. ForwardError when it is no acknowledgement."""
    if not isinstance(value, dict) or "ack" not in value:
        raise ForwardError("the server's answer is no acknowledgement")
    return _text(value["ack"])


def _digest(*parts: bytes) -> str:
    return sha512(b"".join(parts)).hexdigest()


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else b""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _bytes(value).decode("utf-8", "backslashreplace")
