"""Zeek: its logs as tables, whose header names the columns, and as JSON.

Source: Zeek's documentation, "Zeek Log Formats and Inspection". Times are epochs, durations are
seconds, `-` is an unset field and `(empty)` an empty one.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.formats.w3c import HeaderLayout
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, TEXT, JsonLayout

KEYS = {
    "id.orig_h": "source_address",
    "id.orig_p": "source_port",
    "id.resp_h": "destination_address",
    "id.resp_p": "destination_port",
    "uid": "event_id",
    "proto": "network_transport",
    "service": "network_protocol",
    "orig_bytes": "source_bytes",
    "resp_bytes": "destination_bytes",
    "orig_pkts": "source_packets",
    "resp_pkts": "destination_packets",
    "duration": "duration",
    "method": "method",
    "host": "server_name",
    "uri": "url",
    "referrer": "referrer",
    "user_agent": "user_agent",
    "status_code": "status",
    "request_body_len": "request_body_bytes",
    "response_body_len": "response_body_bytes",
    "username": "user",
    "query": "dns_question_name",
    "qtype_name": "dns_question_type",
    "rcode_name": "dns_response_code",
    "version": "tls_version",
    "cipher": "tls_cipher",
    "server_name": "tls_server_name",
    "note": "rule_name",
    "msg": "message",
}
_COUNTED = (
    "id.orig_p id.resp_p orig_bytes resp_bytes orig_pkts resp_pkts orig_ip_bytes resp_ip_bytes "
    "missed_bytes trans_depth request_body_len response_body_len status_code qtype qclass rcode "
    "trans_id seen_bytes total_bytes missing_bytes"
)
_NUMBERS = frozenset(_COUNTED.split())
_TEXT = rb"%{TABBED:NAME?}"
_INTEGER = rb"%{INTORDASH:NAME?}"
_DECIMAL = rb"(?:-|%{BEGIN:NAME?}\d{1,12}(?:\.\d{1,9})?%{END})"
_MOST = 80


class _Fields(HeaderLayout):
    """`#fields`, the names of the columns that follow, divided by tabs."""

    def layout_of(self, line: bytes) -> Layout | None:
        names = line.decode("utf-8", "replace").split("\t")[1:]
        if not 2 <= len(names) <= _MOST or "message" in names:
            return None
        return columns_layout(names)


def columns_layout(names: list[str]) -> Layout:
    """The layout of a table's lines."""
    parts: list[bytes] = []
    taken: set[str] = set()
    for column in names:
        if column == "ts" and "time" not in taken:
            taken.add("time")
            parts.append(rb"%{EPOCH:time}")
            continue
        field = KEYS.get(column, "")
        if not field or field in taken:
            field = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") or "column"
        name, number = field, 2
        while name in taken:
            name, number = f"{field}_{number}", number + 1
        taken.add(name)
        shape = _INTEGER if column in _NUMBERS else _TEXT
        if name == "duration":
            shape = _DECIMAL
        parts.append(shape.replace(b"NAME", name.encode()))
    return Layout(rb"\t".join(parts))


_CONN = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes "
    "conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts "
    "resp_ip_bytes tunnel_parents"
)

