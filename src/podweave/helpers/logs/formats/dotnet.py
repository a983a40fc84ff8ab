""".NET: the console logger, Serilog (text and compact JSON), NLog, log4net.

Sources: Microsoft.Extensions.Logging's ConsoleFormatter, Serilog's default output templates and
Serilog.Formatting.Compact, NLog's default layout, log4net's samples.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import PRESENT, TEXT, JsonLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record


class HeadLayout(Layout):
    """Level and category; the message comes on the next line, indented."""

    blocks = True

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of an event's lines."""
        from podweave.helpers.logs.join import enrich

        record = self.record(lines[0], clock) or {}
        rest = [line.removeprefix(b"      ") for line in lines[1:]]
        if rest and "message" not in record:
            record["message"] = rest[0].decode("utf-8", "replace")
            rest = rest[1:]
        enrich(record, lines[0], rest)
        return record


_SHORT = {
    "VRB": "trace",
    "DBG": "debug",
    "INF": "info",
    "WRN": "warn",
    "ERR": "error",
    "FTL": "fatal",
    "trce": "trace",
    "dbug": "debug",
    "fail": "error",
    "crit": "fatal",
    "Verbose": "trace",
    "Debug": "debug",
    "Information": "info",
    "Warning": "warn",
    "Error": "error",
    "Critical": "fatal",
    "Fatal": "fatal",
}
_CLEF = {
    "@t": "time",
    "@l": "level",
    "@m": "message",
    "@mt": "message",
    "@x": "stack_trace",
    "@i": "event_code",
    "@tr": "trace_id",
    "@sp": "span_id",
    "SourceContext": "logger",
    "RequestId": "request_id",
    "RequestMethod": "method",
    "RequestPath": "url_path",
    "StatusCode": "status",
    "Elapsed": "duration:ms",
    "ThreadId": "thread_id",
    "ProcessId": "pid",
    "MachineName": "host",
}
_SERILOG = rb"\[%{BEGIN:level}VRB|DBG|INF|WRN|ERR|FTL%{END}\] "
_CONSOLE = rb"%{BEGIN:level}trce|dbug|info|warn|fail|crit%{END}: "
_CATEGORY = rb"%{BEGIN:logger}[A-Za-z_][\w.`+]*%{END}\[%{BEGIN:event_code}-?\d{1,10}%{END}\]"

