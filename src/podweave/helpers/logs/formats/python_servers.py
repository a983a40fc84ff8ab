"""Python's servers and the loggers with a look of their own.

Sources: uvicorn.logging, gunicorn.glogging, django.utils.log, werkzeug.serving,
celery.app.defaults, loguru's and structlog's defaults, Airflow's
default log_format.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.own.dates import strftime
from podweave.helpers.logs.layouts import Format, Layout

_REQUEST = (
    rb'"%{BEGIN:message}%{METHOD:method} %{BEGIN:url}%{URLPATH:url_path}'
    rb"(?:\?%{URLQUERY:url_query?})?%{END} HTTP/%{HTTPVERSION:http_version}%{END}" + b'"'
)
_LEVEL = rb"%{PYTHONLEVEL:level}"
# Not to a terminal only
_COLORED = (
    rb'"(?>(?:\x1b\[[0-9;]+m)*)'
    + _REQUEST.removeprefix(b'"').removesuffix(b'"')
    + rb'(?:\x1b\[0m)?"'
)
_DATE = strftime("%d/%b/%Y %H:%M:%S")

FORMATS = {
    "uvicorn": Format(
        "uvicorn",
        (
            Layout(
                _LEVEL + rb": +%{BEGIN:source_address}[0-9A-Fa-f.:]*[0-9A-Fa-f.]%{END}:"
                rb"%{INT:source_port} - "
                + _REQUEST
                + rb" %{INT:status}(?: %{BEGIN:reason?}[A-Za-z][^\n]*%{END})?"
            ),
            Layout(
                rb"%{PYTHONLEVEL:level}: {2,}%{BEGIN:message}"
                rb"(?:Started|Waiting for|Application|Uvicorn|"
                rb"Shutting|Finished|Will watch|Stopping|ASGI|Exception in ASGI|Unsupported|"
                rb"Invalid|WatchFiles|StatReload|Reloading|Child process)[^\n]*%{END}"
            ),
        ),
        samples=(
            (
                b'INFO:     127.0.0.1:51234 - "GET /orders?page=2 HTTP/1.1" 200 OK',
                {
                    "level": "info",
                    "source_address": "127.0.0.1",
                    "source_port": 51234,
                    "message": "GET /orders?page=2 HTTP/1.1",
                    "method": "GET",
                    "url": "/orders?page=2",
                    "url_path": "/orders",
                    "url_query": "page=2",
                    "http_version": "1.1",
                    "status": 200,
                    "attributes": {"reason": "OK"},
                },
            ),
            (
                (b'INFO:     2001:db8::7:51234 - "POST /orders HTTP/1.1" 422 Unprocessable Entity'),
                {
                    "level": "info",
                    "source_address": "2001:db8::7",
                    "source_port": 51234,
                    "message": "POST /orders HTTP/1.1",
                    "method": "POST",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "1.1",
                    "status": 422,
                    "attributes": {"reason": "Unprocessable Entity"},
                },
            ),
            (
                b"INFO:     Started server process [31]",
                {
                    "level": "info",
                    "message": "Started server process [31]",
                },
            ),
            (
                b"INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
                {
                    "level": "info",
                    "message": "Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
                },
            ),
        ),
    ),
    "gunicorn": Format(
        "gunicorn",
        (Layout(rb"\[%{ISO8601:time}\] \[%{INT:pid}\] \[" + _LEVEL + rb"\] %{REST:message}"),),
        samples=(
            (
                b"[2026-11-23 02:16:56 +0000] [31] [INFO] Booting worker with pid: 31",
                {
                    "pid": 31,
                    "level": "info",
                    "message": "Booting worker with pid: 31",
                    "time": (1795400216, ""),
                },
            ),
            (
                b"[2026-11-23 02:16:57 +0900] [1] [CRITICAL] WORKER TIMEOUT (pid:31)",
                {
                    "pid": 1,
                    "level": "fatal",
                    "message": "WORKER TIMEOUT (pid:31)",
                    "time": (1795367817, ""),
                },
            ),
        ),
    ),
    "django": Format(
        "django",
        (
            # runserver
            Layout(
                rb"\[%{STAMP:time}\] " + _REQUEST + rb" %{INT:status} %{INTORDASH:response_bytes?}",
                stamp=_DATE,
            ),
            Layout(
                rb"\[%{STAMP:time}\] (?>(?:"
                + _LEVEL.replace(b":level", b":level?")
                + rb" \[?%{BEGIN:logger?}[\w.]+%{END}(?::%{INT:line?})?\]?:? ?)?)%{REST:message}",
                stamp=_DATE,
            ),
        ),
        samples=(
            (
                b'[23/Nov/2026 02:16:56] "GET /admin/?next=/ HTTP/1.1" 302 0',
                {
                    "message": "GET /admin/?next=/ HTTP/1.1",
                    "method": "GET",
                    "url": "/admin/?next=/",
                    "url_path": "/admin/",
                    "url_query": "next=/",
                    "http_version": "1.1",
                    "status": 302,
                    "response_bytes": 0,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"[23/Nov/2026 02:16:56] ERROR [django.request:241] Internal S"
                    b"erver Error: /orders"
                ),
                {
                    "level": "error",
                    "logger": "django.request",
                    "line": 241,
                    "message": "Internal Server Error: /orders",
                    "time": (1795400216, ""),
                },
            ),
        ),
    ),
    "werkzeug": Format(
        "werkzeug",
        (
            Layout(
                rb"(?:%{PYTHONLEVEL:level?}:werkzeug:)?%{SPACED:source_address} - %{SPACED:user?} "
                rb"\[%{STAMP:time}\] " + _COLORED + rb" %{INT:status} %{INTORDASH:response_bytes?}",
                stamp=_DATE,
            ),
        ),
        samples=(
            (
                b'127.0.0.1 - - [23/Nov/2026 02:16:56] "GET /orders?page=2 HTTP/1.1" 200 -',
                {
                    "source_address": "127.0.0.1",
                    "message": "GET /orders?page=2 HTTP/1.1",
                    "method": "GET",
                    "url": "/orders?page=2",
                    "url_path": "/orders",
                    "url_query": "page=2",
                    "http_version": "1.1",
                    "status": 200,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b'127.0.0.1 - - [23/Nov/2026 02:16:56] "\x1b[35m\x1b[1mGET /bad '
                    b'HTTP/1.1\x1b[0m" 500 -'
                ),
                {
                    "source_address": "127.0.0.1",
                    "message": "GET /bad HTTP/1.1",
                    "method": "GET",
                    "url": "/bad",
                    "url_path": "/bad",
                    "http_version": "1.1",
                    "status": 500,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b'INFO:werkzeug:192.0.2.7 - - [23/Nov/2026 02:16:57] "POST /or'
                    b'ders HTTP/1.1" 500 -'
                ),
                {
                    "level": "info",
                    "source_address": "192.0.2.7",
                    "message": "POST /orders HTTP/1.1",
                    "method": "POST",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "1.1",
                    "status": 500,
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
    "celery": Format(
        "celery",
        (
            Layout(
                rb"\[%{ISO8601:time}: " + _LEVEL + rb"/%{BEGIN:process}[^\]/\n]+%{END}\] "
                rb"(?>(?:%{BEGIN:task?}[\w.]+%{END}\[%{BEGIN:task_id?}[0-9a-f\-]{36}%{END}\]: )?)"
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                b"[2026-11-23 02:16:56,789: INFO/MainProcess] celery@web-1 ready.",
                {
                    "level": "info",
                    "process": "MainProcess",
                    "message": "celery@web-1 ready.",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"[2026-11-23 02:16:56,790: WARNING/ForkPoolWorker-1] shop.tas"
                    b"ks.add[7b2f6a3e-4f7c-4b1e-9c6d-0a1b2c3d4e5f]: slow"
                ),
                {
                    "level": "warn",
                    "process": "ForkPoolWorker-1",
                    "message": "slow",
                    "time": (1795400216, "790"),
                    "attributes": {
                        "task": "shop.tasks.add",
                        "task_id": "7b2f6a3e-4f7c-4b1e-9c6d-0a1b2c3d4e5f",
                    },
                },
            ),
            (
                (
                    b"[2026-11-23 02:16:57,000: INFO/ForkPoolWorker-1] Task shop.t"
                    b"asks.add[7b2f6a3e-4f7c-4b1e-9c6d-0a1b2c3d4e5f] succeeded in "
                    b"0.01s: 3"
                ),
                {
                    "level": "info",
                    "process": "ForkPoolWorker-1",
                    "message": (
                        "Task shop.tasks.add[7b2f6a3e-4f7c-4b1e-9c6d-0a1b2c3d4e5f]"
                        " succeeded in 0.01s: 3"
                    ),
                    "time": (1795400217, "000"),
                },
            ),
        ),
    ),
    "loguru": Format(
        "loguru",
        (
            Layout(
                rb"%{ISO8601:time} \| %{BEGIN:level}[A-Z]+%{END} *+\| "
                rb"%{BEGIN:logger}[\w.]+%{END}:%{BEGIN:function}[\w<>.]+%{END}:%{INT:line} - "
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56.789 | INFO     | shop.orders:place:17 - placed 42",
                {
                    "level": "info",
                    "logger": "shop.orders",
                    "function": "place",
                    "line": 17,
                    "message": "placed 42",
                    "time": (1795400216, "789"),
                },
            ),
            (
                b"2026-11-23 02:16:56.790 | SUCCESS  | __main__:<module>:3 - done",
                {
                    "level": "info",
                    "logger": "__main__",
                    "function": "<module>",
                    "line": 3,
                    "message": "done",
                    "time": (1795400216, "790"),
                },
            ),
        ),
        levels={"SUCCESS": "info"},
    ),
    "structlog": Format(
        "structlog",
        (
            Layout(
                rb"%{ISO8601:time} \[(?=[^\]\n]{9}\])%{BEGIN:level}"
                rb"(?:debug|info|warning|error|critical|exception)%{END}"
                rb" *+\] (?>(?:\[%{BEGIN:logger?}[\w.]+%{END}\] )?)%{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56 [info     ] order placed                "
                    b"   order=42 user=kim"
                ),
                {
                    "level": "info",
                    "message": "order placed                   order=42 user=kim",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789012Z [warning  ] slow                "
                    b"           [shop.orders] ms=17"
                ),
                {
                    "level": "warn",
                    "message": "slow                           [shop.orders] ms=17",
                    "time": (1795400216, "789012"),
                },
            ),
        ),
        levels={"exception": "error"},
    ),
    "airflow": Format(
        "airflow",
        (
            Layout(
                rb"\[%{ISO8601:time}\] \{%{BEGIN:file}[\w.\-/]+%{END}:%{INT:line}\} "
                + _LEVEL
                + rb" - %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"[2026-11-23T02:16:56.789+0000] {taskinstance.py:1157} INFO -"
                    b" Dependencies all met for task"
                ),
                {
                    "file": "taskinstance.py",
                    "line": 1157,
                    "level": "info",
                    "message": "Dependencies all met for task",
                    "time": (1795400216, "789"),
                },
            ),
            (
                b"[2026-11-23 02:16:57,000] {scheduler_job.py:698} ERROR - no heartbeat",
                {
                    "file": "scheduler_job.py",
                    "line": 698,
                    "level": "error",
                    "message": "no heartbeat",
                    "time": (1795400217, "000"),
                },
            ),
        ),
    ),
}
