"""One file's lines to rows of a schema: format, recognition, joining, counting. No I/O.

    blocks = stream.take(whole_lines, clock)    # of rows that are written together
    rows = stream.flush(clock)                  # the file has been quiet: nothing more joins

Rows come in the order of the lines, one an event. The last event is held back, since its next
line may join it; `waiting` says how many of the last chunks aren't wholly out. How the input is
cut into chunks makes no difference to what comes out.
"""

from __future__ import annotations

from podweave.helpers.logs.begun_event import BegunEvent
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.colours import uncoloured
from podweave.helpers.logs.continuations import continuations
from podweave.helpers.logs.detect import SAMPLE_BYTES, SAMPLE_LINES, rank
from podweave.helpers.logs.events import AUTO_STATES
from podweave.helpers.logs.first_look import candidates
from podweave.helpers.logs.headers import Headers
from podweave.helpers.logs.join import Joiner
from podweave.helpers.logs.plain_lines import NOTHING, PLAIN, Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from podweave.helpers.logs.compile import Compiler, ExactBatch
    from podweave.helpers.logs.line_layout import LineLayout
    from podweave.helpers.logs.made_rows import MadeRows

# The main layout is chosen anew when it reads less than half of so many events; where that
# changes nothing, the next look comes later.
_REVIEW = 400
_LATEST_REVIEW = 100_000
# A file of which no format reads anything isn't tried against all of them for ever: of its lines
# one in so many is, at least so many apart.
_HOPELESS = 1000
_TRIED = 8
_TRY_AGAIN = 64


