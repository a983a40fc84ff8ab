"""Named pipes and Unix sockets: what was taken is on disk before it is shipped."""

from __future__ import annotations

import re
import signal
import socket
import stat
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs import datagram_lines
from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.followed_file import FollowedFile
from podweave.helpers.logs.intake import _Lines
from podweave.helpers.logs.reading import DATAGRAMS, Reading
from podweave.helpers.logs.records import take_records
from tests.ports import free_port
from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until as wait_for


def wait_until(done: Callable[[], bool]) -> None:
    wait_for(done, 30, "it")


Started = Callable[..., Sidecar]


def connected(client: socket.socket, path: Path) -> bool:
    return client.connect_ex(str(path)) == 0


def spooled(spool: Path, line: bytes) -> bool:
    return any(line in path.read_bytes() for path in spool.rglob("*.ndjson"))


@pytest.fixture
def listening(tmp_path: Path) -> Started:
    def start(**entry: object) -> Sidecar:
        stores = [{"files": {"directory": str(tmp_path / "store")}}]
        return Sidecar(tmp_path, logs=[{**entry, "stores": stores}])

    return start


def test_a_named_pipe_and_writers_that_come_and_go(tmp_path: Path, listening: Started) -> None:
    pipe = tmp_path / "log" / "app.fifo"
    sidecar = listening(pipe=str(pipe))
    sidecar.start()
    wait_until(pipe.exists)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    for number in range(3):
        with pipe.open("wb", buffering=0) as writer:
            writer.write(b"line %d\r\nand " % number)
            writer.write(b"more\n")
    wait_until(lambda: len(sidecar.messages()) == 6)
    assert sidecar.messages()[:2] == ["line 0", "and more"]
    assert {record["log"]["file"]["path"] for record in sidecar.records()} == {str(pipe)}
    with pipe.open("wb", buffering=0) as writer:
        writer.write(b"the last act")
    assert sidecar.stop() == 0
    assert sidecar.messages()[-1] == "the last act"


def test_datagrams(tmp_path: Path, listening: Started) -> None:
    path = tmp_path / "log.sock"
    sidecar = listening(socket=str(path), type="datagram")
    sidecar.start()
    wait_until(path.exists)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        wait_until(partial(connected, client, path))
        sent = (b"<13>one", b"two\n", b"three\0", b"four\r\n  goes on\n\nto here\n", b"\n", b"five")
        for data in sent:
            client.send(data)
    wait_until(lambda: len(sidecar.messages()) == 6)
    wanted = ["<13>one", "two", "three", "four\n  goes on\n\nto here", "", "five"]
    assert sidecar.messages() == wanted
    assert sidecar.stop() == 0
    assert not path.exists()


def test_a_line_over_the_limit_is_cut_and_counted(tmp_path: Path, listening: Started) -> None:
    pipe = tmp_path / "app.fifo"
    sidecar = listening(pipe=str(pipe), max_line=1024)
    sidecar.config["admin"] = ["127.0.0.1", free_port()]
    sidecar.start()
    wait_until(pipe.exists)
    with pipe.open("wb", buffering=0) as writer:
        writer.write(b"x" * 1500 + b"\nshort\n")
    wait_until(lambda: sidecar.messages() == ["x" * 1024, "short"])
    assert re.search(r"lost_bytes_total{[^}]*long_line[^}]*} 476", sidecar.admin("/metrics"))
    assert sidecar.stop() == 0


def test_a_stream_of_many_clients(tmp_path: Path, listening: Started) -> None:
    path = tmp_path / "log.sock"
    sidecar = listening(
        socket=str(path), type="stream", multiline={"rule": "indented", "flush": 0.3}
    )
    sidecar.start()
    wait_until(path.exists)
    clients = []
    for number in range(5):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wait_until(partial(connected, client, path))
        client.sendall(b"client %d\n  goes on\nends without" % number)
        clients.append(client)
    for client in clients:
        client.close()
    wait_until(lambda: len(sidecar.messages()) == 10)
    wanted = Counter([f"client {n}\n  goes on" for n in range(5)] + ["ends without"] * 5)
    assert Counter(sidecar.messages()) == wanted
    assert sidecar.stop() == 0


def test_what_was_taken_survives_a_kill(tmp_path: Path, listening: Started) -> None:
    pipe = tmp_path / "app.fifo"
    sidecar = listening(pipe=str(pipe))
    sidecar.start()
    wait_until(pipe.exists)
    spool = tmp_path / "state" / "intake"
    for begin in range(0, 200, 50):
        with pipe.open("wb", buffering=0) as writer:
            writer.writelines(b"line %d\n" % number for number in range(begin, begin + 50))
        wait_until(partial(spooled, spool, b"line %d\n" % (begin + 49)))
        sidecar.stop(signal.SIGKILL)
        sidecar.start()
    wait_until(lambda: set(sidecar.messages()) >= {f"line {number}" for number in range(200)})
    wait_until(lambda: sidecar.said.read_text().count("sidecar.started") == 5)
    assert sidecar.stop() == 0


def test_something_else_at_that_place_is_left_alone(tmp_path: Path, listening: Started) -> None:
    path = tmp_path / "app.fifo"
    path.write_bytes(b"mine\n")
    sidecar = listening(pipe=str(path))
    sidecar.start()
    wait_until(lambda: "intake.failed" in sidecar.said.read_text())
    assert path.read_bytes() == b"mine\n"
    path.unlink()
    wait_until(lambda: path.exists() and stat.S_ISFIFO(path.stat().st_mode))
    assert sidecar.stop() == 0


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"\n")), st.data())
def test_lines_of_a_stream_are_the_same_however_it_is_cut(data: bytes, draw: st.DataObject) -> None:
    limit = 10
    whole = _Lines()
    counters = {"long_lines": 0, "cut_bytes": 0}
    wanted = whole.feed(data, limit, dict(counters)) + whole.rest()
    pieces = _Lines()
    found = b""
    while data:
        size = draw.draw(st.integers(1, len(data)))
        found += pieces.feed(data[:size], limit, counters)
        data = data[size:]
    found += pieces.rest()
    assert found == wanted
    assert all(len(line) <= limit for line in found.split(b"\n"))


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_datagrams_come_out_of_their_spool_one_record_each(datagrams: list[bytes]) -> None:
    lines = b"".join(map(datagram_lines.spooled, datagrams)).split(b"\n")[:-1]
    starts = list(range(len(lines)))
    reading = Reading(wrapping=DATAGRAMS)
    texts: list[bytes] = []
    if lines:
        taken = take_records(lines, starts, reading, 1 << 20, complete=True)
        assert taken is not None
        file = FollowedFile("/x", -1, 1, 1)
        texts = Chunk(file, 0, 1, taken.data, b"", taken.starts, taken.bounds).texts()

    def plain(text: bytes) -> bytes:
        """Without what may be lost: carriage returns before line breaks, and what ends it."""
        return re.sub(rb"\r+(?=\n|$)", b"", text.rstrip(b"\r\n\0\x1f").replace(b"\x1f\n", b"\n"))

    assert list(map(plain, texts)) == list(map(plain, datagrams))
