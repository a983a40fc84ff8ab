"""Java's own java.util.logging, Tomcat, Spring Boot, and the JSON of Java's loggers.

Sources: java.util.logging.SimpleFormatter, Tomcat's OneLineFormatter, Spring Boot's
DefaultLogbackConfiguration (2 and 3), logstash-logback-encoder, log4j2's JsonLayout and
JsonTemplateLayout, Elastic's ECS logging.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.own.dates import stamp_of
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, OBJECT, TEXT, JsonLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.sink import Sink
    from podweave.helpers.logs.timestamps import Clock

# Nov 23, 2026 2:16:56 AM; newer ones have a comma before the hour, and a narrow space.
_SIMPLE = stamp_of(
    [
        ("month_name", rb"[A-Z][a-z]{2}"),
        ("", rb" "),
        ("day", rb"\d{1,2}"),
        ("", rb", "),
        ("year", rb"\d{4}"),
        ("", rb",? "),
        ("hour12", rb"1?\d"),
        ("", rb":"),
        ("minute", rb"[0-5]\d"),
        ("", rb":"),
        ("second", rb"[0-6]\d"),
        ("", rb"(?: |\xe2\x80\xaf)"),
        ("half", rb"[AP]M"),
    ],
    "MMM d, yyyy h:mm:ss a",
)
_CLASS = rb"%{BEGIN:class_name}[\w$]+(?>(?:[.$][\w$]+)*)%{END}"
_METHOD = rb"%{BEGIN:function?}[\w$<>]+%{END}"


class TwoLineLayout(Layout):
    """A head of time, class and method; on the next line the level and the message."""

    blocks = True

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of an event's lines."""
        from podweave.helpers.logs.join import enrich

        record = self.record(lines[0], clock) or {}
        level, colon, message = lines[1].partition(b": ") if len(lines) > 1 else (b"", b"", b"")
        if colon and level.isalpha():
            record["level"] = self.levels.get(level.decode(), "info")
            record["message"] = message.decode("utf-8", "replace")
            lines = lines[1:]
        enrich(record, lines[0], list(lines[1:]))
        return record


_LEVELS = {
    "SEVERE": "error",
    "WARNING": "warn",
    "INFO": "info",
    "CONFIG": "debug",
    "FINE": "debug",
    "FINER": "trace",
    "FINEST": "trace",
}


class InstantLayout(JsonLayout):
    """The time is an object of seconds and nanoseconds."""

    def put(self, value: dict[str, Any], sink: Sink) -> None:
        instant = dict(value["instant"])
        nanoseconds = instant.pop("nanoOfSecond", None)
        super().put({**value, "instant": instant}, sink)
        if nanoseconds is not None and not sink.keep_nanoseconds(nanoseconds):
            sink.fill("nanoOfSecond", nanoseconds)


_SPRING = (
    rb"%{ISO8601:time} +%{LOGLEVEL:level} "
    # Spring Cloud Sleuth and Spring Boot's own pattern put these where `%5p` stands.
    rb"(?>(?:\[%{BEGIN:service_name?}[^,\]\n]*%{END},%{BEGIN:trace_id?}[0-9a-f]*%{END},"
    rb"%{BEGIN:span_id?}[0-9a-f]*%{END}(?:,(?:true|false)?)?\] )?)"
    rb"(?:%{INT:pid?}|\?+) --- "
)
_THREAD = rb"\[ *+%{BRACKETED:thread}\] "
_REST = rb"%{LOGGER:logger} *+: %{REST:message}"

