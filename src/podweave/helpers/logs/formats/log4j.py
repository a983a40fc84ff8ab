"""Java: the usual patterns of log4j, logback, JBoss, Kafka and Hadoop."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_AFTER = rb" +[-:] ?%{REST:message}"
_LINE = rb"(?::%{INT:line?})?"


def _with(time: bytes) -> tuple[Layout, ...]:
    return (
        # %d [%t] %-5p %c - %m
        Layout(
            time + rb" \[%{BRACKETED:thread}\] %{LOGLEVEL:level} +%{LOGGER:logger}" + _LINE + _AFTER
        ),
        # %d %-5p [%t] %c - %m
        Layout(
            time + rb" %{LOGLEVEL:level} +\[%{BRACKETED:thread}\] %{LOGGER:logger}" + _LINE + _AFTER
        ),
    )


FORMATS = {
    "log4j": Format(
        "log4j",
        (
            *_with(rb"%{ISO8601:time}"),
            *_with(rb"%{TIMEOFDAY:time}"),
            # JBoss, WildFly, Quarkus: %d %-5p [%c] (%t) %m; on the console the time alone
            *(
                Layout(
                    time + rb" %{LOGLEVEL:level} +\[%{LOGGER:logger}\] "
                    rb"\(%{PARENTHESISED:thread}\) %{REST:message}"
                )
                for time in (rb"%{ISO8601:time}", rb"%{TIMEOFDAY:time}")
            ),
            # Solr: %maxLen{%d %-5p (%t) [%notEmpty{c:%X...}] %c %m}
            Layout(
                rb"%{ISO8601:time} %{LOGLEVEL:level} +\(%{PARENTHESISED:thread}\) "
                rb"\[%{BRACKETED:context?}\] %{LOGGER:logger} %{REST:message}"
            ),
            # Flink: %d %-5p %-60c %x - %m
            Layout(
                rb"%{ISO8601:time} %{LOGLEVEL:level} +"
                rb"%{BEGIN:logger}(?:\w++\.)+\w++(?:\$\w++)*%{END} ++"
                rb"\[%{BRACKETED:context?}\] - %{REST:message}"
            ),
            # Kafka: [%d] %p %m (%c)
            Layout(
                rb"\[%{ISO8601:time}\] %{LOGLEVEL:level} %{REST:message} \(%{JAVACLASS:logger}\)"
            ),
            # [%d] [%-5p] [%t] [%c] - %m
            Layout(
                rb"\[%{ISO8601:time}\] \[%{LOGLEVEL:level} *+\] \[%{BRACKETED:thread}\] "
                rb"\[%{BEGIN:logger}[\w$.\-]+%{END} *+\] (?>(?:- )?)%{REST:message}"
            ),
            # log4j 1 and Hadoop: %d %-5p %c{1}:%L - %m, %d %p %c: %m
            Layout(
                rb"%{ISO8601:time} %{LOGLEVEL:level} +%{LOGGER:logger}:%{INT:line} - "
                rb"%{REST:message}"
            ),
            Layout(
                rb"%{ISO8601:time} %{LOGLEVEL:level} +%{JAVACLASS:logger} ?[-:] %{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56,789 [http-nio-8080-exec-1] WARN  com.example.Orders - slow",
                {
                    "time": (1795400216, "789"),
                    "thread": "http-nio-8080-exec-1",
                    "level": "warn",
                    "logger": "com.example.Orders",
                    "message": "slow",
                },
            ),
            (
                b"[2026-11-23 02:16:56,789] [WARN ] [orders-worker-7] [shop.orders] - no stock",
                {
                    "time": (1795400216, "789"),
                    "thread": "orders-worker-7",
                    "level": "warn",
                    "logger": "shop.orders",
                    "message": "no stock",
                },
            ),
            (
                b"2026-11-23 02:16:56.789 ERROR [main] c.e.shop.Orders:17 - no stock",
                {
                    "time": (1795400216, "789"),
                    "thread": "main",
                    "level": "error",
                    "logger": "c.e.shop.Orders",
                    "line": 17,
                    "message": "no stock",
                },
            ),
            (
                b"02:16:56.789 [main] DEBUG c.e.Shop - hello",
                {
                    "time": (1795400216, "789"),
                    "thread": "main",
                    "level": "debug",
                    "logger": "c.e.Shop",
                    "message": "hello",
                },
            ),
            (
                b"2026-11-23 02:16:56,789 INFO  [org.jboss.as] (MSC service thread 1-2) started",
                {
                    "time": (1795400216, "789"),
                    "thread": "MSC service thread 1-2",
                    "level": "info",
                    "logger": "org.jboss.as",
                    "message": "started",
                },
            ),
            (
                b"[2026-11-23 02:16:56,789] INFO [Server 0] started (com.example.Server)",
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "logger": "com.example.Server",
                    "message": "[Server 0] started",
                },
            ),
            (
                b"2026-11-23 02:16:56,789 INFO org.example.data.DataNode: up",
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "logger": "org.example.data.DataNode",
                    "message": "up",
                },
            ),
            (
                b"02:16:56,789 INFO  [org.jboss.as] (Controller Boot Thread) started",
                {
                    "time": (1795400216, "789"),
                    "thread": "Controller Boot Thread",
                    "level": "info",
                    "logger": "org.jboss.as",
                    "message": "started",
                },
            ),
            (
                b"2026-11-23 02:16:56.789 INFO  (qtp1-31) [c:shop s:shard1] o.a.s.c.S.Request ok",
                {
                    "time": (1795400216, "789"),
                    "thread": "qtp1-31",
                    "level": "info",
                    "logger": "o.a.s.c.S.Request",
                    "message": "ok",
                    "attributes": {"context": "c:shop s:shard1"},
                },
            ),
            (
                b"2026-11-23 02:16:56,789 INFO  org.apache.flink.runtime.JobMaster        [] - up",
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "logger": "org.apache.flink.runtime.JobMaster",
                    "message": "up",
                },
            ),
            (
                b"2026-11-23 02:16:56 ERROR Orders:17 - no stock",
                {
                    "time": (1795400216, ""),
                    "level": "error",
                    "logger": "Orders",
                    "line": 17,
                    "message": "no stock",
                },
            ),
        ),
    ),
}
