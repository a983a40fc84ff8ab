"""Go: the standard library's log and slog, logrus, zap, zerolog; JSON and text.

Sources: the packages' documentation. logrus' text is logfmt with its own order of keys; what is
built with these libraries (etcd, Argo CD, Prometheus) writes the same.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, PRESENT, TEXT, JsonLayout
from podweave.helpers.logs.structured.pairs_layout import PairsLayout

_CALLER = rb"%{BEGIN:file}[\w./\-@]+\.go%{END}:%{INT:line}"


def _logrus() -> PairsLayout:
    layout = PairsLayout(requires=("time", "level", "msg"))
    # slog and others write their times without quotes.
    layout.literals += (b'time="',)
    return layout


_ZAP_LEVELS = ("debug", "info", "warn", "error", "dpanic", "panic", "fatal")

_SLOG = rb"%{BEGIN:level}DEBUG|INFO|WARN|ERROR%{END}"

FORMATS = {
    "logrus": Format(
        "logrus",
        (_logrus(),),
        samples=(
            (
                (
                    b'time="2026-11-23T02:16:56Z" level=warning msg="a walrus appe'
                    b'ars" animal=walrus size=10'
                ),
                {
                    "time": (1795400216, ""),
                    "level": "warn",
                    "message": "a walrus appears",
                    "attributes": {
                        "animal": "walrus",
                        "size": 10,
                    },
                },
            ),
            (
                (
                    b'time="2026-11-23T02:16:56Z" level=info msg="finished unary c'
                    b'all with code OK" grpc.code=OK grpc.method=Check grpc.servic'
                    b"e=grpc.health.v1.Health grpc.time_ms=0.021 span.kind=server "
                    b"system=grpc"
                ),
                {
                    "time": (1795400216, ""),
                    "level": "info",
                    "message": "finished unary call with code OK",
                    "attributes": {
                        "grpc.code": "OK",
                        "grpc.method": "Check",
                        "grpc.service": "grpc.health.v1.Health",
                        "grpc.time_ms": 0.021,
                        "span.kind": "server",
                        "system": "grpc",
                    },
                },
            ),
            (
                b'time="2026-11-23T02:16:57.000Z" level=error msg=failed error="no stock"',
                {
                    "time": (1795400217, "000"),
                    "level": "error",
                    "message": "failed",
                    "error_message": "no stock",
                },
            ),
        ),
    ),
    "slog-json": Format(
        "slog-json",
        (
            JsonLayout(
                {"source.file": "file", "source.line": "line", "source.function": "function"},
                requires={"time": TEXT, "level": ("DEBUG", "INFO", "WARN", "ERROR"), "msg": TEXT},
                excludes=("pid", "hostname"),
            ),
        ),
        samples=(
            (
                (
                    b'{"time":"2026-11-23T02:16:56.789012345Z","level":"INFO","msg'
                    b'":"order placed","order":42,"user":{"name":"kim"}}'
                ),
                {
                    "time": (1795400216, "789012345"),
                    "level": "info",
                    "message": "order placed",
                    "attributes": {
                        "order": 42,
                    },
                    "user": "kim",
                },
            ),
            (
                (
                    b'{"time":"2026-11-23T02:16:56.789012345+09:00","level":"ERROR'
                    b'","source":{"function":"main.main","file":"/src/main.go","li'
                    b'ne":17},"msg":"failed","err":"no stock"}'
                ),
                {
                    "time": (1795367816, "789012345"),
                    "level": "error",
                    "function": "main.main",
                    "file": "/src/main.go",
                    "line": 17,
                    "message": "failed",
                    "error_message": "no stock",
                },
            ),
        ),
    ),
    "zap-json": Format(
        "zap-json",
        (
            JsonLayout(
                {"ts": "time", "stacktrace": "stack_trace"},
                requires={"level": _ZAP_LEVELS, "ts": PRESENT, "msg": TEXT, "caller": TEXT},
            ),
            JsonLayout(
                {"ts": "time", "stacktrace": "stack_trace"},
                requires={"level": _ZAP_LEVELS, "ts": NUMBER, "msg": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"level":"info","ts":1795400216.789012,"caller":"shop/orders'
                    b'.go:17","msg":"order placed","order":42}'
                ),
                {
                    "level": "info",
                    "time": (1795400216, "789012"),
                    "attributes": {
                        "caller": "shop/orders.go:17",
                        "order": 42,
                    },
                    "message": "order placed",
                },
            ),
            (
                (
                    b'{"level":"warn","ts":"2026-11-23T02:16:56.789012Z","caller":'
                    b'"etcdserver/util.go:170","msg":"apply request took too long"'
                    b',"took":"213.1ms","expected-duration":"100ms"}'
                ),
                {
                    "level": "warn",
                    "time": (1795400216, "789012"),
                    "attributes": {
                        "caller": "etcdserver/util.go:170",
                        "took": "213.1ms",
                        "expected-duration": "100ms",
                    },
                    "message": "apply request took too long",
                },
            ),
            (
                (
                    b'{"level":"error","ts":1795400216.789,"logger":"controller","'
                    b'msg":"Reconciler error","error":"no stock","stacktrace":"mai'
                    b'n.main\\n\\t/src/main.go:17"}'
                ),
                {
                    "level": "error",
                    "time": (1795400216, "789"),
                    "logger": "controller",
                    "message": "Reconciler error",
                    "error_message": "no stock",
                    "stack_trace": "main.main\n\t/src/main.go:17",
                },
            ),
        ),
    ),
    "zerolog-json": Format(
        "zerolog-json",
        (
            JsonLayout(
                requires={
                    "level": ("trace", "debug", "info", "warn", "error", "fatal", "panic"),
                    "time": PRESENT,
                    "message": TEXT,
                },
                excludes=("msg", "timestamp", "logger", "pid", "hostname"),
            ),
        ),
        samples=(
            (
                b'{"level":"info","order":42,"time":1795400216,"message":"order placed"}',
                {
                    "level": "info",
                    "attributes": {
                        "order": 42,
                    },
                    "time": (1795400216, ""),
                    "message": "order placed",
                },
            ),
            (
                (
                    b'{"level":"error","error":"no stock","time":"2026-11-23T02:16'
                    b':56Z","caller":"/src/main.go:17","message":"failed"}'
                ),
                {
                    "level": "error",
                    "error_message": "no stock",
                    "time": (1795400216, ""),
                    "attributes": {
                        "caller": "/src/main.go:17",
                    },
                    "message": "failed",
                },
            ),
        ),
    ),
    "zap-console": Format(
        "zap-console",
        (
            Layout(
                rb"%{ISO8601:time}\t%{BEGIN:level}[A-Za-z]+%{END}\t"
                + _CALLER
                + rb"\t%{BEGIN:message}[^\t\n]*%{END}(?:\t%{BEGIN:fields?}\{[^\n]*%{END})?"
            ),
            Layout(
                rb"%{ISO8601:time}\t%{BEGIN:level}[A-Za-z]+%{END}\t"
                rb"%{BEGIN:logger}[\w.\-]+%{END}\t"
                + _CALLER
                + rb"\t%{BEGIN:message}[^\t\n]*%{END}(?:\t%{BEGIN:fields?}\{[^\n]*%{END})?"
            ),
            Layout(
                rb"%{ISO8601:time}\t%{LOGLEVEL:level}\t"
                rb"(?:%{BEGIN:logger?}[\w.\-]+%{END}\t)?"
                rb"%{BEGIN:message}[^\t\n]*%{END}(?:\t%{BEGIN:fields?}\{[^\n]*%{END})?"
            ),
        ),
        samples=(
            (
                (b'2026-11-23T02:16:56.789Z\tINFO\tshop/orders.go:17\torder placed\t{"order": 42}'),
                {
                    "level": "info",
                    "file": "shop/orders.go",
                    "line": 17,
                    "message": "order placed",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "fields": '{"order": 42}',
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789+0900\tERROR\tcontroller.orders\tshop/or"
                    b"ders.go:17\tfailed"
                ),
                {
                    "level": "error",
                    "logger": "controller.orders",
                    "file": "shop/orders.go",
                    "line": 17,
                    "message": "failed",
                    "time": (1795367816, "789"),
                },
            ),
            (
                b"2026-11-23T02:16:56Z\tINFO\tsetup\tstarting manager",
                {
                    "level": "info",
                    "logger": "setup",
                    "message": "starting manager",
                    "time": (1795400216, ""),
                },
            ),
        ),
    ),
    "zerolog-console": Format(
        "zerolog-console",
        (
            Layout(
                rb"(?:%{ISO8601:time}) %{BEGIN:level}TRC|DBG|INF|WRN|ERR|FTL|PNC%{END} "
                rb"(?>(?:%{BEGIN:file?}[\w./\-@]+\.go%{END}:%{INT:line?} > )?)%{REST:message}"
            ),
            Layout(
                rb"%{BEGIN:clock}1?\d:[0-5]\d[AP]M%{END} "
                rb"%{BEGIN:level}TRC|DBG|INF|WRN|ERR|FTL|PNC%{END} "
                rb"(?>(?:%{BEGIN:file?}[\w./\-@]+\.go%{END}:%{INT:line?} > )?)%{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23T02:16:56Z INF order placed order=42",
                {
                    "level": "info",
                    "message": "order placed order=42",
                    "time": (1795400216, ""),
                },
            ),
            (
                b'2:16AM ERR shop/orders.go:17 > failed error="no stock"',
                {
                    "level": "error",
                    "file": "shop/orders.go",
                    "line": 17,
                    "message": 'failed error="no stock"',
                    "attributes": {
                        "clock": "2:16AM",
                    },
                },
            ),
        ),
        levels={"PNC": "fatal"},
    ),
    "go-log": Format(
        "go-log",
        (
            # slog's default handler writes through log: the level, the message, pairs
            Layout(rb"%{SLASHDATE:time} " + _CALLER + rb": " + _SLOG + rb" %{REST:message}"),
            Layout(rb"%{SLASHDATE:time} " + _SLOG + rb" %{REST:message}"),
            Layout(rb"%{SLASHDATE:time} " + _CALLER + rb": %{REST:message}"),
        ),
        samples=(
            (
                b"2026/11/23 02:16:56 INFO order placed order=42",
                {
                    "level": "info",
                    "message": "order placed order=42",
                    "time": (1795400216, ""),
                },
            ),
            (
                b"2026/11/23 02:16:56.789012 main.go:17: ERROR no stock order=42",
                {
                    "file": "main.go",
                    "line": 17,
                    "level": "error",
                    "message": "no stock order=42",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                b"2026/11/23 02:16:56 main.go:17: listening on :8080",
                {
                    "file": "main.go",
                    "line": 17,
                    "message": "listening on :8080",
                    "time": (1795400216, ""),
                },
            ),
            (
                b"2026/11/23 02:16:56.789012 /src/shop/orders.go:17: placed 42",
                {
                    "file": "/src/shop/orders.go",
                    "line": 17,
                    "message": "placed 42",
                    "time": (1795400216, "789012"),
                },
            ),
        ),
    ),
}
