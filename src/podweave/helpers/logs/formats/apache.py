"""Apache httpd: access log (`common`, `combined`, `vhost_combined`, with times), error log.

Source: Apache's documentation of mod_log_config and `ErrorLogFormat`; 2.2 wrote its error log
without module and process.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import (
    AGENT,
    ANSWER,
    ANY_REQUEST,
    CLIENT,
    CLIENTS,
    FORWARDED,
    MORE,
    REQUEST,
    access_layouts,
)
from podweave.helpers.logs.formats.units import microseconds
from podweave.helpers.logs.layouts import Format, Layout

# %v:%p, %v
_HOST = rb"%{LOGGER:server_name}(?::\d+)? "
_CLIENT = rb"(?:\[client %{ADDRESS:source_address?}(?::%{INT:source_port?})?\] )?"
_MESSAGE = (
    rb"%{BEGIN:message}(?:%{BEGIN:event_code?}AH\d{5}%{END}: )?"
    rb"(?:[^\n]*, referer: %{BEGIN:referrer?}[^ \n]+%{END}|[^\n]*)%{END}"
)

FORMATS = {
    "apache-access": Format(
        "apache-access",
        (
            *access_layouts(),
            Layout(_HOST + CLIENT + REQUEST + ANSWER + AGENT),
            Layout(_HOST + CLIENT + REQUEST + ANSWER + AGENT + FORWARDED),
            Layout(_HOST + CLIENT + ANY_REQUEST + ANSWER + AGENT, general=True),
            Layout(_HOST + CLIENTS + REQUEST + ANSWER + AGENT),
            # combined with %D, or combinedio: %I %O
            Layout(
                CLIENT + REQUEST + ANSWER + AGENT + rb" %{INT:_taken}",
                derive=(("duration", "_taken", microseconds),),
            ),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + rb" %{INT:request_bytes} %{INT:sent_bytes}"),
            Layout(CLIENT + REQUEST + ANSWER + AGENT + MORE, general=True),
            # ssl_request_log
            Layout(
                rb"\[%{HTTPDATE:time}\] %{NOTSPACE:source_address} %{NOTSPACE:tls_version?} "
                rb"%{NOTSPACE:tls_cipher?} " + REQUEST + rb"%{INTORDASH:response_bytes?}"
            ),
        ),
        samples=(
            (
                (
                    b'127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_'
                    b'pb.gif HTTP/1.0" 200 -'
                ),
                {
                    "source_address": "127.0.0.1",
                    "user": "frank",
                    "message": "GET /apache_pb.gif HTTP/1.0",
                    "method": "GET",
                    "url": "/apache_pb.gif",
                    "url_path": "/apache_pb.gif",
                    "http_version": "1.0",
                    "status": 200,
                    "time": (971211336, ""),
                },
            ),
            (
                b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /cart HTTP/1.1" 404 1164 ',
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /cart HTTP/1.1",
                    "method": "GET",
                    "url": "/cart",
                    "url_path": "/cart",
                    "http_version": "1.1",
                    "status": 404,
                    "response_bytes": 1164,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"shop.example:443 2001:db8::7 - - [10/Oct/2000:13:55:36 +0000"
                    b'] "GET / HTTP/1.1" 404 196 "-" "say \\"hi\\""'
                ),
                {
                    "server_name": "shop.example",
                    "source_address": "2001:db8::7",
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "status": 404,
                    "response_bytes": 196,
                    "user_agent": 'say \\"hi\\"',
                    "time": (971186136, ""),
                },
            ),
            (
                (
                    b"shop.example 192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "
                    b'"GET / HTTP/1.1" 404 196 "-" "curl/8.5.0" "198.51.100.3"'
                ),
                {
                    "server_name": "shop.example",
                    "source_address": "192.0.2.7",
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "status": 404,
                    "response_bytes": 196,
                    "user_agent": "curl/8.5.0",
                    "time": (1795400216, ""),
                    "attributes": {"forwarded_for": "198.51.100.3"},
                },
            ),
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET / HTTP/1.1" '
                    b'200 45 "-" "curl/8.5.0" 1834'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 45,
                    "user_agent": "curl/8.5.0",
                    "time": (1795400216, ""),
                    "duration": 0.001834,
                },
            ),
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET / HTTP/1.1" '
                    b'200 45 "-" "curl/8.5.0" 310 280'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 45,
                    "user_agent": "curl/8.5.0",
                    "request_bytes": 310,
                    "time": (1795400216, ""),
                    "attributes": {
                        "sent_bytes": 280,
                    },
                },
            ),
            (
                (
                    b"[23/Nov/2026:02:16:56 +0000] 192.0.2.7 TLSv1.3 TLS_AES_256_G"
                    b'CM_SHA384 "GET / HTTP/1.1" 45'
                ),
                {
                    "source_address": "192.0.2.7",
                    "tls_version": "TLSv1.3",
                    "tls_cipher": "TLS_AES_256_GCM_SHA384",
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "response_bytes": 45,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"www.example.org:80 192.0.2.9 - - [23/Nov/2026:02:16:57 +0000"
                    b'] "-" 408 0 "-" "-"'
                ),
                {
                    "server_name": "www.example.org",
                    "source_address": "192.0.2.9",
                    "message": "-",
                    "status": 408,
                    "response_bytes": 0,
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
    "apache-error": Format(
        "apache-error",
        (
            Layout(
                rb"\[%{CTIME:time}\] \[(?:%{WORD:module?}:)?%{WORD:level}\] "
                rb"\[pid %{INT:pid}(?::tid %{INT:thread_id?})?\] "
                rb"(?:\(%{INT:error_code?}\)%{BEGIN:error_message?}[^:\n]++%{END}: )?"
                + _CLIENT
                + _MESSAGE
            ),
            # 2.2, and what comes before the log is open
            Layout(rb"\[%{CTIME:time}\] \[%{WORD:level}\] " + _CLIENT + _MESSAGE),
            Layout(rb"%{BEGIN:message}%{BEGIN:event_code}AH\d{5}%{END}: [^\n]*%{END}"),
        ),
        samples=(
            (
                (
                    b"[Mon Nov 23 02:16:56.123456 2026] [core:error] [pid 31:tid 1"
                    b"40737] [client 192.0.2.7:51234] AH00126: Invalid URI in requ"
                    b"est GET /.."
                ),
                {
                    "level": "error",
                    "pid": 31,
                    "thread_id": 140737,
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "message": "AH00126: Invalid URI in request GET /..",
                    "event_code": "AH00126",
                    "time": (1795400216, "123456"),
                    "attributes": {
                        "module": "core",
                    },
                },
            ),
            (
                b"[Mon Nov 23 02:16:57.000000 2026] [php:warn] [pid 31] [client 192.0.2.7:51234] "
                b"script not found, referer: https://shop.example/cart",
                {
                    "level": "warn",
                    "pid": 31,
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "message": "script not found, referer: https://shop.example/cart",
                    "referrer": "https://shop.example/cart",
                    "time": (1795400217, "000000"),
                    "attributes": {"module": "php"},
                },
            ),
            (
                b"AH00558: httpd: Could not determine the server's fully qualified domain name",
                {
                    "message": "AH00558: httpd: Could not determine the server's fully "
                    "qualified domain name",
                    "event_code": "AH00558",
                },
            ),
            (
                (b"[Mon Nov 23 02:16:56.000001 2026] [mpm_event:notice] [pid 1] AH00489: ready"),
                {
                    "level": "notice",
                    "pid": 1,
                    "message": "AH00489: ready",
                    "event_code": "AH00489",
                    "time": (1795400216, "000001"),
                    "attributes": {
                        "module": "mpm_event",
                    },
                },
            ),
            (
                (
                    b"[Mon Nov 23 02:16:56 2026] [error] [client 192.0.2.7] File d"
                    b"oes not exist: /var/www/favicon.ico"
                ),
                {
                    "level": "error",
                    "source_address": "192.0.2.7",
                    "message": "File does not exist: /var/www/favicon.ico",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"[Mon Nov 23 02:16:56.123456 2026] [authz_core:error] [pid 31"
                    b":tid 140737] (13)Permission denied: [client 192.0.2.7:51234]"
                    b" AH00035: access to /x denied"
                ),
                {
                    "level": "error",
                    "pid": 31,
                    "thread_id": 140737,
                    "error_code": "13",
                    "error_message": "Permission denied",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "message": "AH00035: access to /x denied",
                    "event_code": "AH00035",
                    "time": (1795400216, "123456"),
                    "attributes": {
                        "module": "authz_core",
                    },
                },
            ),
            (
                (
                    b"[Mon Nov 23 02:16:57.123456 2026] [ssl:warn] [pid 31] AH0190"
                    b"6: server certificate is a CA certificate"
                ),
                {
                    "level": "warn",
                    "pid": 31,
                    "message": "AH01906: server certificate is a CA certificate",
                    "event_code": "AH01906",
                    "time": (1795400217, "123456"),
                    "attributes": {
                        "module": "ssl",
                    },
                },
            ),
        ),
    ),
}
