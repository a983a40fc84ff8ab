"""Splunk, by the HTTP Event Collector: events or raw lines, acknowledged when they are indexed.

With acknowledgement (the default) a batch is delivered when Splunk says that it is indexed, which
takes seconds: several batches are under way meanwhile. A token without acknowledgement is noticed
by its answers and said once; then "received" is all there is to know.

Splunk has no event without text: empty lines are not sent.
"""

from __future__ import annotations

import json
import os
import re

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.delivery.rows import between
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    describe,
    no_query,
    outcome_of,
)
from podweave.helpers.logs.stores.interface import DELIVERED, failed, partly, refused
from podweave.helpers.logs.stores.name_templates import NameTemplate, file_name, pod_values
from podweave.helpers.logs.stores.settings import read_secret
from podweave.helpers.logs.stores.splunk_acknowledgements import Acknowledgements
from podweave.helpers.wire import splunk_hec as hec
from podweave.helpers.wire.urls import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

WINDOW = 8
ACKNOWLEDGE_SECONDS = 120.0
"""How long Splunk may take to index before a batch is sent again."""
_BEGIN = b'{"@timestamp":"'
_METADATA = ("host", "source", "sourcetype")
_STRING = rb'"(?:[^"\\]|\\.)*"'
_OWN = re.compile(
    rb'\{"time":([0-9]{1,12}(?:\.[0-9]{1,9})?)'
    + b"".join(b'(?:,"%b":(%b))?' % (name.encode(), _STRING) for name in _METADATA)
    + rb',((?!"(?:event|host|source|sourcetype)":).+)\}'
)


class Settings(HttpSettings):
    """`endpoint`: event or raw. index, source, sourcetype and host are Splunk's own words."""

    __slots__ = (
        "acknowledge",
        "acknowledge_seconds",
        "endpoint",
        "host",
        "index",
        "source",
        "sourcetype",
    )

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        no_query(section, self)
        if not self.token:
            raise ConfigurationError(section.path, "lacks the token")
        if self.compression == "zstd":
            raise ConfigurationError(section.at("compression"), "Splunk takes gzip, not zstd")
        self.endpoint = section.text("endpoint", "event", among=("event", "raw"))
        self.acknowledge = section.boolean("acknowledgement", True)
        self.acknowledge_seconds = section.seconds(
            "acknowledgement_timeout", ACKNOWLEDGE_SECONDS, 3600.0, 1.0
        )
        self.index = _template(section, "index", "")
        self.source = _template(section, "source", "")
        self.sourcetype = _template(section, "sourcetype", "")
        self.host = _template(section, "host", "{pod}")
        self.place = f"{self.url}/{self.index.text}"


def _template(section: Section, key: str, default: str) -> NameTemplate:
    return NameTemplate(section.text(key, default), section.at(key))


