"""GELF 1.1, Graylog's Extended Log Format: flat, additional fields begin with `_`.

`version`, `host` and `short_message` must be there, additional values are texts or numbers, and
`_id` is forbidden (go2docs.graylog.org, GELF payload specification). Graylog refuses a message
whose `host` or `short_message` is blank.
"""

from __future__ import annotations

import os
import re

from podweave.helpers.logs.schemas.schema import (
    SPREAD,
    Attributes,
    Constant,
    Derived,
    Either,
    Field,
    Schema,
    Time,
)
from podweave.helpers.logs.schemas.values import compact, flattened, put, syslog_severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.uname().nodename or "unknown"
_NO_NAME = re.compile(r"[^\w.\-]")

_ADDITIONAL = (
    *("logger", "thread", "thread_id", "process", "pid", "file", "line", "function"),
    *("format", "log_path", "service_name", "pod_name", "pod_namespace", "pod_uid", "pod_ip"),
    *("node_name", "source_address", "source_port", "server_name", "user", "method", "url"),
    *("url_path", "url_query", "http_version", "status", "response_bytes", "referrer"),
    *("user_agent", "facility", "message_id", "trace_id", "span_id"),
    *("error_type", "error_message", "error_code"),
)


def _fields(attributes: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in flattened(attributes, "_").items():
        if isinstance(item, bool):
            item = "true" if item else "false"
        elif isinstance(item, list):
            item = compact(item)
        name = "_" + _NO_NAME.sub("_", key)
        put(made, "_id_" if name == "_id" else name, item)
    return made


GELF = Schema(
    "gelf",
    [
        ("version", Constant("1.1")),
        ("timestamp", Time(str, ".", "", quoted=False)),
        (
            "host",
            Either(Field("host", _HERE), Field("pod_name", _HERE), Constant(_HERE)),
        ),
        ("short_message", Either(Field("message", "-"), Constant("-"))),
        ("full_message", Field("stack_trace")),
        ("level", Either(Field("severity"), Derived("level", syslog_severity))),
        ("_level_name", Field("level")),
        *((f"_{name}", Field(name)) for name in _ADDITIONAL),
        (SPREAD, Attributes(_fields)),
    ],
)