SAMPLES = (
    (
        (
            b"1795400216.789012\tCHhAvVGS1DHFjwGM9\t192.0.2.7\t51234\t198.51.100.80\t"
            b"443\ttcp\tssl\t1.500000\t512\t2048\tSF\tT\tF\t0\tShADadfF\t7\t880\t6\t2360\t-"
        ),
        {
            "event_id": "CHhAvVGS1DHFjwGM9",
            "source_address": "192.0.2.7",
            "source_port": 51234,
            "destination_address": "198.51.100.80",
            "destination_port": 443,
            "network_transport": "tcp",
            "network_protocol": "ssl",
            "duration": 1.5,
            "source_bytes": 512,
            "destination_bytes": 2048,
            "source_packets": 7,
            "destination_packets": 6,
            "time": (1795400216, "789012"),
            "attributes": {
                "conn_state": "SF",
                "local_orig": "T",
                "local_resp": "F",
                "missed_bytes": 0,
                "history": "ShADadfF",
                "orig_ip_bytes": 880,
                "resp_ip_bytes": 2360,
            },
        },
    ),
    (
        (
            b"1795400217.000001\tCHhAvVGS1DHFjwGM8\t2001:db8::7\t5353\tff02::fb\t5353"
            b"\tudp\tdns\t-\t-\t-\tS0\tT\tF\t0\tD\t1\t120\t0\t0\t-"
        ),
        {
            "event_id": "CHhAvVGS1DHFjwGM8",
            "source_address": "2001:db8::7",
            "source_port": 5353,
            "destination_address": "ff02::fb",
            "destination_port": 5353,
            "network_transport": "udp",
            "network_protocol": "dns",
            "source_packets": 1,
            "destination_packets": 0,
            "time": (1795400217, "000001"),
            "attributes": {
                "conn_state": "S0",
                "local_orig": "T",
                "local_resp": "F",
                "missed_bytes": 0,
                "history": "D",
                "orig_ip_bytes": 120,
                "resp_ip_bytes": 0,
            },
        },
    ),
    (
        b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery",
        {"message": "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery"},
    ),
    (
        b"#separator \\x09",
        {"message": "#separator \\x09"},
    ),
)
JSON_SAMPLES = (
    (
        (
            b'{"ts":1795400216.789012,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"192'
            b'.0.2.7","id.orig_p":51234,"id.resp_h":"198.51.100.80","id.resp_p":'
            b'443,"proto":"tcp","service":"ssl","duration":1.5,"orig_bytes":512,'
            b'"resp_bytes":2048,"conn_state":"SF"}'
        ),
        {
            "time": (1795400216, "789012"),
            "event_id": "CHhAvVGS1DHFjwGM9",
            "source_address": "192.0.2.7",
            "source_port": 51234,
            "destination_address": "198.51.100.80",
            "destination_port": 443,
            "network_transport": "tcp",
            "network_protocol": "ssl",
            "duration": 1.5,
            "source_bytes": 512,
            "destination_bytes": 2048,
            "attributes": {"conn_state": "SF"},
        },
    ),
    (
        (
            b'{"ts":1795400217.0,"uid":"CHhAvVGS1DHFjwGM8","id.orig_h":"2001:db8'
            b'::7","id.orig_p":51235,"id.resp_h":"2001:db8::80","id.resp_p":80,"'
            b'method":"GET","host":"shop.example","uri":"/orders","user_agent":"'
            b'curl/8.5.0","status_code":200,"response_body_len":416}'
        ),
        {
            "time": (1795400217, "0"),
            "event_id": "CHhAvVGS1DHFjwGM8",
            "source_address": "2001:db8::7",
            "source_port": 51235,
            "destination_address": "2001:db8::80",
            "destination_port": 80,
            "method": "GET",
            "server_name": "shop.example",
            "url": "/orders",
            "user_agent": "curl/8.5.0",
            "status": 200,
            "response_body_bytes": 416,
        },
    ),
)
FORMATS = {
    "zeek-json": Format(
        "zeek-json",
        (
            JsonLayout(
                KEYS, requires={"ts": NUMBER, "uid": TEXT, "id.orig_h": TEXT, "id.resp_h": TEXT}
            ),
        ),
        samples=JSON_SAMPLES,
    ),
    "zeek": Format(
        "zeek",
        (
            columns_layout(_CONN.split()),
            _Fields(rb"#fields\t[^\n]+", b"#fields\t"),
            Layout(
                rb"%{BEGIN:message}#(?:separator|set_separator|empty_field|unset_field|path|open"
                rb"|close|types)[ \t][^\n]*%{END}"
            ),
        ),
        samples=SAMPLES,
    ),
}
