"""nginx' access log: `combined`, the packages' `main`, `common`, and the usual ways to add times.

Source: nginx' documentation of ngx_http_log_module. Others write such lines, too: the parts are
here for them.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import seconds
from podweave.helpers.logs.layouts import Format, Layout

CLIENT = rb"%{NOTSPACE:source_address} %{NOTSPACE} %{NOTSPACE:user?} \[%{HTTPDATE:time}\] "
# What proxies added to X-Forwarded-For, in the client's place: it is the first of them.
CLIENTS = (
    rb'"?%{BEGIN:forwarded_for}%{BEGIN:source_address}[^ ,"\n]++%{END}(?>(?:, [^ ,"\n]++)+)%{END}"?'
    rb"(?: [^ \n]+)? %{NOTSPACE} %{NOTSPACE:user?} \[%{HTTPDATE:time}\] "
)
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
# What somebody else's configuration adds
MORE = rb" %{BEGIN:more}[^\n]+%{END}"
# $request_time and $upstream_response_time; of several upstreams, the times of each.
SECONDS = rb"\d{1,9}\.\d{3}"
_TIMES = (
    rb"(?: \"%{QUOTED:forwarded_for?}\")? \"?%{BEGIN:duration}" + SECONDS + rb"%{END}\"?"
    rb"(?: \"?(?:-|%{BEGIN:upstream_duration?}" + SECONDS + rb"%{END})\"?)?"
)
_NAMED_TIMES = (
    rb"(?: \"%{QUOTED:forwarded_for?}\")? (?:rt|request_time)=%{BEGIN:duration}"
    + SECONDS
    + rb"%{END}"
    rb"(?: (?:uct|upstream_connect_time)=\"?%{BEGIN:_connect?}[^\"\n ]*%{END}\"?)?"
    rb"(?: (?:uht|upstream_header_time)=\"?%{BEGIN:upstream_header_time?}[^\"\n ]*%{END}\"?)?"
    rb"(?: (?:urt|upstream_response_time)=\"?%{BEGIN:_upstream?}[^\"\n ]*%{END}\"?)?"
)
_NAMED = (
    ("upstream_connect_duration", "_connect", seconds),
    ("upstream_duration", "_upstream", seconds),
)


def access_layouts() -> tuple[Layout, ...]:
    """Apache writes the same; a layout object belongs to one format."""
    return (
        Layout(CLIENT + REQUEST + ANSWER + AGENT),
        Layout(CLIENT + REQUEST + ANSWER + AGENT + FORWARDED),
        Layout(CLIENT + REQUEST + ANSWER + rb" ?"),  # WebLogic's ends with a space.
        Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT, general=True),
        Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT + FORWARDED, general=True),
        Layout(CLIENT + ANY_REQUEST + ANSWER, general=True),
    )


FORMATS = {
    "nginx-access": Format(
        "nginx-access",
        (
            *access_layouts(),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + _TIMES),
            Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT + _TIMES, general=True),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + _NAMED_TIMES, derive=_NAMED),
            Layout(CLIENTS + REQUEST + ANSWER + AGENT),
            Layout(CLIENTS + ANY_REQUEST + ANSWER + AGENT, general=True),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + MORE, general=True),
        ),
        samples=(
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0900] "GET /orders/42?f'
                    b'ull=1 HTTP/1.1" 200 512 "-" "curl/8.5.0"'
                ),
                {
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
                    "time": (1795367816, ""),
                },
            ),
            (
                (
                    b'192.0.2.7 - kim [23/Nov/2026:02:16:56 +0000] "POST /login HT'
                    b'TP/2.0" 302 0 "https://shop.example/" "Mozilla/5.0" "10.1.1.'
                    b'1"'
                ),
                {
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
                    "time": (1795400216, ""),
                    "attributes": {
                        "forwarded_for": "10.1.1.1",
                    },
                },
            ),
            (
                b'198.51.100.3, 10.0.0.9 - - [23/Nov/2026:02:16:56 +0000] "GET /cart HTTP/1.1" '
                b'200 512 "-" "curl/8.5.0"',
                {
                    "source_address": "198.51.100.3",
                    "message": "GET /cart HTTP/1.1",
                    "method": "GET",
                    "url": "/cart",
                    "url_path": "/cart",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                    "time": (1795400216, ""),
                    "attributes": {"forwarded_for": "198.51.100.3, 10.0.0.9"},
                },
            ),
            (
                b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /cart HTTP/1.1" 200 512 "-" '
                b'"curl/8.5.0" zone=eu-1 tls=1.3',
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /cart HTTP/1.1",
                    "method": "GET",
                    "url": "/cart",
                    "url_path": "/cart",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                    "time": (1795400216, ""),
                    "attributes": {"more": "zone=eu-1 tls=1.3"},
                },
            ),
            (
                (
                    b'192.0.2.9 - - [23/Nov/2026:02:16:57 +0000] "\\x16\\x03\\x01\\x02'
                    b'" 400 157 "-" "-"'
                ),
                {
                    "source_address": "192.0.2.9",
                    "message": "\\x16\\x03\\x01\\x02",
                    "status": 400,
                    "response_bytes": 157,
                    "time": (1795400217, ""),
                },
            ),
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /orders HTTP'
                    b'/1.1" 200 512 "-" "curl/8.5.0" "10.1.1.1" 0.043 0.041'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /orders HTTP/1.1",
                    "method": "GET",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                    "duration": 0.043,
                    "upstream_duration": 0.041,
                    "time": (1795400216, ""),
                    "attributes": {
                        "forwarded_for": "10.1.1.1",
                    },
                },
            ),
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /orders HTTP'
                    b'/1.1" 499 0 "-" "curl/8.5.0" 3.000'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /orders HTTP/1.1",
                    "method": "GET",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "1.1",
                    "status": 499,
                    "response_bytes": 0,
                    "user_agent": "curl/8.5.0",
                    "duration": 3.0,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /a?b=c HTTP/'
                    b'1.1" 200 512 "-" "curl/8.5.0" rt=0.043 uct="0.001" uht="0.04'
                    b'0" urt="0.041"'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /a?b=c HTTP/1.1",
                    "method": "GET",
                    "url": "/a?b=c",
                    "url_path": "/a",
                    "url_query": "b=c",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                    "duration": 0.043,
                    "time": (1795400216, ""),
                    "upstream_connect_duration": 0.001,
                    "upstream_duration": 0.041,
                    "attributes": {
                        "upstream_header_time": "0.040",
                    },
                },
            ),
        ),
    ),
}
