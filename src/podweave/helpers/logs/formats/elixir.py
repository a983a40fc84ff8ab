"""Elixir: the console of its Logger.

Source: the documentation of Logger's default formatter, `$time $metadata[$level] $message`, and
Phoenix' `[level] message` with metadata in front.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_LEVEL = (
    rb"\[%{BEGIN:level}debug|info|notice|warn|warning|error|critical|alert|emergency%{END}\] ++"
)

SAMPLES = (
    (
        (b"02:16:56.789 [info] Running ShopWeb.Endpoint with Bandit 1.5 at 127.0.0.1:4000 (http)"),
        {
            "level": "info",
            "message": "Running ShopWeb.Endpoint with Bandit 1.5 at 127.0.0.1:4000 (http)",
            "time": (1795400216, "789"),
        },
    ),
    (
        b"02:16:57.001 request_id=F9x1b2c3 [error] no stock",
        {
            "request_id": "F9x1b2c3",
            "level": "error",
            "message": "no stock",
            "time": (1795400217, "001"),
        },
    ),
)
FORMATS = {
    "elixir": Format(
        "elixir",
        (
            Layout(rb"%{TIMEOFDAY:time} " + _LEVEL + rb"%{REST:message}"),
            Layout(
                rb"%{TIMEOFDAY:time} request_id=%{SPACED:request_id} "
                + _LEVEL
                + rb"%{REST:message}"
            ),
        ),
        samples=SAMPLES,
    ),
}
