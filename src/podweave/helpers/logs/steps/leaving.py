"""Which lines of a chunk the steps leave out, asked about columns.

A record is made of no more than the fields that the steps ask for: once for each distinct
combination of their texts, and for each line where a step counts, or looks at the time.
"""

from __future__ import annotations

from itertools import repeat

from podweave.helpers.logs.fields import FIELDS, TIME
from podweave.helpers.logs.markers import LIST, OBJECTS, Marker
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.template import NotCompiledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.column_layout import Group
    from podweave.helpers.logs.columns import Column
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.steps.steps import Steps

    Read = Callable[[bytes], Any]
    Derive = Callable[[str], Any]

_STAMP_ROLES = frozenset(("seconds", "zone", "fraction"))


class Leaving:
    """`Leaving(layout, steps)`; NotCompiledError."""

    def __init__(self, layout: Any, steps: Steps) -> None:
        self._steps = steps
        self._layout = layout
        asked = {name for step in steps.steps if step.kinds is None for name in step.asks}
        self._timed = "time" in asked
        self._stamped = [
            (index, group.role) for index, group in enumerate(layout.groups) if group.kind == TIME
        ]
        if self._timed and not {role for _, role in self._stamped} <= _STAMP_ROLES:
            raise NotCompiledError
        self._fixed: Record = {}
        """Fields of the application's own that all lines have alike."""
        self._asked: list[tuple[str, int, Group, Derive | None]] = []
        for name in sorted(asked - {"time"}):
            self._find(name)
        self._sources: list[tuple[str, int, Read]] = []
        self._memo: Memo | None = None
        self._path = ""

    def _find(self, name: str) -> None:
        """Find the column of a field, if a line has one."""
        layout = self._layout
        groups = {group.name: index for index, group in enumerate(layout.groups)}
        if name[0] not in "_@" and name in groups:
            self._ask(name, groups[name])
            return
        for derived, source, make in layout.derive:
            if derived == name:
                if source not in groups:
                    raise NotCompiledError  # derived from what is derived
                self._ask(name, groups[source], make)
                return
        tree = layout.tree
        if tree is None or name in FIELDS:
            return
        key = name if name in tree else name.partition(".")[0]
        if key not in tree:
            return
        marker = tree[key]
        if isinstance(marker, Marker):
            if marker.made is not None:
                raise NotCompiledError
            self._ask(key, groups[marker.field])
        elif not isinstance(marker, dict | list):
            self._fixed[key] = marker
        else:
            raise NotCompiledError

    def _ask(self, name: str, index: int, derive: Derive | None = None) -> None:
        group = self._layout.groups[index]
        if group.kind in (LIST, OBJECTS) or group.convert is not None:
            raise NotCompiledError
        self._asked.append((name, index, group, derive))

    def steps_of(
        self,
        columns: Sequence[Column],
        clock: Clock,
        known: Record,
        reader: Callable[[Group], Read],
    ) -> list[str | None]:
        """For each line the step that leaves it out, or None; they aren't counted.

        `known`: see Steps.apply; `reader` gives what makes a value of a group's texts.
        """
        if self._memo is None or self._path != known["log_path"]:
            self._path = known["log_path"]
            self._memo = Memo(lambda texts: self._decided(texts, known))
            self._sources = [self._source(reader, *asked) for asked in self._asked]
        if self._timed:
            decided = self._line_by_line(columns, clock, known)
        elif not self._sources:
            decided = [self._memo[()]] * len(columns[-1])
        else:
            texts = zip(*[columns[index] for _, index, _ in self._sources], strict=True)
            decided = list(map(self._memo.__getitem__, texts))
        stamp = self._layout.stamp
        if stamp is not None and stamp.loose is not stamp.pattern and any(decided):
            # What the loose pattern takes for a time needn't be one, nor the line one that fits.
            seconds = self._seconds(columns, clock)
            return [None if at is None else step for step, at in zip(decided, seconds, strict=True)]
        return decided

    @staticmethod
    def _source(
        reader: Callable[[Group], Read], name: str, index: int, group: Group, derive: Derive | None
    ) -> tuple[str, int, Read]:
        read = reader(group)
        if derive is None:
            return name, index, read
        make = derive

        def derived(text: bytes) -> Any:
            value = read(text)
            return make(str(value)) if value else None

        return name, index, derived

    def _record(self, values: Iterable[Any]) -> Record:
        record: Record = {}
        attributes = dict(self._fixed)
        for (name, _, _), value in zip(self._sources, values, strict=True):
            if value is not None:
                (record if name in FIELDS else attributes)[name] = value
        if attributes:
            record["attributes"] = attributes
        return record

    def _decided(self, texts: Sequence[bytes], known: Record) -> str | None:
        values = [read(text) for (_, _, read), text in zip(self._sources, texts, strict=True)]
        return self._steps.leaves_out(self._record(values), known)

    def _line_by_line(
        self, columns: Sequence[Column], clock: Clock, known: Record
    ) -> list[str | None]:
        leaves_out = self._steps.leaves_out
        times = self._times(columns, clock)
        if not self._sources:
            record = self._record(())
            return [leaves_out({**record, "time": time}, known) for time in times]
        made = [
            list(map(Memo(read).__getitem__, columns[index])) for _, index, read in self._sources
        ]
        decided: list[str | None] = []
        for time, values in zip(times, zip(*made, strict=True), strict=True):
            record = self._record(values)
            record["time"] = time
            decided.append(leaves_out(record, known))
        return decided

    def _times(self, columns: Sequence[Column], clock: Clock) -> list[tuple[int, str]]:
        """The lines' times, as the exact way has them."""
        rows = range(len(columns[-1]))
        if self._layout.stamp is None:
            return [clock.at(row).reading() for row in rows]
        seconds = self._seconds(columns, clock)
        fractions: Iterable[bytes] = repeat(b"")
        for index, role in self._stamped:
            if role == "fraction":
                fractions = columns[index]
        return [
            clock.at(row).reading() if second is None else (second, fraction.decode("ascii"))
            for row, second, fraction in zip(rows, seconds, fractions, strict=False)
        ]

    def _seconds(self, columns: Sequence[Column], clock: Clock) -> Iterable[int | None]:
        """The lines' times down to the second; None for what is no date."""
        convert = self._layout.stamp.convert
        parts = [columns[index] for index, role in self._stamped if role != "fraction"]
        texts = parts[0] if len(parts) == 1 else map(b"".join, zip(*parts, strict=True))
        return map(Memo(lambda text: convert(text, clock)).__getitem__, texts)
