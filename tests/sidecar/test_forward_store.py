"""The forward store, with a server that speaks the protocol's specification by another library."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.delivery.batches import JOINT
from podweave.helpers.loop import Loop
from podweave.helpers.wire import fluent_forward, msgpack
from tests.helpers.driving import drive
from tests.sidecar.storing import Storing, is_delivered, is_failed, piece, secret
from tests.stream_server import StreamServer

KEY, USER, PASSWORD = "the shared key", "ship", "s3cret"


class Fluentd:
    """`security`: asks for the shared key, user and password. `acknowledge`: what it answers."""

    def __init__(self, *, security: bool = False, acknowledge: str = "yes") -> None:
        self.entries: list[tuple[str, oracle.Timestamp, dict[str, Any]]] = []
        self.options: list[dict[str, Any]] = []
        self.handshakes = 0
        self.acknowledge = acknowledge
        self._security = security
        self._server = StreamServer(self._serve)
        self.port = self._server.port

    def close(self) -> None:
        self._server.close()

    def _serve(self, connection: socket.socket) -> None:
        unpacker = oracle.Unpacker(raw=False, strict_map_key=False)
        values = self._values(connection, unpacker)
        if self._security and not self._greet(connection, values):
            return
        for tag, packed, options in values:
            if options.get("compressed") == "gzip":
                packed = gzip.decompress(packed)
            entries = list(oracle.Unpacker(_Bytes(packed), raw=False, ext_hook=_event_time))
            assert options["size"] == len(entries)
            self.entries += [(tag, time, record) for time, record in entries]
            self.options.append(options)
            if "chunk" in options:
                if self.acknowledge == "yes":
                    # In two pieces: it is a stream.
                    answer = oracle.packb({"ack": options["chunk"]})
                    connection.sendall(answer[:3])
                    connection.sendall(answer[3:])
                elif self.acknowledge == "close":
                    return
                elif self.acknowledge == "nonsense":
                    connection.sendall(oracle.packb(["no"]))

    def _values(self, connection: socket.socket, unpacker: oracle.Unpacker) -> Iterator[Any]:
        while data := connection.recv(65536):
            unpacker.feed(data)
            yield from unpacker

    def _greet(self, connection: socket.socket, values: Iterator[Any]) -> bool:
        nonce, salt = b"nonce-16-bytes-x", b"auth-salt"
        hello = ["HELO", {"nonce": nonce, "auth": salt, "keepalive": True}]
        connection.sendall(oracle.packb(hello))
        kind, host, key_salt, digest, user, proof = next(values)
        assert kind == "PING"
        accepted = bool(digest == _sha512(key_salt, host.encode(), nonce, KEY.encode()))
        accepted &= bool(user == USER and proof == _sha512(salt, USER.encode(), PASSWORD.encode()))
        mine = _sha512(key_salt, b"server", nonce, KEY.encode())
        reason = "" if accepted else "wrong key or password"
        connection.sendall(oracle.packb(["PONG", accepted, reason, "server", mine]))
        self.handshakes += 1
        return accepted


class _Bytes:
    """A file of bytes, as msgpack's reader wants one."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data


def _event_time(code: int, data: bytes) -> tuple[int, int]:
    assert code == 0
    assert len(data) == 8
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")


def _sha512(*parts: bytes) -> str:
    return hashlib.sha512(b"".join(parts)).hexdigest()


@contextlib.contextmanager
def fluentd(**options: Any) -> Iterator[Fluentd]:
    server = Fluentd(**options)
    try:
        yield server
    finally:
        server.close()


def open_store(loop: Loop, folder: Path, server: Fluentd, **config: Any) -> Storing:
    return Storing(loop, folder, "forward", address=f"127.0.0.1:{server.port}", **config)


BESIDE = {
    "log": {"file": {"path": "/var/log/a.log"}},
    "kubernetes": {
        "namespace": "shop",
        "pod": {"name": "orders-1", "uid": "5f1c", "ip": "10.0.0.9", "labels": {"app": "orders"}},
        "node": {"name": "node-a"},
    },
}


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_lines_are_acknowledged(loop: Loop, tmp_path: Path, compression: str) -> None:
    with fluentd() as server:
        store = open_store(loop, tmp_path, server, compression=compression)
        lines = [b"first", "둘째".encode(), b"bad \xff", b"", b"x" * 70_000]
        assert is_delivered(store.send(store.raw(*lines)))
        assert is_delivered(store.send(store.raw(b"next")))
        store.close()
    assert [record["message"] for _, _, record in server.entries] == [
        *("first", "둘째", "bad \\xff", "", "x" * 70_000, "next")
    ]
    assert server.entries[0] == (
        "podweave.shop.orders-1",
        (1767323045, 250_000_000),
        {"message": "first", **BESIDE},
    )


