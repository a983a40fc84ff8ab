"""Java's own java.util.logging, Tomcat, Spring Boot.

Sources: java.util.logging.SimpleFormatter, Tomcat's OneLineFormatter, Spring Boot's
DefaultLogbackConfiguration (2 and 3).
"""

from __future__ import annotations

from podweave.helpers.logs.formats.own.dates import stamp_of
from podweave.helpers.logs.layouts import Format, Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

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
}
