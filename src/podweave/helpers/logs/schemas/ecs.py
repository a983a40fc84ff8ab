"""Elastic Common Schema 9, as nested objects.

Kubernetes metadata stand where Elastic's own agents put them. Fields of the application's own
go to `labels`, which takes no objects: nested ones are flattened, their names joined by `_`.
"""

from __future__ import annotations

import json
import re
import socket
import time

from podweave.helpers.logs.schemas.schema import (
    Attributes,
    Constant,
    Derived,
    Field,
    Schema,
    Time,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ONLY_IPV4 = re.compile(rb"(?:(?:" + _OCTET + rb"(?:\." + _OCTET + rb"){3})?\n)*")


def _seconds(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00"


def _ip(address: str) -> str | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        return address
    return None


def _outcome(status: int) -> str:
    return "failure" if status >= 400 else "success"


def _labels(attributes: dict[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    _flatten("", attributes, labels)
    return labels


def _flatten(prefix: str, value: dict[str, Any], labels: dict[str, Any]) -> None:
    for key, item in value.items():
        name = prefix + key.replace(".", "_")
        if isinstance(item, dict):
            _flatten(name + "_", item, labels)
            continue
        if isinstance(item, list) and any(isinstance(part, dict | list) for part in item):
            item = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        if item is None:
            continue
        free, number = name, 2
        while free in labels:
            free = f"{name}_{number}"
            number += 1
        labels[free] = item


ECS = Schema(
    "ecs",
    [
        ("@timestamp", Time(_seconds, ".", "Z")),
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
        ("event/outcome", Derived("status", _outcome)),
        ("http/request/method", Field("method")),
        ("http/request/referrer", Field("referrer")),
        ("http/response/status_code", Field("status")),
        ("http/response/body/bytes", Field("response_bytes")),
        ("http/version", Field("http_version")),
        ("url/original", Field("url")),
        ("url/path", Field("url_path")),
        ("url/query", Field("url_query")),
        ("url/domain", Field("server_name")),
        ("source/address", Field("source_address")),
        ("source/ip", Derived("source_address", _ip, _ONLY_IPV4)),
        ("source/port", Field("source_port")),
        ("user_agent/original", Field("user_agent")),
        ("user/name", Field("user")),
        ("process/name", Field("process")),
        ("process/pid", Field("pid")),
        ("process/thread/id", Field("thread_id")),
        ("process/thread/name", Field("thread")),
        ("error/type", Field("error_type")),
        ("error/message", Field("error_message")),
        ("error/code", Field("error_code")),
        ("error/stack_trace", Field("stack_trace")),
        ("trace/id", Field("trace_id")),
        ("span/id", Field("span_id")),
        ("host/hostname", Field("host")),
        ("service/name", Field("service_name")),
        ("kubernetes/namespace", Field("pod_namespace")),
        ("kubernetes/pod/name", Field("pod_name")),
        ("kubernetes/pod/uid", Field("pod_uid")),
        ("kubernetes/pod/ip", Field("pod_ip")),
        ("kubernetes/node/name", Field("node_name")),
        ("labels", Attributes(_labels)),
    ],
)
