"""The directory of all spills of a program, and how much may lie there."""

from __future__ import annotations

import os

from podweave.helpers.logs.delivery.sections import heir
from podweave.helpers.logs.delivery.spill import SUFFIX, Spill, read_json
from podweave.helpers.logs.fingerprints import fingerprint
from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.origin import Origin


class SpillRoom:
    """The directory of all queues of a program, and how much may lie there."""

    def __init__(
        self, directory: str, limit: int, helper: str, origin: Origin, *, journal: Journal
    ) -> None:
        self.directory = directory
        self.limit = limit
        self.used = 0
        self._helper = helper
        self._origin = origin
        self._journal = journal
        self._inherited: dict[str, list[str]] = {}
        """Queues for stores in whose places others have come, by the others' sections."""

    @property
    def free(self) -> int:
        return max(0, self.limit - self.used)

    def own(self, section: str) -> Spill:
        """The queue of a delivery of this program, with what an earlier life left in it."""
        pod = _name(self._origin.uid)
        return self._spill(self._place(pod, section), section, self._origin)

    def left_behind(self, section: str) -> list[Spill]:
        """Queues for the same store that Pods of before have left, and nobody has taken yet."""
        found: list[Spill] = []
        own = _name(self._origin.uid)
        places = [self._place(pod, section) for pod in self._pods() if pod != own]
        for place in [*places, *self._inherited.get(section, ())]:
            if not os.path.isdir(place):
                continue
            spill = self._spill(place, section, None)
            try:
                if not spill.open():
                    continue
            except OSError as error:
                self._journal.warning("spill.unreadable", path=place, message=why(error))
                continue
            self._journal.info(
                "spill.taken_over", path=place, bytes=spill.size, pod=spill.origin.pod
            )
            found.append(spill)
        return found

    def settle(self, sections: Sequence[str]) -> None:
        """Who delivers what lies here for stores that are not configured (any more): the one that
        has come in a store's place. What nobody delivers is said."""
        known = {_digest(section) for section in sections}
        for pod in self._pods():
            place = os.path.dirname(self._place(pod, ""))
            for store in _names(place):
                path = os.path.join(place, store)
                if store in known or not any(name.endswith(SUFFIX) for name in _names(path)):
                    continue
                section = str(read_json(os.path.join(path, "about.json")).get("store"))
                if (found := heir(section, sections)) is not None:
                    self._inherited.setdefault(found, []).append(path)
                    continue
                self._journal.error(
                    "spill.unknown_store",
                    path=path,
                    store=section,
                    message="nobody delivers this: its store isn't configured any more",
                )

    def _pods(self) -> list[str]:
        return _names(os.path.join(self.directory, _name(self._origin.namespace)))

    def _place(self, pod: str, section: str) -> str:
        namespace = _name(self._origin.namespace)
        helper = _name(self._helper)
        return os.path.join(self.directory, namespace, pod, helper, _digest(section))

    def _spill(self, place: str, section: str, origin: Origin | None) -> Spill:
        return Spill(place, section, origin, self, journal=self._journal)


def _digest(section: str) -> str:
    return fingerprint(section.encode("utf-8", "surrogateescape"))


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _name(text: str) -> str:
    """A Pod's uid or a name as the name of a directory."""
    return text.replace("/", "_").strip(".") or "_"
