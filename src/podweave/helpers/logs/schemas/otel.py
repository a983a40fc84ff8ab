"""OpenTelemetry's log data model, one log record as one JSON object.

Named fields are those of the specification (opentelemetry.io/docs/specs/otel/logs/data-model);
names in Resource and Attributes are those of the semantic conventions. Times are nanoseconds
since the epoch, as texts: a JSON number can't hold 64 bits everywhere. Fields of the
application's own are attributes, nested ones by dotted names.
"""

from __future__ import annotations

from podweave.helpers.logs.schemas.schema import (
    SPREAD,
    Attributes,
    Derived,
    Field,
    Schema,
    Time,
)
from podweave.helpers.logs.schemas.values import (
    compact,
    flattened,
    lower,
    protocol,
    tls_protocol,
    tls_version,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEVERITY_NUMBERS = {
    "trace": 1,
    "debug": 5,
    "info": 9,
    "notice": 10,
    "warn": 13,
    "error": 17,
    "fatal": 21,
}
"""The data model's SeverityNumber; `notice` is INFO2, as the mapping of syslog has it."""


def _number(level: str) -> int | None:
    return SEVERITY_NUMBERS.get(level)


def _hex_id(length: int) -> Any:
    def identifier(text: str) -> str | None:
        digits = text.lower()
        right = len(text) == length and not digits.strip("0123456789abcdef")
        return digits if right and digits.strip("0") else None

    return identifier


def _no_hex_id(length: int) -> Any:
    """The text, where the data model's own field can't have it."""
    right = _hex_id(length)
    return lambda text: text if right(text) is None else None


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for key, item in flattened(attributes, ".").items():
        if isinstance(item, list) and any(isinstance(part, dict | list) for part in item):
            item = compact(item)
        made[key] = item
    return made


def _upper(level: str) -> str:
    return level.upper()


def _list(text: str) -> list[str]:
    return [text]


OTEL = Schema(
    "otel",
    [
        ("Timestamp", Time(str, "", "", digits=9)),
        ("SeverityText", Derived("level", _upper)),
        ("SeverityNumber", Derived("level", _number)),
        ("Body", Field("message")),
        ("TraceId", Derived("trace_id", _hex_id(32))),
        ("SpanId", Derived("span_id", _hex_id(16))),
        ("InstrumentationScope/Name", Field("logger")),
        ("Resource/service.name", Field("service_name")),
        ("Resource/service.version", Field("service_version")),
        ("Resource/deployment.environment.name", Field("environment")),
        ("Resource/k8s.namespace.name", Field("pod_namespace")),
        ("Resource/k8s.pod.name", Field("pod_name")),
        ("Resource/k8s.pod.uid", Field("pod_uid")),
        ("Resource/k8s.pod.ip", Field("pod_ip")),
        ("Resource/k8s.node.name", Field("node_name")),
        ("Resource/host.name", Field("host")),
        ("Resource/container.id", Field("container_id")),
        ("Resource/container.name", Field("container_name")),
        ("Resource/container.image.name", Field("container_image")),
        ("Resource/cloud.account.id", Field("cloud_account")),
        ("Resource/cloud.region", Field("cloud_region")),
        ("Attributes/log.file.path", Field("log_path")),
        ("Attributes/log.iostream", Field("stream")),
        ("Attributes/thread.id", Field("thread_id")),
        ("Attributes/thread.name", Field("thread")),
        ("Attributes/process.pid", Field("pid")),
        ("Attributes/process.parent_pid", Field("parent_pid")),
        ("Attributes/process.executable.name", Field("process")),
        ("Attributes/process.executable.path", Field("executable")),
        ("Attributes/process.command_line", Field("command_line")),
        ("Attributes/process.working_directory", Field("working_directory")),
        ("Attributes/process.exit.code", Field("exit_code")),
        ("Attributes/code.function.name", Field("function")),
        ("Attributes/code.file.path", Field("file")),
        ("Attributes/code.line.number", Field("line")),
        ("Attributes/client.address", Field("source_address")),
        ("Attributes/client.port", Field("source_port")),
        ("Attributes/destination.address", Field("destination_address")),
        ("Attributes/destination.port", Field("destination_port")),
        ("Attributes/server.address", Field("server_name")),
        ("Attributes/network.transport", Derived("network_transport", lower)),
        ("Attributes/network.protocol.name", Derived("network_protocol", protocol)),
        ("Attributes/network.protocol.version", Field("http_version")),
        ("Attributes/network.type", Derived("network_type", lower)),
        ("Attributes/network.io.direction", Field("network_direction")),
        ("Attributes/http.request.method", Field("method")),
        ("Attributes/http.request.size", Field("request_bytes")),
        ("Attributes/http.request.body.size", Field("request_body_bytes")),
        ("Attributes/http.response.status_code", Field("status")),
        ("Attributes/http.response.size", Field("response_bytes")),
        ("Attributes/http.response.body.size", Field("response_body_bytes")),
        ("Attributes/http.request.header.referer", Derived("referrer", _list)),
        ("Attributes/http.request.header.x-request-id", Derived("request_id", _list)),
        ("Attributes/http.request.header.content-type", Derived("request_content_type", _list)),
        ("Attributes/http.response.header.content-type", Derived("response_content_type", _list)),
        ("Attributes/url.original", Field("url")),
        ("Attributes/url.full", Field("url_full")),
        ("Attributes/url.scheme", Field("url_scheme")),
        ("Attributes/url.path", Field("url_path")),
        ("Attributes/url.query", Field("url_query")),
        ("Attributes/user_agent.original", Field("user_agent")),
        ("Attributes/user.name", Field("user")),
        ("Attributes/user.id", Field("user_id")),
        ("Attributes/session.id", Field("session_id")),
        ("Attributes/tls.protocol.version", Derived("tls_version", tls_version)),
        ("Attributes/tls.protocol.name", Derived("tls_version", tls_protocol)),
        ("Attributes/tls.cipher", Field("tls_cipher")),
        ("Attributes/tls.client.server_name", Field("tls_server_name")),
        ("Attributes/dns.question.name", Field("dns_question_name")),
        ("Attributes/db.system.name", Field("db_system")),
        ("Attributes/db.namespace", Field("db_name")),
        ("Attributes/db.collection.name", Field("db_collection")),
        ("Attributes/db.operation.name", Field("db_operation")),
        ("Attributes/db.query.text", Field("db_statement")),
        ("Attributes/db.response.returned_rows", Field("db_rows")),
        ("Attributes/messaging.system", Field("messaging_system")),
        ("Attributes/messaging.destination.name", Field("queue")),
        ("Attributes/messaging.consumer.group.name", Field("consumer_group")),
        ("Attributes/messaging.client.id", Field("client_id")),
        ("Attributes/exception.type", Field("error_type")),
        ("Attributes/exception.message", Field("error_message")),
        ("Attributes/exception.stacktrace", Field("stack_trace")),
        ("Attributes/trace_id", Derived("trace_id", _no_hex_id(32))),
        ("Attributes/span_id", Derived("span_id", _no_hex_id(16))),
        (f"Attributes/{SPREAD}", Attributes(_attributes)),
    ],
)
