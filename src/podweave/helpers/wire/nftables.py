"""The nftables ruleset that takes connections to a local port elsewhere, without I/O.

    table ip podweave-ambassador-NAME {
      chain divert   { type nat hook output priority -100
                       ip daddr 127.0.0.1 tcp dport PORT numgen random mod TOTAL < WEIGHT
                         counter name "LABEL" dnat to ADDRESS:PORT            (one for each member)
                     }
      chain source   { type nat hook postrouting priority 100
                       ct original ip daddr 127.0.0.1 … oifname != "lo" masquerade }
      chain sent     { type filter hook postrouting; ct direction original … counter }
      chain received { type filter hook input; ct direction reply … counter }
    }

The table belongs to the socket that makes it (NFT_TABLE_F_OWNER): the kernel removes it when that
process dies, however it dies, and new connections go to the ambassador's own listener again, or
to nobody. Connections that have been taken elsewhere stay so: the kernel translates addresses as
long as anybody has a rule for it, so one that fits no packet stays in a table of nobody's
(podweave-nat).

Numbers are those of linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import struct

from podweave.helpers.wire.netlink import (
    ACK,
    APPEND,
    CREATE,
    DUMP,
    REQUEST,
    Message,
    attribute,
    attributes,
    nested,
    number,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SUBSYSTEM = 10
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _DELETE_RULE = 0, 3, 6, 8
_NEW_OBJECT, _GET_OBJECT = 18, 19

_IPV4 = 2
_TCP = 6
_INPUT, _OUTPUT, _POST = 1, 3, 4
"""Hooks of a packet's way (NF_INET_LOCAL_IN, LOCAL_OUT, POST_ROUTING)."""

_OWNER = 2
_ACCEPT = 1
_COUNTER_OBJECT = 1

_NETWORK, _TRANSPORT = 1, 2
_EQUAL, _NOT_EQUAL, _LESS = 0, 1, 2
_META_OUT_NAME, _META_PROTOCOL = 7, 16
_CT_DIRECTION, _CT_PORT, _CT_ADDRESS = 1, 12, 20

SENT = "sent"
RECEIVED = "received"
"""Counters of packets to and from all members; LABELs count connections."""

KEPT_TABLE = "podweave-nat"
"""What stays when the ambassador goes, for the connections that it leaves."""

LOOPBACK = b"\x7f\0\0\x01"


class Member:
    """Where connections go: an IPv4 address, a port, a share of them. `label` names its counter."""

    __slots__ = ("address", "label", "port", "weight")

    def __init__(self, label: str, address: bytes, port: int, weight: int = 1) -> None:
        self.label = label
        self.address = address
        self.port = port
        self.weight = weight

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Member) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, bytes, int, int]:
        return (self.label, self.address, self.port, self.weight)


class Counter:
    __slots__ = ("bytes", "packets")

    def __init__(self, packets: int, bytes_: int) -> None:
        self.packets = packets
        self.bytes = bytes_


class Batch:
    """Messages that the kernel takes all or none of. `sequences` are theirs."""

    def __init__(self, sequence: int) -> None:
        self._messages: list[bytes] = []
        self._sequence = sequence
        self.sequences: list[int] = []

    def add(self, kind: int, flags: int, *parts: bytes) -> None:
        self._sequence += 1
        self.sequences.append(self._sequence)
        content = _head(_IPV4) + b"".join(parts)
        message = Message(_SUBSYSTEM << 8 | kind, REQUEST | ACK | flags, self._sequence, content)
        self._messages.append(message.render())

    def render(self) -> bytes:
        begin = Message(_BATCH_BEGIN, REQUEST, 0, _head(0, _SUBSYSTEM)).render()
        end = Message(_BATCH_END, REQUEST, 0, _head(0, _SUBSYSTEM)).render()
        return begin + b"".join(self._messages) + end


def create(batch: Batch, table: str, port: int) -> None:
    """The table with its chains and all but the rules of `divert`, which takes nobody yet."""
    batch.add(_NEW_TABLE, CREATE, text(1, KEPT_TABLE), number(2, 0))
    _chain(batch, KEPT_TABLE, "kept", "nat", _POST, 100)
    batch.add(_DELETE_RULE, 0, text(1, KEPT_TABLE), text(2, "kept"))
    nobody = [
        _expression("payload", number(1, 1), number(2, _NETWORK), number(3, 12), number(4, 4)),
        _compare(_EQUAL, b"\xff" * 4),
    ]
    _rule(batch, KEPT_TABLE, "kept", [*nobody, _expression("masq")])
    batch.add(_NEW_TABLE, CREATE, text(1, table), number(2, _OWNER))
    for name, kind, hook, priority in (
        ("divert", "nat", _OUTPUT, -100),
        ("source", "nat", _POST, 100),
        ("sent", "filter", _POST, 0),
        ("received", "filter", _INPUT, 0),
    ):
        _chain(batch, table, name, kind, hook, priority)
    for counter in (SENT, RECEIVED):
        _count(batch, table, counter)
    ours = [*_original_address(), *_original_port(port)]
    outside = [_expression("meta", number(1, 1), number(2, _META_OUT_NAME))]
    outside.append(_compare(_NOT_EQUAL, b"lo".ljust(16, b"\0")))
    _rule(batch, table, "source", [*ours, *outside, _expression("masq")])
    for counter, direction in ((SENT, 0), (RECEIVED, 1)):
        way = [_expression("ct", number(1, 1), number(2, _CT_DIRECTION))]
        way.append(_compare(_EQUAL, bytes((direction,))))
        _rule(batch, table, counter, [*way, *ours, _counted(counter)])