class SplunkStore(HttpStore):
    kind = "splunk"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._channel = _guid()
        self._warned = False
        if settings.acknowledge:
            self.window = WINDOW
        self._acknowledgements = Acknowledgements(
            context.loop, self._ask, settings.acknowledge_seconds
        )

    def send(self, batch: Batch, done: Done) -> None:
        raw = self._settings.endpoint == "raw"
        content, numbers = self._lines(batch) if raw else self._events(batch)
        if not numbers:
            done(DELIVERED)
            return
        target = self._raw_target(batch.origin) if raw else hec.EVENTS
        self.post(
            target,
            "text/plain; charset=utf-8" if raw else "application/json",
            content,
            lambda answer: self._answered(answer, numbers, done),
            done,
            # The raw endpoint has no answer without a channel.
            fields=[(hec.CHANNEL, self._channel)] if self._settings.acknowledge or raw else [],
        )

    def authorization(self) -> list[tuple[str, str]]:
        token = read_secret(self._http.token)
        return [("Authorization", f"Splunk {token.decode('latin-1')}")]

    def close(self) -> None:
        self._acknowledgements.close()
        super().close()

    # Requests

    def _lines(self, batch: Batch) -> tuple[list[Block], list[int]]:
        return batch.untouched(), list(range(batch.records))

    def _raw_target(self, origin: Origin) -> str:
        fields = {"channel": self._channel, **self._names(origin, "")}
        query = "&".join(f"{name}={quote(value)}" for name, value in fields.items() if value)
        return f"{hec.RAW}?{query}"

    def _names(self, origin: Origin, path: str) -> dict[str, str]:
        """host, source, sourcetype, index, those that are known."""
        values = pod_values(origin)
        settings = self._settings
        return {
            "host": settings.host.fill(values),
            "source": settings.source.fill(values) or path,
            "sourcetype": settings.sourcetype.fill(values),
            "index": settings.index.fill(values),
        }

    def _events(self, batch: Batch) -> tuple[list[Block], list[int]]:
        """Events, and the number of the record that each one is of."""
        fields = _indexed_fields(batch.origin)
        content: list[Block] = []
        numbers: list[int] = []
        first = 0
        for piece in batch.pieces:
            names = {**self._names(batch.origin, file_name(piece.path)), "fields": fields}
            count = piece.count()
            if batch.raw and piece.details is None and not _has_empty(piece.data):
                time = hec.seconds(log_records.read_time(piece))
                content += between(piece.escaped(), *hec.around_text(time, hec.constants(names)))
                numbers += range(first, first + count)
            elif batch.raw:
                values = piece.quoted()
                kept = [number for number, value in enumerate(values) if value]
                times = log_records.raw_times(piece)
                chosen = [hec.seconds(times[number]) for number in kept]
                quoted = [b'"%b"' % values[number] for number in kept]
                content.append(hec.events(chosen, hec.constants(names), quoted))
                numbers += [first + number for number in kept]
            else:
                content.append(_records(piece, names))
                numbers += range(first, first + count)
            first += count
        return content, numbers

    # Answers

    def _answered(self, answer: Answer, numbers: list[int], done: Done) -> Outcome | None:
        try:
            reply = hec.read_reply(answer.content)
        except ValueError as error:
            if answer.status == 200:
                return failed(str(error))
            return failed(describe(answer)) if answer.status == 400 else outcome_of(answer)
        if answer.status == 200:
            if reply.acknowledgement >= 0 and self._settings.acknowledge:
                self._acknowledgements.wait_for(reply.acknowledgement, done)
                return None
            if self._settings.acknowledge and not self._warned:
                self._warned = True
                self._context.journal.warning(
                    "store.unacknowledged",
                    store=self._context.name,
                    message="the token has no indexer acknowledgement: received counts as stored",
                )
            return DELIVERED
        reason = f"code {reply.code} {reply.text}"
        if answer.status == 400 and reply.code not in hec.OF_A_RECORD:
            # An index, a channel, a setting of the token: somebody mends it.
            return failed(describe(answer, reason))
        if answer.status == 400 and 0 <= reply.event < len(numbers):
            if len(numbers) == 1:
                return refused(describe(answer, reason))
            wrong = numbers[reply.event]
            again = [number for number in numbers if number != wrong]
            return partly(again, [(wrong, reason)], describe(answer, reason))
        return outcome_of(answer, reason)

    def _ask(self, ids: list[int], told: Any) -> None:
        """Ask which are indexed; `told` gets the set, or None when nobody could be asked."""

        def answered(answer: Answer) -> None:
            try:
                told(hec.read_acknowledged(answer.content) if answer.status == 200 else None)
            except ValueError:
                told(None)

        self.post(
            f"{hec.ACKNOWLEDGEMENTS}?channel={self._channel}",
            "application/json",
            [hec.question(ids)],
            answered,
            lambda outcome: told(None),
            fields=[(hec.CHANNEL, self._channel)],
            packed=True,
        )


def _guid() -> str:
    """A random UUID (RFC 9562, version 4)."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _indexed_fields(origin: Origin) -> dict[str, str]:
    fields = {
        "namespace": origin.namespace,
        "pod": origin.pod,
        "pod_uid": (origin.kubernetes.get("pod") or {}).get("uid", ""),
        "node": origin.node,
    }
    return {name: value for name, value in fields.items() if value}


def _has_empty(data: bytes) -> bool:
    """A line of nothing, of which Splunk makes no event."""
    return data.startswith(b"\n") or b"\n\n" in data


def _records(piece: Piece, names: dict[str, Any]) -> bytes:
    """Events of records that are JSON: the record is the event."""
    constant = hec.constants(names)
    lines = piece.data[:-1].split(b"\n")
    times = []
    for line in lines:
        time = None
        if line.startswith(_BEGIN):
            end = line.find(b'"', 15)
            time = log_records.nanoseconds(line[15:end].decode("latin-1"))
        if time is None:
            break
        times.append(hec.seconds(time))
    if len(times) == len(lines):
        return hec.events(times, constant, lines)
    read = log_records.read_time(piece)
    return b"".join([_own_event(line, names) or _record(line, names, read) for line in lines])


def _own_event(line: bytes, names: dict[str, Any]) -> bytes:
    """The event of a record in Splunk's schema, whose metadata come first; else nothing."""
    match = _OWN.fullmatch(line)
    if match is None:
        return b""
    time, *metadata, rest = match.groups()
    known = dict(zip(_METADATA, metadata, strict=True))
    left = {name: value for name, value in names.items() if not known.get(name)}
    own = b"".join(b'"%b":%b,' % (name.encode(), value) for name, value in known.items() if value)
    constant = hec.constants(left)
    comma = b"," if constant else b""
    return b'{"time":%b,%b%b%b"event":{%b}}\n' % (time, own, constant, comma, rest)


def _is_event(document: Any) -> bool:
    """Whether a record is Splunk's own event already, and not one with a few of its names."""
    return (
        isinstance(document, dict)
        and "event" in document
        and "time" in document
        and isinstance(document.get("fields"), dict | None)
    )


def _record(line: bytes, names: dict[str, Any], read: int) -> bytes:
    """One event the long way; records that are Splunk's events already keep what they say."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = line.decode("utf-8", "backslashreplace")
    if _is_event(document):
        fields = {**names["fields"], **(document.get("fields") or {})}
        event = {**{key: value for key, value in names.items() if value}, **document}
        event["fields"] = fields
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"
    time = log_records.log_record(document, read).time
    value = line if not isinstance(document, str) else json.dumps(document).encode()
    return hec.events([hec.seconds(time)], hec.constants(names), [value])


configure = Settings
make = SplunkStore
