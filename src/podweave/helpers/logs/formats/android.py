"""Android: logcat in its formats threadtime, time and brief.

Source: the documentation of `logcat -v`. `year` and `zone` may be among its modifiers; a tag is
padded with spaces, and those of few programs have colons.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamp_texts import month_and_day
from podweave.helpers.logs.timestamps import Stamp

_TIME = Stamp(
    rb"((?>(?:\d{4}-)?)[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-6]\d)(?:\.(\d{3,9}))?((?: [+-]\d{4})?)",
    "seconds fraction zone",
    month_and_day,
)
_LEVEL = rb"%{BEGIN:level}[VDIWEFS]%{END}"
_TAG = rb"%{BEGIN:logger}[^\s:()]++(?>(?: [^\s:()]++)*)%{END} *+"

SAMPLES = (
    (
        (
            b"11-23 02:16:56.789  1234  1250 I ActivityManager: Start proc 2211:"
            b"com.example.shop/u0a123"
        ),
        {
            "pid": 1234,
            "thread_id": 1250,
            "level": "info",
            "logger": "ActivityManager",
            "message": "Start proc 2211:com.example.shop/u0a123",
            "time": (1795400216, "789"),
        },
    ),
    (
        (b"2026-11-23 11:16:57.001 +0900  1234  1234 E AndroidRuntime: FATAL EXCEPTION: main"),
        {
            "pid": 1234,
            "thread_id": 1234,
            "level": "error",
            "logger": "AndroidRuntime",
            "message": "FATAL EXCEPTION: main",
            "time": (1795400217, "001"),
        },
    ),
    (
        b"11-23 02:16:57.789 W/InputReader(  971): Device has moved",
        {
            "level": "warn",
            "logger": "InputReader",
            "pid": 971,
            "message": "Device has moved",
            "time": (1795400217, "789"),
        },
    ),
    (
        b"D/dalvikvm( 2211): GC_CONCURRENT freed 2012K",
        {
            "level": "debug",
            "logger": "dalvikvm",
            "pid": 2211,
            "message": "GC_CONCURRENT freed 2012K",
        },
    ),
    (
        b"--------- beginning of main",
        {"message": "beginning of main", "attributes": {"buffer": "main"}},
    ),
)
FORMATS = {
    "logcat": Format(
        "logcat",
        (
            # threadtime; since Android 7 with -v uid also the user's name in front of the process
            Layout(
                rb"%{STAMP:time} ++(?>(?:%{BEGIN:user?}[a-z][\w.]*+%{END} ++)?)%{INT:pid} ++"
                rb"%{INT:thread_id} " + _LEVEL + rb" " + _TAG + rb": ?%{REST:message}",
                stamp=_TIME,
            ),
            Layout(
                rb"%{STAMP:time} "
                + _LEVEL
                + rb"/"
                + _TAG
                + rb"\( *+%{INT:pid}\): ?%{REST:message}",
                stamp=_TIME,
            ),
            Layout(_LEVEL + rb"/" + _TAG + rb"\( *+%{INT:pid}\): ?%{REST:message}"),
            Layout(rb"-{9} %{BEGIN:message}(?:beginning of|switch to) %{WORD:buffer}%{END}"),
        ),
        samples=SAMPLES,
        levels={
            "V": "trace",
            "D": "debug",
            "I": "info",
            "W": "warn",
            "E": "error",
            "F": "fatal",
            "S": "fatal",
        },
    ),
}
