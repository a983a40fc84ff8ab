"""The neutral record between a format and a schema, so that they never know each other.

A format reads a line into a record: a dictionary from the names below to values. A schema
writes a record as one line of JSON. A name that isn't listed is a field of the application's
own; it goes into the record's `attributes`, which each schema keeps in its place for them.

Every neutral field has a place in every schema: where a schema's standard has none, the field
stands with the attributes, under its neutral name (schemas/schema.py). Durations are seconds.

`time` is a pair: seconds since the epoch (UTC), and the digits of the fraction as text, as many
as the line had. A record without `time` gets the time of reading.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
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
    "transaction_id": TEXT,
    "session_id": TEXT,
    "request_id": TEXT,
    "error_type": TEXT,
    "error_message": TEXT,
    "error_code": TEXT,
    "stack_trace": TEXT,
    # Requests and connections: the source is the client, the destination what it reached.
    "source_bytes": INTEGER,
    "source_packets": INTEGER,
    "source_mac": TEXT,
    "destination_address": TEXT,
    "destination_port": INTEGER,
    "destination_bytes": INTEGER,
    "destination_packets": INTEGER,
    "destination_mac": TEXT,
    "network_bytes": INTEGER,
    "network_packets": INTEGER,
    "network_transport": TEXT,
    "network_protocol": TEXT,
    "network_type": TEXT,
    "network_direction": TEXT,
    "ingress_interface": TEXT,
    "egress_interface": TEXT,
    "url_scheme": TEXT,
    "url_full": TEXT,
    "request_bytes": INTEGER,
    "request_body_bytes": INTEGER,
    "response_body_bytes": INTEGER,
    "request_content_type": TEXT,
    "response_content_type": TEXT,
    "cache_status": TEXT,
    "duration": DECIMAL,
    "upstream_address": TEXT,
    "upstream_name": TEXT,
    "upstream_status": INTEGER,
    "upstream_duration": DECIMAL,
    "upstream_connect_duration": DECIMAL,
    "queue_duration": DECIMAL,
    "tls_version": TEXT,
    "tls_cipher": TEXT,
    "tls_server_name": TEXT,
    "dns_question_name": TEXT,
    "dns_question_type": TEXT,
    "dns_response_code": TEXT,
    # Databases and brokers.
    "db_system": TEXT,
    "db_name": TEXT,
    "db_collection": TEXT,
    "db_operation": TEXT,
    "db_statement": TEXT,
    "db_rows": INTEGER,
    "db_connection_id": INTEGER,
    "queue": TEXT,
    "messaging_system": TEXT,
    "consumer_group": TEXT,
    "partition": INTEGER,
    "client_id": TEXT,
    # Who, and what was done.
    "user_id": TEXT,
    "user_domain": TEXT,
    "effective_user": TEXT,
    "group": TEXT,
    "terminal": TEXT,
    "working_directory": TEXT,
    "command_line": TEXT,
    "executable": TEXT,
    "parent_pid": INTEGER,
    "exit_code": INTEGER,
    "event_id": TEXT,
    "event_code": TEXT,
    "event_action": TEXT,
    "event_category": TEXT,
    "event_outcome": TEXT,
    "event_provider": TEXT,
    "event_sequence": INTEGER,
    "rule_id": TEXT,
    "rule_name": TEXT,
    "vendor": TEXT,
    "product": TEXT,
    "product_version": TEXT,
    "package_name": TEXT,
    "package_version": TEXT,
    "package_architecture": TEXT,
    # Where it runs, as the line says it.
    "stream": TEXT,
    "container_id": TEXT,
    "container_name": TEXT,
    "container_image": TEXT,
    "environment": TEXT,
    "service_version": TEXT,
    "cloud_account": TEXT,
    "cloud_region": TEXT,
    "class_name": TEXT,
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
NO_LEVELS: Mapping[str, str] = {}

LEVEL_OF = {word: level for level, words in _LEVEL_WORDS.items() for word in words.split()}


def level_of(word: str, levels: Mapping[str, str] = NO_LEVELS) -> str:
    """The neutral level of a log's own word for it; the word itself where there is none.

    `levels` are a format's own words (as it writes them), which go first.
    """
    level = levels.get(word)
    if level is not None:
        return level
    lower = word.lower()
    return LEVEL_OF.get(lower, lower)


SEVERITY_LEVELS = ("fatal", "fatal", "fatal", "error", "warn", "notice", "info", "debug")
"""Level of each syslog severity."""
