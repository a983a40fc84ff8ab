"""uWSGI: its requests and what it says of itself.

Source: core/logging.c of uWSGI 2.0 (uwsgi_log_request's format, `log-date`'s heads).
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import microseconds, milliseconds
from podweave.helpers.logs.layouts import Format, Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS: dict[str, Callable[[str], float | None]] = {
    "msecs": milliseconds,
    "micros": microseconds,
}


def _taken(text: str) -> float | None:
    number, _, unit = text.partition(" ")
    convert = _UNITS.get(unit)
    return None if convert is None else convert(number)


SAMPLES = (
    (
        (
            b"[pid: 31|app: 0|req: 7/42] 192.0.2.7 () {40 vars in 655 bytes} [Mo"
            b"n Nov 23 02:16:56 2026] GET /orders?page=2 => generated 1234 bytes"
            b" in 12 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on c"
            b"ore 0)"
        ),
        {
            "pid": 31,
            "source_address": "192.0.2.7",
            "request_bytes": 655,
            "method": "GET",
            "url": "/orders?page=2",
            "url_path": "/orders",
            "url_query": "page=2",
            "response_body_bytes": 1234,
            "http_version": "1.1",
            "status": 200,
            "time": (1795400216, ""),
            "duration": 0.012,
            "attributes": {
                "app": "0",
                "request_number": 7,
                "request_total": 42,
                "header_count": 40,
                "core": 0,
            },
        },
    ),
    (
        (
            b"[pid: 31|app: -1|req: -/43] 2001:db8::7 (kim) {38 vars in 512 byte"
            b"s} [Mon Nov 23 02:16:57 2026] POST /login => generated 0 bytes in "
            b"345 micros via sendfile() (HTTP/2.0 302) 4 headers in 210 bytes (1"
            b" switches on core 0)"
        ),
        {
            "pid": 31,
            "source_address": "2001:db8::7",
            "user": "kim",
            "request_bytes": 512,
            "method": "POST",
            "url": "/login",
            "url_path": "/login",
            "response_body_bytes": 0,
            "http_version": "2.0",
            "status": 302,
            "time": (1795400217, ""),
            "duration": 0.000345,
            "attributes": {"request_total": 43, "header_count": 38, "core": 0},
        },
    ),
    (
        b"*** Starting uWSGI 2.0.23 (64bit) on [Mon Nov 23 02:16:56 2026] ***",
        {"message": "Starting uWSGI 2.0.23 (64bit)", "time": (1795400216, "")},
    ),
    (
        (
            b"Mon Nov 23 02:16:57 2026 - SIGPIPE: writing to a closed pipe/socke"
            b"t/fd (probably the client disconnected) on request /orders (ip 192"
            b".0.2.7) !!!"
        ),
        {
            "message": "SIGPIPE: writing to a closed pipe/socket/fd "
            "(probably the client disconnected) on request /orders (ip 192.0.2.7) !!!",
            "time": (1795400217, ""),
        },
    ),
    (
        b"spawned uWSGI worker 1 (pid: 32, cores: 1)",
        {"message": "spawned uWSGI worker 1 (pid: 32, cores: 1)"},
    ),
)
FORMATS = {
    "uwsgi": Format(
        "uwsgi",
        (
            Layout(
                rb"\[pid: %{INT:pid}\|app: (?:%{BEGIN:app?}\d+%{END}|-1|-)\|req: "
                rb"(?:%{INT:request_number?}|-)/%{INT:request_total}\] %{SPACED:source_address?} "
                rb"\(%{PARENTHESISED:user?}\) \{%{INT:header_count} vars in %{INT:request_bytes} "
                rb"bytes\} \[%{CTIME:time}\] %{METHOD:method} "
                rb"%{BEGIN:url}%{URLPATH:url_path}(?:\?%{URLQUERY:url_query?})?%{END} => generated "
                rb"%{INT:response_body_bytes} bytes in %{BEGIN:_taken}\d{1,15} [a-z]+%{END}"
                rb"(?: via [a-z]+\(\))? \(HTTP/%{HTTPVERSION:http_version} %{INT:status}\) "
                rb"\d+ headers in \d+ bytes \(\d+ switches on core %{INT:core}\)",
                derive=(("duration", "_taken", _taken),),
            ),
            Layout(
                rb"\*\*\* %{BEGIN:message}Starting uWSGI [^\s\[]+ \(\d+bit\)%{END} "
                rb"on \[%{CTIME:time}\] \*\*\*"
            ),
            Layout(
                rb"%{CTIME:time} - %{BEGIN:message}(?:SIG[A-Z]+|uwsgi_|\*\*\*|DAMN|worker |"
                rb"spawned |\.\.\.|OSError|respawn|HARAKIRI|listen queue)[^\n]*%{END}"
            ),
            Layout(
                rb"%{BEGIN:message}(?:spawned uWSGI|WSGI app \d|DAMN ! worker|"
                rb"\*\*\* Operational MODE|\*\*\* uWSGI is running|uWSGI http bound)[^\n]*%{END}"
            ),
        ),
        samples=SAMPLES,
    ),
}
