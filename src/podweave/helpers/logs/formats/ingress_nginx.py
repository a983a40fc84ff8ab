"""ingress-nginx: the default `log-format-upstream` of the Kubernetes project's controller.

Source: its documentation of the log format.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import AGENT, ANSWER, ANY_REQUEST, CLIENT, REQUEST, SECONDS
from podweave.helpers.logs.formats.units import seconds
from podweave.helpers.logs.layouts import Format, Layout

# Retries are lists: "10.0.0.1:80, 10.0.0.2:80". What is typed is the last one's.
_INGRESS = (
    rb" %{INT:request_bytes} %{BEGIN:duration}" + SECONDS + rb"%{END} "
    rb"\[%{BRACKETED:upstream_name?}\] \[[^\]\n]*\] "
    rb"%{BEGIN:upstream_address?}[^ ,\n]+(?>(?:, [^ ,\n]+)*)%{END} "
    rb"(?>(?:[^ ,\n]+, )*)%{INTORDASH:upstream_response_bytes?} "
    rb"(?>(?:[^ ,\n]+, )*)%{BEGIN:_upstream?}[^ ,\n]+%{END} "
    rb"(?>(?:[^ ,\n]+, )*)%{INTORDASH:upstream_status?} %{NOTSPACE:request_id?}"
)
_INGRESS_DERIVED = (("upstream_duration", "_upstream", seconds),)

FORMATS = {
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
}
