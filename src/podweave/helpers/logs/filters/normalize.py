"""`normalize FILE|-`: the adapter as a filter, one JSON record an event on standard output."""

from __future__ import annotations

import os
from collections import Counter

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.filters.arguments import Arguments
from podweave.helpers.logs.filters.input import BrokenArchiveError, changed, chunks
from podweave.helpers.logs.pod_metadata import constants
from podweave.helpers.logs.wrapped_stream import WrappedStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def normalize(arguments: Sequence[str]) -> int:
    """Read to the end; 0. ConfigurationError, OSError; BrokenPipeError when nobody reads."""
    given = Arguments(arguments)
    compiler = Compiler(given.schema, constants(os.environ))
    path = "stdin" if given.path == "-" else os.path.abspath(given.path)
    stream = WrappedStream(compiler, given.layouts, path, Counter())
    broken = None
    written = changed(given.path)
    try:
        for data in chunks(given.path):
            clock = Clock(zone=given.zone, until=written)
            _write(stream.take(data, clock) if data else stream.flush(clock))
    except BrokenArchiveError as error:
        broken = error
    _write(stream.flush(Clock(zone=given.zone, until=written)))
    if broken is not None:
        raise broken
    return 0


def _write(rows: Sequence[bytes]) -> None:
    data = memoryview(b"".join(rows))
    while data:
        data = data[os.write(1, data) :]
