"""The stdout store: to a pipe that stalls, and to one that nobody reads any more."""

from __future__ import annotations

import json
import os

from podweave.helpers.logs.delivery.batches import Batch, Piece
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores.interface import DELIVERED, Outcome
from podweave.helpers.logs.stores.stdout import Settings, StdoutStore
from podweave.helpers.loop import Loop


def batch(data: bytes) -> Batch:
    piece = Piece(data, "/var/log/a.log", "1-1-0", 0, 1767225600.0)
    return Batch([piece], Origin({"namespace": "shop"}), raw=True, read_at=0.0)


def test_a_pipe_that_stalls_gets_all_of_it_in_the_end() -> None:
    reader, writer = os.pipe()
    loop = Loop()
    store = StdoutStore(Settings("raw"), loop, writer)
    outcomes: list[Outcome] = []
    lines = b"".join(b"%099d\n" % number for number in range(5000))
    store.send(batch(lines), outcomes.append)
    assert outcomes == []
    taken = b""
    while len(taken) < len(lines):
        taken += os.read(reader, 1 << 16)
        loop.step(0)
    loop.step(0)
    assert taken == lines
    assert outcomes == [DELIVERED]
    store.close()
    loop.close()
    os.close(reader)
    os.close(writer)


def test_lines_become_records() -> None:
    reader, writer = os.pipe()
    store = StdoutStore(Settings(), Loop(), writer)
    outcomes: list[Outcome] = []
    store.send(batch(b"one\n"), outcomes.append)
    assert json.loads(os.read(reader, 4096))["message"] == "one"
    assert outcomes == [DELIVERED]
    os.close(reader)
    store.send(batch(b"two\n"), outcomes.append)
    assert outcomes[1].again is None
    assert outcomes[1].reason.startswith("standard output: ")
    os.close(writer)
