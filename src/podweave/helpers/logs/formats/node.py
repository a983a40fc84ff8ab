"""Node: pino, bunyan and winston.

Sources: the packages' documentation. winston writes `level`, `message` and `timestamp`, as far
as the application's formats say so.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, PRESENT, TEXT, JsonLayout

_LEVELS = {
    "10": "trace",
    "20": "debug",
    "30": "info",
    "40": "warn",
    "50": "error",
    "60": "fatal",
}
_REQUESTS = {
    "req.method": "method",
    "req.url": "url",
    "req.id": "request_id",
    "req.remoteAddress": "source_address",
    "req.remotePort": "source_port",
    "req.headers.user-agent": "user_agent",
    "req.headers.referer": "referrer",
    "res.statusCode": "status",
    "responseTime": "duration:ms",
}

FORMATS = {
    "bunyan": Format(
        "bunyan",
        (
            JsonLayout(
                {"v": "", "name": "logger", "src.file": "file", "src.line": "line", **_REQUESTS},
                requires={
                    "v": NUMBER,
                    "name": TEXT,
                    "hostname": TEXT,
                    "pid": NUMBER,
                    "level": NUMBER,
                    "time": TEXT,
                },
            ),
        ),
        samples=(
            (
                (
                    b'{"name":"shop","hostname":"web-1","pid":31,"level":30,"msg":'
                    b'"hi","time":"2026-11-23T02:16:56.789Z","v":0}'
                ),
                {
                    "logger": "shop",
                    "host": "web-1",
                    "pid": 31,
                    "level": "info",
                    "message": "hi",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "v": 0,
                    },
                },
            ),
            (
                (
                    b'{"name":"shop","hostname":"web-1","pid":31,"level":50,"err":'
                    b'{"message":"no stock","name":"Error","stack":"Error: no stoc'
                    b'k\\n    at f (/a.js:1:1)"},"msg":"failed","time":"2026-11-23T'
                    b'02:16:57.000Z","v":0}'
                ),
                {
                    "logger": "shop",
                    "host": "web-1",
                    "pid": 31,
                    "level": "error",
                    "error_message": "no stock",
                    "error_type": "Error",
                    "stack_trace": "Error: no stock\n    at f (/a.js:1:1)",
                    "message": "failed",
                    "time": (1795400217, "000"),
                    "attributes": {
                        "v": 0,
                    },
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "pino": Format(
        "pino",
        (
            JsonLayout(
                {"name": "logger", **_REQUESTS},
                requires={"level": NUMBER, "time": PRESENT, "pid": NUMBER, "hostname": TEXT},
                excludes=("v",),
            ),
            JsonLayout(
                {"name": "logger", **_REQUESTS},
                requires={"level": NUMBER, "time": NUMBER, "msg": TEXT},
                excludes=("v", "ts", "logger_name"),
            ),
        ),
        samples=(
            (
                (
                    b'{"level":30,"time":1795400216789,"pid":31,"hostname":"web-1"'
                    b',"msg":"order placed","order":42}'
                ),
                {
                    "level": "info",
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "host": "web-1",
                    "message": "order placed",
                    "attributes": {
                        "order": 42,
                    },
                },
            ),
            (
                (
                    b'{"level":30,"time":1795400216789,"pid":31,"hostname":"web-1"'
                    b',"req":{"id":1,"method":"GET","url":"/orders","headers":{"ho'
                    b'st":"shop.example","user-agent":"curl/8.5.0"},"remoteAddress'
                    b'":"192.0.2.7","remotePort":51234},"res":{"statusCode":200},"'
                    b'responseTime":17,"msg":"request completed"}'
                ),
                {
                    "level": "info",
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "host": "web-1",
                    "request_id": "1",
                    "method": "GET",
                    "url": "/orders",
                    "user_agent": "curl/8.5.0",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "attributes": {
                        "req": {
                            "headers": {
                                "host": "shop.example",
                            },
                        },
                    },
                    "status": 200,
                    "duration": 0.017,
                    "message": "request completed",
                },
            ),
            (
                (
                    b'{"level":50,"time":1795400216789,"msg":"failed","err":{"type'
                    b'":"Error","message":"no stock","stack":"Error: no stock\\n   '
                    b' at f (/a.js:1:1)"}}'
                ),
                {
                    "level": "error",
                    "time": (1795400216, "789"),
                    "message": "failed",
                    "error_type": "Error",
                    "error_message": "no stock",
                    "stack_trace": "Error: no stock\n    at f (/a.js:1:1)",
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "winston": Format(
        "winston",
        (
            JsonLayout(
                {"label": "logger"},
                requires={
                    "level": ("error", "warn", "info", "http", "verbose", "debug", "silly"),
                    "message": TEXT,
                    "timestamp": TEXT,
                },
                excludes=("logger", "@timestamp", "time", "target", "channel", "logger_name"),
            ),
            # printf(`${timestamp} [${label}] ${level}: ${message}`) of its documentation
            Layout(
                rb"%{RFC3339:time} (?>(?:\[%{BRACKETED:logger?}\] )?)"
                rb"%{BEGIN:level}error|warn|info|http|verbose|debug|silly%{END}: "
                rb"(?![A-Za-z_][\w.`+]*\[\d)%{REST:message}"
            ),
            # simple(): the rest of the object behind the message; .NET has a category there
            Layout(
                rb"%{BEGIN:level}error|warn|info|http|verbose|debug|silly%{END}: "
                rb"(?![A-Za-z_][\w.`+]*\[\d)%{REST:message}",
                general=True,
            ),
        ),
        samples=(
            (
                (
                    b'{"level":"info","message":"order placed","order":42,"timesta'
                    b'mp":"2026-11-23T02:16:56.789Z"}'
                ),
                {
                    "level": "info",
                    "message": "order placed",
                    "attributes": {
                        "order": 42,
                    },
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b'{"label":"shop","level":"error","message":"no stock","servic'
                    b'e":"shop","stack":"Error: no stock\\n    at f (/a.js:1:1)","t'
                    b'imestamp":"2026-11-23T02:16:57.000Z"}'
                ),
                {
                    "logger": "shop",
                    "level": "error",
                    "message": "no stock",
                    "service_name": "shop",
                    "stack_trace": "Error: no stock\n    at f (/a.js:1:1)",
                    "time": (1795400217, "000"),
                },
            ),
            (
                b'warn: order placed {"order":42}',
                {"level": "warn", "message": 'order placed {"order":42}'},
            ),
            (
                b"2026-11-23T02:16:56.789Z [shop] info: order placed",
                {
                    "logger": "shop",
                    "level": "info",
                    "message": "order placed",
                    "time": (1795400216, "789"),
                },
            ),
        ),
    ),
    # Its layouts `basic` and `colored`.
    "log4js": Format(
        "log4js",
        (
            Layout(
                rb"\[%{ISO8601:time}\] \[%{BEGIN:level}[A-Z]+%{END}\] "
                rb"%{BEGIN:logger}[\w.\-]++%{END} - %{REST:message}"
            ),
        ),
        samples=(
            (
                b"[2026-11-23T02:16:56.789] [INFO] orders - order placed",
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "logger": "orders",
                    "message": "order placed",
                },
            ),
            (
                b"[2026-11-23T02:16:57.001] [MARK] default - Error: no stock",
                {
                    "time": (1795400217, "001"),
                    "level": "notice",
                    "logger": "default",
                    "message": "Error: no stock",
                },
            ),
        ),
        levels={"MARK": "notice", "ALL": "trace"},
    ),
}
