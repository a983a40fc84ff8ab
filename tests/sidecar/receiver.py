"""A server that takes NDJSON over HTTP, for tests of the sidecar as a process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.sidecar.http_peer import HttpPeer, Received, Reply, http_peer

OK = Reply(200)
Judge = Callable[[list[dict[str, Any]]], Reply]


class Receiver:
    """`records` in the order of arrival; `answer` decides on each request from its records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.requests = 0
        self.answer: Judge = lambda records: OK
        self.resume = threading.Event()
        """While it isn't set, no request is answered."""
        self.resume.set()
        self.peer: HttpPeer

    @property
    def store(self) -> dict[str, Any]:
        """The configuration of a store that leads here."""
        return {"http": {"url": f"{self.peer.url}/logs", "timeout": 5.0}}

    def messages(self) -> list[str]:
        return [record["message"] for record in list(self.records)]

    def take(self, request: Received) -> Reply:
        rows = request.rows
        self.resume.wait(60)
        self.requests += 1
        reply = self.answer(rows)
        if reply.status == 200:
            self.records += rows
        return reply


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with http_peer(receiver.take) as receiver.peer:
        try:
            yield receiver
        finally:
            receiver.resume.set()
