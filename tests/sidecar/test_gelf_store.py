"""The gelf store, with a receiver that takes what the specification allows and nothing else."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from podweave.helpers.wire import gelf
from tests.sidecar.storing import Storing, configured, is_delivered
from tests.stream_server import StreamServer
from tests.waiting import wait_until

REQUIRED = {"version", "host", "short_message"}
OPTIONAL = {"full_message", "timestamp", "level"}


def check(message: dict[str, Any]) -> dict[str, Any]:
    """What GELF 1.1 says of a message."""
    assert message.keys() >= REQUIRED
    assert message["version"] == "1.1"
    assert message["host"]
    assert message["short_message"]
    if "level" in message:
        assert message["level"] in range(8)
    if "timestamp" in message:
        assert isinstance(message["timestamp"], int | float)
    for name, value in message.items():
        if name in REQUIRED | OPTIONAL:
            continue
        assert re.fullmatch(r"_[\w.\-]+", name)
        assert name != "_id"
        assert isinstance(value, str | int | float)
        assert not isinstance(value, bool)
    return message


class Graylog:
    """TCP (NUL-terminated) and UDP (chunks, compressed or not) on one port each."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.problems: list[Exception] = []
        self.datagrams = 0
        self._chunks: dict[bytes, dict[int, bytes]] = {}
        self._server = StreamServer(self._receive)
        self.port = self._server.port
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.udp_port: int = self._udp.getsockname()[1]
        self._open = True
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def close(self) -> None:
        self._open = False
        self._server.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.udp_port))
        self._thread.join(10)
        self._udp.close()
        assert not self.problems

    def wait(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: self.problems or len(self.messages) >= count, 20, f"{count} messages")
        assert not self.problems
        return self.messages

    def _receive(self, connection: socket.socket) -> None:
        held = b""
        while data := connection.recv(65536):
            *whole, held = (held + data).split(b"\0")
            for message in whole:
                self._keep(message)

    def _take(self) -> None:
        while self._open:
            datagram = self._udp.recv(65536)
            if not datagram:
                continue
            self.datagrams += 1
            if datagram.startswith(gelf.CHUNK_MAGIC):
                identifier, number, count = datagram[2:10], datagram[10], datagram[11]
                parts = self._chunks.setdefault(identifier, {})
                parts[number] = datagram[12:]
                if len(parts) < count:
                    continue
                datagram = b"".join(parts[each] for each in range(count))
            self._keep(datagram)

    def _keep(self, message: bytes) -> None:
        try:
            if message.startswith(b"\x1f\x8b"):
                message = gzip.decompress(message)
            elif message.startswith(b"x"):
                message = zlib.decompress(message)
            self.messages.append(check(json.loads(message)))
        except Exception as error:
            self.problems.append(error)


@pytest.fixture
def server() -> Iterator[Graylog]:
    server = Graylog()
    yield server
    server.close()


def test_lines_over_tcp(loop: Loop, tmp_path: Path, server: Graylog) -> None:
    store = Storing(
        loop, tmp_path, "gelf", address=f"127.0.0.1:{server.port}", fields={"team": "a", "id": "7"}
    )
    lines = [
        b"plain",
        b'with "quotes" and \\ and \x00',
        "한글".encode(),
        b"bad \xff",
        b"",
        b"x" * 9999,
    ]
    assert is_delivered(store.send(store.raw(*lines)))
    messages = server.wait(len(lines))
    assert [message["short_message"] for message in messages] == [
        *("plain", 'with "quotes" and \\ and \0', "한글", "bad \\xff", "-", "x" * 9999)
    ]
    assert messages[0] == {
        "version": "1.1",
        "host": "orders-1",
        "short_message": "plain",
        "timestamp": 1767323045.25,
        "level": 6,
        "_namespace": "shop",
        "_pod": "orders-1",
        "_pod_uid": "5f1c",
        "_node": "node-a",
        "_file": "/var/log/a.log",
        "_team": "a",
        "__id": "7",
    }
    store.close()


