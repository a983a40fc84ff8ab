"""Names that structured loggers use, and the neutral fields they mean.

`KeyTable` is one format's view: its own names first, then the usual ones. A name is a path:
members of objects are known by dotted names, and so is a member whose own name has dots.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = {
    "time": "@timestamp timestamp time ts datetime date asctime eventtime @t timemillis "
    "time_local time_iso8601 created_at instant log_time logged_at t",
    "level": "level severity lvl loglevel log_level levelname log.level severity_text "
    "severitytext @l priority_name",
    "message": "message msg @m @mt log event body short_message renderedmessage",
    "logger": "logger logger_name loggername log.logger name component sourcecontext category",
    "thread": "thread thread_name threadname process.thread.name",
    "thread_id": "thread_id threadid tid process.thread.id",
    "process": "process_name processname process.name",
    "pid": "pid process_id processid process.pid",
    "host": "hostname host host.name host.hostname",
    "file": "filename file log.origin.file.name",
    "line": "lineno line log.origin.file.line",
    "function": "funcname function method_name log.origin.function",
    "source_address": "remote_addr client_ip clientip remote_ip client.address source.address "
    "source.ip httprequest.remoteip",
    "source_port": "remote_port source.port",
    "destination_address": "destination.address destination.ip",
    "destination_port": "destination.port",
    "user": "user.name remote_user",
    "method": "request_method http.request.method httprequest.requestmethod",
    "url": "request_uri uri url url.original httprequest.requesturl",
    "url_path": "url.path",
    "url_query": "url.query",
    "url_full": "url.full",
    "status": "status status_code http.response.status_code httprequest.status",
    "response_bytes": "body_bytes_sent http.response.body.bytes",
    "referrer": "http_referer referer http.request.referrer",
    "user_agent": "http_user_agent user_agent user_agent.original httprequest.useragent",
    "duration": "request_time httprequest.latency",
    "trace_id": "trace_id traceid trace.id otel.trace_id",
    "span_id": "span_id spanid span.id otel.span_id",
    "transaction_id": "transaction.id transaction_id",
    "request_id": "request_id requestid http.request.id x_request_id",
    "error_type": "error_type exception_class error.type exception.type error.kind",
    "error_message": "error_message error err error.message exception.message",
    "error_code": "error_code error.code sql_state_code",
    "stack_trace": "stack_trace stacktrace stack exc_info exception error.stack_trace "
    "error.stack exception.stacktrace exc_text",
    "service_name": "service service.name service_name",
    "service_version": "service.version",
    "event_action": "event.action",
    "event_outcome": "event.outcome",
}
USUAL = {key: (field, "") for field, keys in _KEYS.items() for key in keys.split()}

# Objects that loggers put errors into: pino and bunyan `err`, ECS `error`, log4j2 `thrown`.
_ERRORS = "err error exception thrown"
_ERROR_PARTS = {
    "error_type": "type name class kind",
    "error_message": "message msg",
    "error_code": "code",
    "stack_trace": "stack stack_trace stacktrace extendedstacktrace",
}
for _object in _ERRORS.split():
    for _field, _parts in _ERROR_PARTS.items():
        for _part in _parts.split():
            USUAL[f"{_object}.{_part}"] = (_field, "")

_PARENTS = frozenset(
    key[:place] for key in USUAL for place in range(len(key)) if key[place] == "." and place
)
UNITS = {"": 1.0, "s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""How many of a unit of time make a second."""


class KeyTable:
    """`own`: a format's names, as they are written, and their fields.

    A field may be `duration:ms` for numbers in another unit than seconds (s, ms, us, ns), and
    is empty for a name that stays the application's own. Not `usual`: other names mean nothing.
    """

    __slots__ = ("_own", "_parents", "_usual")

    def __init__(self, own: Mapping[str, str], *, usual: bool = True) -> None:
        self._own: dict[str, tuple[str, str]] = {}
        self._usual = usual
        for key, target in own.items():
            field, _, unit = target.partition(":")
            self._own[key] = (field, unit)
        self._parents = frozenset(
            key[:place] for key in own for place in range(len(key)) if key[place] == "." and place
        )

    def find(self, path: str) -> tuple[str, str] | None:
        """The field of a name and the unit of its numbers; None where it has none."""
        found = self._own.get(path)
        if found is not None:
            return found if found[0] else None
        if not self._usual:
            return None
        return USUAL.get(path) or USUAL.get(path.lower())

    def owns(self, path: str) -> bool:
        """The format names it by itself: a number for a text is taken then, too."""
        return path in self._own

    def has_members(self, path: str) -> bool:
        """Members of the object of that name may be known."""
        return path in self._parents or path.lower() in _PARENTS
