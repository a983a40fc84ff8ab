"""The ambassador's process."""

from __future__ import annotations

import json
import resource
import signal

from podweave.helpers.admin import Admin, Answer
from podweave.helpers.ambassador.drain import Drain
from podweave.helpers.ambassador.listeners import ListenError, Listeners, render
from podweave.helpers.ambassador.metrics import Metrics
from podweave.helpers.ambassador.settings import Settings
from podweave.helpers.ambassador.switchboard import Switchboard
from podweave.helpers.dialing.choice import connector
from podweave.helpers.journal import Journal
from podweave.helpers.loop import Loop
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def check(config: dict[str, Any]) -> None:
    """ConfigurationError when the configuration is wrong."""
    Settings(config)


def run(config: dict[str, Any]) -> int:
    """Serve until SIGTERM or SIGINT. 0 when told to stop, 1 when an address is not to be had."""
    settings = Settings(config)
    journal = Journal("ambassador", settings.name)
    loop = Loop()
    metrics = Metrics()
    board = Switchboard(loop, settings, connector(loop), metrics, journal)
    try:
        listeners = Listeners(loop, settings.listen, board.accept, metrics, journal)
        admin = _admin(loop, settings, board)
    except ListenError as error:
        journal.error("cannot-listen", address=error.address, reason=error.reason)
        return 1
    _raise_descriptor_limit()
    process = _Process(loop, settings, board, journal)
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.on_signal(signum, process.stop)
    journal.info(
        "listening",
        addresses=listeners.addresses,
        admin=render(*admin.address) if admin else None,
        profile=settings.profile,
    )
    loop.run()
    listeners.close()
    if admin is not None:
        admin.close()
    journal.info("stopped", connections_reset=board.reset_all())
    return 0


class _Process:
    """What the signals do: the first begins the drain, the second ends it."""

    def __init__(
        self, loop: Loop, settings: Settings, board: Switchboard, journal: Journal
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._board = board
        self._journal = journal
        self._drain: Drain | None = None

    def stop(self) -> None:
        if self._drain is not None:
            self._loop.stop()
            return
        open_connections = sum(self._board.open_connections().values())
        self._journal.info("draining", connections=open_connections, seconds=self._settings.drain)
        self._drain = Drain(self._loop, self._board, self._settings.drain, self._loop.stop)


def _admin(loop: Loop, settings: Settings, board: Switchboard) -> Admin | None:
    if settings.admin is None:
        return None

    def show(content: bytes) -> Answer:
        return _json(
            200,
            {
                "profile": board.profile.name,
                "profiles": list(board.profiles),
                "open": board.open_connections(),
                "held": len(board.held),
            },
        )

    def switch(content: bytes) -> Answer:
        name = content.decode("utf-8", "replace").strip()
        if name not in board.profiles:
            known = ", ".join(board.profiles)
            return Answer(404, f"there is no profile {name!r}; there is {known}\n".encode())
        return _json(200, board.switch(name))

    handlers = {
        "GET /metrics": lambda content: Answer(
            200, board.render_metrics(), prometheus.CONTENT_TYPE
        ),
        "GET /profile": show,
        "POST /profile": switch,
    }
    try:
        return Admin(loop, settings.admin, handlers)
    except OSError as error:
        raise ListenError(render(*settings.admin), error) from error


def _json(status: int, value: object) -> Answer:
    return Answer(status, (json.dumps(value) + "\n").encode(), "application/json")


def _raise_descriptor_limit() -> None:
    """Two descriptors a connection: the soft limit of 1024 is there for programs with select()."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
