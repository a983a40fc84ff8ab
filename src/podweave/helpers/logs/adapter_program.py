"""The log adapter: reads an application's log files and writes them in the schema of a tool.

Turns on one loop: each route reads a little and writes its rows. The checkpoint is saved a few
times a second, after the outputs have synced: it never says more than they hold, so that a kill
at any moment makes rows twice at worst.

At SIGTERM the Pod ends: the routes read on until the files are at their ends and quiet, the last
events are written, and the exit code is 0.
"""

from __future__ import annotations

import os
import signal

from podweave.helpers.admin import Admin, Answer
from podweave.helpers.heap import keep_freed_buffers
from podweave.helpers.journal import Journal
from podweave.helpers.logs import pod_metadata
from podweave.helpers.logs.adapter_config import AdapterConfig
from podweave.helpers.logs.adapter_metrics import AdapterMetrics
from podweave.helpers.logs.checkpoint import Checkpoint
from podweave.helpers.logs.hints import Hints
from podweave.helpers.logs.lasting_state import LastingState
from podweave.helpers.logs.outputs.path import PathOutput
from podweave.helpers.logs.outputs.spool import SpoolOutput
from podweave.helpers.logs.outputs.standard import StandardOutput
from podweave.helpers.logs.route import Route
from podweave.helpers.logs.tail import Tail
from podweave.helpers.loop import Loop
from podweave.helpers.metrics_endpoint import MetricsEndpoint
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.outputs.interface import Output
    from podweave.helpers.loop import Timer

SAVE_EVERY = 0.25
SAVE_SHARE = 20
"""Saving takes at most one part in so many of the time, however slow the disk is."""


def check(config: dict[str, Any]) -> None:
    """ConfigurationError if the configuration is not right."""
    AdapterConfig(config)


def run(config: dict[str, Any]) -> int:
    """Adapt until SIGTERM; the exit code."""
    settings = AdapterConfig(config, os.environ)
    keep_freed_buffers()
    journal = Journal("adapter", settings.name)
    loop = Loop()
    try:
        adapter = Adapter(settings, os.environ, loop, journal)
    except OSError as error:
        journal.error("adapter.failed", message=str(error))
        return 1
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.on_signal(signum, adapter.finish)
    try:
        loop.run()
    except BrokenPipeError:
        journal.error("adapter.failed", message="nobody reads standard output any more")
        adapter.end()
        return 1
    adapter.end()
    return 0


class Adapter:
    """The program at work."""

    def __init__(
        self, settings: AdapterConfig, environ: Mapping[str, str], loop: Loop, journal: Journal
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._settings = settings
        self._environ = environ
        self._state = LastingState(settings.state, environ, journal)
        self._checkpoint: Checkpoint | None = None
        """None: another Pod has the state."""
        self._hints = Hints(loop)
        self._outputs: dict[tuple[str, str], Output] = {}
        self._routes: list[Route] = []
        self._finishing = False
        self._save_at = loop.now() + SAVE_EVERY
        self._metrics = metrics = AdapterMetrics()
        self._admin = Admin(
            loop,
            settings.admin,
            {
                "GET /metrics": lambda content: Answer(
                    200, metrics.render(), prometheus.CONTENT_TYPE
                )
            },
        )
        self._scraped = MetricsEndpoint(loop, settings.metrics, metrics.render)
        self._next: Timer
        """Its next turn; there once it has begun."""
        self._begin_or_wait()

    def _begin_or_wait(self) -> None:
        """Wait for the Pod that has the state, if another one has."""
        if self._settings.state_lasts:
            self._state.begin_with(self._loop, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self._checkpoint = checkpoint = Checkpoint(
            self._settings.state, self._journal, lasts=self._settings.state_lasts
        )
        self._routes = self._make_routes(checkpoint)
        self._metrics.begin(self._routes, list(self._outputs.values()), checkpoint)
        self._next = self._loop.call_later(0.0, self._turn)
        self._journal.info("adapter.started", routes=len(self._routes))

    def finish(self) -> None:
        """SIGTERM: read on to the end."""
        if self._checkpoint is None:
            self._begin_or_wait()
            if self._checkpoint is None:
                self._loop.stop()
                return
        if not self._finishing:
            self._finishing = True
            self._journal.info("adapter.draining")
            for route in self._routes:
                route.source.finish()
            self._soon()

    def end(self) -> None:
        """Save what was reached."""
        self._save()
        events = sum(sum(route.events.values()) for route in self._routes)
        self._journal.info("adapter.ended", events=events)
        for route in self._routes:
            route.source.close()
        for output in self._outputs.values():
            output.close()
        self._hints.close()
        self._admin.close()
        self._scraped.close()
        self._loop.close()
        self._state.close()

    def _turn(self) -> None:
        now = self._loop.now()
        for route in self._routes:
            route.turn(now)
        self._save_if_due()
        if self._finishing and all(route.finished for route in self._routes):
            self._loop.stop()
            return
        now = self._loop.now()
        wait = min(route.wait(now) for route in self._routes)
        if any(route.source.dirty for route in self._routes):
            wait = min(wait, max(0.0, self._save_at - now))
        self._next = self._loop.call_later(wait, self._turn)

    def _soon(self) -> None:
        self._next.cancel()
        self._next = self._loop.call_later(0.0, self._turn)

    def _save_if_due(self) -> None:
        now = self._loop.now()
        if now < self._save_at or not any(route.source.dirty for route in self._routes):
            return
        self._save()
        after = self._loop.now()
        self._save_at = after + max(SAVE_EVERY, (after - now) * SAVE_SHARE)

    def _save(self) -> None:
        if self._checkpoint is None:
            return
        # Every output, not only until the first that fails.
        synced = [output.sync() for output in self._outputs.values()]
        if all(synced):
            self._checkpoint.save({route.name: route.source.entries() for route in self._routes})

    def _make_routes(self, checkpoint: Checkpoint) -> list[Route]:
        constants = pod_metadata.constants(self._environ)
        routes: list[Route] = []
        for logs in self._settings.logs:
            outputs = [self._output(kind, place) for kind, place in logs.outputs]
            # The outputs name the checkpoint's section, so that changed paths don't make files
            # unknown that were read already.
            place = " ".join(output.name for output in outputs)
            count = sum(route.name.startswith(f"{place}#") for route in routes)
            name = f"{place}#{count}"
            source = Tail(
                logs.paths,
                checkpoint.entries(name),
                reading=logs.reading,
                hints=self._hints,
                journal=self._journal,
            )
            source.wake = self._soon
            routes.append(
                Route(
                    name,
                    source,
                    outputs,
                    logs.schema(),
                    logs.layouts,
                    constants,
                    logs.zone,
                    logs.steps,
                )
            )
        return routes

    def _output(self, kind: str, place: str) -> Output:
        """The output of that place; routes that name the same one share it."""
        output = self._outputs.get((kind, place))
        if output is None:
            if kind == "stdout":
                output = StandardOutput(self._loop, self._soon, self._journal)
            elif kind == "path":
                output = PathOutput(place, self._journal)
            else:
                output = SpoolOutput(place, self._journal)
            self._outputs[kind, place] = output
        return output
