"""One entry of the adapter's configuration at work: files in, rows out, nothing lost between.

A chunk is acknowledged when all of its events are out: the last one is held back for lines that
may join it, until more comes or the file was quiet for QUIET seconds.
"""

from __future__ import annotations

from collections import Counter, deque

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.wrapped_stream import WrappedStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.chunks import Chunk
    from podweave.helpers.logs.followed_file import FollowedFile
    from podweave.helpers.logs.outputs.interface import Output
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps
    from podweave.helpers.logs.tail import Tail
    from podweave.helpers.logs.zones import Zone

READ = 64 * 1024
"""Bytes of a turn: large enough for the compiled way, small enough for the memory's ceiling."""
TURNS = 4
QUIET = 0.2
PARTS = 5.0
"""Seconds after which the rest of a line is given up, of which a container's runtime has written
a part: it writes them at once."""


class _Lines:
    """A file's stream, its chunks that aren't acknowledged, and when it is flushed next."""

    __slots__ = ("chunks", "flush_at", "flushed", "stream")

    def __init__(self, stream: WrappedStream) -> None:
        self.stream = stream
        self.chunks: deque[Chunk] = deque()
        self.flush_at = 0.0
        self.flushed = False


class Route:
    """`layouts` None: recognise them for each file. `zone`: of timestamps that name none."""

    def __init__(
        self,
        name: str,
        source: Tail,
        outputs: Sequence[Output],
        schema: Schema,
        layouts: Sequence[Any] | None,
        constants: dict[str, str],
        zone: Zone | None = None,
        steps: Steps | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self.outputs = outputs
        self.events: Counter[str] = Counter()
        self.bytes = 0
        self.steps = steps
        self._zone = zone
        self._compiler = Compiler(schema, constants, steps)
        self._layouts = layouts
        self._files: dict[FollowedFile, _Lines] = {}
        self._done: list[Chunk] = []

    def turn(self, now: float) -> None:
        """Read a little, as far as the outputs take it, and let go of what was held for long."""
        for _ in range(TURNS):
            ready = self._ready()
            chunks = self.source.read(READ if ready else 0)
            for chunk in chunks:
                self._feed(chunk, now)
            if not chunks:
                break
        if self._ready():
            self._flush(now)
        self._acknowledge()

    def wait(self, now: float) -> float:
        """Seconds until the next turn is worth it."""
        pending = [output.wait() for output in self.outputs if output.pending]
        if pending:
            return max(0.001, min(pending))
        if any(output.full() for output in self.outputs):
            return 0.02
        wait = self.source.next_poll()
        for lines in self._files.values():
            if lines.stream.waiting:
                wait = min(wait, max(0.0, lines.flush_at - now))
        return wait

    @property
    def finished(self) -> bool:
        """After the source's `finish`: everything is read, written and acknowledged."""
        return (
            self.source.finished
            and not any(lines.chunks for lines in self._files.values())
            and not self._done
        )

    def _ready(self) -> bool:
        for output in self.outputs:
            if output.pending:
                output.pump()
        return not any(output.pending or output.full() for output in self.outputs)

    def _feed(self, chunk: Chunk, now: float) -> None:
        lines = self._files.get(chunk.file)
        if lines is None:
            lines = self._files[chunk.file] = _Lines(self._stream(chunk.file.path))
        lines.chunks.append(chunk)
        lines.flush_at = now + QUIET
        lines.flushed = False
        clock = Clock(zone=self._zone, until=chunk.file.modified / 1e9 or None)
        self._write(lines.stream.take(chunk.data, clock))
        self._settle(lines)

    def _flush(self, now: float) -> None:
        ended = []
        over = self.source.finished
        for file, lines in self._files.items():
            ended_here = over or file.ended
            if lines.stream.waiting and (ended_here or now >= lines.flush_at):
                clock = Clock(zone=self._zone)
                self._write(lines.stream.flush(clock, ended_here or lines.flushed))
                lines.flush_at = now + PARTS
                lines.flushed = True
            self._settle(lines)
            if file.ended and not lines.chunks:
                ended.append(file)
        for file in ended:
            del self._files[file]

    def _settle(self, lines: _Lines) -> None:
        while len(lines.chunks) > lines.stream.waiting:
            self._done.append(lines.chunks.popleft())

    def _acknowledge(self) -> None:
        if self._done and not any(output.pending for output in self.outputs):
            for chunk in self._done:
                self.source.acknowledge(chunk)
            self._done.clear()

    def _write(self, rows: list[bytes]) -> None:
        data = b"".join(rows)
        self.bytes += len(data)
        for output in self.outputs:
            output.write(data)

    def _stream(self, path: str) -> WrappedStream:
        return WrappedStream(self._compiler, self._layouts, path, self.events)
