"""What the tests of the delivery share: a store that answers as it is told, and a clock."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.journal import Journal
from podweave.helpers.logs.delivery.batches import Batch
from podweave.helpers.logs.delivery.budget import Budget
from podweave.helpers.logs.delivery.dead_letters import DeadLetters
from podweave.helpers.logs.delivery.delivery import Delivery
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.delivery.overflow import Overflow
from podweave.helpers.logs.delivery.spill_room import SpillRoom
from podweave.helpers.logs.stores.interface import DELIVERED, Limits, Outcome, Store
from podweave.helpers.logs.tail import Tail
from podweave.helpers.loop import Loop
from tests.sidecar.following import Clock


class ScriptedStore(Store):
    """Keeps what it is sent; a test answers, or `always` does."""

    kind = "scripted"

    def __init__(self, limits: Limits, window: int = 1) -> None:
        super().__init__(limits)
        self.window = window
        self.under_way: list[tuple[Batch, Any]] = []
        self.sent: list[list[bytes]] = []
        self.stored: list[bytes] = []
        self.ids: list[bytes] = []
        self.always: Outcome | None = None
        self.closed = False

    def send(self, batch: Batch, done: Any) -> None:
        assert len(self.under_way) < self.window, "more than the window"
        self.sent.append(batch.lines())
        self.under_way.append((batch, done))
        if self.always is not None:
            self.answer(self.always)

    def answer(self, outcome: Outcome = DELIVERED, index: int = 0) -> Batch:
        """What became of a batch that is under way."""
        batch, done = self.under_way.pop(index)
        if outcome.again is not None:
            missing = {*outcome.again, *(number for number, _ in outcome.rejected)}
            for number, (line, name) in enumerate(zip(batch.lines(), batch.ids(), strict=True)):
                if number not in missing:
                    self.stored.append(line)
                    self.ids.append(name)
        done(outcome)
        return batch

    def close(self) -> None:
        self.closed = True
        self.under_way.clear()


class Delivering:
    """A Tail on a folder's logs, a scripted store, and the delivery between them."""

    def __init__(
        self,
        folder: Path,
        *,
        bytes: int = 1000,
        records: int = 1000,
        seconds: float = 0.0,
        window: int = 1,
        budget: int = 1 << 20,
        spill: int = 0,
        durable: bool = False,
        uid: str = "5f1c",
    ) -> None:
        self.folder = folder
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.said = folder / f"said-{uid}"
        self.journal = Journal("sidecar", "ship", fd=os.open(self.said, os.O_CREAT | os.O_WRONLY))
        self.store = ScriptedStore(Limits(bytes, records, seconds), window)
        self.origin = Origin({"namespace": "shop", "pod": {"name": f"orders-{uid}", "uid": uid}})
        self.spill = spill
        self.durable = durable
        self.budget = Budget(budget, 1)
        self.delivery = self.start([])

    def start(self, entries: Sequence[dict[str, Any]]) -> Delivery:
        room = None
        if self.spill:
            directory = str(self.folder / "spill")
            room = SpillRoom(directory, self.spill, "ship", self.origin, journal=self.journal)
        self.tail = Tail([str(self.folder / "*.log")], entries, clock=self.clock)
        delivery = Delivery(
            "scripted:x#0",
            "*.log",
            self.tail,
            self.store,
            self.origin,
            raw=True,
            share=self.budget.share(),
            loop=self.loop,
            journal=self.journal,
            dead_letters=DeadLetters(str(self.folder / "letters"), "x", journal=self.journal),
            overflow=Overflow(
                "scripted:x#0",
                room,
                after=5.0,
                durable=self.durable,
                loop=self.loop,
                journal=self.journal,
            ),
            store_name="x",
        )
        delivery.overflow.start()
        return delivery

    def append(self, *lines: str, name: str = "a.log") -> None:
        with (self.folder / name).open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def turns(self, count: int = 1, seconds: float = 0.25) -> None:
        for _ in range(count):
            self.clock.now += seconds
            self.delivery.turn()

    def offset(self) -> int:
        """How far the checkpoint would say that everything is delivered."""
        return sum(entry["offset"] for entry in self.tail.entries())

    def letters(self) -> list[dict[str, Any]]:
        files = sorted((self.folder / "letters").glob("**/*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def close(self) -> None:
        self.delivery.close()
        self.loop.close()


@pytest.fixture
def delivering(tmp_path: Path) -> Iterator[Delivering]:
    made = Delivering(tmp_path)
    yield made
    made.close()
