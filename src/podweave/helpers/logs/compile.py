"""A layout and a schema, compiled: whole chunks of lines to rows of JSON, without a line's loop.

One regular expression runs over the chunk; its groups are turned into columns; each column is
converted as a whole (escaped by two replacements, or through a memo of its distinct values);
what a template says stands between them makes the rows. Lines that don't fit come out as None,
in their place.

The rows are, byte for byte, what Layout.record and Schema.render make of each line; a property
test holds the two together. A line whose timestamp is no date goes that exact way itself.
"""

from __future__ import annotations

import re
from itertools import compress
from operator import not_

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.columns import Chunk, is_clean, presence
from podweave.helpers.logs.made_rows import Cells, MadeRows, interleave
from podweave.helpers.logs.newlines import count_newlines
from podweave.helpers.logs.rare_bytes import contains
from podweave.helpers.logs.schemas.schema import Schema, encode
from podweave.helpers.logs.template import NotCompiledError, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.column_layout import ColumnLayout, Group, WholeUrl
    from podweave.helpers.logs.columns import Column
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.line_layout import LineLayout
    from podweave.helpers.logs.steps.plans import Plan
    from podweave.helpers.logs.steps.steps import Steps


# Each line of a chunk: one that fits, or any other, which is the last group then.
_LINES = b"(?:(?:%b)\n|([^\n]*\n))"
# Chunks that are read strictly after one in which that was needed.
_STRICT = 16
# Templates that a batch has for chunks in which optional parts are there in all lines, or none.
_MOST_VARIANTS = 6
_WORTH_A_VARIANT = 8
"""Lines of a chunk."""
# One missing line in more than so many is taken out of each column.
_SELDOM = 16


class ExactBatch:
    """Lines of a layout as rows of a schema, line by line.

    `constants` is what the adapter knows by itself; what the layout says goes first. `path` is
    the file's. The row of an event that a step leaves out is empty.
    """

    def __init__(
        self, layout: LineLayout, schema: Schema, constants: Record, steps: Steps | None = None
    ) -> None:
        self.layout = layout
        self.schema = schema
        self.steps = steps
        known = {**constants, "format": layout.format}
        self.constants = {name: value for name, value in known.items() if name not in layout.names}

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        """A row for each line; None for one that doesn't fit."""
        return [self.row(line, clock.at(index), path) for index, line in enumerate(lines)]

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        """The rows of whole lines."""
        lines = data.split(b"\n")
        lines.pop()
        made = MadeRows(data, lines, self.rows(lines, clock, path))
        if self.layout.several:
            made.further = sum([row.count(b"\n") - 1 for row in made.rows() if row])
        return made

    def row(self, line: bytes, clock: Clock, path: str, again: bool = False) -> bytes | None:
        """The exact way from a line to a row, or to those of all that is in it.

        `again`: see Steps.apply.
        """
        if self.layout.several:
            records = self.layout.records(line, clock)
            if records is None:
                return None
            return b"".join([self.render(record, clock, path, again) for record in records])
        record = self.layout.record(line, clock)
        return None if record is None else self.render(record, clock, path, again)

    def render(self, record: Record, clock: Clock, path: str, again: bool = False) -> bytes:
        """The exact way from a record to a row. `again`: see Steps.apply."""
        if "time" not in record:
            record["time"] = clock.reading()
        if self.steps is not None and not self.steps.apply(record, self.known(path), again):
            return b""
        return self.schema.render({**self.constants, "log_path": path, **record})

    def known(self, path: str) -> Record:
        """What the steps may ask for beside a line's record."""
        return {**self.constants, "log_path": path}


