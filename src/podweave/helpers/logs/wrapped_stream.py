"""A file's lines to rows, whatever container tools wrote around them.

The first lines say whether there is a wrapping (wrappings.py). If so, the lines inside are read
by streams of their own, one for each owner: stdout and stderr, or the containers of a terminal's
output. Each recognises its format by itself; what the wrapping says goes where a line says
nothing: its time, its stream, its container.

Rows come in the order of each owner's lines. An event may come after later ones of another owner:
it waits for lines that may join it, and short runs are put together.
"""

from __future__ import annotations

from collections import deque

from podweave.helpers.logs.colours import uncoloured
from podweave.helpers.logs.detect import SAMPLE_BYTES, SAMPLE_LINES, every_layout, rank
from podweave.helpers.logs.line_times import LineClock
from podweave.helpers.logs.plain_lines import PLAIN, Kept, Plain
from podweave.helpers.logs.stream import Stream, rows_of
from podweave.helpers.logs.wrappings import WRAPPINGS, Parts, Wrapping, fields_of_path, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.compile import Compiler
    from podweave.helpers.logs.wrappings import Run

    _Held = tuple[int, Clock, Sequence[Run]]

_OWNERS = 64
"""Streams of a file; lines of further owners are read without what is known of them."""
_BEHIND = 256 * 1024
"""Bytes of others' lines after which nothing more joins an event."""
_DEEPEST = 2
_ENOUGH = 5
"""Lines of an owner by which its format is recognised; with fewer its stream waits for more."""

_NAMES = tuple(wrapping.name for wrapping in WRAPPINGS)
_KEPT = {wrapping.name: Kept(wrapping.name) for wrapping in WRAPPINGS if wrapping.keeps}


