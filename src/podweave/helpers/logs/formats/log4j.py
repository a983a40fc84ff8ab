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


def _outcome(event: str) -> str:
    return "failure" if event.endswith("_ERROR") else "success"


def _value(name: bytes, field: bytes) -> bytes:
    return name + rb'="?(?:null|%{BEGIN:' + field + rb'?}[^",\n]*%{END})"?'


# Keycloak's events; the values are in quotes since 22.
_KEYCLOAK = Layout(
    rb"%{ISO8601:time} %{LOGLEVEL:level} +\[%{BEGIN:logger}org\.keycloak\.events%{END}\] "
    rb"\(%{PARENTHESISED:thread}\) "
    rb'%{BEGIN:message}type="?%{BEGIN:event_action}[A-Z_]+%{END}"?, '
    + _value(rb"realmId", rb"realm_id")
    + rb", (?:"
    + _value(rb"realmName", rb"realm_name")
    + rb", )?"
    + _value(rb"clientId", rb"client_id")
    + rb", "
    + _value(rb"userId", rb"user_id")
    + rb", (?:"
    + _value(rb"sessionId", rb"session_id")
    + rb", )?"
    + _value(rb"ipAddress", rb"source_address")
    + rb"(?:, "
    + _value(rb"error", rb"error_code")
    + rb")?(?:, [^\n]*)?%{END}",
    derive=(("event_outcome", "event_action", _outcome),),
)

FORMATS = {
    "log4j": Format(
        "log4j",
        (
            _KEYCLOAK,
            *_with(rb"%{ISO8601:time}"),
            *_with(rb"%{TIMEOFDAY:time}"),
            # JBoss, WildFly, Quarkus: %d %-5p [%c] (%t) %m; on the console the time alone
            *(
                Layout(
                    time + rb" %{LOGLEVEL:level} +\[" + events + rb"%{LOGGER:logger}\] "
                    rb"\(%{PARENTHESISED:thread}\) %{REST:message}",
                    general=not events,
                )
                for time, events in (
                    # Keycloak's events have a layout of their own; its other lines don't fit it.
                    (rb"%{ISO8601:time}", rb"(?!org\.keycloak\.events\])"),
                    (rb"%{ISO8601:time}", b""),
                    (rb"%{TIMEOFDAY:time}", rb"(?!org\.keycloak\.events\])"),
                )
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
                b"2026-11-23 02:16:57,001 WARN  [org.keycloak.events] (executor-thread-7) "
                b'type="LOGIN_ERROR", realmId="r-1", realmName="shop", clientId="web", '
                b'userId="null", ipAddress="192.0.2.7", error="user_not_found", '
                b'auth_method="openid-connect"',
                {
                    "time": (1795400217, "001"),
                    "level": "warn",
                    "logger": "org.keycloak.events",
                    "thread": "executor-thread-7",
                    "message": 'type="LOGIN_ERROR", realmId="r-1", realmName="shop", '
                    'clientId="web", userId="null", ipAddress="192.0.2.7", '
                    'error="user_not_found", auth_method="openid-connect"',
                    "event_action": "LOGIN_ERROR",
                    "event_outcome": "failure",
                    "client_id": "web",
                    "source_address": "192.0.2.7",
                    "error_code": "user_not_found",
                    "attributes": {"realm_id": "r-1", "realm_name": "shop"},
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
