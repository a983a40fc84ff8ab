"""A store by itself, driven on a loop: batches in, outcomes out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podweave.helpers.configuration import Section
from podweave.helpers.journal import Journal
from podweave.helpers.logs.delivery.batches import Batch, Piece
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores import catalogue
from podweave.helpers.logs.stores.interface import Context, Outcome
from podweave.helpers.loop import Loop
from tests.helpers.driving import drive

KUBERNETES = {
    "namespace": "shop",
    "pod": {"name": "orders-1", "uid": "5f1c", "ip": "10.0.0.9", "labels": {"app": "orders"}},
    "node": {"name": "node-a"},
}
READ_AT = 1767323045.25
"""2026-01-02T03:04:05.250Z"""


class Storing:
    """A store of `kind`; files of secrets are made in `folder`."""

    def __init__(self, loop: Loop, folder: Path, kind: str, **config: Any) -> None:
        self.loop = loop
        self.folder = folder
        settings = configured(kind, **config)
        self.said = folder / "said"
        self._said = self.said.open("wb")
        self.origin = Origin(KUBERNETES)
        context = Context(
            loop,
            Journal("sidecar", "ship", self._said.fileno()),
            self.origin,
            name=kind,
            state=str(folder / "state"),
        )
        self.store = settings.open(context)

    def close(self) -> None:
        self.store.close()
        self._said.close()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def raw(self, *lines: bytes, offset: int = 0, path: str = "/var/log/a.log") -> Batch:
        return self.batch([piece(lines, offset, path)], raw=True)

    def records(self, *records: dict[str, Any], offset: int = 0) -> Batch:
        lines = [json.dumps(record, separators=(",", ":")).encode() for record in records]
        return self.batch([piece(lines, offset, "/spool/a")], raw=False)

    def batch(self, pieces: list[Piece], *, raw: bool) -> Batch:
        return Batch(pieces, self.origin, raw=raw, read_at=0.0)

    def begin(self, batch: Batch) -> list[Outcome]:
        """Send; the outcome will be in the list."""
        outcomes: list[Outcome] = []
        self.store.send(batch, outcomes.append)
        return outcomes

    def send(self, batch: Batch, seconds: float = 15) -> Outcome:
        outcomes = self.begin(batch)
        drive(self.loop, lambda: outcomes, seconds, "an outcome")
        assert len(outcomes) == 1
        return outcomes[0]


@contextlib.contextmanager
def making(loop: Loop, folder: Path, kind: str, **defaults: Any) -> Iterator[Made]:
    """A function that makes stores, closed at the end; what it is given goes before `defaults`."""
    with contextlib.ExitStack() as stack:

        def make(**config: Any) -> Storing:
            storing = Storing(loop, folder, kind, **{**defaults, **config})
            stack.callback(storing.close)
            return storing

        yield make


def configured(kind: str, **config: Any) -> catalogue.StoreSettings:
    """ConfigurationError for what is wrong."""
    return catalogue.configure(Section({kind: config}, "logs[0].stores[0]"))


Made = Callable[..., Storing]
"""What `making` gives."""


def piece(lines: tuple[bytes, ...] | list[bytes], offset: int, path: str) -> Piece:
    data = b"".join(line + b"\n" for line in lines)
    return Piece(data, path, "801-1a2b-0", offset, READ_AT)


def is_delivered(outcome: Outcome) -> bool:
    return outcome.again is not None and not outcome.again and not outcome.rejected


def is_failed(outcome: Outcome) -> bool:
    """All of it comes again."""
    return outcome.again is None and not outcome.divide


def is_divided(outcome: Outcome) -> bool:
    return outcome.again is None and outcome.divide


def secret(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_text(content)
    return str(path)
