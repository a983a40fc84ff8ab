"""The Java virtual machine's own log: garbage collection, safepoints, and all that `-Xlog` writes.

Sources: JEP 158 (decorations of unified logging), HotSpot's gcTraceTime of Java 8. A time of
uptime alone is no time of day: such a line gets the time of reading.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_REST = (
    rb"(?:\[%{BEGIN:level?}trace|debug|info|warning|error%{END} *+\])?"
    rb"\[%{BEGIN:logger}[a-z0-9_+,]+%{END} *+\] %{REST:message}"
)
_IDS = rb"(?:\[%{INT:pid?}\])?(?:\[%{INT:thread_id?}\])?"
_UPTIME = rb"\[%{NUMBER:uptime}s\]"

FORMATS = {
    "jvm": Format(
        "jvm",
        (
            Layout(rb"\[%{RFC3339:time}\](?:\[%{NUMBER:uptime?}s\])?" + _IDS + _REST),
            Layout(_UPTIME + _IDS + _REST),
            # Java 8: -XX:+PrintGCDetails with or without -XX:+PrintGCDateStamps
            Layout(
                rb"%{RFC3339:time}: (?:%{NUMBER:uptime?}: )?%{BEGIN:message}"
                rb"(?:\[|Total time for|Application time:)[^\n]*%{END}"
            ),
        ),
        samples=(
            (
                b"[2026-11-23T02:16:56.789+0000][31][info ][gc,start    ] GC(7) Pause Young",
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "level": "info",
                    "logger": "gc,start",
                    "message": "GC(7) Pause Young",
                },
            ),
            (
                b"[2026-11-23T02:16:56.790+0000][31][safepoint   ] Leaving safepoint region",
                {
                    "time": (1795400216, "790"),
                    "pid": 31,
                    "logger": "safepoint",
                    "message": "Leaving safepoint region",
                },
            ),
            (
                b"[12.345s][warning][os,thread] Attempt to protect stack guard pages failed",
                {
                    "level": "warn",
                    "logger": "os,thread",
                    "message": "Attempt to protect stack guard pages failed",
                    "attributes": {"uptime": 12.345},
                },
            ),
            (
                b"2026-11-23T02:16:57.000+0000: 12.345: [GC (Allocation Failure) 65536K->10720K"
                b"(251392K), 0.0079816 secs]",
                {
                    "time": (1795400217, "000"),
                    "message": "[GC (Allocation Failure) 65536K->10720K(251392K), 0.0079816 secs]",
                    "attributes": {"uptime": 12.345},
                },
            ),
        ),
    ),
}
