"""The neutral record between a format and a schema, so that they never know each other.

A format reads a line into a record: a dictionary from the names below to values. A schema
writes a record as one line of JSON. A name that isn't listed is a field of the application's
own; it goes into the record's `attributes`, which each schema keeps in its place for them.

`time` is a pair: seconds since the epoch (UTC), and the digits of the fraction as text, as many
as the line had. A record without `time` gets the time of reading.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]

TEXT = "text"
INTEGER = "integer"
DECIMAL = "decimal"
TIME = "time"
LEVEL = "level"

FIELDS = {
    "time": TIME,
    "level": LEVEL,
    "message": TEXT,
    "logger": TEXT,
    "thread": TEXT,
    "thread_id": INTEGER,
    "process": TEXT,
    "pid": INTEGER,
    "host": TEXT,
    "file": TEXT,
    "line": INTEGER,
    "function": TEXT,
    "source_address": TEXT,
    "source_port": INTEGER,
    "server_name": TEXT,
    "user": TEXT,
    "method": TEXT,
    "url": TEXT,
    "url_path": TEXT,
    "url_query": TEXT,
    "http_version": TEXT,
    "status": INTEGER,
    "response_bytes": INTEGER,
    "referrer": TEXT,
    "user_agent": TEXT,
    "priority": INTEGER,
    "facility": INTEGER,
    "severity": INTEGER,
    "message_id": TEXT,
    "trace_id": TEXT,
    "span_id": TEXT,
    "error_type": TEXT,
    "error_message": TEXT,
    "error_code": TEXT,
    "stack_trace": TEXT,
    # What the adapter knows by itself rather than from the line.
    "format": TEXT,
    "log_path": TEXT,
    "service_name": TEXT,
    "pod_name": TEXT,
    "pod_namespace": TEXT,
    "pod_uid": TEXT,
    "pod_ip": TEXT,
    "node_name": TEXT,
}

ABSENT = (b"", b"-")
"""What an optional field of a line says when it has nothing to say."""

LEVELS = ("trace", "debug", "info", "notice", "warn", "error", "fatal")

# Words of the usual libraries and servers; those of a single format stand in its file.
_LEVEL_WORDS = {
    "trace": "trace finest finer all verbose silly trc t debug5 debug4 debug3 debug2 "
    "trace1 trace2 trace3 trace4 trace5 trace6 trace7 trace8",
    "debug": "debug fine config dbg d debug1",
    "info": "info information informational inf i log statement detail hint context query "
    "location out http",
    "notice": "notice note n",
    "warn": "warn warning wrn w",
    "error": "error err severe e fail failure eror erro",
    "fatal": "fatal critical crit alert emerg emergency panic ftl f c dpanic",
}
LEVEL_OF = {word: level for level, words in _LEVEL_WORDS.items() for word in words.split()}


def level_of(word: str) -> str:
    """The neutral level of a log's own word for it; the word itself where there is none."""
    lower = word.lower()
    return LEVEL_OF.get(lower, lower)


SEVERITY_LEVELS = ("fatal", "fatal", "fatal", "error", "warn", "notice", "info", "debug")
"""Level of each syslog severity."""
