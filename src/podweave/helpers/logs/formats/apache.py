"""Apache httpd: access log (`common`, `combined`, `vhost_combined`) and error log (2.4)."""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import (
    AGENT,
    ANSWER,
    CLIENT,
    REQUEST,
    access_layouts,
)
from podweave.helpers.logs.layouts import Format, Layout

FORMATS = {
    "apache-access": Format(
        "apache-access",
        (
            *access_layouts(),
            Layout(rb"%{LOGGER:server_name}:\d+ " + CLIENT + REQUEST + ANSWER + AGENT),
        ),
        samples=(
            (
                b"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "
                b'"GET /apache_pb.gif HTTP/1.0" 200 -',
                {
                    "time": (971211336, ""),
                    "source_address": "127.0.0.1",
                    "user": "frank",
                    "message": "GET /apache_pb.gif HTTP/1.0",
                    "method": "GET",
                    "url": "/apache_pb.gif",
                    "url_path": "/apache_pb.gif",
                    "http_version": "1.0",
                    "status": 200,
                },
            ),
            (
                b"shop.example:443 2001:db8::7 - - [10/Oct/2000:13:55:36 +0000] "
                b'"GET / HTTP/1.1" 404 196 "-" "say \\"hi\\""',
                {
                    "time": (971186136, ""),
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
                rb"(?:\[client %{ADDRESS:source_address?}(?::%{INT:source_port?})?\] )?"
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                b"[Mon Nov 23 02:16:56.123456 2026] [core:error] [pid 31:tid 140737] "
                b"[client 192.0.2.7:51234] AH00126: Invalid URI in request GET /..",
                {
                    "time": (1795400216, "123456"),
                    "level": "error",
                    "pid": 31,
                    "thread_id": 140737,
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "message": "AH00126: Invalid URI in request GET /..",
                    "attributes": {"module": "core"},
                },
            ),
            (
                b"[Mon Nov 23 02:16:56.000001 2026] [mpm_event:notice] [pid 1] AH00489: ready",
                {
                    "time": (1795400216, "000001"),
                    "level": "notice",
                    "pid": 1,
                    "message": "AH00489: ready",
                    "attributes": {"module": "mpm_event"},
                },
            ),
        ),
    ),
}
