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

import json
from binascii import crc32

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.raw_records import escape
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    describe,
    no_query,
    outcome_of,
)
from podweave.helpers.logs.stores.interface import failed
from podweave.helpers.logs.stores.name_templates import NameTemplate, file_name, pod_values
from podweave.helpers.wire import loki

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

LABELS = {"namespace": "{namespace}", "service_name": "{service}"}
"""What Loki's own documentation asks for: who it is, and nothing that changes with every Pod."""

_MILLISECOND = 1_000_000
"""In nanoseconds."""

# (time, line escaped for JSON, level, path)
_Entry = tuple[int, bytes, str, str]


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


def configure(section: Section) -> Settings:
    return Settings(section)


def open(settings: Settings, context: Context) -> LokiStore:
    return LokiStore(settings, context)


class LokiStore(HttpStore):
    kind = "loki"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._target = "" if settings.url.path.endswith("/push") else loki.PUSH

    def send(self, batch: Batch, done: Done) -> None:
        self.post(self._target, loki.CONTENT_TYPE, [self._request(batch)], _answered, done)

    def _request(self, batch: Batch) -> bytes:
        settings = self._settings
        values = pod_values(batch.origin)
        entries = _entries(batch)
        entries.sort(key=_time_of)
        times = loki.distinct([entry[0] for entry in entries])
        about = _Metadata(values)
        streams: dict[str, list[bytes]] = {}
        for time, (_, line, level, path) in zip(times, entries, strict=True):
            value = loki.value(time, line, about.of(level, path) if settings.metadata else b"")
            streams.setdefault(path if settings.by_file else "", []).append(value)
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
        known = self._known.get((level, path))
        if known is None:
            fields = {**self._fields, "filename": path}
            if level:
                fields["level"] = level
            known = self._known[level, path] = loki.metadata(fields)
        return known


def _entries(batch: Batch) -> list[_Entry]:
    entries: list[_Entry] = []
    for piece in batch.pieces:
        path = file_name(piece.path)
        salt = crc32(piece.identity.encode("utf-8", "surrogateescape"))
        places = piece.offsets()
        if batch.raw:
            levels = [""] * len(places)
            times = log_records.raw_times(piece)
            if piece.details is None:
                # When it was read: the places order the lines better than the microseconds do.
                times = [time - time % _MILLISECOND for time in times]
            lines = piece.quoted()
        else:
            read = log_records.read_time(piece)
            found = [
                log_records.time_and_level(line, read) for line in piece.data[:-1].split(b"\n")
            ]
            times, levels = [time for time, _ in found], [level for _, level in found]
            lines = escape(piece.data[:-1]).split(b"\n")
        for time, place, line, level in zip(times, places, lines, levels, strict=True):
            # Once a megabyte the places begin anew, and lines of an instant change order there.
            if not time % _MILLISECOND:
                time += (place + salt) % _MILLISECOND
            entries.append((time, line, level, path))
    return entries


def _time_of(entry: _Entry) -> int:
    return entry[0]


def _answered(answer: Answer) -> Outcome:
    text = answer.content[:1000].decode("utf-8", "replace")
    if text.startswith("{"):
        try:
            text = str(json.loads(answer.content).get("message") or text)
        except (ValueError, RecursionError):
            pass
    if answer.status == 400 and "disallowed" in text:
        # Structured metadata is switched off over there: no record is at fault.
        return failed(describe(answer, text))
    return outcome_of(answer, text)
