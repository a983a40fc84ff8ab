"""Python's logging: the default, and the formats of its documentation and usual frameworks."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_TIME = rb"%{ISO8601:time}"
_LEVEL = rb"%{PYTHONLEVEL:level}"
_NAME = rb"%{PYTHONLOGGER:logger}"
_MESSAGE = rb"%{REST:message}"

FORMATS = {
    "python": Format(
        "python",
        (
            Layout(_TIME + rb" - " + _NAME + rb" - " + _LEVEL + rb" - " + _MESSAGE),
            Layout(_TIME + rb" - " + _LEVEL + rb" - " + _MESSAGE),
            Layout(_TIME + rb" " + _LEVEL + rb" +" + _NAME + rb": " + _MESSAGE),
            Layout(_TIME + rb" \[" + _LEVEL + rb"\] " + _NAME + rb": " + _MESSAGE),
            Layout(_TIME + rb" " + _NAME + rb" " + _LEVEL + rb":? +" + _MESSAGE),
            Layout(_TIME + rb":" + _LEVEL + rb":" + _NAME + rb":" + _MESSAGE),
            Layout(_TIME + rb":" + _LEVEL + rb":" + _MESSAGE),
            # Home Assistant
            Layout(
                _TIME
                + rb" "
                + _LEVEL
                + rb" \(%{PARENTHESISED:thread}\) \["
                + _NAME
                + rb"\] "
                + _MESSAGE
            ),
            Layout(rb"\[" + _TIME + rb"\] \[" + _LEVEL + rb"\] \[" + _NAME + rb"\] " + _MESSAGE),
            # Flask
            Layout(rb"\[" + _TIME + rb"\] " + _LEVEL + rb" in " + _NAME + rb": " + _MESSAGE),
            # Django's "verbose"
            Layout(
                _LEVEL
                + rb" "
                + _TIME
                + rb" %{PYTHONLOGGER:logger} %{INT:pid} %{INT:thread_id} "
                + _MESSAGE
            ),
            # logging.BASIC_FORMAT, the default
            Layout(_LEVEL + rb":" + _NAME + rb":" + _MESSAGE),
            # uvicorn's, of the application's own loggers
            Layout(_LEVEL + rb": {2,}" + _MESSAGE, general=True),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56,789 - shop.orders - WARNING - slow",
                {
                    "time": (1795400216, "789"),
                    "logger": "shop.orders",
                    "level": "warn",
                    "message": "slow",
                },
            ),
            (
                b"2026-11-23 02:16:56,789 INFO shop.orders: placed 42",
                {
                    "time": (1795400216, "789"),
                    "logger": "shop.orders",
                    "level": "info",
                    "message": "placed 42",
                },
            ),
            (
                b"2026-11-23 02:16:56,789 [ERROR] shop: no stock",
                {
                    "time": (1795400216, "789"),
                    "logger": "shop",
                    "level": "error",
                    "message": "no stock",
                },
            ),
            (
                b"2026-11-23 02:16:56,789 shop.db DEBUG connected",
                {
                    "time": (1795400216, "789"),
                    "logger": "shop.db",
                    "level": "debug",
                    "message": "connected",
                },
            ),
            (
                b"[2026-11-23 02:16:56,789] ERROR in app: Exception on / [GET]",
                {
                    "time": (1795400216, "789"),
                    "logger": "app",
                    "level": "error",
                    "message": "Exception on / [GET]",
                },
            ),
            (
                b"CRITICAL:root:out of paper",
                {"logger": "root", "level": "fatal", "message": "out of paper"},
            ),
            (
                b"INFO:     placed 42",
                {"level": "info", "message": "placed 42"},
            ),
        ),
    ),
}
