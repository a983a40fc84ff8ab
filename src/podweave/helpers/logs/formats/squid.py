"""Squid: access log in its native format, and cache.log.

Source: Squid's wiki, "Squid Log Files", and the documentation of `logformat squid`.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import milliseconds
from podweave.helpers.logs.layouts import Format, Layout

_START = (
    rb"%{EPOCH:time} +%{INT:_elapsed} %{SPACED:source_address} %{BEGIN:cache_status}[A-Z_]+%{END}/"
    rb"(?:0+|%{INT:status?}) %{INT:response_bytes} %{BEGIN:method?}[A-Z_]+|-%{END} "
)
_END = (
    rb" %{SPACED:user?} %{BEGIN:hierarchy}[A-Z_]+%{END}/%{SPACED:upstream_address?} "
    rb"%{NOTSPACE:response_content_type?}"
)
_DERIVED = (("duration", "_elapsed", milliseconds),)

FORMATS = {
    "squid": Format(
        "squid",
        (
            Layout(
                _START + rb"%{BEGIN:url}%{BEGIN:url_scheme}[a-z]+%{END}://"
                rb"%{BEGIN:server_name}[^\s/:?]*+%{END}(?>(?::\d+)?)"
                rb"%{BEGIN:url_path?}[^\s?]*+%{END}(?:\?%{BEGIN:url_query?}[^\s]*%{END})?%{END}"
                + _END,
                derive=_DERIVED,
            ),
            # CONNECT shop.example:443, error:transaction-end-before-headers
            Layout(_START + rb"%{SPACED:url}" + _END, derive=_DERIVED, general=True),
            Layout(
                rb"%{SLASHDATE:time}(?: %{BEGIN:process?}kid\d+|squid%{END})?\| "
                rb"(?:%{BEGIN:level?}WARNING|ERROR|FATAL|SECURITY ALERT%{END}: )?%{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"1795400216.789     57 192.0.2.7 TCP_MISS/200 1934 GET http:/"
                    b"/www.shop.example/a/b?c=d kim HIER_DIRECT/198.51.100.80 text"
                    b"/html"
                ),
                {
                    "source_address": "192.0.2.7",
                    "cache_status": "TCP_MISS",
                    "status": 200,
                    "response_bytes": 1934,
                    "method": "GET",
                    "url": "http://www.shop.example/a/b?c=d",
                    "url_scheme": "http",
                    "server_name": "www.shop.example",
                    "url_path": "/a/b",
                    "url_query": "c=d",
                    "user": "kim",
                    "upstream_address": "198.51.100.80",
                    "response_content_type": "text/html",
                    "time": (1795400216, "789"),
                    "duration": 0.057,
                    "attributes": {
                        "hierarchy": "HIER_DIRECT",
                    },
                },
            ),
            (
                (
                    b"1795400216.790   5014 192.0.2.7 TCP_TUNNEL/200 8391 CONNECT "
                    b"shop.example:443 - HIER_DIRECT/198.51.100.80 -"
                ),
                {
                    "source_address": "192.0.2.7",
                    "cache_status": "TCP_TUNNEL",
                    "status": 200,
                    "response_bytes": 8391,
                    "method": "CONNECT",
                    "url": "shop.example:443",
                    "upstream_address": "198.51.100.80",
                    "time": (1795400216, "790"),
                    "duration": 5.014,
                    "attributes": {
                        "hierarchy": "HIER_DIRECT",
                    },
                },
            ),
            (
                (
                    b"1795400217.001      0 2001:db8::9 NONE_NONE/000 0 - error:tr"
                    b"ansaction-end-before-headers - HIER_NONE/- -"
                ),
                {
                    "source_address": "2001:db8::9",
                    "cache_status": "NONE_NONE",
                    "response_bytes": 0,
                    "url": "error:transaction-end-before-headers",
                    "time": (1795400217, "001"),
                    "duration": 0.0,
                    "attributes": {
                        "hierarchy": "HIER_NONE",
                    },
                },
            ),
            (
                (
                    b"2026/11/23 02:16:56 kid1| WARNING: no_suid: setuid(0): (1) O"
                    b"peration not permitted"
                ),
                {
                    "process": "kid1",
                    "level": "warn",
                    "message": "no_suid: setuid(0): (1) Operation not permitted",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"2026/11/23 02:16:56| Starting Squid Cache version 5.7 for x8"
                    b"6_64-pc-linux-gnu..."
                ),
                {
                    "message": "Starting Squid Cache version 5.7 for x86_64-pc-linux-gnu...",
                    "time": (1795400216, ""),
                },
            ),
        ),
        levels={"SECURITY ALERT": "error"},
    ),
}
