"""DNS messages (RFC 1035, RFC 3596), as a stub resolver writes and reads them, without I/O.

Only what a dial needs: a question for A or AAAA, and the addresses that the answer holds for
the name that was asked, through its chain of aliases.
"""

from __future__ import annotations

A = 1
CNAME = 5
AAAA = 28
_IN = 1

NOERROR = 0
NXDOMAIN = 3

_HEADER = 12
_RESPONSE = 0x8000
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_NAME_LIMIT = 255
_LABEL_LIMIT = 63
_CHAIN_LIMIT = 16
_TTL_LIMIT = 86400


class BadNameError(ValueError):
    """Not a name that can be asked for."""


class MessageError(ValueError):
    """Not a well-formed answer to this question: to be ignored, the right one may yet come."""


class Answer:
    """What a server says. `addresses` are packed; empty with NOERROR: no data of this type."""

    __slots__ = ("addresses", "code", "truncated", "ttl")

    def __init__(self, code: int, truncated: bool, addresses: list[bytes], ttl: int) -> None:
        self.code = code
        self.truncated = truncated
        self.addresses = addresses
        self.ttl = ttl


def encode_name(name: str) -> bytes:
    """The wire form of a name in letters of ASCII, with or without the final dot."""
    try:
        labels = name.removesuffix(".").encode("ascii").split(b".")
    except UnicodeEncodeError as error:
        raise BadNameError(f"{name!r} is not in ASCII; write its xn-- form") from error
    encoded = b""
    for label in labels:
        if not 0 < len(label) <= _LABEL_LIMIT:
            raise BadNameError(f"{name!r} has a label of {len(label)} characters")
        encoded += bytes([len(label)]) + label
    encoded += b"\0"
    if len(encoded) > _NAME_LIMIT:
        raise BadNameError(f"{name!r} is too long")
    return encoded


def encode_query(identifier: int, name: str, record_type: int) -> bytes:
    header = identifier.to_bytes(2, "big") + _RECURSION_DESIRED.to_bytes(2, "big")
    counts = b"\0\1\0\0\0\0\0\0"
    return header + counts + encode_name(name) + record_type.to_bytes(2, "big") + b"\0\1"


def decode_answer(message: bytes, identifier: int, name: str, record_type: int) -> Answer:
    """Read the answer to `encode_query(identifier, name, record_type)`.

    MessageError when it is anything else, another question's answer included.
    """
    if len(message) < _HEADER:
        raise MessageError("shorter than a header")
    flags = _number(message, 2, 2)
    if _number(message, 0, 2) != identifier or not flags & _RESPONSE:
        raise MessageError("not the response to this query")
    code = flags & 0xF
    truncated = bool(flags & _TRUNCATED)
    questions = _number(message, 4, 2)
    records = _number(message, 6, 2)
    wanted = encode_name(name).lower()
    if questions == 0 and code != NOERROR:
        # Servers that don't understand a question may leave it out of the refusal.
        return Answer(code, truncated, [], 0)
    asked, offset = _decode_name(message, _HEADER)
    if (
        questions != 1
        or asked != wanted
        or _number(message, offset, 2) != record_type
        or _number(message, offset + 2, 2) != _IN
    ):
        raise MessageError("the response is to another question")
    if code != NOERROR or truncated:
        return Answer(code, truncated, [], 0)
    aliases, found = _read_records(message, offset + 4, records, record_type)
    return _follow(wanted, aliases, found)


_Aliases = dict[bytes, tuple[bytes, int]]
_Found = dict[bytes, list[tuple[bytes, int]]]


def _read_records(
    message: bytes, offset: int, count: int, record_type: int
) -> tuple[_Aliases, _Found]:
    aliases: _Aliases = {}
    found: _Found = {}
    size = 4 if record_type == A else 16
    for _ in range(count):
        owner, offset = _decode_name(message, offset)
        kind = _number(message, offset, 2)
        class_ = _number(message, offset + 2, 2)
        ttl = _number(message, offset + 4, 4)
        length = _number(message, offset + 8, 2)
        offset += 10
        data = message[offset : offset + length]
        if len(data) < length:
            raise MessageError("a record is cut off")
        # RFC 2181: the top bit is no part of the TTL; such a value is as good as none.
        ttl = 0 if ttl & 0x80000000 else min(ttl, _TTL_LIMIT)
        if class_ == _IN and kind == CNAME:
            target, end = _decode_name(message, offset)
            if end != offset + length:
                raise MessageError("an alias is longer than its name")
            aliases[owner] = (target, ttl)
        elif class_ == _IN and kind == record_type:
            if length != size:
                raise MessageError("an address of a wrong length")
            found.setdefault(owner, []).append((data, ttl))
        offset += length
    return aliases, found


def _follow(name: bytes, aliases: _Aliases, found: _Found) -> Answer:
    ttl = _TTL_LIMIT
    for _ in range(_CHAIN_LIMIT):
        if name in found:
            records = found[name]
            ttl = min([ttl, *(record_ttl for _, record_ttl in records)])
            return Answer(NOERROR, False, list(dict(records)), ttl)
        if name not in aliases:
            return Answer(NOERROR, False, [], 0)
        name, alias_ttl = aliases[name]
        ttl = min(ttl, alias_ttl)
    raise MessageError("a chain of aliases without end")


def _decode_name(message: bytes, offset: int) -> tuple[bytes, int]:
    """The name at `offset` in lower case and in wire form, and the offset behind it.

    A pointer must lead back before the place where the name began, so that no loop is possible.
    """
    name = b""
    behind = -1
    limit = offset
    while True:
        length = _number(message, offset, 1)
        if length >= 0xC0:
            target = _number(message, offset, 2) & 0x3FFF
            if behind < 0:
                behind = offset + 2
            if not _HEADER <= target < limit:
                raise MessageError("a compressed name doesn't point back")
            offset = limit = target
            continue
        if length > _LABEL_LIMIT:
            raise MessageError("a label of an unknown kind")
        name += message[offset : offset + 1 + length]
        offset += 1 + length
        if offset > len(message) or len(name) > _NAME_LIMIT:
            raise MessageError("a name is cut off or too long")
        if length == 0:
            return name.lower(), offset if behind < 0 else behind


def _number(message: bytes, offset: int, size: int) -> int:
    if offset + size > len(message):
        raise MessageError("the message is cut off")
    return int.from_bytes(message[offset : offset + size], "big")
