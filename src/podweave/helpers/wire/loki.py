"""Grafana Loki's push protocol as JSON, without I/O.

    POST /loki/api/v1/push
    {"streams":[{"stream":{"label":"value"},"values":[["NANOSECONDS","line",{"name":"text"}],…]}]}

A stream is a set of labels; each set costs Loki an index entry, so there should be few. Names of
labels are [a-zA-Z_][a-zA-Z0-9_]*. The third member of a value, structured metadata, needs Loki 3
(schema v13). Loki keeps one of two entries of a stream that are alike in time and line.
https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from __future__ import annotations

import json
from itertools import islice
from operator import lt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PUSH = "/loki/api/v1/push"
CONTENT_TYPE = "application/json"


def label_name(name: str) -> str:
    """The name with what a label's name can't have replaced by underscores."""
    clean = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
    return f"_{clean}" if clean[:1].isdigit() or not clean else clean


def distinct(times: Sequence[int]) -> list[int]:
    """Times in which an entry that is not later than the one before it gets the next nanosecond,
    as long as that moves it by less than a millisecond: Loki would drop a line that is repeated
    in the same instant, and order the lines of an instant as it likes."""
    if all(map(lt, times, islice(times, 1, None))):
        return [*times]
    result: list[int] = []
    before = 0
    for time in times:
        moved = before + 1
        before = moved if time < moved < time + 1_000_000 else time
        result.append(before)
    return result


def metadata(fields: dict[str, str]) -> bytes:
    """Structured metadata as JSON; its values must be texts."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def push(streams: Iterable[tuple[dict[str, str], Sequence[bytes]]]) -> list[bytes]:
    """The request, in pieces: labels and, in the order of their times, entries of each stream,
    which are `["NANOSECONDS","LINE"]` or `["NANOSECONDS","LINE",METADATA]`."""
    pieces: list[bytes] = []
    begin = b'{"streams":[{"stream":'
    for labels, values in streams:
        pieces += [b'%b%b,"values":[' % (begin, metadata(labels)), b",".join(values)]
        begin = b']},{"stream":'
    return [*pieces, b"]}]}"]