class _Reading:
    """One of a layout's patterns, and the templates for what it finds."""

    __slots__ = ("_groups", "_optional", "_pattern", "_regex", "_url", "templates")

    def __init__(
        self,
        layout: ColumnLayout,
        pattern: bytes,
        groups: Sequence[Group],
        url: WholeUrl | None = None,
    ) -> None:
        self._pattern = pattern
        self._groups = groups
        self._url = url
        self._optional: list[int] = []
        if layout.tree is None:
            self._optional = [index for index, group in enumerate(groups) if group.optional]
        self._regex: re.Pattern[bytes] | None = None
        self.templates: dict[tuple[int, ...], Template] = {}

    def find(self, data: bytes) -> list[tuple[bytes, ...]]:
        """The groups of each line, and at last the line itself if it doesn't fit."""
        if self._regex is None:
            self._regex = re.compile(_LINES % self._pattern)
        found: list[Any] = self._regex.findall(data)
        return found if self._groups else [(line,) for line in found]

    def key(self, columns: list[Column]) -> tuple[int, ...]:
        """Which of the optional groups all lines have, or none."""
        if not self._optional or len(columns[-1]) < _WORTH_A_VARIANT:
            return ()
        key = tuple([presence(columns[index]) for index in self._optional])
        if key in self.templates or len(self.templates) < _MOST_VARIANTS:
            return key
        return ()

    def template(
        self, key: tuple[int, ...], layout: ColumnLayout, schema: Schema, constants: Record
    ) -> Template:
        """The template for that."""
        template = self.templates.get(key)
        if template is None:
            known = dict(zip(self._optional, key, strict=False))
            template = Template(layout, schema, constants, known, self._url)
            self.templates[key] = template
        return template


class Batch(ExactBatch):
    """The same, compiled. NotCompiledError: the exact way has to do."""

    layout: ColumnLayout

    def __init__(
        self, layout: ColumnLayout, schema: Schema, constants: Record, steps: Steps | None = None
    ) -> None:
        super().__init__(layout, schema, constants, steps)
        self._plan: Plan | None = None
        if steps is not None:
            from podweave.helpers.logs.steps.plans import Plan

            self._plan = Plan(layout, steps, self.constants)
        self._exact = _Reading(layout, layout.pattern, layout.groups)
        # Steps ask for fields by their groups.
        url = layout.whole_url if steps is None else None
        if url is not None:
            self._loose = _Reading(layout, url.pattern, url.groups, url)
        else:
            self._loose = _Reading(layout, layout.loose, layout.groups)
            self._loose.templates = self._exact.templates
        self._strict = 0
        self._lenient = layout.lenient
        if layout.tree is not None or not any(group.optional for group in layout.groups):
            # A schema that can't be compiled says so at once.
            self._template(self._exact, ())

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        return self.made(b"\n".join(lines) + b"\n", clock, path).rows() if lines else []

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        found, loose = self._find(data, count_newlines(data))
        return self._made(found, data, loose, clock, path)

    def _made(
        self,
        found: list[tuple[bytes, ...]],
        data: bytes,
        loose: bool,
        clock: Clock,
        path: str,
    ) -> MadeRows:
        """The rows of what was found in the lines."""
        columns: list[Column] = list(zip(*found, strict=True))
        others = columns[-1]
        missing: list[int] = []
        fitting: Sequence[int] = range(len(found))
        own = clock
        if any(others):
            missing = list(compress(fitting, others))
            fitting = list(compress(fitting, map(not_, others)))
            if not fitting:
                made = Cells(data, others, missing, [], 1)
                self._read_again(made, loose, clock, path)
                return made
            if len(missing) * _SELDOM < len(found):
                columns = [_without(column, missing) for column in columns]
            else:
                columns = list(zip(*[row for row in found if not row[-1]], strict=True))
            own = clock.of(fitting)
        columns = self.layout.prepared(columns, data)
        gone: list[int] = []
        if self._plan is not None and self._plan.leaving is not None:
            stays = self._plan.stay(columns, own, self.known(path), data, fitting, self._reader)
            if stays is not None:
                gone = [index for index, stay in zip(fitting, stays, strict=True) if not stay]
                fitting = list(compress(fitting, stays))
                own = own.of(list(compress(range(len(stays)), stays)))
                columns = [list(compress(column, stays)) for column in columns]
        without = sorted(missing + gone) if gone else missing
        exact: set[int] = set()
        if fitting:
            chunk = Chunk(columns, data, loose, own, encode(path))
            reading = self._loose if loose else self._exact
            cells = self._template(reading, reading.key(columns)).cells(chunk)
            made = Cells(data, others, without, interleave(len(fitting), cells), len(cells))
            exact = {fitting[index] for index in chunk.exact}
        else:
            made = Cells(data, others, without, [], 1)
        if gone:
            made.replace(dict.fromkeys(gone, b""))
        if exact:
            lines = made.lines
            again = self.steps is not None and self.steps.limits
            made.replace(
                {index: self.row(lines[index], clock.at(index), path, again) for index in exact}
            )
        self._read_again(made, loose, clock, path)
        if self.steps is not None and self.steps.suspicious is not None:
            self._step(made, clock, path)
        return made

    def _template(self, reading: _Reading, key: tuple[int, ...]) -> Template:
        if self._plan is not None:
            return reading.template(key, self._plan.layout, self.schema, self._plan.constants)
        return reading.template(key, self.layout, self.schema, self.constants)

    def _reader(self, group: Any) -> Any:
        """What makes a value of a group's texts."""
        return self._template(self._exact, ()).fields.reader(group)

    def _read_again(self, made: Cells, loose: bool, clock: Clock, path: str) -> None:
        """Read the lines that the loose pattern leaves out the exact way."""
        if not loose or not made.missing:
            return
        left = self._exact.find(b"\n".join(map(made.line, made.missing)) + b"\n")
        again = [index for index, row in zip(made.missing, left, strict=True) if not row[-1]]
        if again:
            made.replace(
                {index: self.row(made.line(index), clock.at(index), path) for index in again}
            )
            if len(again) * _SELDOM > made.count:
                self._strict = _STRICT

    def _step(self, made: Cells, clock: Clock, path: str) -> None:
        """Make the rows of lines that the steps may change the exact way."""
        assert self.steps is not None
        suspicious = self.steps.suspicious
        assert suspicious is not None
        if not suspicious.of(made.data):
            return
        absent = frozenset(made.missing)
        rows: dict[int, bytes | None] = {}
        for index, line in enumerate(made.lines):
            if index not in absent and suspicious.of(line):
                rows[index] = self.row(line, clock.at(index), path)
        made.replace(rows)

    def _find(self, data: bytes, lines: int) -> tuple[list[tuple[bytes, ...]], bool]:
        """The groups of each line; whether the loose pattern found them.

        The loose pattern could go on into the next line; then it finds fewer lines than there
        are, and the strict one is taken, for a while without asking.
        """
        if self.steps is not None and self.steps.limits:
            return self._exact.find(data), False  # All are counted in their order.
        if self._strict:
            self._strict -= 1
        elif not contains(data, b'\\"') if self._lenient else b"\\" not in data and is_clean(data):
            found = self._loose.find(data)
            if len(found) == lines:
                return found, True
            self._strict = _STRICT
        return self._exact.find(data), False


