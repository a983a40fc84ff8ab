"""GELF 1.1 messages and their way over UDP, without I/O (the GELF specification of Graylog).

A message is a JSON object. Over TCP each one ends with a NUL, uncompressed. Over UDP it is
compressed as a whole, and then, where it is longer than a datagram should be, cut into at most
128 chunks: the magic 1e 0f, a message id of 8 bytes, the chunk's number, how many there are.
"""

from __future__ import annotations

CHUNK_MAGIC = b"\x1e\x0f"
MOST_CHUNKS = 128
CHUNK_BYTES = 1420
"""Of a datagram: with its heads it fits an Ethernet frame, so that nothing is fragmented."""

_HEAD = 12
MOST_BYTES = MOST_CHUNKS * (CHUNK_BYTES - _HEAD)

_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def chunks(message: bytes, identifier: bytes) -> list[bytes]:
    """The datagrams of a message, compressed already. ValueError when it is too long."""
    if len(message) <= CHUNK_BYTES:
        return [message]
    if len(message) > MOST_BYTES:
        raise ValueError(f"longer than {MOST_CHUNKS} chunks")
    size = CHUNK_BYTES - _HEAD
    count = (len(message) + size - 1) // size
    return [
        CHUNK_MAGIC + identifier + bytes((number, count)) + message[number * size :][:size]
        for number in range(count)
    ]


def field_name(name: str) -> str:
    """An additional field's name: `_` ahead, and nothing that GELF doesn't allow.

    `_id` is the server's own, so an `id` gets another `_`.
    """
    kept = "".join(character if character in _NAME else "_" for character in name)
    return "__id" if kept == "id" else f"_{kept}"
