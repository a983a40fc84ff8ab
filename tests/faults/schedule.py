"""A schedule of the campaign: drawn from its seed as data, then carried out, then judged.

The same seed gives the same plan; when exactly a kill comes between two instructions of the
sidecar is the machine's to say, so a seed that failed is worth trying more than once.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.faults import application
from tests.faults.ledgers import Ledger, ledger
from tests.faults.packed_sidecar import PackedSidecar

KILLS = 5
ROTATIONS = ("rename", "copytruncate", "date", "compress")
KEEP_IDENTITY = ("rename", "date")
"""What is a copy of a file has its lines under another identity, if nobody saw it being made."""
# So that a few schedules meet every kind; beyond them they are drawn.
FIRST_STORES = (
    ("elasticsearch", "files"),
    ("http", "forward"),
    ("loki", "otlp"),
    ("syslog", "elasticsearch"),
    ("files", "http", "forward"),
)
KINDS = ("elasticsearch", "http", "loki", "otlp", "forward", "syslog", "files")


class Life:
    """One life of the sidecar, ended by kill -9 (or, `gently`, by SIGTERM): after some seconds,
    or when a store gets a request."""

    def __init__(self, chance: random.Random, stores: int, *, gently: bool) -> None:
        self.seconds = chance.uniform(0.05, 0.9)
        self.at_request: tuple[int, int] | None = None
        """At which store, and at which of its requests."""
        if chance.random() < 0.5:
            self.at_request = chance.randrange(stores), chance.randrange(1, 12)
        self.weather = [chance.choice(("storm", "storm", "down", "calm")) for _ in range(stores)]
        self.turns = chance.uniform(0.1, 0.6) if chance.random() < 0.4 else None
        """After so many seconds the weather changes to what it is for the store before."""
        self.frozen = chance.random() < 0.15
        """It is stopped for a while, as a machine may do that has no time for it."""
        self.signal = signal.SIGTERM if gently else signal.SIGKILL

    def __repr__(self) -> str:
        return f"Life({vars(self)})"


class Plan:
    def __init__(self, seed: int, stores: tuple[str, ...] = ()) -> None:
        chance = random.Random(seed)
        self.seed = seed
        self.stores = stores or (
            FIRST_STORES[seed]
            if seed < len(FIRST_STORES)
            else tuple(chance.sample(KINDS, chance.choice((1, 2, 2, 3))))
        )
        self.rotations = chance.sample(ROTATIONS, 3)
        if "elasticsearch" in self.stores and chance.random() < 0.5:
            self.rotations = [chance.choice(KEEP_IDENTITY) for _ in range(3)]
        self.names = [f"{name}={how}" for name, how in zip("abc", self.rotations, strict=True)]
        self.torn = chance.random() < 0.5
        self.spill: dict[str, Any] | None = None
        if seed % 2 == 0:
            self.spill = {"after": chance.choice((0.0, 0.05, 0.3))}
            if chance.random() < 0.3:
                self.spill["bytes"] = 1 << 17  # soon full
        self.memory = chance.choice((64 << 10, 256 << 10, 8 << 20))
        self.batch = {
            "records": chance.choice((7, 100, 1000)),
            "seconds": chance.choice((0.0, 0.02, 0.1)),
        }
        # The end of a Pod ends an unfinished line, too; so nobody may be writing one.
        self.lives = [
            Life(chance, len(self.stores), gently=not self.torn and chance.random() < 0.15)
            for _ in range(KILLS)
        ]

    def __repr__(self) -> str:
        return f"Plan({vars(self)})"


class Result:
    """What came of a schedule."""

    def __init__(self) -> None:
        self.kills = 0
        self.lines = 0
        self.deliveries = 0
        """Lines, for each store."""
        self.again = 0
        """How many of them stores took more than once."""
        self.fates: Counter[str] = Counter()
        self.left_spills = 0
        """How many lives ended with something in the spill."""


def carry_out(plan: Plan, folder: Path, ready: Sequence[Ledger] = ()) -> Result:
    """Run it, and judge it: AssertionError for what is wrong. With stores that are `ready`, or
    with those of the plan."""
    result = Result()
    sidecar = PackedSidecar(folder, drain=6.0, memory=plan.memory)
    sidecar.config["logs"][0]["from"] = [f"{sidecar.log}/*.log*", f"{sidecar.log}/*.gz"]
    sidecar.config["logs"][0]["exclude"] = ["*.part"]
    if plan.spill is not None:
        sidecar.config["spill"] = {"directory": str(folder / "volume"), **plan.spill}
    with contextlib.ExitStack() as stack:
        stack.callback(sidecar.close)
        ledgers = [stack.enter_context(ledger(kind, f"{plan.seed} {kind}")) for kind in plan.stores]
        sidecar.config["logs"][0]["stores"] = [_section(each, plan) for each in ledgers]
        writer = stack.enter_context(_writing(sidecar.log, plan))
        for life in plan.lives:
            _live(life, sidecar, ledgers)
            result.kills += life.signal == signal.SIGKILL
            result.left_spills += any((folder / "volume").rglob("*.frames"))
        (sidecar.log / "stop").touch()
        segments: dict[str, list[int]] = json.loads(writer.communicate(timeout=30)[0])
        for each in ledgers:
            each.calm()
            each.on_request = lambda: None
        # The end of the Pod: it reads to the end, delivers, and only then ends.
        sidecar.config["drain"] = 60.0
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 0, f"seed {plan.seed}: {sidecar.said.read_text()[-2000:]}"
        total = sum(map(sum, segments.values()))
        for each in ledgers:
            stored = each.stored()
            judge(segments, stored, f"seed {plan.seed}, {each.kind}", ordered=each.ordered)
            again = len(each.taken or stored) - total
            result.again += again
            result.deliveries += total
            if each.once and set(plan.rotations) <= set(KEEP_IDENTITY):
                twice = [text[:20] for text, count in Counter(stored).items() if count > 1]
                assert not twice, (
                    f"seed {plan.seed}: {each.kind} stored {len(twice)} twice: {twice[:20]}"
                )
            if hasattr(each, "weather"):
                result.fates.update(each.weather.met)
        result.lines = total
        assert not list((folder / "volume").rglob("*.frames")), "left in the spill"
        assert not list((folder / "state").rglob("dead-letters/**/*.ndjson")), "dead letters"
    return result


def judge(
    segments: dict[str, list[int]], stored: list[str], where: str, *, ordered: bool = True
) -> None:
    """Every line is there, and what came first of each segment is in order."""
    first: dict[tuple[str, int], list[int]] = {
        (name, number): [] for name, counts in segments.items() for number in range(len(counts))
    }
    seen: set[str] = set()
    for message in stored:
        if message not in seen:
            seen.add(message)
            name, place, number, _ = message.split(" ", 3)
            first[name, int(place)].append(int(number))
    for (name, segment), numbers in first.items():
        count = segments[name][segment]
        lost = sorted(set(range(count)) - set(numbers))
        assert not lost, f"{where}: {name} {segment}: {len(lost)} of {count} lost: {lost[:9]}"
        if ordered:
            runs = [f"{a}, then {b}" for a, b in pairwise(numbers) if b != a + 1]
            assert not runs, f"{where}: {name} {segment}: out of order: {runs[:9]}"
        assert len(numbers) == count, f"{where}: {name} {segment}: more than was written"


def _section(each: Ledger, plan: Plan) -> dict[str, Any]:
    config = each.config()
    if each.kind != "files":
        config["batch"] = plan.batch
    return {each.kind: config}


@contextlib.contextmanager
def _writing(folder: Path, plan: Plan) -> Any:
    writer = subprocess.Popen(
        [
            sys.executable,
            "-S",
            application.__file__,
            str(folder),
            str(plan.seed),
            *plan.names,
            *(["torn"] if plan.torn else []),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        yield writer
    finally:
        if writer.poll() is None:
            writer.kill()
        writer.communicate()


def _live(life: Life, sidecar: PackedSidecar, ledgers: list[Ledger]) -> None:
    for each, weather in zip(ledgers, life.weather, strict=True):
        getattr(each, weather)()
        each.on_request = lambda: None
    sidecar.start()
    process = sidecar.process
    assert process is not None
    if life.at_request is not None:
        store, countdown = life.at_request
        ledgers[store].on_request = _killer(process, countdown, life.signal)
    left = life.seconds
    if life.turns is not None and life.turns < left:
        _rest(process, life.turns)
        left -= life.turns
        for number, each in enumerate(ledgers):
            getattr(each, life.weather[number - 1])()
    if life.frozen:
        process.send_signal(signal.SIGSTOP)
        _rest(process, 0.2)
        process.send_signal(signal.SIGCONT)
    _rest(process, left)
    process.send_signal(life.signal)
    code = process.wait(30)
    sidecar.process = None
    expected = (-signal.SIGKILL,) if life.signal == signal.SIGKILL else (0, 1, -signal.SIGTERM)
    assert code in expected, sidecar.said.read_text()[-2000:]


def _rest(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Until it is dead, or for so long."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _killer(process: subprocess.Popen[bytes], countdown: int, signum: int) -> Any:
    left = countdown

    def request() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            process.send_signal(signum)

    return request
