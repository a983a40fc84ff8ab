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


def _name(text: str) -> str:
    return text.rstrip(".") or text


def _outcome(code: str) -> str:
    return "success" if code == "NOERROR" else "failure"


def _protocol(_code: str) -> str:
    return "dns"


def _elapsed(text: str) -> float | None:
    return seconds(text.rstrip("s"))


_QUERY = (
    _LEVEL + rb"%{BEGIN:_client}[0-9A-Fa-f:.\[\]]+%{END} - %{INT:query_id} "
    rb'"%{BEGIN:message}%{SPACED:dns_question_type} %{WORD:dns_class} '
    rb"%{SPACED:_name} %{WORD:network_transport} %{INT:request_bytes} "
    rb'(?:true|false) \d+%{END}" %{SPACED:dns_response_code} %{SPACED:flags?} '
    rb"%{INT:response_bytes} %{BEGIN:_taken}\d{1,6}(?:\.\d{1,12})?s%{END}"
    # What an own format adds
    rb"(?: %{BEGIN:more?}[^\n]+%{END})?"
)
_DERIVED = (
    ("source_address", "_client", _address),
    ("source_port", "_client", _port),
    ("duration", "_taken", _elapsed),
    ("dns_question_name", "_name", _name),
    ("network_protocol", "dns_response_code", _protocol),
    ("event_outcome", "dns_response_code", _outcome),
)

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
            "dns_question_name": "shop.example",
            "network_transport": "udp",
            "request_bytes": 30,
            "dns_response_code": "NOERROR",
            "network_protocol": "dns",
            "event_outcome": "success",
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
            "dns_question_name": "shop.example",
            "network_transport": "tcp",
            "request_bytes": 41,
            "dns_response_code": "NXDOMAIN",
            "network_protocol": "dns",
            "event_outcome": "failure",
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
            "dns_question_name": "shop.example",
            "dns_question_type": "A",
            "network_protocol": "dns",
            "event_outcome": "failure",
            "error_message": "read udp 10.0.0.1:1->192.0.2.53:53: i/o timeout",
        },
    ),
)
FORMATS = {
    "coredns": Format(
        "coredns",
        (
            Layout(_QUERY, derive=_DERIVED),
            Layout(rb"%{RFC3339:time} " + _QUERY, derive=_DERIVED),
            Layout(
                _LEVEL + rb"plugin/%{BEGIN:logger}errors%{END}: "
                rb"%{BEGIN:message}%{INT:_code} %{SPACED:_name} "
                rb"%{BEGIN:dns_question_type}[A-Z0-9]+%{END}: %{REST:error_message}%{END}",
                derive=(
                    ("dns_question_name", "_name", _name),
                    ("network_protocol", "_code", _protocol),
                    ("event_outcome", "_code", _outcome),
                ),
            ),
            Layout(_LEVEL + rb"plugin/%{BEGIN:logger}[a-z0-9_]+%{END}: %{REST:message}"),
        ),
        samples=SAMPLES,
    ),
}
