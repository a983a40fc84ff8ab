"""DNS messages: what is read, what is ignored, and that no bytes can do harm."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire import dns
from tests.helpers.dns_messages import address, alias, message, record

NAME = "db.example"


def decode(data: bytes, name: str = NAME, kind: int = dns.A) -> dns.Answer:
    return dns.decode_answer(data, 7, name, kind)


def texts(answer: dns.Answer) -> list[str]:
    families = {4: socket.AF_INET, 16: socket.AF_INET6}
    return [socket.inet_ntop(families[len(packed)], packed) for packed in answer.addresses]


def test_a_query_is_what_the_rfc_says() -> None:
    assert dns.encode_query(0x1234, "db.example.", dns.AAAA) == (
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02db\x07example\x00\x00\x1c\x00\x01"
    )


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, "x." * 130, "한국.kr", "a\n.b" * 80])
def test_names_that_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(dns.BadNameError):
        dns.encode_name(name)


def test_addresses_of_both_families() -> None:
    answer = decode(message(7, NAME, dns.A, [address(NAME, "10.0.0.1", 60),
                                             address(NAME, "10.0.0.2", 30),
                                             address(NAME, "10.0.0.1", 90)]))  # fmt: skip
    assert texts(answer) == ["10.0.0.1", "10.0.0.2"]
    assert answer.ttl == 30
    data = message(7, NAME, dns.AAAA, [address(NAME, "fd00::1", 5)])
    assert texts(decode(data, kind=dns.AAAA)) == ["fd00::1"]


def test_a_chain_of_aliases_in_any_order_with_the_least_ttl() -> None:
    records = [
        address("c.example", "10.0.0.9", 300),
        alias("b.example", "c.example", 10),
        alias("DB.example", "B.EXAMPLE", 100),
    ]
    answer = decode(message(7, NAME, dns.A, records))
    assert (texts(answer), answer.ttl) == (["10.0.0.9"], 10)


def test_addresses_of_other_names_are_not_taken() -> None:
    answer = decode(message(7, NAME, dns.A, [address("evil.example", "6.6.6.6", 60)]))
    assert (answer.code, answer.addresses) == (dns.NOERROR, [])


def test_no_data_no_name_and_failures_are_told_apart() -> None:
    assert decode(message(7, NAME, dns.A, [])).code == dns.NOERROR
    assert decode(message(7, NAME, dns.A, [], code=dns.NXDOMAIN)).code == dns.NXDOMAIN
    assert decode(message(7, NAME, dns.A, [], code=2)).code == 2
    assert decode(b"\0\7\x80\5\0\0\0\0\0\0\0\0").code == 5
    assert decode(message(7, NAME, dns.A, [], flags=0x8200)).truncated


def test_a_time_to_live_with_the_top_bit_is_none() -> None:
    answer = decode(message(7, NAME, dns.A, [address(NAME, "10.0.0.1", 0x80000001)]))
    assert answer.ttl == 0


def test_compressed_names_are_followed_backwards_only() -> None:
    pointer = b"\xc0\x0c"
    data = message(7, NAME, dns.A, [record(pointer, dns.A, 60, b"\x0a\0\0\1")])
    assert texts(decode(data)) == ["10.0.0.1"]
    for bad in (b"\xc0\xff", b"\xff\xff", b"\x01a\xc0\x1d", b"\xc0\x00", b"\x40a\x00"):
        with pytest.raises(dns.MessageError):
            decode(message(7, NAME, dns.A, [record(bad, dns.A, 60, b"\x0a\0\0\1")]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 12,
        message(8, NAME, dns.A, []),
        message(7, "other.example", dns.A, []),
        message(7, NAME, dns.AAAA, []),
        message(7, NAME, dns.A, [], flags=0x0000),
        message(7, NAME, dns.A, [address(NAME, "10.0.0.1", 1)])[:-1],
        message(7, NAME, dns.A, [record(dns.encode_name(NAME), dns.A, 1, b"\1\2\3")]),
        message(7, NAME, dns.A, [alias(NAME, "b.example", 1), alias("b.example", NAME, 1)]),
    ],
)
def test_what_is_not_the_answer_is_ignored(data: bytes) -> None:
    with pytest.raises(dns.MessageError):
        decode(data)


labels = st.text("abcDEF-09", min_size=1, max_size=10)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(names, st.lists(st.ip_addresses(v=4).map(str), max_size=5, unique=True), names)
def test_what_a_server_says_is_read(name: str, addresses: list[str], other: str) -> None:
    records = [address(name, text, 60) for text in addresses]
    if other.lower() != name.lower():
        records.insert(0, address(other, "6.6.6.6", 60))
    assert texts(decode(message(7, name, dns.A, records), name=name)) == addresses


@given(st.binary(max_size=120))
def test_any_bytes_are_an_answer_or_ignored(tail: bytes) -> None:
    whole = message(7, NAME, dns.A, [])
    for data in (tail, whole[:12] + tail, whole + tail, whole[:6] + b"\xff\xff" + whole[8:] + tail):
        try:
            answer = decode(data)
        except dns.MessageError:
            continue
        assert all(len(packed) == 4 for packed in answer.addresses)


@given(st.data())
def test_a_damaged_answer_is_an_answer_or_ignored(data: st.DataObject) -> None:
    whole = bytearray(
        message(7, NAME, dns.A, [alias(NAME, "b.example", 9), address("b.example", "10.0.0.1", 9)])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(whole))
    except dns.MessageError:
        pass
