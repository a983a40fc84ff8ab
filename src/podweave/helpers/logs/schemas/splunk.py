"""Splunk's Common Information Model: flat events with the names of its data models.

`time`, `host`, `source` and `sourcetype` are the metadata of the HTTP Event Collector; names
behind them are those of the data models Web, Network Traffic, Authentication, Databases,
Network Resolution, Endpoint and Alerts (docs.splunk.com, Common Information Model Add-on), where
they have one. Nested fields of the application's own stay nested: Splunk's extraction of JSON
knows them by dotted names.
"""

from __future__ import annotations

from podweave.helpers.logs.schemas.schema import (
    SPREAD,
    Attributes,
    Derived,
    Either,
    Field,
    Schema,
    Time,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEVERITIES = {
    "trace": "informational",
    "debug": "informational",
    "info": "informational",
    "notice": "low",
    "warn": "medium",
    "error": "high",
    "fatal": "critical",
}
"""The values that CIM prescribes for `severity`."""


def _severity(level: str) -> str | None:
    return _SEVERITIES.get(level)


def _itself(attributes: dict[str, Any]) -> dict[str, Any]:
    return attributes


SPLUNK = Schema(
    "splunk",
    [
        ("time", Time(str, ".", "", quoted=False)),
        ("host", Either(Field("host"), Field("pod_name"))),
        ("source", Field("log_path")),
        ("sourcetype", Field("format")),
        ("severity", Derived("level", _severity)),
        ("log_level", Field("level")),
        ("message", Field("message")),
        ("app", Field("service_name")),
        ("logger", Field("logger")),
        ("thread_name", Field("thread")),
        ("thread_id", Field("thread_id")),
        ("process", Field("process")),
        ("process_id", Field("pid")),
        ("parent_process_id", Field("parent_pid")),
        ("process_path", Field("executable")),
        ("process_exec", Field("command_line")),
        ("process_current_directory", Field("working_directory")),
        ("file_name", Field("file")),
        ("line", Field("line")),
        ("function", Field("function")),
        ("src", Field("source_address")),
        ("src_port", Field("source_port")),
        ("src_mac", Field("source_mac")),
        ("dest", Field("destination_address")),
        ("dest_port", Field("destination_port")),
        ("dest_mac", Field("destination_mac")),
        ("bytes", Field("network_bytes")),
        ("packets", Field("network_packets")),
        ("bytes_in", Either(Field("source_bytes"), Field("request_bytes"))),
        ("bytes_out", Either(Field("destination_bytes"), Field("response_bytes"))),
        ("packets_in", Field("source_packets")),
        ("packets_out", Field("destination_packets")),
        ("transport", Field("network_transport")),
        ("protocol", Field("network_protocol")),
        ("direction", Field("network_direction")),
        ("src_interface", Field("ingress_interface")),
        ("dest_interface", Field("egress_interface")),
        ("duration", Field("duration")),
        ("action", Field("event_outcome")),
        ("rule", Field("rule_name")),
        ("rule_id", Field("rule_id")),
        ("signature", Field("event_action")),
        ("signature_id", Either(Field("event_code"), Field("message_id"))),
        ("http_method", Field("method")),
        ("http_content_type", Field("response_content_type")),
        ("http_referrer", Field("referrer")),
        ("http_user_agent", Field("user_agent")),
        ("http_version", Field("http_version")),
        ("status", Field("status")),
        ("url", Either(Field("url_full"), Field("url"))),
        ("uri_path", Field("url_path")),
        ("uri_query", Field("url_query")),
        ("url_domain", Field("server_name")),
        ("user", Field("user")),
        ("user_id", Field("user_id")),
        ("session_id", Field("session_id")),
        ("ssl_version", Field("tls_version")),
        ("ssl_cipher", Field("tls_cipher")),
        ("query", Either(Field("dns_question_name"), Field("db_statement"))),
        ("query_type", Field("dns_question_type")),
        ("reply_code", Field("dns_response_code")),
        ("vendor", Field("vendor")),
        ("product", Field("product")),
        ("error_type", Field("error_type")),
        ("error_message", Field("error_message")),
        ("error_code", Field("error_code")),
        ("stack_trace", Field("stack_trace")),
        ("trace_id", Field("trace_id")),
        ("span_id", Field("span_id")),
        ("namespace", Field("pod_namespace")),
        ("pod", Field("pod_name")),
        ("pod_uid", Field("pod_uid")),
        ("pod_ip", Field("pod_ip")),
        ("node", Field("node_name")),
        (SPREAD, Attributes(_itself)),
    ],
)
