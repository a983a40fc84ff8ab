"""ActiveMQ Classic, and Karaf, which many brokers and buses of integration run in.

Source: the log4j configurations that they are delivered with.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_START = rb"%{ISO8601:time} \| %{LOGLEVEL:level} *+\| "
_LOGGER = rb"%{BEGIN:logger}[\w.$\-]+%{END} *"

FORMATS = {
    "activemq": Format(
        "activemq",
        (
            # %d | %-5p | %t | %c | %X{bundle.id} - %X{bundle.name} - %X{bundle.version} | %m
            Layout(
                _START + rb"%{BEGIN:thread}[^|\n]*[^|\n ]%{END} *+\| " + _LOGGER + rb"\| "
                rb"%{BEGIN:bundle}\d+ - [^|\n]+ - [^|\n ]+%{END} \| %{REST:message}"
            ),
            # %d | %-5p | %m | %c | %t
            Layout(
                _START + rb"%{REST:message} \| " + _LOGGER + rb"\| %{BEGIN:thread}[^|\n]+%{END}"
            ),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56,789 | INFO  | Connector amqp started | "
                b"org.apache.activemq.broker.TransportConnector | main",
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "message": "Connector amqp started",
                    "logger": "org.apache.activemq.broker.TransportConnector",
                    "thread": "main",
                },
            ),
            (
                b"2026-11-23 02:16:57,000 | WARN  | Usage is at 91% | of all | "
                b"org.apache.activemq.usage.Usage | Broker Service [shop] Task-7",
                {
                    "time": (1795400217, "000"),
                    "level": "warn",
                    "message": "Usage is at 91% | of all",
                    "logger": "org.apache.activemq.usage.Usage",
                    "thread": "Broker Service [shop] Task-7",
                },
            ),
            (
                b"2026-11-23T02:16:57,001 | ERROR | FelixStartLevel  | Orders           "
                b"| 17 - shop.orders - 1.0.0 | no stock",
                {
                    "time": (1795400217, "001"),
                    "level": "error",
                    "message": "no stock",
                    "logger": "Orders",
                    "thread": "FelixStartLevel",
                    "attributes": {"bundle": "17 - shop.orders - 1.0.0"},
                },
            ),
        ),
    ),
}
