"""Syslog: RFC 5424, and RFC 3164 as it is found in files (with and without a priority)."""

from __future__ import annotations

from podweave.helpers.logs.fields import SEVERITY_LEVELS
from podweave.helpers.logs.layouts import Format, Layout


def _facility(priority: str) -> int | None:
    return int(priority) >> 3 if len(priority) <= 3 and int(priority) < 192 else None


def _severity(priority: str) -> int | None:
    return int(priority) & 7 if len(priority) <= 3 and int(priority) < 192 else None


def _level(priority: str) -> str | None:
    severity = _severity(priority)
    return None if severity is None else SEVERITY_LEVELS[severity]


_DERIVED = (
    ("facility", "priority", _facility),
    ("severity", "priority", _severity),
    ("level", "priority", _level),
)
_TAG = rb"%{SYSLOGTAG:process}(?:\[%{INT:pid?}\])?: ?%{REST:message}"
_REST_5424 = (
    rb" %{NOTSPACE:host?} %{NOTSPACE:process?} (?:%{INT:pid?}|%{NOTSPACE:process_id?}) "
    rb"%{NOTSPACE:message_id?} (?:-|%{STRUCTUREDDATA:structured_data?})"
    rb"(?: (?>(?:\xef\xbb\xbf)?)%{BEGIN:message}[^\n]*%{END})?"
)

FORMATS = {
    "syslog-rfc5424": Format(
        "syslog-rfc5424",
        (
            Layout(
                rb"<%{PRIORITY:priority}>1 %{ISO8601:time}" + _REST_5424,
                derive=_DERIVED,
            ),
            Layout(rb"<%{PRIORITY:priority}>1 -" + _REST_5424, derive=_DERIVED),
        ),
        samples=(
            (
                b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 42 ID47 "
                b'[exampleSDID@32473 iut="3" eventSource="App]"] \xef\xbb\xbfAn application event',
                {
                    "time": (1065910455, "003"),
                    "priority": 165,
                    "facility": 20,
                    "severity": 5,
                    "level": "notice",
                    "host": "mymachine.example.com",
                    "process": "evntslog",
                    "pid": 42,
                    "message_id": "ID47",
                    "message": "An application event",
                    "attributes": {
                        "structured_data": '[exampleSDID@32473 iut="3" eventSource="App]"]'
                    },
                },
            ),
            (
                b"<34>1 2003-10-11T22:14:15.003Z mymachine su - - - 'su root' failed",
                {
                    "time": (1065910455, "003"),
                    "priority": 34,
                    "facility": 4,
                    "severity": 2,
                    "level": "fatal",
                    "host": "mymachine",
                    "process": "su",
                    "message": "'su root' failed",
                },
            ),
        ),
    ),
    "syslog-rfc3164": Format(
        "syslog-rfc3164",
        (
            Layout(
                rb"<%{PRIORITY:priority}>%{SYSLOGDATE:time} %{NOTSPACE:host} " + _TAG,
                derive=_DERIVED,
            ),
            Layout(rb"%{SYSLOGDATE:time} %{NOTSPACE:host} " + _TAG),
            # rsyslog and systemd of today write the time of RFC 3339 in front of the same.
            Layout(rb"%{RFC3339:time} %{NOTSPACE:host} " + _TAG),
            Layout(rb"%{SYSLOGDATE:time} %{NOTSPACE:host} %{REST:message}", general=True),
        ),
        samples=(
            (
                b"<34>Nov 23 02:16:56 web-1 su[31]: 'su root' failed for kim",
                {
                    "time": (1795400216, ""),
                    "priority": 34,
                    "facility": 4,
                    "severity": 2,
                    "level": "fatal",
                    "host": "web-1",
                    "process": "su",
                    "pid": 31,
                    "message": "'su root' failed for kim",
                },
            ),
            (
                b"Nov  3 02:16:56 web-1 CRON[31]: (root) CMD (true)",
                {
                    "time": (1793672216, ""),
                    "host": "web-1",
                    "process": "CRON",
                    "pid": 31,
                    "message": "(root) CMD (true)",
                },
            ),
            (
                b"2026-11-23T11:16:56.123456+09:00 web-1 systemd[1]: Started shop.",
                {
                    "time": (1795400216, "123456"),
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Started shop.",
                },
            ),
            (
                b"Nov 23 02:16:56 web-1 last message repeated 2 times",
                {
                    "time": (1795400216, ""),
                    "host": "web-1",
                    "message": "last message repeated 2 times",
                },
            ),
        ),
    ),
}
