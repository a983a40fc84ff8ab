"""nginx' error log, with the request, the upstream and the referrer that it tells of.

Source: nginx' documentation of error_log, and its function ngx_http_log_error.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_ERROR = rb"%{SLASHDATE:time} \[%{WORD:level}\] %{INT:pid}#%{INT:thread_id}: "
_REQUESTED = (
    rb'(?:, request: "(?:%{METHOD:method?} %{BEGIN:url?}[^ "\n]+%{END} '
    rb'HTTP/%{HTTPVERSION:http_version?}|[^"\n]*)")?'
    rb'(?:, upstream: "%{BEGIN:upstream_address?}[^"\n]*%{END}")?'
    rb'(?:, host: "%{BEGIN:request_host?}[^"\n]*%{END}")?'
    rb'(?:, referrer: "%{BEGIN:referrer?}[^"\n]*%{END}")?'
)

FORMATS = {
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
