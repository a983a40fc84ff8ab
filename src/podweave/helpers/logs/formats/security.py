"""Security events: CEF and LEEF, by themselves or behind a head of syslog's.

Sources: ArcSight's "Common Event Format", IBM's "Log Event Extended Format".
"""

from __future__ import annotations

from podweave.helpers.logs.formats.syslog_heads import PRIORITY_DERIVED
from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.event_layout import SYSLOG, CefLayout, LeefLayout

_KEYS = {
    "src": "source_address",
    "dst": "destination_address",
    "spt": "source_port",
    "srcPort": "source_port",
    "dpt": "destination_port",
    "dstPort": "destination_port",
    "suser": "user",
    "usrName": "user",
    "rt": "time",
    "devTime": "time",
    "msg": "message",
    "proto": "network_transport",
    "act": "event_action",
    "outcome": "event_outcome",
    "requestMethod": "method",
    "request": "url_full",
    "requestClientApplication": "user_agent",
    "in": "source_bytes",
    "out": "destination_bytes",
    "srcBytes": "source_bytes",
    "dstBytes": "destination_bytes",
    "dvchost": "host",
    "sproc": "process",
    "spid": "pid",
    "app": "network_protocol",
    "cat": "event_category",
    "externalId": "event_id",
    "requestContext": "referrer",
    "smac": "source_mac",
    "dmac": "destination_mac",
    "suid": "user_id",
    "sntdom": "user_domain",
    "deviceInboundInterface": "ingress_interface",
    "deviceOutboundInterface": "egress_interface",
}
_LEVELS = {"low": "info", "medium": "warn", "high": "error", "very-high": "fatal"}


def _severity(text: str) -> str | None:
    if text.isascii() and text.isdigit() and len(text) <= 2:
        number = int(text)
        return (
            "info" if number < 4 else "warn" if number < 7 else "error" if number < 9 else "fatal"
        )
    return _LEVELS.get(text.lower())


# A priority's level is that of the message; the event has one of its own.
_FROM_PRIORITY = tuple(derive for derive in PRIORITY_DERIVED if derive[0] != "level")
_CEF = (("level", "severity_name", _severity), *_FROM_PRIORITY)
_LEEF = (("level", "sev", _severity), *_FROM_PRIORITY)

FORMATS = {
    "cef": Format(
        "cef",
        (CefLayout(_KEYS, derive=_CEF), CefLayout(_KEYS, SYSLOG, _CEF)),
        samples=(
            (
                (
                    b"CEF:0|Security|threatmanager|1.0|100|worm successfully stopp"
                    b"ed|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 msg=stopped \\= all o"
                    b"f it"
                ),
                {
                    "vendor": "Security",
                    "product": "threatmanager",
                    "product_version": "1.0",
                    "event_code": "100",
                    "message": "stopped = all of it",
                    "attributes": {
                        "cef_version": "0",
                        "name": "worm successfully stopped",
                        "severity_name": "10",
                    },
                    "source_address": "10.0.0.1",
                    "destination_address": "2.1.2.2",
                    "source_port": 1232,
                    "level": "fatal",
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 fw-1 CEF:0|Palo Alto Networks|PAN-OS|10.1|en"
                    b"d|TRAFFIC|3|rt=1795400216789 src=192.0.2.7 dst=198.51.100.9 "
                    b"dpt=443 proto=tcp act=allow cs1Label=Rule cs1=allow out"
                ),
                {
                    "host": "fw-1",
                    "vendor": "Palo Alto Networks",
                    "product": "PAN-OS",
                    "product_version": "10.1",
                    "event_code": "end",
                    "message": "TRAFFIC",
                    "time": (1795400216, ""),
                    "attributes": {
                        "cef_version": "0",
                        "severity_name": "3",
                        "rt": "1795400216789",
                        "cs1Label": "Rule",
                        "cs1": "allow out",
                    },
                    "source_address": "192.0.2.7",
                    "destination_address": "198.51.100.9",
                    "destination_port": 443,
                    "network_transport": "tcp",
                    "event_action": "allow",
                    "level": "info",
                },
            ),
        ),
    ),
    "leef": Format(
        "leef",
        (LeefLayout(_KEYS, derive=_LEEF), LeefLayout(_KEYS, SYSLOG, _LEEF)),
        samples=(
            (
                (
                    b"LEEF:1.0|Microsoft|MSExchange|4.0 SP1|15345|src=192.0.2.7\tds"
                    b"t=172.50.123.1\tsev=5\tcat=anomaly\tsrcPort=81\tdstPort=21\tusrNa"
                    b"me=joe.black"
                ),
                {
                    "vendor": "Microsoft",
                    "product": "MSExchange",
                    "product_version": "4.0 SP1",
                    "event_code": "15345",
                    "attributes": {
                        "leef_version": "1.0",
                        "sev": "5",
                    },
                    "source_address": "192.0.2.7",
                    "destination_address": "172.50.123.1",
                    "event_category": "anomaly",
                    "source_port": 81,
                    "destination_port": 21,
                    "user": "joe.black",
                    "level": "warn",
                },
            ),
            (
                (
                    b"LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=192.0.2.7^dst=10."
                    b"0.0.5^sev=9^msg=no stock"
                ),
                {
                    "vendor": "Lancope",
                    "product": "StealthWatch",
                    "product_version": "1.0",
                    "event_code": "41",
                    "attributes": {
                        "leef_version": "2.0",
                        "sev": "9",
                    },
                    "source_address": "192.0.2.7",
                    "destination_address": "10.0.0.5",
                    "message": "no stock",
                    "level": "fatal",
                },
            ),
        ),
    ),
}
