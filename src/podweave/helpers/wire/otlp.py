"""OTLP/HTTP for logs: what it is, and what the answers say, without I/O.

POST /v1/logs with an ExportLogsServiceRequest: otlp_json.py, otlp_protobuf.py.
https://opentelemetry.io/docs/specs/otlp/
https://github.com/open-telemetry/opentelemetry-proto (logs/v1/logs.proto)
"""

from __future__ import annotations

import json

from podweave.helpers.wire.json_answers import json_object
from podweave.helpers.wire.protobuf import fields

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
RETRIED = (429, 502, 503, 504)
"""The only statuses after which the specification lets a client send again."""


def read_id(text: str, size: int) -> bytes:
    """A trace's or span's id of `size` bytes from hexadecimal; nothing for what is none."""
    if len(text) != size * 2:
        return b""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return b""
    return data if len(data) == size and any(data) else b""


def partial_success(content_type: str, content: bytes) -> tuple[int, str]:
    """How many records the answer to a request that succeeded says it rejected, and why.

    ValueError for an answer that can't be read; an empty one rejects none.
    """
    if content_type.partition(";")[0].strip().lower() == PROTOBUF:
        for number, value in fields(content):
            if number == 1 and isinstance(value, bytes):
                return _partial(value)
        return 0, ""
    if not content.strip():
        return 0, ""
    try:
        answer = json.loads(content)
        partial = answer.get("partialSuccess") or {}
        rejected = int(partial.get("rejectedLogRecords") or 0)
        return rejected, str(partial.get("errorMessage") or "")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the answer is not that of an export of logs") from error


def _partial(data: bytes) -> tuple[int, str]:
    rejected, message = 0, ""
    for number, value in fields(data):
        if number == 1 and isinstance(value, int):
            rejected = value - (1 << 64) if value >= 1 << 63 else value
        elif number == 2 and isinstance(value, bytes):
            message = value.decode("utf-8", "replace")
    return rejected, message


def status_message(content_type: str, content: bytes) -> str:
    """The message of a google.rpc.Status, which the answer to a failed request has; or ""."""
    if content_type.partition(";")[0].strip().lower() != PROTOBUF:
        return str((json_object(content) or {}).get("message") or "")[:300]
    try:
        for number, value in fields(content):
            if number == 2 and isinstance(value, bytes):
                return value.decode("utf-8", "replace")[:300]
    except ValueError:
        pass
    return ""
