"""Redis, Cassandra, Elasticsearch.

Sources: redis' server.c, the logback and log4j2 configurations that Cassandra, Elasticsearch and
OpenSearch are delivered with.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import milliseconds
from podweave.helpers.logs.layouts import Format, Layout

_REDIS_LEVEL = rb"%{BEGIN:level}[.\-*#]%{END} %{REST:message}"

FORMATS = {
    "redis": Format(
        "redis",
        (
            Layout(
                rb"%{INT:pid}:%{BEGIN:role}[MSCX]%{END} %{DAYMONTHYEAR:time} " + _REDIS_LEVEL,
            ),
            Layout(rb"%{INT:pid}:signal-handler \(%{EPOCH:time}\) %{REST:message}"),
            # Before 4, without the year; before 2.8, before 2.2
            Layout(
                rb"%{INT:pid}:%{BEGIN:role}[MSCX]%{END} %{DAYMONTH:time} " + _REDIS_LEVEL,
            ),
            Layout(rb"\[%{INT:pid}\] %{DAYMONTH:time} " + _REDIS_LEVEL),
            Layout(rb"%{DAYMONTH:time} " + _REDIS_LEVEL),
        ),
        samples=(
            (
                b"31:M 23 Nov 2026 02:16:56.789 * Ready to accept connections tcp",
                {
                    "pid": 31,
                    "level": "notice",
                    "message": "Ready to accept connections tcp",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "role": "M",
                    },
                },
            ),
            (
                (b"31:C 23 Nov 2026 02:16:56.790 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
                {
                    "pid": 31,
                    "level": "warn",
                    "message": "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
                    "time": (1795400216, "790"),
                    "attributes": {
                        "role": "C",
                    },
                },
            ),
            (
                b"31:signal-handler (1795400217) Received SIGTERM scheduling shutdown...",
                {
                    "pid": 31,
                    "message": "Received SIGTERM scheduling shutdown...",
                    "time": (1795400217, ""),
                },
            ),
            (
                b"31:S 23 Nov 2026 02:16:57.000 - Accepted 192.0.2.7:51234",
                {
                    "pid": 31,
                    "level": "info",
                    "message": "Accepted 192.0.2.7:51234",
                    "time": (1795400217, "000"),
                    "attributes": {
                        "role": "S",
                    },
                },
            ),
            (
                b"31:S 23 Nov 02:16:57.001 # Connection with master lost.",
                {
                    "pid": 31,
                    "level": "warn",
                    "message": "Connection with master lost.",
                    "time": (1795400217, "001"),
                    "attributes": {"role": "S"},
                },
            ),
            (
                b"[31] 23 Nov 02:16:57.002 * Background saving started by pid 40",
                {
                    "pid": 31,
                    "level": "notice",
                    "message": "Background saving started by pid 40",
                    "time": (1795400217, "002"),
                },
            ),
            (
                b"23 Nov 02:16:58 . DB 0: 12 keys (0 volatile) in 16 slots HT.",
                {
                    "level": "debug",
                    "message": "DB 0: 12 keys (0 volatile) in 16 slots HT.",
                    "time": (1795400218, ""),
                },
            ),
        ),
        levels={".": "debug", "-": "info", "*": "notice", "#": "warn"},
    ),
    "cassandra": Format(
        "cassandra",
        (
            Layout(
                rb"%{LOGLEVEL:level} +\[%{BRACKETED:thread}\] (?>"
                rb"(?:[0-9a-f\-]{36} )?)%{ISO8601:time} "
                rb"%{BEGIN:file}[\w$]+\.java%{END}:%{INT:line} - %{REST:message}"
            ),
            Layout(
                rb"%{LOGLEVEL:level} +\[%{BRACKETED:thread}\] (?>"
                rb"(?:[0-9a-f\-]{36} )?)%{ISO8601:time} "
                rb"%{BEGIN:logger}[\w$.]+%{END}:%{INT:line} - %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"INFO  [main] 2026-11-23 02:16:56,789 CassandraDaemon.java:65"
                    b"0 - Startup complete"
                ),
                {
                    "level": "info",
                    "thread": "main",
                    "file": "CassandraDaemon.java",
                    "line": 650,
                    "message": "Startup complete",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"WARN  [GossipTasks:1] 2026-11-23 02:16:57,000 FailureDetecto"
                    b"r.java:319 - Not marking nodes down due to local pause of 61"
                    b"24ms"
                ),
                {
                    "level": "warn",
                    "thread": "GossipTasks:1",
                    "file": "FailureDetector.java",
                    "line": 319,
                    "message": "Not marking nodes down due to local pause of 6124ms",
                    "time": (1795400217, "000"),
                },
            ),
        ),
    ),
    "elasticsearch": Format(
        "elasticsearch",
        (
            # The slow logs
            Layout(
                rb"\[%{ISO8601:time}\]\[%{BEGIN:level}[A-Z]+%{END} *+\]\["
                rb"%{BEGIN:logger}index\.(?:search|indexing)\.slowlog[^\]\n ]*%{END} *+\] ?"
                rb"(?>(?:\[%{BEGIN:node?}[^\]\n]*%{END}\] ?)?)"
                rb"%{BEGIN:message}%{BEGIN:index}\[[^\n]*?%{END} took\[[^\]\n]*\], "
                rb"took_millis\[%{INT:_taken}\],[^\n]*%{END}",
                derive=(("duration", "_taken", milliseconds),),
            ),
            Layout(
                rb"\[%{ISO8601:time}\]\[%{BEGIN:level}[A-Z]+%{END} *+\]\["
                rb"%{BEGIN:logger}[^\]\n ]+%{END} *+\] ?"
                rb"(?>(?:\[%{BEGIN:node?}[^\]\n]*%{END}\] ?)?)%{REST:message}"
            ),
        ),
        samples=(
            (
                (b"[2026-11-23T02:16:56,789][INFO ][o.e.n.Node               ] [node-1] started"),
                {
                    "level": "info",
                    "logger": "o.e.n.Node",
                    "message": "started",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "node": "node-1",
                    },
                },
            ),
            (
                (
                    b"[2026-11-23T02:16:57,000][WARN ][o.e.c.r.a.DiskThresholdMoni"
                    b"tor] [node-1] high disk watermark [90%] exceeded"
                ),
                {
                    "level": "warn",
                    "logger": "o.e.c.r.a.DiskThresholdMonitor",
                    "message": "high disk watermark [90%] exceeded",
                    "time": (1795400217, "000"),
                    "attributes": {
                        "node": "node-1",
                    },
                },
            ),
            (
                (
                    b"[2026-11-23T02:16:57,001][ERROR][o.o.b.OpenSearchUncaughtExc"
                    b"eptionHandler] uncaught exception in thread [main]"
                ),
                {
                    "level": "error",
                    "logger": "o.o.b.OpenSearchUncaughtExceptionHandler",
                    "message": "uncaught exception in thread [main]",
                    "time": (1795400217, "001"),
                },
            ),
            (
                b"[2026-11-23T02:16:57,003][WARN ][index.search.slowlog.query] [node-1] [o][0] "
                b"took[1.5s], took_millis[1502], total_hits[3], source[{}],",
                {
                    "level": "warn",
                    "logger": "index.search.slowlog.query",
                    "message": "[o][0] took[1.5s], took_millis[1502], total_hits[3], source[{}],",
                    "duration": 1.502,
                    "time": (1795400217, "003"),
                    "attributes": {"node": "node-1", "index": "[o][0]"},
                },
            ),
            # Logstash names the pipeline there.
            (
                b"[2026-11-23T02:16:57,002][INFO ][logstash.javapipeline    ][orders] Started",
                {
                    "level": "info",
                    "logger": "logstash.javapipeline",
                    "message": "Started",
                    "time": (1795400217, "002"),
                    "attributes": {"node": "orders"},
                },
            ),
        ),
    ),
}
