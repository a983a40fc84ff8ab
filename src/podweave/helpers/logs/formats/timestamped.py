"""Lines of no particular format that begin with a timestamp, and perhaps a level."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamps import STAMPS, Stamp

_LEVEL = rb"\]?:?[ \t]++(?:- )?[\[<(]?%{LOGLEVEL:level}[\]>)]?:?[ \t]++(?:- )?%{REST:message}"

# Zones by their names, where they are sure to be some: INFO looks like one.
_NAMED = Stamp(
    STAMPS["SLASHDATE"].pattern.replace(b"/", b"[/-]")
    + rb"( (?:UTC|GMT|Z|KST|JST|CET|CEST|EET|EEST|MSK|EST|EDT|PST|PDT|WET|[+-]\d\d:?\d\d))(?!\w)",
    "seconds fraction zone",
    STAMPS["ISO8601"].parse,
)

FORMATS = {
    "timestamped": Format(
        "timestamped",
        (
            Layout(rb"\[?%{STAMP:time}" + _LEVEL, general=True, stamp=_NAMED),
            Layout(rb"\[?%{ISO8601:time}" + _LEVEL, general=True),
            Layout(rb"\[?%{SLASHDATE:time}" + _LEVEL, general=True),
            Layout(rb"\[?%{DAYMONTHYEAR:time}" + _LEVEL, general=True),
            Layout(
                rb"\[?%{STAMP:time}\]?:?[ \t]++(?:- )?%{REST:message}", general=True, stamp=_NAMED
            ),
            Layout(rb"\[?%{ISO8601:time}\]?:?[ \t]++(?:- )?%{REST:message}", general=True),
            Layout(rb"\[?%{SLASHDATE:time}\]?:?[ \t]++(?:- )?%{REST:message}", general=True),
        ),
        samples=(
            (
                b"2026-11-23T02:16:56Z [warning] disk is filling up",
                {"time": (1795400216, ""), "level": "warn", "message": "disk is filling up"},
            ),
            (
                b"2026-11-23 02:16:56.789 KST [31] starting",
                {"time": (1795367816, "789"), "message": "[31] starting"},
            ),
            (
                b"2026/11/23 02:16:56 +09:00 [warn] slow",
                {"time": (1795367816, ""), "level": "warn", "message": "slow"},
            ),
            (
                b"2026/11/23 02:16:56 http: Server closed",
                {"time": (1795400216, ""), "message": "http: Server closed"},
            ),
        ),
    ),
}