class Stream:
    """The lines of the file at `path`. `layouts`: those of its format, or of all formats.

    `events` counts by format, for metrics; `compiler` and `events` may be shared by streams.
    """

    def __init__(
        self,
        compiler: Compiler,
        layouts: Sequence[LineLayout],
        path: str,
        events: Counter[str],
        plain: Plain = PLAIN,
    ) -> None:
        self._compiler = compiler
        self._layouts = list(layouts)
        self._path = path
        self._events = events
        self._kept = plain
        self._plain = compiler.batch(plain)
        self._nothing = compiler.batch(NOTHING)
        self._main: ExactBatch | None = None
        if len(layouts) == 1:
            self._main = compiler.batch(layouts[0])
        self._sample: list[bytes] = []
        self._sampled = 0
        self._sample_clock: Clock | None = None
        self._joiner = Joiner(self._reads)
        self._headers = Headers(layouts)
        self._pending: BegunEvent | None = None
        self._hits = 0
        self._misses = 0
        self._review = _REVIEW
        self._hopeless = 0
        self._next_try = 0
        self.waiting = 0
        """How many of the last chunks fed aren't wholly out."""

    def feed(self, data: bytes, clock: Clock) -> list[bytes]:
        """The same as `take`, a row at a time."""
        return rows_of(self.take(data, clock))

    def take(self, data: bytes, clock: Clock) -> list[bytes]:
        """Take whole lines, the last one's newline included; give blocks of rows that are done."""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        data = uncoloured(data)
        if not data:
            return []
        self._headers.look(data)
        if self._main is None:
            lines = data.split(b"\n")
            lines.pop()
            self._sample += lines
            self._sampled += len(data)
            clock = self._sample_clock = clock.following(self._sample_clock)
            self.waiting += 1
            if len(self._sample) < SAMPLE_LINES and self._sampled < SAMPLE_BYTES:
                return []
            return self._recognised(clock)
        before = self._pending
        rows = self._rows(data, clock)
        if self._pending is None:
            self.waiting = 0
        else:
            self.waiting = self.waiting + 1 if self._pending is before else 1
        return rows

    def flush(self, clock: Clock) -> list[bytes]:
        """Nothing more joins what is held back."""
        rows = rows_of(self._recognised(self._sample_clock or clock)) if self._sample else []
        if self._pending is not None:
            rows += rows_of([self._pending.finished()])
            self._pending = None
        self.waiting = 0
        return rows

    def begin(self, sample: Sequence[bytes], clock: Clock) -> None:
        """Recognise the format by lines that will be fed."""
        if self._main is None:
            self._choose(sample[:SAMPLE_LINES], clock)

    @property
    def format(self) -> str:
        """The format of most lines, as far as that is known."""
        if self._main is None or self._main is self._nothing:
            return self._plain.layout.format
        return self._main.layout.format

    def _recognised(self, clock: Clock) -> list[bytes]:
        lines, self._sample, self._sampled, self._sample_clock = self._sample, [], 0, None
        self._choose(lines[:SAMPLE_LINES], clock)
        return self._rows(_whole(lines), clock)

    def _choose(self, sample: Sequence[bytes], clock: Clock) -> None:
        """Put the layouts in the order in which they read the sample; the first is the main."""
        ranked = rank(sample, self._layouts, clock)
        chosen = set(map(id, ranked))
        self._layouts = ranked + [layout for layout in self._layouts if id(layout) not in chosen]
        before = self._main
        # A general layout reads what particular ones are made for, so a whole sample must say
        # that there are none.
        if ranked and (not ranked[0].general or len(sample) >= SAMPLE_LINES):
            self._main = self._compiler.batch(ranked[0])
        else:
            self._main = self._nothing
        same = before is self._main
        self._review = min(self._review * 2, _LATEST_REVIEW) if same else _REVIEW

    def _reads(self, line: bytes) -> bool:
        """A format reads this line."""
        clock = Clock()
        return any(layout.reads(line, clock) for layout in candidates(self._layouts, line))

    def _rows(self, data: bytes, clock: Clock) -> list[bytes]:
        """The rows that are done, of lines among which may be headers."""
        spans = clock.spans()
        if spans:
            return self._rows_by_span(data, spans)
        lines, headers = self._headers.among(data)
        if not headers:
            return self._rows_of(data, clock)
        done: list[bytes] = []
        begin = 0
        for index, layout in headers:
            between = clock.of(range(begin, index + 1))
            done += self._rows_of(_whole(lines[begin : index + 1]), between)
            begin = index + 1
            told = layout, *layout.beside
            self._layouts = [*told, *(other for other in self._layouts if other not in told)]
            self._main = self._compiler.batch(layout)
        if begin < len(lines):
            done += self._rows_of(_whole(lines[begin:]), clock.of(range(begin, len(lines))))
        return done

    def _rows_by_span(self, data: bytes, spans: list[tuple[int, int, Clock]]) -> list[bytes]:
        lines = data.split(b"\n")
        seen = self._headers.seen
        done: list[bytes] = []
        for begin, end, clock in spans:
            self._headers.seen = seen
            done += self._rows(_whole(lines[begin:end]), clock)
        return done

    def _rows_of(self, data: bytes, clock: Clock) -> list[bytes]:
        main = self._main_for(data)
        made = main.made(data, clock, self._path)
        missed = len(made.missing)
        if missed < made.count:
            self._events[main.layout.format] += made.count - missed + made.further
        if missed == 0:
            self._hits += made.count
            done = self._hold_last(main, made, made.count - 1, {}, {}, clock)
            enough = made.count >= SAMPLE_LINES and self._hits >= self._review
            if enough and main.layout.general:
                # It may read what a particular one reads better by now.
                self._choose(made.lines[-SAMPLE_LINES:], clock)
                self._hits = self._misses = 0
            return done
        starts, joined = continuations(
            made, self._joiner, self._pending, known=self._is_format(main)
        )
        owners = self._read_otherwise(made, starts, clock)
        last = -1
        if made.missing[-1] < made.count - 1:
            last = made.count - 1
        elif joined or starts:
            last = max((*starts, *joined))
        done = self._hold_last(main, made, last, owners, joined, clock)
        self._hits += made.count - missed
        self._misses += len(starts)
        if self._hits + self._misses >= self._review:
            if self._misses > self._hits and len(self._layouts) > 1:
                lines = made.lines
                self._choose([lines[index] for index in starts[-SAMPLE_LINES:]], clock)
            self._hits = self._misses = 0
        return done

    def _main_for(self, data: bytes) -> ExactBatch:
        """The batch that is asked first about these lines."""
        main = self._main
        assert main is not None
        if main is not self._nothing or self._hopeless < _HOPELESS:
            return main
        many = self._kept.many
        if many is None or self._joiner.within or any(text in data for text in AUTO_STATES):
            return main
        return self._compiler.batch(many)

    def _is_format(self, main: ExactBatch) -> bool:
        """The lines that it reads are of a format."""
        return main.layout is not self._kept.many

    def _read_otherwise(
        self, made: MadeRows, starts: list[int], clock: Clock
    ) -> dict[int, ExactBatch]:
        """Try the other layouts on the lines that begin events; keep the rest whole."""
        main = self._main
        assert main is not None
        owners: dict[int, ExactBatch] = {}
        lines = {index: made.line(index) for index in starts}
        left = starts
        hopeless = self._hopeless >= _HOPELESS
        if not hopeless or self._hopeless >= self._next_try:
            if hopeless:
                self._next_try = self._hopeless + max(_TRY_AGAIN, _TRIED * len(starts))
            for layout in self._layouts:
                if not left:
                    break
                if layout is main.layout:
                    continue
                some = [index for index in left if candidates((layout,), lines[index])]
                if not some:
                    continue
                batch = self._compiler.compiled(layout)
                if batch is None:
                    if not any(layout.reads(lines[index], clock) for index in some):
                        continue
                    batch = self._compiler.batch(layout)
                found = batch.rows([lines[index] for index in some], clock.of(some), self._path)
                for index, row in zip(some, found, strict=True):
                    if row is not None:
                        made.put(index, row)
                        owners[index] = batch
                        self._hopeless = self._next_try = 0
                        self._events[layout.format] += row.count(b"\n") if layout.several else 1
                left = [index for index in left if index not in owners]
        for index in left:
            row = self._plain.row(lines[index], clock.at(index), self._path)
            assert row is not None
            made.put(index, row)
            owners[index] = self._plain
        self._hopeless += len(left)
        if left:
            self._events[self._plain.layout.format] += len(left)
        return owners

    def _hold_last(
        self,
        main: ExactBatch,
        made: MadeRows,
        last: int,
        owners: dict[int, ExactBatch],
        joined: dict[int, list[bytes]],
        clock: Clock,
    ) -> list[bytes]:
        """Join what belongs together, and keep the event that began last."""
        first = b""
        if self._pending is not None and -1 in joined:
            self._pending.join(joined[-1])
        if last < 0:
            return []
        if self._pending is not None:
            first = self._pending.finished()
            self._pending = None
        for index, texts in joined.items():
            row = made.row(index) if index >= 0 else None
            if index != last and row is not None:
                owner = owners.get(index, main)
                event = BegunEvent(made.line(index), row, owner, clock.at(index), self._path)
                event.join(texts)
                made.put(index, event.finished())
        row = made.row(last)
        assert row is not None
        line = made.line(last)
        done = made.before(last, first)
        self._pending = BegunEvent(line, row, owners.get(last, main), clock.at(last), self._path)
        self._pending.join(joined.get(last, []))
        if not joined and not owners:
            self._joiner.begin(line, known=self._is_format(main))
        return [done] if done else []


def rows_of(blocks: list[bytes]) -> list[bytes]:
    """The single rows of blocks of them."""
    return [row for block in blocks for row in block.splitlines(keepends=True)]


def _whole(lines: Sequence[bytes]) -> bytes:
    """Lines with their newlines."""
    return b"\n".join(lines) + b"\n"
