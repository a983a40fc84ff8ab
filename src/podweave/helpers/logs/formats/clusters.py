"""Distributed databases: ClickHouse, CockroachDB, TiDB with TiKV and PD.

Sources: ClickHouse's OwnPatternFormatter, CockroachDB's documentation of the format `crdb-v2`,
TiDB's RFC "Unified Log Format".
"""

from __future__ import annotations

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamps import STAMPS, Stamp

_CLOCK = rb"[0-2]\d:[0-5]\d:[0-6]\d"


def _dotted(text: bytes, clock: Clock) -> int | None:
    # 2026.11.23 02:16:56
    return STAMPS["ISO8601"].parse(text.replace(b".", b"-", 2), clock)


def _short(text: bytes, clock: Clock) -> int | None:
    # 261123 02:16:56, in UTC by the format's definition
    date = b"20%b-%b-%b" % (text[0:2], text[2:4], text[4:6])
    return STAMPS["ISO8601"].parse(date + text[6:15] + b"Z", clock)


_CLICKHOUSE = Stamp(
    rb"(\d{4}\.[01]\d\.[0-3]\d " + _CLOCK + rb")(?:\.(\d{1,9}))?", "seconds fraction", _dotted
)
_COCKROACH = Stamp(rb"(\d\d[01]\d[0-3]\d " + _CLOCK + rb")\.(\d{6})", "seconds fraction", _short)
_TIDB = Stamp(
    rb"(\d{4}/[01]\d/[0-3]\d " + _CLOCK + rb")(?:\.(\d{1,9}))?( (?:Z|[+-]\d\d:\d\d))",
    "seconds fraction zone",
    STAMPS["SLASHDATE"].parse,
)

CLICKHOUSE_SAMPLES = (
    (
        (
            b"2026.11.23 02:16:56.789012 [ 31 ] {3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3"
            b"b4c5d} <Debug> executeQuery: (from 127.0.0.1:51234) SELECT 1"
        ),
        {
            "thread_id": 31,
            "level": "debug",
            "logger": "executeQuery",
            "message": "(from 127.0.0.1:51234) SELECT 1",
            "time": (1795400216, "789012"),
            "attributes": {"query_id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"},
        },
    ),
    (
        (b"2026.11.23 02:16:57.000001 [ 1 ] {} <Information> Application: Ready for connections."),
        {
            "thread_id": 1,
            "level": "info",
            "logger": "Application",
            "message": "Ready for connections.",
            "time": (1795400217, "000001"),
        },
    ),
)
COCKROACH_SAMPLES = (
    (
        (
            b"I261123 02:16:56.789012 31 server/node.go:17 \xe2\x8b\xae [T1,n1,s1] 42  no"
            b"de connected via gossip"
        ),
        {
            "level": "info",
            "thread_id": 31,
            "file": "server/node.go",
            "line": 17,
            "event_sequence": 42,
            "message": "node connected via gossip",
            "time": (1795400216, "789012"),
            "attributes": {"tags": "T1,n1,s1"},
        },
    ),
    (
        b"W261123 02:16:57.000001 212 1@sql/exec.go:9 \xe2\x8b\xae [-] 43  slow query",
        {
            "level": "warn",
            "thread_id": 212,
            "file": "sql/exec.go",
            "line": 9,
            "event_sequence": 43,
            "message": "slow query",
            "time": (1795400217, "000001"),
        },
    ),
)
TIDB_SAMPLES = (
    (
        (
            b'[2026/11/23 02:16:56.789 +00:00] [INFO] [server.go:17] ["server is'
            b' running MySQL protocol"] [addr=0.0.0.0:4000]'
        ),
        {
            "level": "info",
            "file": "server.go",
            "line": 17,
            "message": "server is running MySQL protocol",
            "time": (1795400216, "789"),
            "attributes": {"fields": "[addr=0.0.0.0:4000]"},
        },
    ),
    (
        b"[2026/11/23 11:16:57.000 +09:00] [WARN] [<unknown>] [restarted]",
        {"level": "warn", "message": "restarted", "time": (1795400217, "000")},
    ),
)
FORMATS = {
    "clickhouse": Format(
        "clickhouse",
        (
            Layout(
                rb"%{STAMP:time} \[ %{INT:thread_id} \] \{%{BEGIN:query_id?}[^}\n]*%{END}\} "
                rb"<%{WORD:level}> %{BEGIN:logger}[^:\n]++%{END}: %{REST:message}",
                stamp=_CLICKHOUSE,
            ),
        ),
        samples=CLICKHOUSE_SAMPLES,
        levels={"Test": "trace"},
    ),
    "cockroachdb": Format(
        "cockroachdb",
        (
            Layout(
                rb"%{KLOGLEVEL:level}%{STAMP:time} %{INT:thread_id} (?:\d+@)?"
                rb"%{BEGIN:file}[\w./\-]+%{END}:%{INT:line} (?:\xe2\x8b\xae )?"
                rb"\[%{BRACKETED:tags?}\] %{BEGIN:event_sequence}[1-9]\d{0,17}%{END} "
                rb"[ =+|]%{REST:message}",
                stamp=_COCKROACH,
            ),
        ),
        samples=COCKROACH_SAMPLES,
    ),
    "tidb": Format(
        "tidb",
        (
            Layout(
                rb"\[%{STAMP:time}\] \[%{BEGIN:level}[A-Z]+%{END}\] "
                rb"\[(?:<unknown>|%{BEGIN:file?}[^\]:\n]++%{END}:%{INT:line?})\] "
                rb'\["?%{BEGIN:message}[^"\]\n]*+%{END}"?\](?: %{REST:fields?})?',
                stamp=_TIDB,
            ),
        ),
        samples=TIDB_SAMPLES,
    ),
}