def divert(batch: Batch, table: str, port: int, members: Sequence[Member]) -> None:
    """New connections go to these members from now on; to the local port when there are none."""
    batch.add(_DELETE_RULE, 0, text(1, table), text(2, "divert"))
    left = sum(member.weight for member in members)
    for index, member in enumerate(members):
        _count(batch, table, member.label)
        expressions = [
            _expression("payload", number(1, 1), number(2, _NETWORK), number(3, 16), number(4, 4)),
            _compare(_EQUAL, LOOPBACK),
            _expression("meta", number(1, 1), number(2, _META_PROTOCOL)),
            _compare(_EQUAL, bytes((_TCP,))),
            _expression("payload", number(1, 1), number(2, _TRANSPORT), number(3, 2), number(4, 2)),
            _compare(_EQUAL, struct.pack(">H", port)),
        ]
        if index < len(members) - 1:
            # Of those that the rules before have left over.
            expressions += [
                _expression("numgen", number(1, 1), number(2, left), number(3, 1), number(4, 0)),
                _expression(
                    "byteorder",
                    *(number(1, 1), number(2, 1), number(3, 1), number(4, 4), number(5, 4)),
                ),
                _compare(_LESS, struct.pack(">I", member.weight)),
            ]
        left -= member.weight
        expressions += [
            _counted(member.label),
            _immediate(1, member.address),
            _immediate(2, struct.pack(">H", member.port)),
            _expression(
                "nat", number(1, 1), number(2, _IPV4), number(3, 1), number(5, 2), number(7, 2)
            ),
        ]
        _rule(batch, table, "divert", expressions)


def ask_counters(sequence: int, table: str) -> bytes:
    """The request for all counters of a table."""
    content = _head(_IPV4) + text(1, table) + number(3, _COUNTER_OBJECT)
    kind = _SUBSYSTEM << 8 | _GET_OBJECT
    return Message(kind, REQUEST | DUMP, sequence, content).render()


def read_counter(message: Message, table: str) -> tuple[str, Counter] | None:
    """Name and value from one message of the answer; None for another table's."""
    if message.type != _SUBSYSTEM << 8 | _NEW_OBJECT:
        return None
    found = attributes(message.content[4:])
    if _text(found.get(1)) != table:
        return None
    data = attributes(found.get(4, b""))
    return _text(found.get(2)), Counter(_long(data.get(2)), _long(data.get(1)))


def _head(family: int, resource: int = 0) -> bytes:
    return struct.pack(">BBH", family, 0, resource)


def _chain(batch: Batch, table: str, name: str, kind: str, hook: int, priority: int) -> None:
    batch.add(
        _NEW_CHAIN,
        CREATE,
        text(1, table),
        text(3, name),
        nested(4, number(1, hook), number(2, priority & 0xFFFFFFFF)),
        number(5, _ACCEPT),
        text(7, kind),
    )


def _rule(batch: Batch, table: str, chain: str, expressions: Iterable[bytes]) -> None:
    elements = [attribute(1 | 0x8000, expression) for expression in expressions]
    batch.add(_NEW_RULE, CREATE | APPEND, text(1, table), text(2, chain), nested(4, *elements))


def _count(batch: Batch, table: str, name: str) -> None:
    """A counter; one that is there already stays as it is."""
    batch.add(
        _NEW_OBJECT,
        CREATE,
        text(1, table),
        text(2, name),
        number(3, _COUNTER_OBJECT),
        nested(4),
    )


def _counted(name: str) -> bytes:
    return _expression("objref", number(1, _COUNTER_OBJECT), text(2, name))


def _expression(name: str, *parts: bytes) -> bytes:
    return text(1, name) + nested(2, *parts)


def _compare(operation: int, value: bytes) -> bytes:
    return _expression("cmp", number(1, 1), number(2, operation), nested(3, attribute(1, value)))


def _immediate(register: int, value: bytes) -> bytes:
    return _expression("immediate", number(1, register), nested(2, attribute(1, value)))


def _original_address() -> list[bytes]:
    load = _expression("ct", number(1, 1), number(2, _CT_ADDRESS), attribute(3, b"\0"))
    return [load, _compare(_EQUAL, LOOPBACK)]


def _original_port(port: int) -> list[bytes]:
    load = _expression("ct", number(1, 1), number(2, _CT_PORT), attribute(3, b"\0"))
    protocol = [_expression("meta", number(1, 1), number(2, _META_PROTOCOL))]
    protocol.append(_compare(_EQUAL, bytes((_TCP,))))
    return [*protocol, load, _compare(_EQUAL, struct.pack(">H", port))]


def _text(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode("utf-8", "replace")


def _long(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")
