"""Rust: env_logger, and tracing-subscriber's text and JSON.

Sources: the crates' documentation of their default formats.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import OBJECT, TEXT, JsonLayout

_TARGET = rb"%{BEGIN:logger}[a-z_][\w]*(?>(?:::\w+)*)%{END}"
_FIELDS = rb"(?:\{[^}\n]*\})"
# request{method=GET}:inner, and a span without fields only before a target with its crate: what
# else is before a colon is the target.
_SPANS = (
    rb"\w+(?:" + _FIELDS + rb"(?>(?::\w+" + _FIELDS + rb"?)*)"
    rb"|(?>(?::(?!:)\w+" + _FIELDS + rb"?)+)|(?=: [a-z_]\w*::))"
)
_LEVEL = rb"%{BEGIN:level}TRACE|DEBUG|INFO|WARN|ERROR%{END}"

FORMATS = {
    "tracing-json": Format(
        "tracing-json",
        (
            JsonLayout(
                {
                    "target": "logger",
                    "fields.message": "message",
                    "filename": "file",
                    "line_number": "line",
                    "threadName": "thread",
                    "threadId": "",
                    "fields.error": "error_message",
                },
                requires={"timestamp": TEXT, "level": TEXT, "fields": OBJECT, "target": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"timestamp":"2026-11-23T02:16:56.789012Z","level":"INFO","f'
                    b'ields":{"message":"placed","order":42},"target":"shop::order'
                    b's"}'
                ),
                {
                    "time": (1795400216, "789012"),
                    "level": "info",
                    "message": "placed",
                    "attributes": {
                        "fields": {
                            "order": 42,
                        },
                    },
                    "logger": "shop::orders",
                },
            ),
            (
                (
                    b'{"timestamp":"2026-11-23T02:16:56.789012Z","level":"ERROR","'
                    b'fields":{"message":"failed","error":"no stock"},"target":"sh'
                    b'op::orders","filename":"src/orders.rs","line_number":17,"spa'
                    b'n":{"id":42,"name":"place"},"spans":[{"id":42,"name":"place"'
                    b"}]}"
                ),
                {
                    "time": (1795400216, "789012"),
                    "level": "error",
                    "message": "failed",
                    "error_message": "no stock",
                    "logger": "shop::orders",
                    "file": "src/orders.rs",
                    "line": 17,
                    "attributes": {
                        "span": {
                            "id": 42,
                            "name": "place",
                        },
                        "spans": [
                            {
                                "id": 42,
                                "name": "place",
                            }
                        ],
                    },
                },
            ),
        ),
    ),
    "env-logger": Format(
        "env-logger",
        (
            Layout(rb"\[%{RFC3339:time} " + _LEVEL + rb" +" + _TARGET + rb"\] %{REST:message}"),
            Layout(rb"\[" + _LEVEL + rb" +" + _TARGET + rb"\] %{REST:message}"),
        ),
        samples=(
            (
                b"[2026-11-23T02:16:56Z INFO  shop::orders] placed 42",
                {
                    "level": "info",
                    "logger": "shop::orders",
                    "message": "placed 42",
                    "time": (1795400216, ""),
                },
            ),
            (
                b"[2026-11-23T02:16:56.789Z ERROR shop] no stock",
                {
                    "level": "error",
                    "logger": "shop",
                    "message": "no stock",
                    "time": (1795400216, "789"),
                },
            ),
        ),
    ),
    "tracing": Format(
        "tracing",
        (
            Layout(
                rb"%{RFC3339:time} +" + _LEVEL + rb" +(?>(?:ThreadId\(0*+%{INT:thread_id?}\) )?)"
                rb"(?>(?:%{BEGIN:span?}"
                + _SPANS
                + rb"%{END}: (?=[a-z_]))?)"
                + _TARGET
                + rb": (?>(?:%{BEGIN:file?}[\w./\-]+\.rs%{END}:%{INT:line?}: )?)%{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23T02:16:56.789012Z  INFO shop: placed: order=42",
                {
                    "level": "info",
                    "logger": "shop",
                    "message": "placed: order=42",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                b'2026-11-23T02:16:56.789012Z  INFO request{uri="/x y"}:inner: shop: in',
                {
                    "level": "info",
                    "logger": "shop",
                    "message": "in",
                    "time": (1795400216, "789012"),
                    "attributes": {"span": 'request{uri="/x y"}:inner'},
                },
            ),
            (
                b"2026-11-23T02:16:56.789012Z  INFO inner: shop::orders: in",
                {
                    "level": "info",
                    "logger": "shop::orders",
                    "message": "in",
                    "time": (1795400216, "789012"),
                    "attributes": {"span": "inner"},
                },
            ),
            (
                b"2026-11-23T02:16:56.789012Z  INFO shop::orders: placed order=42",
                {
                    "level": "info",
                    "logger": "shop::orders",
                    "message": "placed order=42",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789012Z ERROR request{method=GET uri=/or"
                    b"ders}: shop::orders: no stock"
                ),
                {
                    "level": "error",
                    "logger": "shop::orders",
                    "message": "no stock",
                    "time": (1795400216, "789012"),
                    "attributes": {
                        "span": "request{method=GET uri=/orders}",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:57.000000Z DEBUG ThreadId(01) hyper::proto:"
                    b" src/proto.rs:17: flushed 128 bytes"
                ),
                {
                    "level": "debug",
                    "thread_id": 1,
                    "logger": "hyper::proto",
                    "file": "src/proto.rs",
                    "line": 17,
                    "message": "flushed 128 bytes",
                    "time": (1795400217, "000000"),
                },
            ),
        ),
    ),
}
