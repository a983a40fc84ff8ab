"""The bulk protocol of Elasticsearch and OpenSearch, without I/O.

    POST /INDEX/_bulk                           Content-Type: application/x-ndjson
    {"create":{"_id":"ID"}}
    {"@timestamp":"…","message":"…"}            the last line ends with a newline, too

Always `create`: data streams take nothing else, and with an id of our own a record that is there
already is refused (409) instead of stored twice. The answer is 200 even when every item of it is
an error, so each one is looked at; they come in the order of the request.
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

import json

from podweave.helpers.wire.json_answers import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

CONTENT_TYPE = "application/x-ndjson"
FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason"
"""For the parameter `filter_path`: an answer shrinks to a sixth."""

_MENDABLE_TYPES = frozenset(
    (
        "cluster_block_exception",
        "index_not_found_exception",
        "index_closed_exception",
        "security_exception",
        "unavailable_shards_exception",
        "es_rejected_execution_exception",
        "rejected_execution_exception",
        "opensearch_rejected_execution_exception",
        "circuit_breaking_exception",
        "process_cluster_event_timeout_exception",
    )
)
"""Errors that no record is the cause of, whatever status they come with."""
_MENDABLE_REASONS = ("pipeline with id", "no write index is defined", "maximum shards open")
"""The same for what comes as illegal_argument_exception, as many a record's own fault does."""
_REASON_LIMIT = 300
_CREATED = b'{"create":{"status":201}},'


def body_for(indexes: Iterable[bytes], ids: Iterable[bytes], documents: Iterable[bytes]) -> bytes:
    """A bulk request that names each document's index, which must be clean of quotes."""
    form = b'{"create":{"_index":"%b","_id":"%b"}}\n%b\n'
    return b"".join(map(form.__mod__, zip(indexes, ids, documents, strict=True)))


class Items:
    """What an answer says of the items: numbers to send again, and those never taken, with why."""

    __slots__ = ("again", "existing", "reason", "rejected")

    def __init__(self) -> None:
        self.again: list[int] = []
        self.rejected: list[tuple[int, str]] = []
        self.existing = 0
        """Records that the store had already."""
        self.reason = ""
        """Of the first item that is not delivered."""


def read_items(answer: bytes, count: int) -> Items:
    """Read the answer to a bulk request of `count` items. ValueError for what is no such answer."""
    items = Items()
    if _is_all_created(answer, count):
        return items
    try:
        found = json.loads(answer)
        results = found["items"]
        if not found["errors"] and not results:
            # Servers that take the protocol, but speak of items only when one has failed.
            return items
        statuses = [_result(result) for result in results]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError("the answer is not that of a bulk request") from error
    if len(statuses) != count:
        raise ValueError(f"the answer has {len(statuses)} items for {count} records")
    for number, (status, cause) in enumerate(statuses):
        if 200 <= status < 300:
            continue
        if status == 409:
            items.existing += 1
            continue
        kind, reason = _describe(status, cause)
        items.reason = items.reason or reason
        if _is_mendable(status, kind, reason):
            items.again.append(number)
        else:
            items.rejected.append((number, reason))
    return items


def _is_mendable(status: int, kind: str, reason: str) -> bool:
    if status in (401, 403, 408, 429) or status >= 500 or kind in _MENDABLE_TYPES:
        return True
    return any(phrase in reason for phrase in _MENDABLE_REASONS)


def _is_all_created(answer: bytes, count: int) -> bool:
    """Counting is a hundred times as fast as parsing, and says as much of the usual answer."""
    # What Elasticsearch says to FILTER, to the byte; to compare is quicker still.
    if answer == b'{"errors":false,"items":[%b]}' % (_CREATED * count)[:-1]:
        return True
    if b'"errors":false' not in answer[:200]:
        return False
    return answer.count(b'"status":201') == count == answer.count(b'"status":')


def _result(result: dict[str, Any]) -> tuple[int, Any]:
    (outcome,) = result.values()
    status = outcome["status"]
    if type(status) is not int:
        raise TypeError(status)
    return status, outcome.get("error")


def _describe(status: int, error: Any) -> tuple[str, str]:
    if isinstance(error, dict):
        kind = str(error.get("type", ""))
        return kind, f"{status} {kind}: {error.get('reason', '')}"[:_REASON_LIMIT]
    return "", f"{status} {error or ''}".strip()[:_REASON_LIMIT]


def error_reason(answer: bytes) -> str:
    """What the answer to a request that failed as a whole says; empty where it says nothing."""
    error = (json_object(answer) or {}).get("error")
    if isinstance(error, dict):
        return f"{error.get('type', '')}: {error.get('reason', '')}"[:_REASON_LIMIT]
    return str(error)[:_REASON_LIMIT] if error else ""
