"""Any receiver of OpenTelemetry's logs, by OTLP over HTTP: protobuf or JSON.

The Pod is the resource, a record's fields are attributes, its message the body. By the
specification only 429, 502, 503 and 504 are tried again, and never a partial success: what the
receiver says it has rejected can't be told from the rest, so it is counted and said. Where the
receiver refuses everybody (401, 403, 404, 407: a token, a path, a proxy) records are held until
somebody mends that. A request that can't be taken (400 and others) becomes dead letters.
"""

from __future__ import annotations

from podweave.helpers.logs.pod_metadata import workload_of
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    a_page_instead,
    describe,
    no_query,
    wait_of,
)
from podweave.helpers.logs.stores.interface import DELIVERED, failed, partly, too_large
from podweave.helpers.wire import otlp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome
    from podweave.helpers.logs.stores.otlp_rows import Rows

PATH = "/v1/logs"
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


class OtlpStore(HttpStore):
    kind = "otlp"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._rows: Rows
        # Imported here: memory is imports.
        if settings.encoding == "json":
            from podweave.helpers.logs.stores.otlp_json_rows import JsonRows

            self._rows, self._content_type = JsonRows(), otlp.JSON
        else:
            from podweave.helpers.logs.stores.otlp_protobuf_rows import ProtobufRows

            self._rows, self._content_type = ProtobufRows(), otlp.PROTOBUF
        # A path is taken for the whole one; some receivers have others.
        self._target = "" if settings.url.path else PATH

    def send(self, batch: Batch, done: Done) -> None:
        self.post(
            self._target,
            self._content_type,
            self._request(batch),
            lambda answer: self._answered(answer, batch.records),
            done,
        )

    def _request(self, batch: Batch) -> list[Block]:
        service: Any = ""
        blocks: list[Block] = []
        for piece in batch.pieces:
            if batch.raw:
                blocks += self._rows.raw(piece)
            else:
                records, named = self._rows.records(piece)
                blocks += records
                service = service or named
        about = {**resource(batch.origin, service), **self._settings.attributes}
        return self._rows.request(about, blocks)

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
            return a_page_instead(answer) or DELIVERED
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


configure = Settings
make = OtlpStore
