"""nginx: access log (`combined`, the packages' `main`, `common`) and error log; ingress-nginx.

Sources: nginx' documentation of ngx_http_log_module, the usual ways to add its request and
upstream times to `combined`, and ingress-nginx' default `log-format-upstream`.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import seconds
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
# $request_time and $upstream_response_time; of several upstreams, the times of each.
_SECONDS = rb"\d{1,9}\.\d{3}"
_TIMES = (
    rb"(?: \"%{QUOTED:forwarded_for?}\")? \"?%{BEGIN:duration}" + _SECONDS + rb"%{END}\"?"
    rb"(?: \"?(?:-|%{BEGIN:upstream_duration?}" + _SECONDS + rb"%{END})\"?)?"
)
_NAMED_TIMES = (
    rb"(?: \"%{QUOTED:forwarded_for?}\")? (?:rt|request_time)=%{BEGIN:duration}"
    + _SECONDS
    + rb"%{END}"
    rb"(?: (?:uct|upstream_connect_time)=\"?%{BEGIN:_connect?}[^\"\n ]*%{END}\"?)?"
    rb"(?: (?:uht|upstream_header_time)=\"?%{BEGIN:upstream_header_time?}[^\"\n ]*%{END}\"?)?"
    rb"(?: (?:urt|upstream_response_time)=\"?%{BEGIN:_upstream?}[^\"\n ]*%{END}\"?)?"
)
_NAMED = (
    ("upstream_connect_duration", "_connect", seconds),
    ("upstream_duration", "_upstream", seconds),
)
# Retries are lists: "10.0.0.1:80, 10.0.0.2:80". What is typed is the last one's.
_INGRESS = (
    rb" %{INT:request_bytes} %{BEGIN:duration}" + _SECONDS + rb"%{END} "
    rb"\[%{BRACKETED:upstream_name?}\] \[[^\]\n]*\] "
    rb"%{BEGIN:upstream_address?}[^ ,\n]+(?>(?:, [^ ,\n]+)*)%{END} "
    rb"(?>(?:[^ ,\n]+, )*)%{INTORDASH:upstream_response_bytes?} "
    rb"(?>(?:[^ ,\n]+, )*)%{BEGIN:_upstream?}[^ ,\n]+%{END} "
    rb"(?>(?:[^ ,\n]+, )*)%{INTORDASH:upstream_status?} %{NOTSPACE:request_id?}"
)
_INGRESS_DERIVED = (("upstream_duration", "_upstream", seconds),)


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
_REQUESTED = (
    rb'(?:, request: "(?:%{METHOD:method?} %{BEGIN:url?}[^ "\n]+%{END} '
    rb'HTTP/%{HTTPVERSION:http_version?}|[^"\n]*)")?'
    rb'(?:, upstream: "%{BEGIN:upstream_address?}[^"\n]*%{END}")?'
    rb'(?:, host: "%{BEGIN:request_host?}[^"\n]*%{END}")?'
    rb'(?:, referrer: "%{BEGIN:referrer?}[^"\n]*%{END}")?'
)

FORMATS = {
    "nginx-access": Format(
        "nginx-access",
        (
            *access_layouts(),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + _TIMES),
            Layout(CLIENT + ANY_REQUEST + ANSWER + AGENT + _TIMES, general=True),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + _NAMED_TIMES, derive=_NAMED),
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
    "ingress-nginx": Format(
        "ingress-nginx",
        (
            Layout(CLIENT + REQUEST + ANSWER + AGENT + _INGRESS, derive=_INGRESS_DERIVED),
            Layout(
                CLIENT + ANY_REQUEST + ANSWER + AGENT + _INGRESS,
                derive=_INGRESS_DERIVED,
                general=True,
            ),
        ),
        samples=(
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /orders HTTP'
                    b'/2.0" 200 417 "-" "Mozilla/5.0" 39 0.012 [shop-orders-8080] '
                    b"[] 10.244.1.7:8080 417 0.011 200 8d1e5a0f3c6b4f5f9e0d7c2b1a3"
                    b"f4e5d"
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /orders HTTP/2.0",
                    "method": "GET",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "2.0",
                    "status": 200,
                    "response_bytes": 417,
                    "user_agent": "Mozilla/5.0",
                    "request_bytes": 39,
                    "duration": 0.012,
                    "upstream_name": "shop-orders-8080",
                    "upstream_address": "10.244.1.7:8080",
                    "upstream_status": 200,
                    "request_id": "8d1e5a0f3c6b4f5f9e0d7c2b1a3f4e5d",
                    "time": (1795400216, ""),
                    "upstream_duration": 0.011,
                    "attributes": {
                        "upstream_response_bytes": 417,
                    },
                },
            ),
            (
                (
                    b'192.0.2.7 - kim [23/Nov/2026:02:16:57 +0000] "POST /orders H'
                    b'TTP/1.1" 502 150 "https://shop.example/" "curl/8.5.0" 310 1.'
                    b"204 [shop-orders-8080] [] 10.244.1.7:8080, 10.244.2.9:8080 0"
                    b", 150 1.001, 0.203 502, 502 1a3f4e5d8d1e5a0f3c6b4f5f9e0d7c2b"
                ),
                {
                    "source_address": "192.0.2.7",
                    "user": "kim",
                    "message": "POST /orders HTTP/1.1",
                    "method": "POST",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "1.1",
                    "status": 502,
                    "response_bytes": 150,
                    "referrer": "https://shop.example/",
                    "user_agent": "curl/8.5.0",
                    "request_bytes": 310,
                    "duration": 1.204,
                    "upstream_name": "shop-orders-8080",
                    "upstream_address": "10.244.1.7:8080, 10.244.2.9:8080",
                    "upstream_status": 502,
                    "request_id": "1a3f4e5d8d1e5a0f3c6b4f5f9e0d7c2b",
                    "time": (1795400217, ""),
                    "upstream_duration": 0.203,
                    "attributes": {
                        "upstream_response_bytes": 150,
                    },
                },
            ),
            (
                (
                    b'192.0.2.9 - - [23/Nov/2026:02:16:57 +0000] "" 400 0 "-" "-" '
                    b"0 0.000 [] [] - - - - 9b2c"
                ),
                {
                    "source_address": "192.0.2.9",
                    "message": "",
                    "status": 400,
                    "response_bytes": 0,
                    "request_bytes": 0,
                    "duration": 0.0,
                    "request_id": "9b2c",
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
    "nginx-error": Format(
        "nginx-error",
        (
            Layout(
                _ERROR + rb"(?:\*%{INT:connection?} )?%{BEGIN:message}(?:[^\n]*?, "
                rb"client: %{LISTED:source_address?}, server: %{LISTED:server_name?}"
                + _REQUESTED
                + rb"[^\n]*|[^\n]*)%{END}"
            ),
        ),
        samples=(
            (
                (
                    b"2026/11/23 02:16:56 [error] 31#32: *7 connect() failed (111:"
                    b" Connection refused) while connecting to upstream, client: 1"
                    b'92.0.2.7, server: shop.example, request: "GET / HTTP/1.1", h'
                    b'ost: "shop.example"'
                ),
                {
                    "level": "error",
                    "pid": 31,
                    "thread_id": 32,
                    "message": (
                        "connect() failed (111: Connection refused) while connect"
                        "ing to upstream, client: 192.0.2.7, server: shop.example"
                        ', request: "GET / HTTP/1.1", host: "shop.example"'
                    ),
                    "source_address": "192.0.2.7",
                    "server_name": "shop.example",
                    "method": "GET",
                    "url": "/",
                    "http_version": "1.1",
                    "time": (1795400216, ""),
                    "attributes": {
                        "connection": 7,
                        "request_host": "shop.example",
                    },
                },
            ),
            (
                b"2026/11/23 02:16:56 [notice] 1#1: start worker processes",
                {
                    "level": "notice",
                    "pid": 1,
                    "thread_id": 1,
                    "message": "start worker processes",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"2026/11/23 02:16:57 [error] 31#31: *8 connect() failed (111:"
                    b" Connection refused) while connecting to upstream, client: 2"
                    b'001:db8::7, server: , request: "GET /p?a=1 HTTP/1.1", upstre'
                    b'am: "http://10.0.0.5:8080/p?a=1", host: "shop.example", refe'
                    b'rrer: "https://shop.example/"'
                ),
                {
                    "level": "error",
                    "pid": 31,
                    "thread_id": 31,
                    "message": (
                        "connect() failed (111: Connection refused) while connect"
                        "ing to upstream, client: 2001:db8::7, server: , request:"
                        ' "GET /p?a=1 HTTP/1.1", upstream: "http://10.0.0.5:8080/'
                        'p?a=1", host: "shop.example", referrer: "https://shop.ex'
                        'ample/"'
                    ),
                    "source_address": "2001:db8::7",
                    "method": "GET",
                    "url": "/p?a=1",
                    "http_version": "1.1",
                    "upstream_address": "http://10.0.0.5:8080/p?a=1",
                    "referrer": "https://shop.example/",
                    "time": (1795400217, ""),
                    "attributes": {
                        "connection": 8,
                        "request_host": "shop.example",
                    },
                },
            ),
            (
                (
                    b"2026/11/23 02:16:57 [info] 31#31: *9 client sent invalid met"
                    b"hod while reading client request line, client: 192.0.2.9, se"
                    b'rver: , request: "x"'
                ),
                {
                    "level": "info",
                    "pid": 31,
                    "thread_id": 31,
                    "message": (
                        "client sent invalid method while reading client request "
                        'line, client: 192.0.2.9, server: , request: "x"'
                    ),
                    "source_address": "192.0.2.9",
                    "time": (1795400217, ""),
                    "attributes": {
                        "connection": 9,
                    },
                },
            ),
            (
                (
                    b"2026/11/23 02:16:57 [info] 31#31: *9 client 192.0.2.9 closed"
                    b" keepalive connection"
                ),
                {
                    "level": "info",
                    "pid": 31,
                    "thread_id": 31,
                    "message": "client 192.0.2.9 closed keepalive connection",
                    "time": (1795400217, ""),
                    "attributes": {
                        "connection": 9,
                    },
                },
            ),
        ),
    ),
}
