"""Traefik's access log in its CLF (`accessLog.format: common`), the default.

Source: Traefik's documentation, "Logs & Access Logs". Its JSON access log is in access_json.py.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import ANSWER, ANY_REQUEST, CLIENT, REQUEST
from podweave.helpers.logs.formats.units import milliseconds
from podweave.helpers.logs.layouts import Format, Layout

# Version 1 wrote what is absent without quotes.
_AGENT = rb' (?:-|"%{QUOTED:referrer?}") (?:-|"%{QUOTED:user_agent?}")'
_END = (
    rb' %{INTORDASH:request_count?} "%{QUOTED:router?}" "%{QUOTED:upstream_address?}" '
    rb"%{INT:_duration}ms"
)
_DERIVED = (("duration", "_duration", milliseconds),)

FORMATS = {
    "traefik-access": Format(
        "traefik-access",
        (
            Layout(CLIENT + REQUEST + ANSWER + _AGENT + _END, derive=_DERIVED),
            Layout(CLIENT + ANY_REQUEST + ANSWER + _AGENT + _END, derive=_DERIVED, general=True),
        ),
        samples=(
            (
                (
                    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /whoami HTTP'
                    b'/1.1" 200 416 "-" "-" 12 "whoami@docker" "http://172.17.0.3:'
                    b'80" 2ms'
                ),
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /whoami HTTP/1.1",
                    "method": "GET",
                    "url": "/whoami",
                    "url_path": "/whoami",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 416,
                    "upstream_address": "http://172.17.0.3:80",
                    "time": (1795400216, ""),
                    "duration": 0.002,
                    "attributes": {
                        "request_count": 12,
                        "router": "whoami@docker",
                    },
                },
            ),
            (
                b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /cart HTTP/2.0" 200 512 - '
                b'"curl/8.5.0" 13 "Host-shop-example-0" "http://172.17.0.3:80" 7ms',
                {
                    "source_address": "192.0.2.7",
                    "message": "GET /cart HTTP/2.0",
                    "method": "GET",
                    "url": "/cart",
                    "url_path": "/cart",
                    "http_version": "2.0",
                    "status": 200,
                    "response_bytes": 512,
                    "user_agent": "curl/8.5.0",
                    "upstream_address": "http://172.17.0.3:80",
                    "time": (1795400216, ""),
                    "duration": 0.007,
                    "attributes": {"request_count": 13, "router": "Host-shop-example-0"},
                },
            ),
            (
                (
                    b'192.0.2.7 - kim [23/Nov/2026:02:16:56 +0000] "GET /nothing?x'
                    b'=1 HTTP/2.0" 404 19 "https://shop.example/" "Mozilla/5.0 (X1'
                    b'1; Linux x86_64)" 13 "-" "-" 0ms'
                ),
                {
                    "source_address": "192.0.2.7",
                    "user": "kim",
                    "message": "GET /nothing?x=1 HTTP/2.0",
                    "method": "GET",
                    "url": "/nothing?x=1",
                    "url_path": "/nothing",
                    "url_query": "x=1",
                    "http_version": "2.0",
                    "status": 404,
                    "response_bytes": 19,
                    "referrer": "https://shop.example/",
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
                    "time": (1795400216, ""),
                    "duration": 0.0,
                    "attributes": {
                        "request_count": 13,
                    },
                },
            ),
            (
                (
                    b'192.0.2.9 - - [23/Nov/2026:02:16:57 +0000] "- - -" 499 21 "-'
                    b'" "-" 14 "-" "-" 10003ms'
                ),
                {
                    "source_address": "192.0.2.9",
                    "message": "- - -",
                    "status": 499,
                    "response_bytes": 21,
                    "time": (1795400217, ""),
                    "duration": 10.003,
                    "attributes": {
                        "request_count": 14,
                    },
                },
            ),
        ),
    ),
}
