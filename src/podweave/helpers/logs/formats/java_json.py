"""The JSON of Java's loggers.

Sources: logstash-logback-encoder, log4j2's JsonLayout and JsonTemplateLayout, Elastic's ECS
logging.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.ecs_names import ECS_NAMES
from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import NUMBER, OBJECT, TEXT, JsonLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.structured.sink import Sink


class InstantLayout(JsonLayout):
    """The time is an object of seconds and nanoseconds."""

    def put(self, value: dict[str, Any], sink: Sink) -> None:
        instant = dict(value["instant"])
        nanoseconds = instant.pop("nanoOfSecond", None)
        super().put({**value, "instant": instant}, sink)
        if nanoseconds is not None and not sink.keep_nanoseconds(nanoseconds):
            sink.fill("nanoOfSecond", nanoseconds)


_LOG4J = {
    "loggerName": "logger",
    "threadId": "thread_id",
    "thrown.name": "error_type",
    "thrown.message": "error_message",
    "thrown.extendedStackTrace": "stack_trace",
    "source.class": "class_name",
    "source.method": "function",
    "source.file": "file",
    "source.line": "line",
}
"""Log4j's events, whose time is one number or two."""

FORMATS = {
    "ecs-json": Format(
        "ecs-json",
        (
            JsonLayout(
                {**ECS_NAMES, "ecs.version": "", "event.dataset": "", "labels": ""},
                requires={"@timestamp": TEXT, "ecs.version": TEXT, "message": TEXT},
                excludes=("cluster.uuid", "elasticsearch.cluster.uuid"),
                strip="labels.",
            ),
        ),
        samples=(
            (
                (
                    b'{"@timestamp":"2026-11-23T02:16:56.789Z","log.level":"INFO",'
                    b'"message":"placed 42","ecs.version":"1.2.0","service.name":"'
                    b'shop","event.dataset":"shop","process.thread.name":"main","l'
                    b'og.logger":"com.example.Orders"}'
                ),
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "message": "placed 42",
                    "attributes": {
                        "ecs.version": "1.2.0",
                        "event.dataset": "shop",
                    },
                    "service_name": "shop",
                    "thread": "main",
                    "logger": "com.example.Orders",
                },
            ),
            (
                b'{"@timestamp":"2026-11-23T02:16:57.001Z","log.level":"INFO",'
                b'"message":"GET /cart",'
                b'"ecs.version":"8.11.0","url.domain":"shop.example","url.path":"/cart",'
                b'"client.ip":"192.0.2.7","event.duration":41000000,"labels.tier":"web"}',
                {
                    "time": (1795400217, "001"),
                    "level": "info",
                    "message": "GET /cart",
                    "server_name": "shop.example",
                    "url_path": "/cart",
                    "source_address": "192.0.2.7",
                    "duration": 0.041,
                    "attributes": {"ecs.version": "8.11.0", "tier": "web"},
                },
            ),
            (
                (
                    b'{"@timestamp":"2026-11-23T02:16:56.789Z","log.level":"ERROR"'
                    b',"message":"failed","ecs.version":"1.2.0","process.thread.na'
                    b'me":"main","log.logger":"c.e.Orders","error.type":"java.lang'
                    b'.IllegalStateException","error.message":"no stock","error.st'
                    b'ack_trace":"java.lang.IllegalStateException: no stock\\n\\tat '
                    b'c.e.Orders.place(Orders.java:17)"}'
                ),
                {
                    "time": (1795400216, "789"),
                    "level": "error",
                    "message": "failed",
                    "attributes": {
                        "ecs.version": "1.2.0",
                    },
                    "thread": "main",
                    "logger": "c.e.Orders",
                    "error_type": "java.lang.IllegalStateException",
                    "error_message": "no stock",
                    "stack_trace": (
                        "java.lang.IllegalStateException: no stock\n\tat c.e.Orders."
                        "place(Orders.java:17)"
                    ),
                },
            ),
        ),
    ),
    "logstash-json": Format(
        "logstash-json",
        (
            JsonLayout(
                {
                    "logger_name": "logger",
                    "thread_name": "thread",
                    "level_value": "",
                    "HOSTNAME": "host",
                    "caller_class_name": "class_name",
                    "caller_method_name": "function",
                    "caller_file_name": "file",
                    "caller_line_number": "line",
                },
                requires={"@timestamp": TEXT, "@version": ("1",), "message": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"@timestamp":"2026-11-23T02:16:56.789Z","@version":"1","mes'
                    b'sage":"placed 42","logger_name":"com.example.Orders","thread'
                    b'_name":"main","level":"INFO","level_value":20000}'
                ),
                {
                    "time": (1795400216, "789"),
                    "attributes": {
                        "@version": "1",
                        "level_value": 20000,
                    },
                    "message": "placed 42",
                    "logger": "com.example.Orders",
                    "thread": "main",
                    "level": "info",
                },
            ),
            (
                (
                    b'{"@timestamp":"2026-11-23T11:16:56.789+09:00","@version":"1"'
                    b',"message":"failed","logger_name":"com.example.Orders","thre'
                    b'ad_name":"main","level":"ERROR","level_value":40000,"stack_t'
                    b'race":"java.lang.IllegalStateException: no stock\\n\\tat a.B.c'
                    b'(B.java:1)\\n","traceId":"0af7651916cd43dd8448eb211c80319c"}'
                ),
                {
                    "time": (1795400216, "789"),
                    "attributes": {
                        "@version": "1",
                        "level_value": 40000,
                    },
                    "message": "failed",
                    "logger": "com.example.Orders",
                    "thread": "main",
                    "level": "error",
                    "stack_trace": (
                        "java.lang.IllegalStateException: no stock\n\tat a.B.c(B.java:1)\n"
                    ),
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                },
            ),
        ),
    ),
    "log4j-json": Format(
        "log4j-json",
        (
            JsonLayout(
                {"timeMillis": "time", "thread": "thread", **_LOG4J},
                requires={"loggerName": TEXT, "level": TEXT, "timeMillis": NUMBER},
            ),
            InstantLayout(
                {"instant.epochSecond": "time", **_LOG4J},
                requires={"loggerName": TEXT, "level": TEXT, "instant": OBJECT},
            ),
        ),
        samples=(
            (
                (
                    b'{"instant":{"epochSecond":1795400216,"nanoOfSecond":78900000'
                    b'0},"thread":"main","level":"INFO","loggerName":"com.example.'
                    b'Orders","message":"placed 42","endOfBatch":false,"loggerFqcn'
                    b'":"org.apache.logging.log4j.spi.AbstractLogger","threadId":1'
                    b',"threadPriority":5}'
                ),
                {
                    "time": (1795400216, "789000000"),
                    "attributes": {
                        "endOfBatch": False,
                        "loggerFqcn": "org.apache.logging.log4j.spi.AbstractLogger",
                        "threadPriority": 5,
                    },
                    "thread": "main",
                    "level": "info",
                    "logger": "com.example.Orders",
                    "message": "placed 42",
                    "thread_id": 1,
                },
            ),
            (
                (
                    b'{"timeMillis":1795400216789,"thread":"main","level":"ERROR",'
                    b'"loggerName":"com.example.Orders","message":"failed","thrown'
                    b'":{"name":"java.lang.IllegalStateException","message":"no st'
                    b'ock"},"threadId":1}'
                ),
                {
                    "time": (1795400216, "789"),
                    "thread": "main",
                    "level": "error",
                    "logger": "com.example.Orders",
                    "message": "failed",
                    "error_type": "java.lang.IllegalStateException",
                    "error_message": "no stock",
                    "thread_id": 1,
                },
            ),
        ),
    ),
}
