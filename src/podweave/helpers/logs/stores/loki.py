"""Grafana Loki, and what takes its push requests.

One stream for a Pod: few labels, which are the configuration's, and structured metadata for what
would make too many (the Pod's uid, the file, the node). The line is the application's own, or the
adapter's JSON, as it is.

Loki keeps one of two entries that are alike in time and line, and orders those of an instant as it
likes. So a time that ends at the milliseconds gets the record's place in its file as the digits
behind them: lines that repeat are kept, in their order, and one that is sent again is known again,
also by a sidecar that was started anew.

An entry that is too old is refused together with what it came with, and found by division.
"""

from __future__ import annotations

from binascii import crc32
from itertools import repeat

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.delivery.rows import joined
from podweave.helpers.logs.raw_records import escape
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    a_page_instead,
    describe,
    no_query,
    outcome_of,
)
from podweave.helpers.logs.stores.interface import failed
from podweave.helpers.logs.stores.name_templates import NameTemplate, file_name, pod_values
from podweave.helpers.wire import loki
from podweave.helpers.wire.json_answers import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

LABELS = {"namespace": "{namespace}", "service_name": "{service}"}
"""What Loki's own documentation asks for: who it is, and nothing that changes with every Pod."""

_MILLISECOND = 1_000_000
"""In nanoseconds."""


class Settings(HttpSettings):
    """`labels`: name to template; `tenant` goes as X-Scope-OrgID."""

    __slots__ = ("by_file", "labels", "metadata")

    def __init__(self, section: Section) -> None:
        super().__init__(section, compression="gzip")
        no_query(section, self)
        labels = section.texts("labels") or LABELS
        self.labels = {}
        for name, text in labels.items():
            where = f"{section.at('labels')}.{name}"
            if name != loki.label_name(name):
                raise ConfigurationError(where, "a label's name is letters, digits and _")
            self.labels[name] = NameTemplate(text, where, ("file",))
        self.metadata = section.boolean("structured_metadata", True)
        self.by_file = not self.metadata or any("{file}" in text for text in labels.values())
        """A stream for each file, in place of one for the Pod."""
        tenant = section.text("tenant", "")
        if tenant:
            self.headers.append(("X-Scope-OrgID", tenant))
        self.place = f"{self.url}/{tenant}"


class LokiStore(HttpStore):
    kind = "loki"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._target = "" if settings.url.path.endswith("/push") else loki.PUSH

    def send(self, batch: Batch, done: Done) -> None:
        self.post(self._target, loki.CONTENT_TYPE, self._request(batch), _answered, done)

    def _request(self, batch: Batch) -> list[bytes]:
        settings = self._settings
        values = pod_values(batch.origin)
        about = _Metadata(values)
        times: list[int] = []
        lines: list[bytes] = []
        ends: list[bytes] = []
        paths: list[str] = []
        for piece in batch.pieces:
            path = file_name(piece.path)
            moments, texts, levels = _entries(piece, batch.raw)
            times += moments
            lines += texts
            if settings.metadata:
                ends += map(about.of, levels, repeat(path))
            if settings.by_file:
                paths += [path] * len(texts)
        ordered = sorted(times)
        if ordered != times:
            order = sorted(range(len(times)), key=times.__getitem__)
            lines = [lines[number] for number in order]
            ends = [ends[number] for number in order] if ends else []
            paths = [paths[number] for number in order] if paths else []
        moved = [b"%d" % time for time in loki.distinct(ordered)]
        rows = joined(len(lines), [b'["', moved, b'","', lines, ends or b'"]'])
        streams: dict[str, list[bytes]] = {}
        for path, row in zip(paths, rows, strict=False):
            streams.setdefault(path, []).append(row)
        streams = streams or {"": rows}
        return loki.push((self._labels(values, path), found) for path, found in streams.items())

    def _labels(self, values: dict[str, str], path: str) -> dict[str, str]:
        values = {**values, "file": path}
        labels = {
            name: value
            for name, template in self._settings.labels.items()
            if (value := template.fill(values))
        }
        if not self._settings.metadata:
            labels.setdefault("pod", values["pod"])
            labels.setdefault("filename", path)
        # Loki refuses a stream without any.
        return labels or {"service_name": "unknown_service"}


class _Metadata:
    """Structured metadata, made once for each file and level."""

    def __init__(self, values: dict[str, str]) -> None:
        self._fields = {
            name: values[key]
            for name, key in (("pod", "pod"), ("pod_uid", "uid"), ("node", "node"))
            if values[key]
        }
        self._known: dict[tuple[str, str], bytes] = {}

    def of(self, level: str, path: str) -> bytes:
        """What stands behind the line of an entry."""
        known = self._known.get((level, path))
        if known is None:
            fields = {**self._fields, "filename": path}
            if level:
                fields["level"] = level
            known = self._known[level, path] = b'",%b]' % loki.metadata(fields)
        return known


def _entries(piece: Piece, raw: bool) -> tuple[Sequence[int], list[bytes], Sequence[str]]:
    """Times, lines escaped for JSON, and levels of a piece's records."""
    salt = crc32(piece.identity.encode("utf-8", "surrogateescape"))
    levels: Sequence[str]
    times: Sequence[int]
    if raw:
        lines = piece.quoted()
        levels = [""] * len(lines)
        times = log_records.raw_times(piece)
        if piece.details is None:
            # When it was read: the places order the lines better than the microseconds do.
            read = log_records.read_time(piece)
            begin = read - read % _MILLISECOND
            times = [begin + (place + salt) % _MILLISECOND for place in piece.offsets()]
            return times, lines, levels
    else:
        read = log_records.read_time(piece)
        found = [log_records.time_and_level(line, read) for line in piece.texts()]
        times, levels = [time for time, _ in found], [level for _, level in found]
        lines = escape(piece.data[:-1]).split(b"\n")
    # Once a megabyte the places begin anew, and lines of an instant change order there.
    times = [
        time if time % _MILLISECOND else time + (place + salt) % _MILLISECOND
        for time, place in zip(times, piece.offsets(), strict=True)
    ]
    return times, lines, levels


def _answered(answer: Answer) -> Outcome:
    text = answer.content[:1000].decode("utf-8", "replace")
    text = str((json_object(answer.content) or {}).get("message") or text)
    if answer.status == 400 and "disallowed" in text:
        # Structured metadata is switched off over there: no record is at fault.
        return failed(describe(answer, text))
    if 200 <= answer.status < 300 and (page := a_page_instead(answer)) is not None:
        return page
    return outcome_of(answer, text)


configure = Settings
make = LokiStore