class WrappedStream:
    """As a Stream, for the file at `path`. `layouts` None: those of all formats."""

    def __init__(
        self,
        compiler: Compiler,
        layouts: Sequence[Any] | None,
        path: str,
        events: Counter[str],
        depth: int = 0,
        plain: Plain = PLAIN,
    ) -> None:
        self._compiler = compiler
        self._path = path
        self._events = events
        self._depth = depth
        self._plain = plain
        if layouts is not None and layouts[0].format in _NAMES:
            layouts = None
        self._named = layouts is not None
        self._layouts = every_layout(path) if layouts is None else layouts
        self._wrapping: Wrapping | None = None
        self._parts = Parts()
        self._stream: Stream | None = None
        """Where there is no wrapping."""
        self._owners: dict[bytes, _Owner] = {}
        self._held: list[_Held] | None = []
        """Chunks by which owners' formats will be recognised."""
        self._held_bytes = 0
        self._chunks = 0
        self._bytes = 0
        self._part_since: int | None = None

    def feed(self, data: bytes, clock: Clock) -> list[bytes]:
        """The same as `take`, a row at a time."""
        return rows_of(self.take(data, clock))

    def take(self, data: bytes, clock: Clock) -> list[bytes]:
        """Take whole lines; give blocks of rows that are done."""
        if self._stream is not None:
            return self._stream.take(data, clock)
        data = uncoloured(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        if self._wrapping is None:
            self.recognise(data, clock)
        if self._wrapping is None:
            assert self._stream is not None
            return self._stream.take(data, clock)
        self._chunks += 1
        found = runs(self._wrapping, data, self._parts)
        if not self._parts.open:
            self._part_since = None
        elif self._part_since is None:
            self._part_since = self._chunks
        if self._held is None:
            return self._read_all([(self._chunks, clock, found)])
        self._held.append((self._chunks, clock, found))
        self._held_bytes += len(data)
        return self._release() if self._held_bytes >= SAMPLE_BYTES else []

    def flush(self, clock: Clock, over: bool = True) -> list[bytes]:
        """Nothing more joins what is held back. Not `over`: the rest of a line may come."""
        if self._stream is not None:
            return self._stream.flush(clock)
        done = self._release()
        if over:
            done += self._read_all([(self._chunks, clock, self._parts.rest())])
            self._part_since = None
        for owner in sorted(self._owners.values(), key=lambda owner: owner.until):
            done += owner.stream.flush(clock, over)
            if not owner.stream.waiting:
                owner.chunks.clear()
        return rows_of(done)

    @property
    def waiting(self) -> int:
        """How many of the last chunks fed aren't wholly out."""
        if self._stream is not None:
            return self._stream.waiting
        oldest = [owner.chunks[0] for owner in self._owners.values() if owner.chunks]
        if self._held:
            oldest.append(self._held[0][0])
        if self._part_since is not None:
            oldest.append(self._part_since)
        return self._chunks + 1 - min(oldest) if oldest else 0

    @property
    def wrappings(self) -> list[str]:
        """The names of those that were found, from the outside in."""
        if self._wrapping is None:
            return []
        found = [owner.stream.wrappings for owner in self._owners.values()]
        inner = max(found, key=len, default=[])
        return [self._wrapping.name, *inner]

    def recognise(self, data: bytes, clock: Clock) -> None:
        """Find out whether lines like these are wrapped."""
        self._wrapping = self._recognised(data, clock)
        if self._wrapping is None:
            self._stream = self._unwrapped()

    def _recognised(self, data: bytes, clock: Clock) -> Wrapping | None:
        sample = [line for line in data.split(b"\n", SAMPLE_LINES * 2) if line.strip()]
        sample = sample[:SAMPLE_LINES]
        for wrapping in WRAPPINGS:
            if not sample or not wrapping.fits(sample):
                continue
            if self._named or wrapping.name == "timestamps":
                # Somebody wants these lines as they are.
                ranked = rank(sample, self._layouts, clock)
                if ranked and not ranked[0].general:
                    return None
            return wrapping
        return None

    def _release(self) -> list[bytes]:
        """Read what was held back for each owner's format to be recognised by."""
        held, self._held = self._held, None
        return self._read_all(held or [])

    def _read_all(self, held: Sequence[_Held]) -> list[bytes]:
        """Read the runs of chunks."""
        own: dict[bytes, list[bytes]] = {}
        for _, _, found in held:
            for key, _, lines in found:
                if key not in self._owners:
                    own.setdefault(key, []).append(lines)
        for key, texts in own.items():
            self._add_owner(key, b"".join(texts), held[0][1])
        done: list[bytes] = []
        for chunk, clock, found in held:
            for key, times, lines in found:
                done += self._read(chunk, key, times, lines, clock)
        return done

    def _read(
        self, chunk: int, key: bytes, times: Sequence[bytes], lines: bytes, clock: Clock
    ) -> list[bytes]:
        """Read lines of one owner, in a row."""
        done: list[bytes] = []
        owner = self._owners.get(key) or self._owners[b""]
        # An event that began long ago would keep everything from being acknowledged.
        self._bytes += len(lines)
        for other in self._owners.values():
            if other is not owner and other.chunks and self._bytes - other.until > _BEHIND:
                done += other.stream.flush(clock)
                other.chunks.clear()
        owner.until = self._bytes
        owner.chunks.append(chunk)
        done += owner.stream.take(lines, LineClock(times, clock) if times[0] else clock)
        while len(owner.chunks) > owner.stream.waiting:
            owner.chunks.popleft()
        return done

    def _add_owner(self, key: bytes, lines: bytes, clock: Clock) -> None:
        if len(self._owners) >= _OWNERS:
            key = b""
            if key in self._owners:
                return
        assert self._wrapping is not None
        keeps = self._wrapping.keeps
        fields = self._wrapping.fields(key.decode("utf-8", "replace"))
        if keeps:
            fields = {**fields_of_path(self._path), **fields}
        stream = WrappedStream(
            self._compiler.knowing(fields),
            self._layouts if self._named else None,
            self._path,
            self._events,
            self._depth + 1,
            _KEPT[self._wrapping.name] if keeps else PLAIN,
        )
        if keeps or stream._depth >= _DEEPEST:
            stream._stream = stream._unwrapped()
        else:
            stream.recognise(lines, clock)
        if stream._stream is not None and lines.count(b"\n") >= _ENOUGH:
            stream._stream.begin(lines.split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES], clock)
        self._owners[key] = _Owner(stream)

    def _unwrapped(self) -> Stream:
        return Stream(self._compiler, self._layouts, self._path, self._events, self._plain)


class _Owner:
    """`chunks`: those whose lines aren't wholly out; `until`: the bytes up to its last line."""

    __slots__ = ("chunks", "stream", "until")

    def __init__(self, stream: WrappedStream) -> None:
        self.stream = stream
        self.chunks: deque[int] = deque()
        self.until = 0
