"""The wire format of Protocol Buffers, as far as messages of a few fields need it.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_double = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    """0 to 2**64-1. Signed numbers are given modulo 2**64 (int32 and int64 alike)."""
    if number < 0x80:
        return _SMALL[number]
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


_SMALL = [bytes((number,)) for number in range(0x80)]


def key(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field of bytes, a text in UTF-8, or a message; `tag` is its key."""
    size = len(data)
    return tag + (_SMALL[size] if size < 0x80 else varint(size)) + data


def double(tag: bytes, value: float) -> bytes:
    return tag + _double(value)


def fixed64(tag: bytes, value: int) -> bytes:
    return tag + value.to_bytes(8, "little")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and value. ValueError for what is no message."""
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field with the number 0")
        value: int | bytes
        if kind == VARINT:
            value, position = _read_varint(data, position)
        else:
            if kind == BYTES:
                size, position = _read_varint(data, position)
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
            else:
                raise ValueError(f"a field of the wire type {kind}")
            if position + size > len(data):
                raise ValueError("a field that is cut off")
            value = data[position : position + size]
            position += size
        yield number, value


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, position
        shift += 7
    raise ValueError("a number that has no end")
