"""MessagePack, as much of it as logs and the forward protocol's answers need, without I/O.

Source: the MessagePack specification. Texts are written as str, bytes as bin. Reading gives str
for str (what isn't UTF-8 in it as backslash escapes), bytes for bin and extensions.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEEPEST = 100


class MsgpackError(ValueError):
    """The bytes are no MessagePack, or more than is allowed here."""


class Incomplete(Exception):  # noqa: N818 - it says that more must come, not that something is wrong
    """The value isn't whole yet."""


def pack(value: Any) -> bytes:
    """A value of JSON's kinds, or bytes. Integers beyond 64 bits become floats."""
    parts: list[bytes] = []
    _pack(value, parts, 0)
    return b"".join(parts)


def _pack(value: Any, parts: list[bytes], depth: int) -> None:
    if depth > _DEEPEST:
        raise MsgpackError("nested too deeply")
    if value is None:
        parts.append(b"\xc0")
    elif value is True or value is False:
        parts.append(b"\xc3" if value else b"\xc2")
    elif isinstance(value, str):
        parts.append(text(value.encode("utf-8", "backslashreplace")))
    elif isinstance(value, bytes):
        parts.append(binary(value))
    elif isinstance(value, int):
        parts.append(_integer(value))
    elif isinstance(value, float):
        parts.append(struct.pack(">Bd", 0xCB, value))
    elif isinstance(value, dict):
        parts.append(_head(len(value), 0x80, 0xDE))
        for key, item in value.items():
            _pack(key, parts, depth + 1)
            _pack(item, parts, depth + 1)
    else:
        parts.append(_head(len(value), 0x90, 0xDC))
        for item in value:
            _pack(item, parts, depth + 1)


def text(data: bytes) -> bytes:
    """A str of UTF-8."""
    return text_head(len(data)) + data


def text_head(size: int) -> bytes:
    if size < 32:
        return bytes((0xA0 | size,))
    if size < 1 << 8:
        return bytes((0xD9, size))
    if size < 1 << 16:
        return struct.pack(">BH", 0xDA, size)
    return struct.pack(">BI", 0xDB, size)


def binary(data: bytes) -> bytes:
    size = len(data)
    if size < 1 << 8:
        return bytes((0xC4, size)) + data
    if size < 1 << 16:
        return struct.pack(">BH", 0xC5, size) + data
    return struct.pack(">BI", 0xC6, size) + data


def array_head(count: int) -> bytes:
    return _head(count, 0x90, 0xDC)


def map_head(count: int) -> bytes:
    return _head(count, 0x80, 0xDE)


def _head(count: int, fixed: int, wide: int) -> bytes:
    if count < 16:
        return bytes((fixed | count,))
    if count < 1 << 16:
        return struct.pack(">BH", wide, count)
    return struct.pack(">BI", wide + 1, count)


def _integer(value: int) -> bytes:
    if 0 <= value < 128:
        return bytes((value,))
    if -32 <= value < 0:
        return bytes((256 + value,))
    if 0 <= value < 1 << 64:
        for code, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
            if value < 1 << 8 * size:
                return bytes((code,)) + value.to_bytes(size, "big")
    if -(1 << 63) <= value < 0:
        for code, size in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
            if value >= -(1 << 8 * size - 1):
                return bytes((code,)) + value.to_bytes(size, "big", signed=True)
    return struct.pack(">Bd", 0xCB, float(value))


def unpack(data: bytes) -> tuple[Any, int]:
    """The first value and its length. Incomplete, MsgpackError."""
    return _unpack(data, 0, 0)


def _unpack(data: bytes, place: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise MsgpackError("nested too deeply")
    code = _take(data, place, 1)[0]
    place += 1
    if code < 0x80:
        return code, place
    if code < 0x90:
        return _map(data, place, code & 0x0F, depth)
    if code < 0xA0:
        return _array(data, place, code & 0x0F, depth)
    if code < 0xC0:
        return _decode(_take(data, place, code & 0x1F)), place + (code & 0x1F)
    if code >= 0xE0:
        return code - 256, place
    if code in _CONSTANTS:
        return _CONSTANTS[code], place
    if code in _NUMBERS:
        form = _NUMBERS[code]
        size = struct.calcsize(form)
        return struct.unpack(form, _take(data, place, size))[0], place + size
    if code in _SIZED:
        width, extra, is_text = _SIZED[code]
        size = int.from_bytes(_take(data, place, width), "big") + extra
        place += width
        content = _take(data, place, size)
        return (_decode(content) if is_text else content), place + size
    if code in (0xDC, 0xDD, 0xDE, 0xDF):
        width = 2 if code in (0xDC, 0xDE) else 4
        count = int.from_bytes(_take(data, place, width), "big")
        inner = _array if code in (0xDC, 0xDD) else _map
        return inner(data, place + width, count, depth)
    raise MsgpackError(f"the byte {code:#x} begins nothing")


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
# Bytes of the length, bytes beside the length's own, whether it is text. Of extensions the type
# stays with the content.
_SIZED = {
    0xC4: (1, 0, False), 0xC5: (2, 0, False), 0xC6: (4, 0, False),
    0xC7: (1, 1, False), 0xC8: (2, 1, False), 0xC9: (4, 1, False),
    0xD4: (0, 2, False), 0xD5: (0, 3, False), 0xD6: (0, 5, False),
    0xD7: (0, 9, False), 0xD8: (0, 17, False),
    0xD9: (1, 0, True), 0xDA: (2, 0, True), 0xDB: (4, 0, True),
}  # fmt: skip


def _array(data: bytes, place: int, count: int, depth: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(count):
        value, place = _unpack(data, place, depth + 1)
        values.append(value)
    return values, place


def _map(data: bytes, place: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    values = {}
    for _ in range(count):
        key, place = _unpack(data, place, depth + 1)
        if not isinstance(key, str | int | bytes | None):
            raise MsgpackError("a map's key is no text or number")
        value, place = _unpack(data, place, depth + 1)
        values[key] = value
    return values, place


def _take(data: bytes, place: int, size: int) -> bytes:
    if place + size > len(data):
        raise Incomplete
    return data[place : place + size]


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
