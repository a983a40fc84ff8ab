"""Requests of the OpenTelemetry protocol, cut into requests of one record each, as text.

Only requests that are written as the protocol's own libraries write them are cut; each piece is
read as any line is, so that what isn't such a request isn't taken for one.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RECORDS = b'"logRecords":['
_SCOPES = b'"scopeLogs":['
_BEGIN = b'{"resourceLogs":['
_CLOSED = b"}]}]}]}"
_NEXT = re.compile(rb'\},\{(?="(?:timeUnixNano|observedTimeUnixNano)":)')
_SEVERAL = re.compile(
    rb'\}, ?\{ ?(?="(?:timeUnixNano|observedTimeUnixNano|scope|logRecords|resource|scopeLogs)":)'
)
_SCHEMA = rb'(?:,"schemaUrl":"[^"\\]*+")?'
_SCOPE_END = re.compile(rb"\}\]" + _SCHEMA + rb"\}\Z")
_RESOURCE_END = re.compile(rb"\}\]" + _SCHEMA + rb"\}\]" + _SCHEMA + rb"\}\Z")
_END = re.compile(rb"\}\]" + _SCHEMA + rb"\}\]" + _SCHEMA + rb"\}\]\}\Z")
_LONGEST_END = 1000
_MOST = 2 << 20
"""Bytes of all heads; see otlp_layout."""


def packed(data: bytes) -> bool:
    """Lines among these may have more than one record."""
    return _SEVERAL.search(data) is not None


def cut(line: bytes) -> Iterable[bytes]:
    """The line itself where it has one record; nothing where it can't be cut."""
    first, *runs = line.split(_RECORDS)
    if not runs or (len(runs) == 1 and _NEXT.search(line) is None):
        return (line,)
    if not first.startswith(_BEGIN):
        return ()
    head = first
    groups: list[tuple[bytes, list[bytes]]] = []
    heads = 0
    for number, run in enumerate(runs, start=1):
        following = b""
        if number == len(runs):
            end = _ended(_END, run)
        else:
            end, following = _followed(run, head)
        if end < 1 or not run.startswith(b"{"):
            return ()
        records = _NEXT.split(run[1:end])
        heads += len(head) * len(records)
        if heads > _MOST:
            return ()
        groups.append((head, records))
        head = following
    return _pieces(groups)


def _pieces(groups: list[tuple[bytes, list[bytes]]]) -> Iterator[bytes]:
    # One after the other: all of them may be many times the line.
    for head, records in groups:
        for record in records:
            yield b"%b%b{%b%b" % (head, _RECORDS, record, _CLOSED)


def _ended(ending: re.Pattern[bytes], text: bytes) -> int:
    """Where the last record's brace is, if the text ends so; else -1."""
    match = ending.search(text, max(0, len(text) - _LONGEST_END))
    return -1 if match is None else match.start()


def _followed(run: bytes, head: bytes) -> tuple[int, bytes]:
    """The end of records that others follow, and the head of those."""
    scope = run.rfind(b'{"scope":{')
    if scope < 0 or run.endswith(b"{"):
        scope = len(run) - 1
    before = run[:scope]
    if not before.endswith(_SCOPES):
        shared = head[: head.rfind(_SCOPES) + len(_SCOPES)]
        return _ended(_SCOPE_END, before[:-1]), shared + run[scope:]
    resource = before.rfind(b'{"resource":{')
    if resource < 0:
        return -1, b""
    return _ended(_RESOURCE_END, before[: resource - 1]), _BEGIN + run[resource:]
