"""Any receiver of OpenTelemetry's logs, by OTLP over HTTP: protobuf or JSON.

The Pod is the resource, a record's fields are attributes, its message the body. By the
specification only 429, 502, 503 and 504 are tried again, and never a partial success: what the
receiver says it has rejected can't be told from the rest, so it is counted and said. Where the
receiver refuses everybody (401, 403, 404, 407: a token, a path, a proxy) records are held until
somebody mends that. A request that can't be taken (400 and others) becomes dead letters.
"""

from __future__ import annotations

from podweave import __version__
from podweave.helpers.logs.pod_metadata import workload_of
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    describe,
    no_query,
    wait_of,
)
from podweave.helpers.logs.stores.interface import DELIVERED, failed, partly, too_large
from podweave.helpers.logs.stores.name_templates import file_name
from podweave.helpers.wire import otlp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

PATH = "/v1/logs"
SCOPE = "podweave"
_MENDABLE = (401, 403, 404, 405, 407)
_MENDABLE_SECONDS = 15.0
"""Between two tries at a receiver that refuses everybody."""


class Settings(HttpSettings):
    """`encoding`: protobuf or json; `attributes`: of the resource, beside the Pod's."""

    __slots__ = ("attributes", "encoding")

    def __init__(self, section: Section) -> None:
        super().__init__(section, compression="gzip")
        no_query(section, self)
        self.encoding = section.text("encoding", "protobuf", among=("protobuf", "json"))
        self.attributes = section.texts("attributes")


def configure(section: Section) -> Settings:
    return Settings(section)


def open(settings: Settings, context: Context) -> OtlpStore:
    return OtlpStore(settings, context)


class OtlpStore(HttpStore):
    kind = "otlp"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        # A path is taken for the whole one; some receivers have others.
        self._target = "" if settings.url.path else PATH

    def send(self, batch: Batch, done: Done) -> None:
        json = self._settings.encoding == "json"
        self.post(
            self._target,
            otlp.JSON if json else otlp.PROTOBUF,
            [self._json(batch) if json else self._protobuf(batch)],
            lambda answer: self._answered(answer, batch.records),
            done,
        )

    def _resource(self, origin: Origin, service: str) -> dict[str, Any]:
        return {**resource(origin, service), **self._settings.attributes}

    def _protobuf(self, batch: Batch) -> bytes:
        service = ""
        if batch.raw:
            records = b"".join([_raw_records(piece) for piece in batch.pieces])
        else:
            parts = []
            for record, read in _records(batch):
                service = service or record.attributes.get("service.name", "")
                parts.append(
                    otlp.protobuf_record(
                        record.time,
                        read,
                        record.body,
                        record.severity,
                        record.level,
                        record.attributes,
                        otlp.read_id(record.trace, 16),
                        otlp.read_id(record.span, 8),
                    )
                )
            records = otlp.protobuf_records(parts)
        about = self._resource(batch.origin, service)
        return otlp.protobuf_request(about, SCOPE, __version__, records)

    def _json(self, batch: Batch) -> bytes:
        service = ""
        records = []
        for record, read in _records(batch):
            service = service or record.attributes.get("service.name", "")
            records.append(
                otlp.json_record(
                    record.time,
                    read,
                    record.body,
                    record.severity,
                    record.level,
                    record.attributes,
                    otlp.read_id(record.trace, 16),
                    otlp.read_id(record.span, 8),
                )
            )
        about = self._resource(batch.origin, service)
        return otlp.json_request(about, SCOPE, __version__, records)

    def _answered(self, answer: Answer, count: int) -> Outcome:
        kind = answer.value("content-type") or otlp.JSON
        if 200 <= answer.status < 300:
            return self._succeeded(answer, kind)
        reason = describe(answer, otlp.status_message(kind, answer.content))
        if answer.status in otlp.RETRIED:
            return failed(reason, wait_of(answer))
        if answer.status == 413:
            return too_large(reason)
        if answer.status in _MENDABLE or answer.status < 400:
            return failed(reason, _MENDABLE_SECONDS)
        return partly([], [(number, reason) for number in range(count)], reason)

    def _succeeded(self, answer: Answer, kind: str) -> Outcome:
        try:
            rejected, message = otlp.partial_success(kind, answer.content)
        except ValueError:
            # It has succeeded all the same; some receivers answer with words of their own.
            return DELIVERED
        if rejected > 0:
            self.dropped_records += rejected
        if rejected > 0 or message:
            self._context.journal.warning(
                "store.partial_success",
                store=self._context.name,
                rejected_records=rejected,
                message=message or "the receiver has not said why",
            )
        return DELIVERED


def resource(origin: Origin, service: str) -> dict[str, Any]:
    """The Pod in OpenTelemetry's semantic conventions."""
    pod = origin.kubernetes.get("pod") or {}
    attributes = {
        "service.name": service or workload_of(origin.pod),
        "k8s.namespace.name": origin.kubernetes.get("namespace"),
        "k8s.pod.name": origin.pod,
        "k8s.pod.uid": pod.get("uid"),
        "k8s.pod.ip": pod.get("ip"),
        "k8s.node.name": origin.node,
    }
    for name, value in (pod.get("labels") or {}).items():
        attributes[f"k8s.pod.label.{name}"] = str(value)
    return {name: value for name, value in attributes.items() if value}


def _about(path: str) -> dict[str, Any]:
    return {"log.file.path": file_name(path)}


def _raw_records(piece: Piece) -> bytes:
    lines = piece.lines()
    if not piece.data.isascii():
        lines = [_utf8(line) for line in lines]
    read = log_records.read_time(piece)
    about = _about(piece.path)
    if piece.details is None:
        return otlp.protobuf_raw_records(lines, read, about)
    return otlp.protobuf_records(
        otlp.protobuf_record(time, read, line, 0, "", _with_stream(about, stream))
        for time, line, (_, stream) in zip(
            log_records.raw_times(piece), lines, piece.details, strict=True
        )
    )


def _with_stream(about: dict[str, Any], stream: bytes) -> dict[str, Any]:
    return {**about, "log.iostream": stream.decode("latin-1")} if stream else about


def _utf8(line: bytes) -> bytes:
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("utf-8", "backslashreplace").encode()
    return line


def _records(batch: Batch) -> list[tuple[log_records.LogRecord, int]]:
    if not batch.raw:
        return [
            (log_records.log_record(document, read), read)
            for document, read in log_records.documents(batch)
        ]
    records = []
    for piece in batch.pieces:
        read = log_records.read_time(piece)
        about = _about(piece.path)
        streams = [stream for _, stream in piece.details or ()] or [b""] * piece.count()
        for time, line, stream in zip(
            log_records.raw_times(piece), piece.lines(), streams, strict=True
        ):
            record = log_records.LogRecord(time, line.decode("utf-8", "backslashreplace"))
            record.attributes = _with_stream(about, stream)
            records.append((record, read))
    return records