FORMATS = {
    "spring-boot": Format(
        "spring-boot",
        (
            Layout(_SPRING + _THREAD + _REST),
            Layout(_SPRING + rb"\[%{BRACKETED:application}\] " + _THREAD + _REST),
            # [application] [thread] [trace id-span id] with Micrometer's tracing
            Layout(
                _SPRING
                + rb"(?>(?:\[%{BRACKETED:application?}\] (?=\[ *+[^\]\n]*\] \[))?)"
                + _THREAD
                + rb"\[(?:%{BEGIN:_trace?}[0-9a-f]{16,32}%{END}-"
                rb"%{BEGIN:_span?}[0-9a-f]{16}%{END}| *+)\] " + _REST,
                derive=(("trace_id", "_trace", str), ("span_id", "_span", str)),
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56.789  INFO 1 --- [           main] c.e.Sh"
                    b"opApplication                     : Started ShopApplication "
                    b"in 2.1 seconds"
                ),
                {
                    "level": "info",
                    "pid": 1,
                    "thread": "main",
                    "logger": "c.e.ShopApplication",
                    "message": "Started ShopApplication in 2.1 seconds",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"2026-11-23T11:16:56.789+09:00  WARN 31 --- [shop] [nio-8080-"
                    b"exec-1] o.s.w.s.m.s.DefaultHandlerExceptionResolver : Resolv"
                    b"ed"
                ),
                {
                    "level": "warn",
                    "pid": 31,
                    "thread": "nio-8080-exec-1",
                    "logger": "o.s.w.s.m.s.DefaultHandlerExceptionResolver",
                    "message": "Resolved",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "application": "shop",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789Z ERROR 31 --- [shop] [nio-8080-exec-"
                    b"1] [0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331] c.e.s"
                    b"hop.Orders : no stock"
                ),
                {
                    "level": "error",
                    "pid": 31,
                    "thread": "nio-8080-exec-1",
                    "logger": "c.e.shop.Orders",
                    "message": "no stock",
                    "time": (1795400216, "789"),
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                    "span_id": "b7ad6b7169203331",
                    "attributes": {
                        "application": "shop",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.789  INFO [shop,0af7651916cd43dd8448eb21"
                    b"1c80319c,b7ad6b7"
                    b"169203331,true] 31 --- [nio-8080-exec-1] c.e.shop.Orders : p"
                    b"laced 42"
                ),
                {
                    "level": "info",
                    "service_name": "shop",
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                    "span_id": "b7ad6b7169203331",
                    "pid": 31,
                    "thread": "nio-8080-exec-1",
                    "logger": "c.e.shop.Orders",
                    "message": "placed 42",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789Z  INFO 31 --- [shop] [           mai"
                    b"n] [                                                 ] c.e.s"
                    b"hop.Shop : Starting"
                ),
                {
                    "level": "info",
                    "pid": 31,
                    "thread": "main",
                    "logger": "c.e.shop.Shop",
                    "message": "Starting",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "application": "shop",
                    },
                },
            ),
        ),
    ),
    "tomcat": Format(
        "tomcat",
        (
            Layout(
                rb"%{DAYMONTHYEAR:time} %{BEGIN:level}[A-Z]{4,8}%{END} \[%{BRACKETED:thread}\] "
                + rb"%{BEGIN:class_name}[\w$]+(?>(?:[.$][\w$]+(?=[.$]))*)%{END}\."
                rb"%{BEGIN:function}[\w$<>]+%{END}"
                rb" %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"23-Nov-2026 02:16:56.789 INFO [main] org.apache.catalina.sta"
                    b"rtup.Catalina.start Server startup in [1203] milliseconds"
                ),
                {
                    "level": "info",
                    "thread": "main",
                    "class_name": "org.apache.catalina.startup.Catalina",
                    "function": "start",
                    "message": "Server startup in [1203] milliseconds",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"23-Nov-2026 02:16:57.000 SEVERE [http-nio-8080-exec-1] org.a"
                    b"pache.catalina.core.StandardWrapperValve.invoke Servlet.serv"
                    b"ice() for servlet [orders] threw exception"
                ),
                {
                    "level": "error",
                    "thread": "http-nio-8080-exec-1",
                    "class_name": "org.apache.catalina.core.StandardWrapperValve",
                    "function": "invoke",
                    "message": "Servlet.service() for servlet [orders] threw exception",
                    "time": (1795400217, "000"),
                },
            ),
            (
                (
                    b"23-Nov-2026 02:16:57.001 WARNING [localhost-startStop-1] org"
                    b".apache.catalina.util.SessionIdGeneratorBase.createSecureRan"
                    b"dom Creation of SecureRandom instance took [6,024] milliseco"
                    b"nds."
                ),
                {
                    "level": "warn",
                    "thread": "localhost-startStop-1",
                    "class_name": "org.apache.catalina.util.SessionIdGeneratorBase",
                    "function": "createSecureRandom",
                    "message": "Creation of SecureRandom instance took [6,024] milliseconds.",
                    "time": (1795400217, "001"),
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "java-util-logging": Format(
        "java-util-logging",
        (
            TwoLineLayout(
                rb"%{STAMP:time} %{BEGIN:message}" + _CLASS + rb"(?: " + _METHOD + rb")?%{END}",
                stamp=_SIMPLE,
            ),
        ),
        samples=(
            (
                b"Nov 23, 2026 2:16:56 AM com.example.shop.Orders place",
                {
                    "message": "com.example.shop.Orders place",
                    "class_name": "com.example.shop.Orders",
                    "function": "place",
                    "time": (1795400216, ""),
                },
            ),
            (
                b"Nov 23, 2026, 2:16:56\xe2\x80\xafPM com.example.shop.Orders <init>",
                {
                    "message": "com.example.shop.Orders <init>",
                    "class_name": "com.example.shop.Orders",
                    "function": "<init>",
                    "time": (1795443416, ""),
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "ecs-json": Format(
        "ecs-json",
        (
            JsonLayout(
                {"ecs.version": "", "event.dataset": "", "labels": ""},
                requires={"@timestamp": TEXT, "ecs.version": TEXT, "message": TEXT},
                excludes=("cluster.uuid", "elasticsearch.cluster.uuid"),
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
                {
                    "timeMillis": "time",
                    "loggerName": "logger",
                    "thread": "thread",
                    "threadId": "thread_id",
                    "thrown.name": "error_type",
                    "thrown.message": "error_message",
                    "thrown.extendedStackTrace": "stack_trace",
                    "source.class": "class_name",
                    "source.method": "function",
                    "source.file": "file",
                    "source.line": "line",
                },
                requires={"loggerName": TEXT, "level": TEXT, "timeMillis": NUMBER},
            ),
            InstantLayout(
                {
                    "instant.epochSecond": "time",
                    "loggerName": "logger",
                    "threadId": "thread_id",
                    "thrown.name": "error_type",
                    "thrown.message": "error_message",
                    "thrown.extendedStackTrace": "stack_trace",
                    "source.class": "class_name",
                    "source.method": "function",
                    "source.file": "file",
                    "source.line": "line",
                },
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
