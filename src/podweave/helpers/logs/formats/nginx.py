"""nginx: access log (`combined`, the packages' `main`, `common`) and error log."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

CLIENT = rb"%{NOTSPACE:source_address} %{NOTSPACE} %{NOTSPACE:user?} \[%{HTTPDATE:time}\] "
REQUEST = (
    rb'"%{BEGIN:message}%{METHOD:method} %{BEGIN:url}%{URLPATH:url_path}'
    rb"(?:\?%{URLQUERY:url_query?})?%{END} HTTP/%{HTTPVERSION:http_version}%{END}"
    rb'" '
)
# A request that is no HTTP: "-", a TLS hello, a URL with spaces.
ANY_REQUEST = rb'"%{QUOTED:message}" '
ANSWER = rb"%{INT:status} %{INTORDASH:response_bytes?}"
AGENT = rb' "%{QUOTED:referrer?}" "%{QUOTED:user_agent?}"'
FORWARDED = rb' "%{QUOTED:forwarded_for?}"'


def access_layouts() -> tuple[Layout, ...]:
    """Apache writes the same; a layout object belongs to one format."""
    return (
        Layout(CLIENT + REQUEST + ANSWER + AGENT),
        Layout(CLIENT + REQUEST + ANSWER + AGENT + FORWARDED),
        Layout(CLIENT + REQUEST + ANSWER),
        Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT, general=True),
        Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT + FORWARDED, general=True),
        Layout(CLIENT + ANY_REQUEST + ANSWER, general=True),
    )


_ERROR = rb"%{SLASHDATE:time} \[%{WORD:level}\] %{INT:pid}#%{INT:thread_id}: "

FORMATS = {
    "nginx-access": Format(
        "nginx-access",
        access_layouts(),
        samples=(
            (
                b"192.0.2.7 - - [23/Nov/2026:02:16:56 +0900] "
                b'"GET /orders/42?full=1 HTTP/1.1" 200 512 "-" "curl/8.5.0"',
                {
                    "time": (1795367816, ""),
                    "source_address": "192.0.2.7",
                    "message": "GET /orders/42?full=1 HTTP/1.1",
                    "method": "GET",
                    "url": "/orders/42?full=1",
                    "url_path": "/orders/42",
                    "url_query": "full=1",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                },
            ),
            (
                b"192.0.2.7 - kim [23/Nov/2026:02:16:56 +0000] "
                b'"POST /login HTTP/2.0" 302 0 "https://shop.example/" "Mozilla/5.0" "10.1.1.1"',
                {
                    "time": (1795400216, ""),
                    "source_address": "192.0.2.7",
                    "user": "kim",
                    "message": "POST /login HTTP/2.0",
                    "method": "POST",
                    "url": "/login",
                    "url_path": "/login",
                    "http_version": "2.0",
                    "status": 302,
                    "response_bytes": 0,
                    "referrer": "https://shop.example/",
                    "user_agent": "Mozilla/5.0",
                    "attributes": {"forwarded_for": "10.1.1.1"},
                },
            ),
            (
                b"192.0.2.9 - - [23/Nov/2026:02:16:57 +0000] "
                rb'"\x16\x03\x01\x02" 400 157 "-" "-"',
                {
                    "time": (1795400217, ""),
                    "source_address": "192.0.2.9",
                    "message": r"\x16\x03\x01\x02",
                    "status": 400,
                    "response_bytes": 157,
                },
            ),
        ),
    ),
    "nginx-error": Format(
        "nginx-error",
        (
            Layout(
                _ERROR + rb"(?:\*\d+ )?%{BEGIN:message}[^\n]*?, "
                rb"client: %{LISTED:source_address}, server: %{LISTED:server_name?}"
                rb"(?:, [^\n]*)?%{END}"
            ),
            Layout(_ERROR + rb"(?:\*\d+ )?%{REST:message}", general=True),
        ),
        samples=(
            (
                b"2026/11/23 02:16:56 [error] 31#32: *7 connect() failed (111: Connection refused) "
                b'while connecting to upstream, client: 192.0.2.7, server: shop.example, request: "'
                b'GET / HTTP/1.1", host: "shop.example"',
                {
                    "time": (1795400216, ""),
                    "level": "error",
                    "pid": 31,
                    "thread_id": 32,
                    "source_address": "192.0.2.7",
                    "server_name": "shop.example",
                    "message": "connect() failed (111: Connection refused) while connecting to "
                    'upstream, client: 192.0.2.7, server: shop.example, request: "GET / HTTP/1.1", '
                    'host: "shop.example"',
                },
            ),
            (
                b"2026/11/23 02:16:56 [notice] 1#1: start worker processes",
                {
                    "time": (1795400216, ""),
                    "level": "notice",
                    "pid": 1,
                    "thread_id": 1,
                    "message": "start worker processes",
                },
            ),
        ),
    ),
}
