"""Elastic Common Schema 9, as nested objects.

Kubernetes metadata stand where Elastic's own agents put them. Fields of the application's own
go to `labels`, which takes no objects: nested ones are flattened, their names joined by `_`.
"""

from __future__ import annotations

from podweave.helpers.logs.schemas.schema import (
    Attributes,
    Constant,
    Derived,
    Either,
    Field,
    Schema,
    Time,
)
from podweave.helpers.logs.schemas.values import (
    ONLY_IPV4,
    compact,
    flattened,
    ip,
    iso_seconds,
    lower,
    mac,
    nanoseconds,
    outcome,
    protocol,
    put,
    tls_protocol,
    tls_version,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _labels(attributes: dict[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    for key, item in flattened(attributes, "_").items():
        if isinstance(item, list) and any(isinstance(part, dict | list) for part in item):
            item = compact(item)
        put(labels, key.replace(".", "_"), item)
    return labels


def _outcome(said: str) -> str | None:
    word = said.lower()
    return word if word in ("success", "failure", "unknown") else None


ECS = Schema(
    "ecs",
    [
        ("@timestamp", Time(iso_seconds, ".", "Z")),
        ("log/level", Field("level")),
        ("log/logger", Field("logger")),
        ("log/origin/function", Field("function")),
        ("log/origin/file/name", Field("file")),
        ("log/origin/file/line", Field("line")),
        ("log/syslog/priority", Field("priority")),
        ("log/syslog/facility/code", Field("facility")),
        ("log/syslog/severity/code", Field("severity")),
        ("log/syslog/msgid", Field("message_id")),
        ("log/file/path", Field("log_path")),
        ("message", Field("message")),
        ("ecs/version", Constant("9.0.0")),
        ("event/dataset", Field("format")),
        ("event/outcome", Either(Derived("event_outcome", _outcome), Derived("status", outcome))),
        ("event/id", Field("event_id")),
        ("event/code", Field("event_code")),
        ("event/action", Field("event_action")),
        ("event/provider", Field("event_provider")),
        ("event/sequence", Field("event_sequence")),
        ("event/duration", Derived("duration", nanoseconds)),
        ("http/request/id", Field("request_id")),
        ("http/request/method", Field("method")),
        ("http/request/referrer", Field("referrer")),
        ("http/request/mime_type", Field("request_content_type")),
        ("http/request/bytes", Field("request_bytes")),
        ("http/request/body/bytes", Field("request_body_bytes")),
        ("http/response/status_code", Field("status")),
        ("http/response/mime_type", Field("response_content_type")),
        (
            "http/response/body/bytes",
            Either(Field("response_body_bytes"), Field("response_bytes")),
        ),
        ("http/version", Field("http_version")),
        ("url/original", Field("url")),
        ("url/full", Field("url_full")),
        ("url/scheme", Field("url_scheme")),
        ("url/path", Field("url_path")),
        ("url/query", Field("url_query")),
        ("url/domain", Field("server_name")),
        ("source/address", Field("source_address")),
        ("source/ip", Derived("source_address", ip, ONLY_IPV4)),
        ("source/port", Field("source_port")),
        ("source/bytes", Field("source_bytes")),
        ("source/packets", Field("source_packets")),
        ("source/mac", Derived("source_mac", mac)),
        ("destination/address", Field("destination_address")),
        ("destination/ip", Derived("destination_address", ip, ONLY_IPV4)),
        ("destination/port", Field("destination_port")),
        ("destination/bytes", Field("destination_bytes")),
        ("destination/packets", Field("destination_packets")),
        ("destination/mac", Derived("destination_mac", mac)),
        ("network/bytes", Field("network_bytes")),
        ("network/packets", Field("network_packets")),
        ("network/transport", Derived("network_transport", lower)),
        ("network/protocol", Derived("network_protocol", protocol)),
        ("network/type", Derived("network_type", lower)),
        ("network/direction", Field("network_direction")),
        ("observer/ingress/interface/name", Field("ingress_interface")),
        ("observer/egress/interface/name", Field("egress_interface")),
        ("observer/vendor", Field("vendor")),
        ("observer/product", Field("product")),
        ("observer/version", Field("product_version")),
        ("tls/version", Derived("tls_version", tls_version)),
        ("tls/version_protocol", Derived("tls_version", tls_protocol)),
        ("tls/cipher", Field("tls_cipher")),
        ("tls/client/server_name", Field("tls_server_name")),
        ("dns/question/name", Field("dns_question_name")),
        ("dns/question/type", Field("dns_question_type")),
        ("dns/response_code", Field("dns_response_code")),
        ("user_agent/original", Field("user_agent")),
        ("user/name", Field("user")),
        ("user/id", Field("user_id")),
        ("user/domain", Field("user_domain")),
        ("user/effective/name", Field("effective_user")),
        ("user/group/name", Field("group")),
        ("process/name", Field("process")),
        ("process/pid", Field("pid")),
        ("process/parent/pid", Field("parent_pid")),
        ("process/thread/id", Field("thread_id")),
        ("process/thread/name", Field("thread")),
        ("process/executable", Field("executable")),
        ("process/command_line", Field("command_line")),
        ("process/working_directory", Field("working_directory")),
        ("process/exit_code", Field("exit_code")),
        ("rule/id", Field("rule_id")),
        ("rule/name", Field("rule_name")),
        ("package/name", Field("package_name")),
        ("package/version", Field("package_version")),
        ("package/architecture", Field("package_architecture")),
        ("error/type", Field("error_type")),
        ("error/message", Field("error_message")),
        ("error/code", Field("error_code")),
        ("error/stack_trace", Field("stack_trace")),
        ("trace/id", Field("trace_id")),
        ("transaction/id", Field("transaction_id")),
        ("span/id", Field("span_id")),
        ("host/hostname", Field("host")),
        ("container/id", Field("container_id")),
        ("container/name", Field("container_name")),
        ("container/image/name", Field("container_image")),
        ("cloud/account/id", Field("cloud_account")),
        ("cloud/region", Field("cloud_region")),
        ("service/name", Field("service_name")),
        ("service/version", Field("service_version")),
        ("service/environment", Field("environment")),
        ("kubernetes/namespace", Field("pod_namespace")),
        ("kubernetes/pod/name", Field("pod_name")),
        ("kubernetes/pod/uid", Field("pod_uid")),
        ("kubernetes/pod/ip", Field("pod_ip")),
        ("kubernetes/node/name", Field("node_name")),
        ("labels", Attributes(_labels)),
    ],
)