FORMATS = {
    "serilog-json": Format(
        "serilog-json",
        (
            JsonLayout(
                _CLEF,
                requires={"@t": TEXT, "@m": TEXT},
            ),
            JsonLayout(
                _CLEF,
                requires={"@t": TEXT, "@mt": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"@t":"2026-11-23T02:16:56.7890120Z","@mt":"Order {Id} place'
                    b'd","Id":42,"SourceContext":"Shop.Orders"}'
                ),
                {
                    "time": (1795400216, "7890120"),
                    "message": "Order {Id} placed",
                    "attributes": {
                        "Id": 42,
                    },
                    "logger": "Shop.Orders",
                },
            ),
            (
                (
                    b'{"@t":"2026-11-23T02:16:56.7890120Z","@m":"HTTP GET /orders '
                    b'responded 500 in 17.25 ms","@i":"3ff2a1b4","@l":"Error","@x"'
                    b':"System.Exception: no stock\\n   at Shop.Orders.Place()","Re'
                    b'questMethod":"GET","RequestPath":"/orders","StatusCode":500,'
                    b'"Elapsed":17.25}'
                ),
                {
                    "time": (1795400216, "7890120"),
                    "message": "HTTP GET /orders responded 500 in 17.25 ms",
                    "event_code": "3ff2a1b4",
                    "level": "error",
                    "stack_trace": "System.Exception: no stock\n   at Shop.Orders.Place()",
                    "method": "GET",
                    "url_path": "/orders",
                    "status": 500,
                    "duration": 0.01725,
                },
            ),
        ),
        levels=_SHORT,
    ),
    "dotnet-json": Format(
        "dotnet-json",
        (
            JsonLayout(
                {
                    "Timestamp": "time",
                    "EventId": "event_code",
                    "LogLevel": "level",
                    "Category": "logger",
                    "Message": "message",
                    "Exception": "stack_trace",
                },
                requires={"EventId": PRESENT, "LogLevel": TEXT, "Category": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"Timestamp":"2026-11-23T02:16:56.789Z","EventId":0,"LogLeve'
                    b'l":"Information","Category":"Microsoft.Hosting.Lifetime","Me'
                    b'ssage":"Application started.","State":{"Message":"Applicatio'
                    b'n started.","{OriginalFormat}":"Application started."}}'
                ),
                {
                    "time": (1795400216, "789"),
                    "event_code": "0",
                    "level": "info",
                    "logger": "Microsoft.Hosting.Lifetime",
                    "message": "Application started.",
                    "attributes": {
                        "State": {
                            "Message": "Application started.",
                            "{OriginalFormat}": "Application started.",
                        },
                    },
                },
            ),
            (
                (
                    b'{"EventId":17,"LogLevel":"Error","Category":"Shop.Orders","M'
                    b'essage":"failed","Exception":"System.Exception: no stock"}'
                ),
                {
                    "event_code": "17",
                    "level": "error",
                    "logger": "Shop.Orders",
                    "message": "failed",
                    "stack_trace": "System.Exception: no stock",
                },
            ),
        ),
        levels=_SHORT,
    ),
    "serilog": Format(
        "serilog",
        (
            Layout(rb"%{ISO8601:time} " + _SERILOG + rb"%{REST:message}"),
            Layout(
                rb"\[%{TIMEOFDAY:time} %{BEGIN:level}VRB|DBG|INF|WRN|ERR|FTL%{END}\] "
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                (b"2026-11-23 02:16:56.789 +00:00 [INF] Now listening on: http://localhost:5000"),
                {
                    "level": "info",
                    "message": "Now listening on: http://localhost:5000",
                    "time": (1795400216, "789"),
                },
            ),
            (
                b"[02:16:56 ERR] HTTP GET /orders responded 500 in 17.2507 ms",
                {
                    "level": "error",
                    "message": "HTTP GET /orders responded 500 in 17.2507 ms",
                    "time": (1795400216, ""),
                },
            ),
        ),
        levels=_SHORT,
    ),
    "dotnet-console": Format(
        "dotnet-console",
        (
            # The message comes on the next, indented line.
            HeadLayout(_CONSOLE + _CATEGORY),
            Layout(_CONSOLE + _CATEGORY + rb" %{REST:message}"),
            HeadLayout(rb"%{ISO8601:time} *+" + _CONSOLE + _CATEGORY),
            Layout(rb"%{ISO8601:time} *+" + _CONSOLE + _CATEGORY + rb" %{REST:message}"),
            # AddSystemdConsole
            Layout(
                rb"<%{PRIORITY:severity}>(?:%{ISO8601:time} *+)?" + _CATEGORY + rb" %{REST:message}"
            ),
        ),
        samples=(
            (
                b"info: Microsoft.Hosting.Lifetime[14]",
                {
                    "level": "info",
                    "logger": "Microsoft.Hosting.Lifetime",
                    "event_code": "14",
                },
            ),
            (
                b"fail: Shop.Orders[0]",
                {
                    "level": "error",
                    "logger": "Shop.Orders",
                    "event_code": "0",
                },
            ),
            (
                b"warn: Shop.Orders[17] no stock",
                {
                    "level": "warn",
                    "logger": "Shop.Orders",
                    "event_code": "17",
                    "message": "no stock",
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.789Z info: Microsoft.Hosting.Lifetime[0]"
                    b" Application started."
                ),
                {
                    "level": "info",
                    "logger": "Microsoft.Hosting.Lifetime",
                    "event_code": "0",
                    "message": "Application started.",
                    "time": (1795400216, "789"),
                },
            ),
        ),
        levels=_SHORT,
    ),
    "nlog": Format(
        "nlog",
        (
            Layout(
                rb"%{ISO8601:time}\|%{LOGLEVEL:level}\|"
                rb"%{BEGIN:logger}[^|\n]*+%{END}\|%{REST:message}"
            ),
            Layout(
                rb"%{ISO8601:time}\|%{BEGIN:event_code}\d{1,10}%{END}\|%{LOGLEVEL:level}\|"
                rb"%{BEGIN:logger}[^|\n]*+%{END}\|%{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56.7890|INFO|Shop.Orders|placed 42",
                {
                    "level": "info",
                    "logger": "Shop.Orders",
                    "message": "placed 42",
                    "time": (1795400216, "7890"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.7890|0|ERROR|Shop.Orders|no stock |url: "
                    b"http://localhost/orders|action: Place"
                ),
                {
                    "event_code": "0",
                    "level": "error",
                    "logger": "Shop.Orders",
                    "message": "no stock |url: http://localhost/orders|action: Place",
                    "time": (1795400216, "7890"),
                },
            ),
        ),
    ),
}
