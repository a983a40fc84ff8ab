"""CoreDNS: what its plugin `log` writes of each query, and its other lines.

Source: the plugin's documentation; its formats `common` and `combined`.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import seconds
from podweave.helpers.logs.layouts import Format, Layout

_LEVEL = rb"\[%{BEGIN:level}INFO|WARNING|ERROR|DEBUG|FATAL%{END}\] "


def _address(text: str) -> str:
    return text.rpartition(":")[0].strip("[]")


def _port(text: str) -> int | None:
    port = text.rpartition(":")[2]
    return int(port) if port.isdigit() and len(port) <= 5 else None


def _elapsed(text: str) -> float | None:
    return seconds(text.rstrip("s"))


SAMPLES = (
    (
        (
            b'[INFO] 10.244.0.7:53124 - 4242 "A IN shop.example. udp 30 false 51'
            b'2" NOERROR qr,rd,ra 58 0.000123s'
        ),
        {
            "level": "info",
            "message": "A IN shop.example. udp 30 false 512",
            "dns_question_type": "A",
            "dns_question_name": "shop.example.",
            "network_transport": "udp",
            "request_bytes": 30,
            "dns_response_code": "NOERROR",
            "response_bytes": 58,
            "source_address": "10.244.0.7",
            "source_port": 53124,
            "duration": 0.000123,
            "attributes": {"query_id": 4242, "dns_class": "IN", "flags": "qr,rd,ra"},
        },
    ),
    (
        (
            b'[INFO] [2001:db8::7]:53125 - 4243 "AAAA IN shop.example. tcp 41 tr'
            b'ue 4096" NXDOMAIN qr,aa 122 0.5s'
        ),
        {
            "level": "info",
            "message": "AAAA IN shop.example. tcp 41 true 4096",
            "dns_question_type": "AAAA",
            "dns_question_name": "shop.example.",
            "network_transport": "tcp",
            "request_bytes": 41,
            "dns_response_code": "NXDOMAIN",
            "response_bytes": 122,
            "source_address": "2001:db8::7",
            "source_port": 53125,
            "duration": 0.5,
            "attributes": {"query_id": 4243, "dns_class": "IN", "flags": "qr,aa"},
        },
    ),
    (
        (
            b"[ERROR] plugin/errors: 2 shop.example. A: read udp 10.0.0.1:1->192"
            b".0.2.53:53: i/o timeout"
        ),
        {
            "level": "error",
            "logger": "errors",
            "message": "2 shop.example. A: read udp 10.0.0.1:1->192.0.2.53:53: i/o timeout",
        },
    ),
)
FORMATS = {
    "coredns": Format(
        "coredns",
        (
            Layout(
                _LEVEL + rb"%{BEGIN:_client}[0-9A-Fa-f:.\[\]]+%{END} - %{INT:query_id} "
                rb'"%{BEGIN:message}%{SPACED:dns_question_type} %{WORD:dns_class} '
                rb"%{SPACED:dns_question_name} %{WORD:network_transport} %{INT:request_bytes} "
                rb'(?:true|false) \d+%{END}" %{SPACED:dns_response_code} %{SPACED:flags?} '
                rb"%{INT:response_bytes} %{BEGIN:_taken}\d{1,6}(?:\.\d{1,12})?s%{END}",
                derive=(
                    ("source_address", "_client", _address),
                    ("source_port", "_client", _port),
                    ("duration", "_taken", _elapsed),
                ),
            ),
            Layout(_LEVEL + rb"plugin/%{BEGIN:logger}[a-z0-9_]+%{END}: %{REST:message}"),
        ),
        samples=SAMPLES,
    ),
}