def test_joined_lines_and_records(loop: Loop, tmp_path: Path) -> None:
    with fluentd() as server:
        store = open_store(loop, tmp_path, server, tag="logs.{file}")
        joined = piece([b"a" + JOINT + b"\tb", b"c"], 0, "/var/log/a.log")
        joined.joined = True
        assert is_delivered(store.send(store.batch([joined], raw=True)))
        record = {
            "@timestamp": "2026-11-23T02:16:56.123456789Z",
            "message": "m",
            "numbers": [1, -1, 2**40, 1.5, None, True],
            "kubernetes": {"namespace": "own"},
        }
        assert is_delivered(store.send(store.records(record)))
        store.close()
    assert [entry[2]["message"] for entry in server.entries] == ["a\n\tb", "c", "m"]
    assert server.entries[0][0] == "logs./var/log/a.log"
    _, time, got = server.entries[2]
    assert time == (1795400216, 123456789)
    assert got["numbers"] == record["numbers"]
    assert got["kubernetes"] == {"namespace": "own"}


def test_the_handshake(loop: Loop, tmp_path: Path) -> None:
    with fluentd(security=True) as server:
        key, user = secret(tmp_path, "key", KEY), secret(tmp_path, "user", USER)
        password = secret(tmp_path, "password", PASSWORD)
        login = {"username": user, "password": password}
        store = open_store(loop, tmp_path, server, shared_key=key, credentials=login)
        assert is_delivered(store.send(store.raw(b"one")))
        assert is_delivered(store.send(store.raw(b"two")))
        assert server.handshakes == 1
        store.close()
        secret(tmp_path, "password", "wrong")
        store = open_store(loop, tmp_path, server, shared_key=key, credentials=login)
        outcome = store.send(store.raw(b"never"))
        assert is_failed(outcome)
        assert "wrong key or password" in outcome.reason
        secret(tmp_path, "password", PASSWORD)
        assert is_delivered(store.send(store.raw(b"three")))
        store.close()
    assert [entry[2]["message"] for entry in server.entries] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("close", "the connection was closed"),
        ("nonsense", "is no acknowledgement"),
        ("never", "no answer within 0.5 s"),
    ],
)
def test_without_an_acknowledgement_it_comes_again(
    loop: Loop, tmp_path: Path, answer: str, reason: str
) -> None:
    with fluentd(acknowledge=answer) as server:
        store = open_store(loop, tmp_path, server, timeout=0.5)
        outcome = store.send(store.raw(b"line"))
        assert is_failed(outcome)
        assert reason in outcome.reason
        server.acknowledge = "yes"
        assert is_delivered(store.send(store.raw(b"line")))
        assert [entry[2]["message"] for entry in server.entries] == ["line", "line"]
        store.close()


def test_without_asking_for_acknowledgements(loop: Loop, tmp_path: Path) -> None:
    with fluentd(acknowledge="never") as server:
        store = open_store(loop, tmp_path, server, acknowledgement=False)
        assert is_delivered(store.send(store.raw(b"line")))
        drive(loop, lambda: server.entries, 10, "the line is there")
        assert "chunk" not in server.options[0]
        store.close()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(json_values)
def test_what_is_packed_is_read_by_another_library(value: Any) -> None:
    packed = msgpack.pack(value)
    assert oracle.unpackb(packed, raw=False) == value
    assert msgpack.unpack(packed) == (value, len(packed))


@given(json_values, st.integers(0, 200))
def test_what_is_cut_off_is_incomplete(value: Any, cut: int) -> None:
    packed = oracle.packb(value)
    if cut < len(packed):
        with pytest.raises(msgpack.Incomplete):
            msgpack.unpack(packed[:cut])
    else:
        assert msgpack.unpack(packed)[0] == value


@given(st.binary(max_size=100))
def test_nonsense_is_an_error_of_its_own(data: bytes) -> None:
    with contextlib.suppress(msgpack.MsgpackError, msgpack.Incomplete):
        value, _ = msgpack.unpack(data)
        with contextlib.suppress(fluent_forward.ForwardError):
            fluent_forward.acknowledged(value)
        with contextlib.suppress(fluent_forward.ForwardError):
            fluent_forward.Hello(value)