def test_records_of_every_schema(loop: Loop, tmp_path: Path, server: Graylog) -> None:
    store = Storing(loop, tmp_path, "gelf", address=f"127.0.0.1:{server.port}", host="till")
    records: list[dict[str, Any]] = [
        {
            "@timestamp": "2026-11-23T02:16:56.123456Z",
            "log": {"level": "error"},
            "message": "no stock\nat f",
            "http": {"response": {"status_code": 500}},
            "labels": {"id": "a", "ok": True, "list": [1, 2]},
            "trace": {"id": "ab"},
        },
        {"version": "1.1", "host": "h", "short_message": "own", "level": 3, "_a": 1},
        {"Timestamp": "1795400216789000000", "Body": "otel", "SeverityText": "WARN"},
    ]
    assert is_delivered(store.send(store.records(*records)))
    first, second, third = server.wait(3)
    assert first["short_message"] == "no stock"
    assert first["full_message"] == "no stock\nat f"
    assert first["timestamp"] == 1795400216.123456
    assert first["level"] == 3
    assert first["_http.response.status_code"] == 500
    assert first["_ok"] == "true"
    assert first["_list"] == "[1,2]"
    assert first["__id"] == "a"
    assert first["_trace_id"] == "ab"
    assert first["host"] == "till"
    assert (second["short_message"], second["host"], second["_a"]) == ("own", "h", 1)
    assert second["_pod"] == "orders-1"
    assert (third["short_message"], third["level"]) == ("otel", 4)
    assert third["timestamp"] == 1795400216.789
    store.close()


@pytest.mark.parametrize("compression", ["gzip", "zlib", "none"])
def test_over_udp_long_messages_go_in_chunks(
    loop: Loop, tmp_path: Path, server: Graylog, compression: str
) -> None:
    import random

    store = Storing(
        loop,
        tmp_path,
        "gelf",
        address=f"127.0.0.1:{server.udp_port}",
        transport="udp",
        compression=compression,
    )
    noise = random.Random(7).randbytes(20_000).hex().encode()
    outcome = store.send(store.raw(b"short", noise, noise * 20, b"last"))
    assert [number for number, _ in outcome.rejected] == [2]
    messages = server.wait(3)
    assert {message["short_message"] for message in messages} == {"short", noise.decode(), "last"}
    assert server.datagrams > 10
    store.close()


# Bytes that hypothesis draws are short: what is at stake is the length, near whole datagrams.
_WHOLE = gelf.CHUNK_BYTES - 12
sizes = st.builds(
    lambda count, more: max(0, count * _WHOLE + more), st.integers(0, 130), st.integers(-2, 14)
)


@given(sizes, st.binary(min_size=8, max_size=8))
@example(gelf.CHUNK_BYTES, b"12345678")
@example(gelf.MOST_BYTES, b"12345678")
@example(gelf.MOST_BYTES + 1, b"12345678")
def test_chunks_are_the_message(size: int, identifier: bytes) -> None:
    message = bytes(number % 251 for number in range(size))
    if size > gelf.MOST_BYTES:
        with pytest.raises(ValueError, match="128 chunks"):
            gelf.chunks(message, identifier)
        return
    datagrams = gelf.chunks(message, identifier)
    if size <= gelf.CHUNK_BYTES:
        assert datagrams == [message]
        return
    assert [each[:12] for each in datagrams] == [
        gelf.CHUNK_MAGIC + identifier + bytes((number, len(datagrams)))
        for number in range(len(datagrams))
    ]
    assert b"".join(each[12:] for each in datagrams) == message
    assert {len(each) for each in datagrams[:-1]} == {gelf.CHUNK_BYTES}
    assert 12 < len(datagrams[-1]) <= gelf.CHUNK_BYTES


def test_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match="is for udp"):
        configured("gelf", address="a:1", compression="gzip")
    with pytest.raises(ConfigurationError, match="is for tcp"):
        configured("gelf", address="a:1", transport="udp", tls={"mode": "require"})


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a", "_a"),
        ("a b/c", "_a_b_c"),
        ("id", "__id"),
        ("_id", "__id"),
        ("__id", "___id"),
        ("", "_"),
    ],
)
def test_names_of_additional_fields(name: str, made: str) -> None:
    assert gelf.field_name(name) == made
