"""Answers of a DNS server, written for the tests; uncompressed unless a test compresses."""

from __future__ import annotations

import ipaddress
import struct

from podweave.helpers.wire import dns


def message(
    identifier: int,
    name: str,
    kind: int,
    records: list[bytes],
    *,
    code: int = 0,
    flags: int = 0x8180,
) -> bytes:
    header = struct.pack(">HHHHHH", identifier, flags | code, 1, len(records), 0, 0)
    question = dns.encode_name(name) + struct.pack(">HH", kind, 1)
    return header + question + b"".join(records)


def record(owner: bytes, kind: int, ttl: int, data: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def address(name: str, text: str, ttl: int) -> bytes:
    packed = ipaddress.ip_address(text).packed
    return record(dns.encode_name(name), dns.A if len(packed) == 4 else dns.AAAA, ttl, packed)


def alias(name: str, target: str, ttl: int) -> bytes:
    return record(dns.encode_name(name), dns.CNAME, ttl, dns.encode_name(target))
