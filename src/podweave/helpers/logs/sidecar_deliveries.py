"""The deliveries of a log sidecar: one for each pair of source and store."""

from __future__ import annotations

import os

from podweave.helpers.logs.delivery.budget import Budget
from podweave.helpers.logs.delivery.dead_letters import DeadLetters
from podweave.helpers.logs.delivery.delivery import Delivery
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.delivery.overflow import Overflow
from podweave.helpers.logs.delivery.sections import Known, folder_name, own_names, sections_of
from podweave.helpers.logs.fingerprints import fingerprint
from podweave.helpers.logs.pod_labels import read_labels
from podweave.helpers.logs.stores.interface import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.checkpoint import Checkpoint
    from podweave.helpers.logs.delivery.spill_room import SpillRoom
    from podweave.helpers.logs.hints import Hints
    from podweave.helpers.logs.intake import Intake
    from podweave.helpers.logs.sidecar_config import LogsConfig, SidecarConfig
    from podweave.helpers.logs.source import Source
    from podweave.helpers.logs.stores.catalogue import StoreSettings
    from podweave.helpers.loop import Loop


class Deliveries:
    """`all` of them, and the `intakes` of those whose lines come through pipes and sockets.
    `ids`: what the records' ids are made from in place of the Pod's uid. OSError where a pipe or
    socket can't be made."""

    def __init__(
        self,
        settings: SidecarConfig,
        environ: Mapping[str, str],
        checkpoint: Checkpoint,
        hints: Hints,
        loop: Loop,
        journal: Journal,
        ids: str = "",
    ) -> None:
        self.all: list[Delivery] = []
        self.intakes: list[Intake] = []
        self._settings = settings
        self._checkpoint = checkpoint
        self._hints = hints
        self._loop = loop
        self._journal = journal
        self._origin = Origin.of_environment(environ, read_labels(settings.labels), ids)
        self._budget = Budget(settings.memory, sum(len(logs.stores) for logs in settings.logs))
        directory = os.path.join(settings.dead_letters, self._origin.namespace, settings.name)
        self._letters = {
            store.name: DeadLetters(
                directory, store.name, settings.dead_letters_bytes, journal=journal
            )
            for logs in settings.logs
            for store in logs.stores
        }
        sections = self._sections()
        self._room = self._spill_room()
        if self._room is not None:
            self._room.settle(sections)
        following = iter(sections)
        for logs in settings.logs:
            own = [next(following) for _ in logs.stores]
            for source, store, section in zip(
                self._sources(logs, own), logs.stores, own, strict=True
            ):
                self.all.append(self._delivery(section, logs, source, store))

    def _sections(self) -> list[str]:
        """Of each delivery, in their order; the checkpoint is told."""
        stores = [
            (store.kind, store.name if store.given else "", store.place.partition(":")[2])
            for logs in self._settings.logs
            for store in logs.stores
        ]
        checkpoint = self._checkpoint
        known = Known(checkpoint.sections, checkpoint.names)
        found = sections_of(stores, known)
        for name, section in found.items():
            if section in known.sections and (known.names or {}).get(name, name) != section:
                self._journal.info("checkpoint.taken_over", store=name, known_as=section)
        checkpoint.names = {name: section for name, section in found.items() if name != section}
        return [found[name] for name in own_names(stores)[0]]

    def _spill_room(self) -> SpillRoom | None:
        spill = self._settings.spill
        if spill is None:
            return None
        # Imported where it is needed: memory is imports.
        from podweave.helpers.logs.delivery.spill_room import SpillRoom

        return SpillRoom(
            spill.directory,
            spill.bytes,
            self._settings.name,
            self._origin,
            journal=self._journal,
        )

    def _sources(self, logs: LogsConfig, sections: Sequence[str]) -> list[Source]:
        """One for each store."""
        entries = [self._checkpoint.entries(section) for section in sections]
        if logs.listen is not None:
            from podweave.helpers.logs.spool_reader import SpoolReader

            intake = self._intake(logs, sections)
            taken = [
                SpoolReader(
                    spool,
                    known,
                    reading=logs.reading,
                    written_to=logs.listen[1],
                    journal=self._journal,
                )
                for spool, known in zip(intake.spools, entries, strict=True)
            ]
            for source in taken:
                intake.feed(source)
            return [*taken]
        if logs.spool:
            from podweave.helpers.logs.spool_reader import Releases, SpoolReader

            releases = Releases(logs.spool, len(logs.stores), self._journal)
            return [
                SpoolReader(
                    logs.spool, known, releases=releases, reader=number, journal=self._journal
                )
                for number, known in enumerate(entries)
            ]
        from podweave.helpers.logs.tail import Tail

        told: dict[str, int | None] = {}
        return [
            Tail(
                logs.paths,
                known,
                reading=logs.reading,
                hints=self._hints,
                journal=self._journal,
                told=told,
            )
            for known in entries
        ]

    def _intake(self, logs: LogsConfig, sections: Sequence[str]) -> Intake:
        from podweave.helpers.logs.intake import Intake

        assert logs.listen is not None
        kind, path = logs.listen
        names = [fingerprint(f"{path} {folder_name(section)}".encode()) for section in sections]
        intake = Intake(
            kind,
            path,
            [f"{self._settings.state}/intake/{name}" for name in names],
            self._loop,
            self._journal,
            line_limit=logs.reading.line_limit,
        )
        self.intakes.append(intake)
        return intake

    def _delivery(
        self, section: str, logs: LogsConfig, source: Source, store: StoreSettings
    ) -> Delivery:
        spill = self._settings.spill
        context = Context(
            self._loop,
            self._journal,
            self._origin,
            name=store.name,
            state=self._settings.state,
        )
        return Delivery(
            section,
            logs.label,
            source,
            store.open(context),
            self._origin,
            raw=not logs.spool,
            share=self._budget.share(),
            loop=self._loop,
            journal=self._journal,
            dead_letters=self._letters[store.name],
            overflow=Overflow(
                section,
                self._room,
                after=0.0 if spill is None else spill.after,
                durable=spill is not None and spill.durable,
                loop=self._loop,
                journal=self._journal,
            ),
            store_name=store.name,
        )
