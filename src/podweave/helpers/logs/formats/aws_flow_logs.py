"""AWS VPC: flow logs.

Source: AWS' documentation. Columns in another order are read by their header line (w3c.py).
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import transport
from podweave.helpers.logs.formats.w3c import HeaderLayout
from podweave.helpers.logs.layouts import Format, Layout

_FLOW = (
    rb"[2-9] %{SPACED:cloud_account} %{BEGIN:interface_id}eni-[0-9a-z]+%{END} "
    rb"%{SPACED:source_address?} %{SPACED:destination_address?} %{INTORDASH:source_port?} "
    rb"%{INTORDASH:destination_port?} (?:-|%{INT:_protocol?}) %{INTORDASH:network_packets?} "
    rb"%{INTORDASH:network_bytes?} %{EPOCH:time} %{INT:end} "
    rb"(?:-|%{BEGIN:event_action?}ACCEPT|REJECT%{END}) "
    rb"%{BEGIN:log_status}(?:OK|NODATA|SKIPDATA)%{END}"
)

FORMATS = {
    "aws-vpc-flow": Format(
        "aws-vpc-flow",
        (
            HeaderLayout(
                rb"(?=[^\n]*\baccount-id\b)(?=[^\n]*\bsrcaddr\b)[a-z][a-z0-9 \-]+", b"srcaddr"
            ),
            Layout(_FLOW, derive=(("network_transport", "_protocol", transport),)),
            # Version 3 to 5, all fields in the order in which the documentation lists them
            Layout(
                _FLOW + rb" %{SPACED:vpc_id?} %{SPACED:subnet_id?} %{SPACED:instance_id?} "
                rb"%{INTORDASH:tcp_flags?} %{SPACED:network_type?} %{SPACED:packet_source?} "
                rb"%{SPACED:packet_destination?}"
                rb"(?: %{SPACED:cloud_region?} %{SPACED:availability_zone?} "
                rb"%{SPACED:sublocation_type?} %{SPACED:sublocation_id?}"
                rb"(?: %{SPACED:source_service?} %{SPACED:destination_service?} "
                rb"%{SPACED:network_direction?} %{INTORDASH:traffic_path?}"
                rb"(?: %{BEGIN:more?}[^\n]*%{END})?)?)?",
                derive=(("network_transport", "_protocol", transport),),
            ),
        ),
        samples=(
            (
                (
                    b"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16"
                    b".21 20641 22 6 20 4249 1795400216 1795400276 ACCEPT OK"
                ),
                {
                    "cloud_account": "123456789010",
                    "source_address": "172.31.16.139",
                    "destination_address": "172.31.16.21",
                    "source_port": 20641,
                    "destination_port": 22,
                    "network_packets": 20,
                    "network_bytes": 4249,
                    "event_action": "ACCEPT",
                    "time": (1795400216, ""),
                    "network_transport": "tcp",
                    "attributes": {
                        "interface_id": "eni-1235b8ca123456789",
                        "end": 1795400276,
                        "log_status": "OK",
                    },
                },
            ),
            (
                (
                    b"2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16."
                    b"139 0 0 1 4 336 1795400216 1795400276 REJECT OK"
                ),
                {
                    "cloud_account": "123456789010",
                    "source_address": "203.0.113.12",
                    "destination_address": "172.31.16.139",
                    "source_port": 0,
                    "destination_port": 0,
                    "network_packets": 4,
                    "network_bytes": 336,
                    "event_action": "REJECT",
                    "time": (1795400216, ""),
                    "network_transport": "icmp",
                    "attributes": {
                        "interface_id": "eni-1235b8ca123456789",
                        "end": 1795400276,
                        "log_status": "OK",
                    },
                },
            ),
            (
                (
                    b"2 123456789010 eni-1235b8ca123456789 - - - - - - - 179540021"
                    b"6 1795400276 - NODATA"
                ),
                {
                    "cloud_account": "123456789010",
                    "time": (1795400216, ""),
                    "attributes": {
                        "interface_id": "eni-1235b8ca123456789",
                        "end": 1795400276,
                        "log_status": "NODATA",
                    },
                },
            ),
            (
                (
                    b"5 123456789010 eni-1235b8ca123456789 10.0.0.62 52.213.180.42"
                    b" 43416 5001 6 14 568 1795400216 1795400276 ACCEPT OK vpc-abc"
                    b"defab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 "
                    b"19 IPv4 10.0.0.62 52.213.180.42 eu-west-1 euw1-az3 - - - S3 "
                    b"egress 8"
                ),
                {
                    "cloud_account": "123456789010",
                    "source_address": "10.0.0.62",
                    "destination_address": "52.213.180.42",
                    "source_port": 43416,
                    "destination_port": 5001,
                    "network_packets": 14,
                    "network_bytes": 568,
                    "event_action": "ACCEPT",
                    "network_type": "IPv4",
                    "cloud_region": "eu-west-1",
                    "network_direction": "egress",
                    "time": (1795400216, ""),
                    "network_transport": "tcp",
                    "attributes": {
                        "interface_id": "eni-1235b8ca123456789",
                        "end": 1795400276,
                        "log_status": "OK",
                        "vpc_id": "vpc-abcdefab012345678",
                        "subnet_id": "subnet-aaaaaaaa012345678",
                        "instance_id": "i-01234567890123456",
                        "tcp_flags": 19,
                        "packet_source": "10.0.0.62",
                        "packet_destination": "52.213.180.42",
                        "availability_zone": "euw1-az3",
                        "destination_service": "S3",
                        "traffic_path": 8,
                    },
                },
            ),
            (
                (
                    b"version account-id interface-id srcaddr dstaddr srcport dstp"
                    b"ort protocol packets bytes start end action log-status"
                ),
                {
                    "message": (
                        "version account-id interface-id srcaddr dstaddr srcport "
                        "dstport protocol packets bytes start end action log-stat"
                        "us"
                    ),
                },
            ),
        ),
    ),
}
