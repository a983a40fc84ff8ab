"""Steps of a layout, planned for columns: what compile.Batch does of them without a record a line.

Renamed and added fields make another layout, which the template is made of. Steps that leave
lines out are asked about records of no more than what they ask for (leaving.py). Masks are for
the lines that they may change, and those go the exact way.
"""

from __future__ import annotations

import copy
import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import FIELDS, INTEGER, NO_LEVELS, TEXT, TIME
from podweave.helpers.logs.markers import Marker
from podweave.helpers.logs.steps.leaving import Leaving
from podweave.helpers.logs.structured.sink import converted
from podweave.helpers.logs.template import NotCompiledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.logs.column_layout import ColumnLayout, Group
    from podweave.helpers.logs.columns import Column
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.steps.steps import Steps

# A schema may write other names in another way, and two of them in the same.
_SIMPLE = re.compile(r"[a-z][a-z0-9]*")


class Plan:
    """`Plan(layout, steps, constants)`; NotCompiledError where only the exact way will do.

    `layout` and `constants` are those of the template; `leaving` says which lines are left out,
    None: none is.
    """

    def __init__(self, layout: ColumnLayout, steps: Steps, constants: Record) -> None:
        if steps.opaque or (steps.limits and steps.suspicious is not None):
            raise NotCompiledError
        self._steps = steps
        self.layout = copy.copy(layout)
        self.layout.groups = list(layout.groups)
        if layout.tree is not None:
            self.layout.tree = dict(layout.tree)
        self._own: dict[str, Any] = {}
        self.layout.added = self._own
        self._added: set[str] = set()
        self.constants = dict(constants)
        changed = False
        for step in steps.steps:
            if step.kinds is not None and changed:
                raise NotCompiledError  # Its new name may be what it is masked for.
            for old, new in step.renames.items():
                self._rename(old, new)
            for name, value in step.adds.items():
                self._add(name, value)
            changed = changed or bool(step.renames or step.adds)
        kinds = [step for step in steps.steps if step.kinds is None]
        leave = any(not step.renames and not step.adds for step in kinds)
        self.leaving = Leaving(layout, steps) if leave else None

    def stay(
        self,
        columns: Sequence[Column],
        clock: Clock,
        known: Record,
        data: bytes,
        lines: Sequence[int],
        reader: Callable[[Group], Any],
    ) -> list[bool] | None:
        """Whether each line stays; None: all do. What is left out is counted.

        `lines`: where in the data the columns' lines are. Those that masks may change stay:
        they are made the exact way, which asks the steps.
        """
        assert self.leaving is not None
        left = self.leaving.steps_of(columns, clock, known, reader)
        suspicious = self._steps.suspicious
        if suspicious is not None and suspicious.of(data):
            texts = data.split(b"\n")
            left = [
                None if step is not None and suspicious.of(texts[line]) else step
                for line, step in zip(lines, left, strict=True)
            ]
        if not any(left):
            return None
        for name in {step for step in left if step is not None}:
            self._steps.count(name, left.count(name))
        return [step is None for step in left]

    def _names(self) -> set[str]:
        """Of all fields that a line may have now, by the names that steps know."""
        names = {group.name for group in self.layout.groups if group.kind != TIME}
        names |= {name for name, _, _ in self.layout.derive}
        return names | set(self.layout.tree or ()) | set(self.layout.added) | self._added

    def _rename(self, old: str, new: str) -> None:
        layout = self.layout
        if old not in self._names():
            return
        marker = None if layout.tree is None else layout.tree.get(old)
        field = old if marker is None else marker.field if isinstance(marker, Marker) else None
        index = next((at for at, group in enumerate(layout.groups) if group.name == field), None)
        if index is None or new in self._names() or old[0] in "_@" or new[0] in "_@":
            raise NotCompiledError
        group = layout.groups[index]
        convert = group.convert or (None if marker is None else marker.made)
        asked = any(source == field for _, source, _ in layout.derive)
        if group.kind not in (TEXT, INTEGER) or convert is not None or asked or group.unit:
            raise NotCompiledError
        if new in FIELDS:
            if FIELDS[new] != group.kind or (new in self.constants and group.optional):
                raise NotCompiledError
            self.constants.pop(new, None)
            self._named(index, group, new)
            if layout.tree is not None and marker is not None:
                del layout.tree[old]
        else:
            self._check_own(new, old)
            if layout.tree is None:
                self._last(old)
                self._named(index, group, new)
            else:
                own = group.name if marker is not None else f"@{old}"
                self._named(index, group, own)
                layout.tree.pop(old, None)
                layout.tree[new] = Marker.of(own, group.kind)

    def _named(self, index: int, group: Group, name: str) -> None:
        group = copy.copy(group)
        group.name = name
        self.layout.groups[index] = group
        self.layout.names = self.layout.names | {name}

    def _add(self, name: str, value: Any) -> None:
        layout = self.layout
        if name in self._names():
            groups = [group for group in layout.groups if group.name == name]
            sure = [group for group in groups if not group.optional]
            added = name in layout.added or name in self._added or name in (layout.tree or ())
            if not sure and not added:
                raise NotCompiledError
            return
        if name in FIELDS:
            kept = None
            if FIELDS[name] != TIME:
                kept = converted(name, "", value, True, NO_LEVELS, Clock(0, 0))
            if kept is None:
                raise NotCompiledError
            self.constants[name] = kept
            self._added.add(name)
            layout.names = layout.names | {name}
            return
        self._check_own(name)
        if value is None:
            raise NotCompiledError
        if layout.tree is None:
            self._own[name] = value
        else:
            layout.tree[name] = value

    def _check_own(self, name: str, old: str = "") -> None:
        """Nobody else's name looks like this one once a schema wrote it in its own way."""
        plain = _plain(name)
        others = self._names() - {old} | set(FIELDS)
        if not _SIMPLE.fullmatch(plain) or any(_plain(other) == plain for other in others):
            raise NotCompiledError

    def _last(self, old: str) -> None:
        """A renamed field comes after the others: so it must have been."""
        own = [group.name for group in self.layout.groups if group.name not in FIELDS]
        own = [name for name in own if name[0] != "_"]
        if (own and own != [old] and own[-1] != old) or (own[-1:] != [old] and self.layout.added):
            raise NotCompiledError


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
