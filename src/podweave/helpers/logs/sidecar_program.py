"""The log sidecar: delivers what an application logs to stores, at least once.

Deliveries, one for each pair of source and store, take their turns on one loop. The checkpoint is
saved about once a second, after the stores have synced: it never says more than they have.

At SIGTERM the Pod ends. The deliveries read on until the files are at their ends and quiet, or
nobody can write to them any more, and everything is delivered: exit code 0. What is not delivered
when the time for it (`drain`) is over is said loudly, and stays after the checkpoint: exit code 1,
or 0 where files and checkpoint outlive the Pod. There another Pod may still be at work with both:
then nothing begins before that one has ended.
"""

from __future__ import annotations

import json
import os
import signal

from podweave.helpers.admin import Admin, Answer
from podweave.helpers.heap import keep_freed_buffers
from podweave.helpers.journal import Journal
from podweave.helpers.logs.checkpoint import Checkpoint
from podweave.helpers.logs.delivery.delivery import Delivery
from podweave.helpers.logs.hints import Hints
from podweave.helpers.logs.last_words import (
    tell_of_nothing,
    tell_what_is_left,
    tell_what_is_unread,
)
from podweave.helpers.logs.lasting_state import LastingState
from podweave.helpers.logs.open_files import raise_open_files_limit
from podweave.helpers.logs.sidecar_config import SidecarConfig
from podweave.helpers.logs.sidecar_deliveries import Deliveries
from podweave.helpers.logs.sidecar_metrics import SidecarMetrics
from podweave.helpers.loop import Loop
from podweave.helpers.metrics_endpoint import MetricsEndpoint
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.intake import Intake
    from podweave.helpers.loop import Timer

SAVE_EVERY = 1.0
"""Seconds: how much is delivered twice after kill -9, against two writes to the disk each time.
The first save of a life doesn't wait, or a program that dies again and again gets nowhere."""
SAVE_SHARE = 20
"""Saving takes at most one part in so many of the time, however slow the disk is."""
SAVE_AFTER_BYTES = 16 << 20
"""A spool is freed when the checkpoint is saved, and its writer may be waiting for that."""
LOOK_OFTEN, LOOK_SELDOM = 0.05, 5.0
"""Seconds between two looks at whether there is something to save, or nothing left to do; seldom
while nothing is delivered."""
LOOK_AROUND = 30.0
"""Seconds between two looks for what Pods of before have left."""
RESERVE = 5.0
RESERVE_SHARE = 1 / 3
"""Seconds, or the share of the drain, kept for putting on the disk what isn't delivered."""


def check(config: dict[str, Any]) -> None:
    """ConfigurationError if the configuration is not right."""
    SidecarConfig(config)


def run(config: dict[str, Any]) -> int:
    """Ship until SIGTERM; the exit code."""
    settings = SidecarConfig(config, os.environ)
    keep_freed_buffers()
    raise_open_files_limit()
    journal = Journal("sidecar", settings.name)
    loop = Loop()
    try:
        sidecar = Sidecar(settings, os.environ, loop, journal)
    except OSError as error:
        journal.error("sidecar.failed", message=str(error))
        return 1
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.on_signal(signum, sidecar.finish)
    loop.run()
    return sidecar.end()