def made_batch(
    kind: type[ExactBatch],
    layout: LineLayout,
    schema: Schema,
    constants: Record,
    steps: Steps | None,
) -> ExactBatch:
    """A batch of that kind, or an exact one where the steps leave no other."""
    if steps is not None and kind is not ExactBatch:
        try:
            return kind(layout, schema, constants, steps)
        except NotCompiledError:
            kind = ExactBatch
    return kind(layout, schema, constants, steps)


class Compiler:
    """The batches of a route: each layout is compiled when the first file needs it."""

    def __init__(
        self,
        schema: Schema,
        constants: Record,
        steps: Steps | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self._schema = schema
        self._constants = constants
        self._steps = steps
        # Steps that may change every line leave nothing to compile.
        self._compiles = not exact and (steps is None or not steps.opaque)
        self._batches: dict[int, ExactBatch] = {}
        self._exact = exact
        self._knowing: dict[tuple[tuple[str, Any], ...], Compiler] = {}

    def knowing(self, fields: Record) -> Compiler:
        """The same for lines of which more is known than the constants."""
        if not fields:
            return self
        key = tuple(fields.items())
        compiler = self._knowing.get(key)
        if compiler is None:
            known = {**self._constants, **fields}
            compiler = Compiler(self._schema, known, self._steps, exact=self._exact)
            self._knowing[key] = compiler
        return compiler

    def batch(self, layout: LineLayout) -> ExactBatch:
        """The layout's batch."""
        batch = self._batches.get(id(layout))
        if batch is None:
            kind = layout.batch_kind() if self._compiles else ExactBatch
            if self._steps is not None and self._steps.limits and kind is not Batch:
                kind = ExactBatch  # Others don't read their lines in order.
            batch = made_batch(kind, layout, self._schema, self._constants, self._steps)
            self._batches[id(layout)] = batch
        return batch

    def compiled(self, layout: LineLayout) -> ExactBatch | None:
        """The layout's batch, if it was asked for before."""
        return self._batches.get(id(layout))


def _without(column: Column, missing: Sequence[int]) -> Column:
    """A column without the texts of lines that are missing."""
    texts = list(column)
    for index in reversed(missing):
        del texts[index]
    return texts
