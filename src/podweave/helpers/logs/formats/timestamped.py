"""Lines of no particular format that begin with a timestamp, and perhaps a level."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_LEVEL = rb"\]?:?[ \t]++(?:- )?[\[<(]?%{LOGLEVEL:level}[\]>)]?:?[ \t]++(?:- )?%{REST:message}"

FORMATS = {
    "timestamped": Format(
        "timestamped",
        (
            Layout(rb"\[?%{ISO8601:time}" + _LEVEL, general=True),
            Layout(rb"\[?%{SLASHDATE:time}" + _LEVEL, general=True),
            Layout(rb"\[?%{DAYMONTHYEAR:time}" + _LEVEL, general=True),
            Layout(rb"\[?%{ISO8601:time}\]?:?[ \t]++(?:- )?%{REST:message}", general=True),
            Layout(rb"\[?%{SLASHDATE:time}\]?:?[ \t]++(?:- )?%{REST:message}", general=True),
        ),
        samples=(
            (
                b"2026-11-23T02:16:56Z [warning] disk is filling up",
                {"time": (1795400216, ""), "level": "warn", "message": "disk is filling up"},
            ),
            (
                b"2026/11/23 02:16:56 http: Server closed",
                {"time": (1795400216, ""), "message": "http: Server closed"},
            ),
        ),
    ),
}