class Sidecar:
    """The program at work."""

    def __init__(
        self, settings: SidecarConfig, environ: Mapping[str, str], loop: Loop, journal: Journal
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._settings = settings
        self._environ = environ
        self._drain = settings.drain
        self._state = LastingState(settings.state, environ, journal)
        self._checkpoint: Checkpoint | None = None
        """None: another Pod has the state."""
        self._hints = Hints(loop)
        self.deliveries: list[Delivery] = []
        self._intakes: list[Intake] = []
        self._metrics = SidecarMetrics()
        self._deadline: float | None = None
        self._give_up_at = 0.0
        self._save_at = loop.now()
        self._saved_bytes = 0
        self._unsaved = False
        """The last saving failed."""
        self._admin = Admin(
            loop,
            settings.admin,
            {
                "GET /metrics": lambda content: Answer(
                    200, self._metrics.render(), prometheus.CONTENT_TYPE
                ),
                "GET /dead-letters": self._dead_letters,
                "POST /replay": self._replay,
            },
        )
        self._scraped = MetricsEndpoint(loop, settings.metrics, self._metrics.render)
        self._seldom = False
        self._look_around_at = loop.now() + LOOK_AROUND
        self._told_of_nothing = False
        self._next: Timer
        """Its next look; there once it has begun."""
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
        made = Deliveries(
            self._settings,
            self._environ,
            checkpoint,
            self._hints,
            self._loop,
            self._journal,
            self._state.identity,
        )
        self.deliveries = made.all
        self._intakes = made.intakes
        self._metrics.begin(self.deliveries, checkpoint)
        self._next = self._loop.call_later(LOOK_OFTEN, self._look)
        for delivery in self.deliveries:
            delivery.unsettled.on_acknowledged = self._look_soon
            delivery.start()
        self._look_around_at = self._loop.now() + LOOK_AROUND
        self._journal.info("sidecar.started", deliveries=len(self.deliveries))

    def finish(self) -> None:
        """SIGTERM: read on to the end."""
        if self._checkpoint is None:
            self._begin_or_wait()
            if self._checkpoint is None:
                self._loop.stop()
                return
        if self._deadline is None:
            self._deadline = self._loop.now() + self._drain
            self._give_up_at = self._deadline - min(RESERVE, self._drain * RESERVE_SHARE)
            self._journal.info("sidecar.draining", seconds=self._drain)
            for intake in self._intakes:
                intake.finish()
            for delivery in self.deliveries:
                delivery.finish()
            self._next.cancel()
            self._next = self._loop.call_later(0.0, self._look)

    def end(self) -> int:
        """Save what was reached, say what was not; the exit code."""
        self._save()
        lasts = self._settings.state_lasts and not self._unsaved
        left = [delivery for delivery in self.deliveries if not delivery.finished]
        for delivery in self.deliveries:
            tell_what_is_left(delivery, self._drain, self._journal, lasts=lasts)
        if self._checkpoint is None:
            self._journal.info(
                "sidecar.stood_by",
                message=f"{self._state.held_by} reads the files, what was written last as well",
            )
        self._tell_of_nothing()
        unread = tell_what_is_unread(self.deliveries, self._journal)
        delivered = sum(delivery.counts.delivered_records for delivery in self.deliveries)
        self._journal.info("sidecar.ended", records=delivered)
        for intake in self._intakes:
            intake.close()
        for delivery in self.deliveries:
            delivery.close()
        self._hints.close()
        self._admin.close()
        self._scraped.close()
        self._loop.close()
        self._state.close()
        return 1 if (left and not lasts) or unread else 0

    def _tell_of_nothing(self) -> None:
        if not self._told_of_nothing:
            self._told_of_nothing = True
            tell_of_nothing(self.deliveries, self._journal)

    def _dead_letters(self, content: bytes) -> Answer:
        """What there is of each store."""
        from podweave.helpers.logs.delivery.letter_summary import summary

        stores = {each.store_name: each.dead_letters for each in self.deliveries}
        try:
            said = {name: summary(letters.files()) for name, letters in stores.items()}
        except OSError as error:
            return Answer(500, f"{error}\n".encode())
        return Answer(200, f"{json.dumps(said)}\n".encode(), "application/json")

    def _replay(self, content: bytes) -> Answer:
        """Send dead letters again: of the store that is named, or of all."""
        if self._checkpoint is None:
            text = f"{self._state.held_by} has the dead letters: ask that one\n"
            return Answer(503, text.encode())
        name = content.decode("utf-8", "replace").strip()
        stores: dict[str, Delivery] = {}
        for delivery in self.deliveries:
            if name in ("", delivery.store_name):
                stores.setdefault(delivery.store_name, delivery)
        if not stores:
            known = ", ".join(sorted({each.store_name for each in self.deliveries}))
            return Answer(404, f"there is no store {name!r}; there is {known}\n".encode())
        try:
            said = {store: delivery.replay() for store, delivery in stores.items()}
        except OSError as error:
            return Answer(500, f"{error}\n".encode())
        return Answer(200, f"{json.dumps(said)}\n".encode(), "application/json")

    def _look_soon(self) -> None:
        if self._seldom:
            self._seldom = False
            self._next.cancel()
            self._next = self._loop.call_later(LOOK_OFTEN, self._look)

    def _look(self) -> None:
        self._save_if_due()
        now = self._loop.now()
        wait = LOOK_OFTEN if self._something_to_save() else LOOK_SELDOM
        if self._deadline is not None:
            if now >= self._deadline or all(each.finished for each in self.deliveries):
                self._loop.stop()
                return
            if now >= self._give_up_at:
                for delivery in self.deliveries:
                    if not delivery.finished:
                        delivery.give_up()
            wait = min(LOOK_OFTEN, self._deadline - now)
        elif now >= self._look_around_at:
            self._look_around_at = now + LOOK_AROUND
            self._tell_of_nothing()
            for delivery in self.deliveries:
                delivery.look_around()
        self._seldom = wait > LOOK_OFTEN
        self._next = self._loop.call_later(wait, self._look)

    def _save_if_due(self) -> None:
        now = self._loop.now()
        acknowledged = sum(each.counts.acknowledged_bytes for each in self.deliveries)
        due = now >= self._save_at or acknowledged - self._saved_bytes >= SAVE_AFTER_BYTES
        if due and self._something_to_save():
            self._save()
            after = self._loop.now()
            self._save_at = after + max(SAVE_EVERY, (after - now) * SAVE_SHARE)
            self._saved_bytes = acknowledged

    def _something_to_save(self) -> bool:
        return self._unsaved or any(each.dirty for each in self.deliveries)

    def _save(self) -> None:
        if self._checkpoint is None:
            return
        # Every store, not only until the first that fails.
        synced = [each.sync() for each in self.deliveries]
        self._unsaved = True
        if all(synced):
            entries = {each.name: each.entries() for each in self.deliveries}
            self._unsaved = not self._checkpoint.save(entries)
