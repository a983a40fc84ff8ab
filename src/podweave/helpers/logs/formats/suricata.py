"""Suricata: eve.json.

Source: Suricata's documentation, "Eve JSON Format".
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import TEXT, JsonLayout

SAMPLES = (
    (
        (
            b'{"timestamp":"2026-11-23T02:16:56.789012+0000","flow_id":123456789'
            b'0123456,"in_iface":"eth0","event_type":"alert","src_ip":"192.0.2.7'
            b'","src_port":51234,"dest_ip":"198.51.100.80","dest_port":80,"proto'
            b'":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2100498'
            b',"rev":7,"signature":"GPL ATTACK_RESPONSE id check returned root",'
            b'"category":"Potentially Bad Traffic","severity":2}}'
        ),
        {
            "time": (1795400216, "789012"),
            "session_id": "1234567890123456",
            "ingress_interface": "eth0",
            "event_category": "alert",
            "source_address": "192.0.2.7",
            "source_port": 51234,
            "destination_address": "198.51.100.80",
            "destination_port": 80,
            "network_transport": "TCP",
            "event_action": "allowed",
            "rule_id": "2100498",
            "rule_name": "GPL ATTACK_RESPONSE id check returned root",
            "attributes": {
                "alert": {"gid": 1, "rev": 7, "category": "Potentially Bad Traffic", "severity": 2}
            },
        },
    ),
    (
        (
            b'{"timestamp":"2026-11-23T02:16:57.000001+0000","flow_id":123456789'
            b'0123457,"event_type":"dns","src_ip":"192.0.2.7","src_port":53124,"'
            b'dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"'
            b'query","id":1,"rrname":"shop.example","rrtype":"A","tx_id":0}}'
        ),
        {
            "time": (1795400217, "000001"),
            "session_id": "1234567890123457",
            "event_category": "dns",
            "source_address": "192.0.2.7",
            "source_port": 53124,
            "destination_address": "192.0.2.53",
            "destination_port": 53,
            "network_transport": "UDP",
            "dns_question_name": "shop.example",
            "dns_question_type": "A",
            "attributes": {"dns": {"type": "query", "id": 1, "tx_id": 0}},
        },
    ),
)
FORMATS = {
    "suricata": Format(
        "suricata",
        (
            JsonLayout(
                {
                    "timestamp": "time",
                    "flow_id": "session_id",
                    "in_iface": "ingress_interface",
                    "event_type": "event_category",
                    "src_ip": "source_address",
                    "src_port": "source_port",
                    "dest_ip": "destination_address",
                    "dest_port": "destination_port",
                    "proto": "network_transport",
                    "app_proto": "network_protocol",
                    "direction": "",
                    "alert.action": "event_action",
                    "alert.signature_id": "rule_id",
                    "alert.signature": "rule_name",
                    "http.hostname": "server_name",
                    "http.url": "url",
                    "http.http_user_agent": "user_agent",
                    "http.http_method": "method",
                    "http.http_refer": "referrer",
                    "http.status": "status",
                    "http.length": "response_body_bytes",
                    "dns.rrname": "dns_question_name",
                    "dns.rrtype": "dns_question_type",
                    "dns.rcode": "dns_response_code",
                    "tls.sni": "tls_server_name",
                    "tls.version": "tls_version",
                    "flow.bytes_toserver": "source_bytes",
                    "flow.bytes_toclient": "destination_bytes",
                    "flow.pkts_toserver": "source_packets",
                    "flow.pkts_toclient": "destination_packets",
                },
                requires={"timestamp": TEXT, "event_type": TEXT},
            ),
        ),
        samples=SAMPLES,
    ),
}
