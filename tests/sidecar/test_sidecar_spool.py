"""Adapter and sidecar together: the spool between them loses nothing, whoever dies."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from tests.adapter.adapting import Adapter
from tests.sidecar.shipping import Sidecar

ROUNDS = 10


class Chain:
    """An adapter that writes to a spool, and the sidecar that ships it."""

    def __init__(self, folder: Path) -> None:
        spool = str(folder / "spool")
        self.sidecar = Sidecar(folder)
        self.sidecar.config["logs"] = [
            {"spool": spool, "stores": [{"files": {"directory": str(self.sidecar.store)}}]}
        ]
        self.adapter = Adapter(folder, format="logfmt", to=[{"spool": spool}])
        self.adapter.config["state"] = str(folder / "adapter-state")

    def start(self) -> None:
        # As in the woven Pod: the shipper first, so that it ends last.
        self.sidecar.start()
        self.adapter.start()

    def numbers(self) -> list[int]:
        return [int(message.removeprefix("line ")) for message in self.sidecar.messages()]


def line(number: int) -> str:
    return f'time=2026-01-01T00:00:00Z level=info msg="line {number}"\n'


def test_the_last_line_goes_through_both_at_the_end_of_the_pod(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    for number in range(3):
        chain.start()
        chain.sidecar.admin("/healthz")
        chain.adapter.admin("/healthz")
        chain.sidecar.append("a.log", line(number).encode())
        assert chain.adapter.stop() == 0
        assert chain.sidecar.stop() == 0
        assert chain.numbers() == list(range(number + 1))


def test_kill_9_of_either_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(2)
    chain = Chain(tmp_path)
    written = 0
    chain.start()
    try:
        for _ in range(ROUNDS):
            lines = chance.randrange(1, 20_000)
            chain.sidecar.append(
                "a.log", "".join(line(written + offset) for offset in range(lines)).encode()
            )
            written += lines
            victim = chance.choice([chain.adapter, chain.sidecar])
            victim.live_for(chance.uniform(0.05, 0.5))
            victim.stop(signal.SIGKILL)
            victim.start()
        chain.adapter.admin("/healthz")
        assert chain.adapter.stop() == 0
        chain.sidecar.admin("/healthz")
        assert chain.sidecar.stop() == 0
    finally:
        for program in (chain.adapter, chain.sidecar):
            program.close()
    numbers = chain.numbers()
    assert list(dict.fromkeys(numbers)) == list(range(written))
