"""Logs of AWS' S3 (server access), CloudFront (standard) and VPC (flow logs).

Sources: AWS' documentation of each. CloudFront's and the flow logs' columns in another order are
read by their header line (w3c.py).
"""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import ANY_REQUEST, REQUEST
from podweave.helpers.logs.formats.units import (
    milliseconds,
    percent_decoded,
    seconds,
    transport,
)
from podweave.helpers.logs.formats.w3c import HeaderLayout
from podweave.helpers.logs.layouts import Format, Layout

_S3_START = (
    rb"%{BEGIN:bucket_owner}(?:[0-9a-f]{64}|-)%{END} %{BEGIN:bucket}[a-z0-9][a-z0-9.\-]*%{END} "
    rb"\[%{HTTPDATE:time}\] %{SPACED:source_address?} %{SPACED:user?} %{SPACED:request_id?} "
    rb"%{BEGIN:event_action}[A-Z0-9]+\.[A-Za-z0-9_.]+%{END} %{SPACED:object_key?} "
)
_S3_END = (
    rb"(?:-|%{INT:status?}) %{SPACED:error_code?} %{INTORDASH:response_bytes?} "
    rb"%{INTORDASH:object_size?} (?:-|%{INT:_total?}) (?:-|%{INT:_turn?}) "
    rb'"%{QUOTED:referrer?}" (?:"%{QUOTED:user_agent?}"|-) %{SPACED:version_id?}'
    rb"(?: %{SPACED:host_id?} %{SPACED:signature?} %{SPACED:tls_cipher?} "
    rb"%{SPACED:authentication?} %{SPACED:server_name?} %{SPACED:tls_version?}"
    rb"(?: %{SPACED:access_point?}(?: %{SPACED:acl_required?}(?: %{BEGIN:more?}[^\n]*%{END})?)?)?)?"
)
_S3_DURATIONS = (
    ("duration", "_total", milliseconds),
    ("upstream_duration", "_turn", milliseconds),
)
_FLOW = (
    rb"[2-9] %{SPACED:cloud_account} %{BEGIN:interface_id}eni-[0-9a-z]+%{END} "
    rb"%{SPACED:source_address?} %{SPACED:destination_address?} %{INTORDASH:source_port?} "
    rb"%{INTORDASH:destination_port?} (?:-|%{INT:_protocol?}) %{INTORDASH:network_packets?} "
    rb"%{INTORDASH:network_bytes?} %{EPOCH:time} %{INT:end} "
    rb"(?:-|%{BEGIN:event_action?}ACCEPT|REJECT%{END}) "
    rb"%{BEGIN:log_status}(?:OK|NODATA|SKIPDATA)%{END}"
)


FORMATS = {
    "aws-s3": Format(
        "aws-s3",
        (
            Layout(_S3_START + REQUEST + _S3_END, derive=_S3_DURATIONS),
            Layout(
                _S3_START
                + rb"(?:-|"
                + ANY_REQUEST[:-1].replace(b"message", b"message?")
                + rb") "
                + _S3_END,
                derive=_S3_DURATIONS,
                general=True,
            ),
        ),
        samples=(
            (
                (
                    b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47e"
                    b"f2be shop-assets [23/Nov/2026:02:16:56 +0000] 192.0.2.3 79a5"
                    b"9df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
                    b' 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /shop-assets?ve'
                    b'rsioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9l'
                    b"zHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP"
                    b"/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader s"
                    b"hop-assets.s3.us-west-1.amazonaws.com TLSV1.2 - -"
                ),
                {
                    "source_address": "192.0.2.3",
                    "user": ("79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"),
                    "request_id": "3E57427F3EXAMPLE",
                    "event_action": "REST.GET.VERSIONING",
                    "message": "GET /shop-assets?versioning HTTP/1.1",
                    "method": "GET",
                    "url": "/shop-assets?versioning",
                    "url_path": "/shop-assets",
                    "url_query": "versioning",
                    "http_version": "1.1",
                    "status": 200,
                    "response_bytes": 113,
                    "user_agent": "S3Console/0.4",
                    "tls_cipher": "ECDHE-RSA-AES128-GCM-SHA256",
                    "server_name": "shop-assets.s3.us-west-1.amazonaws.com",
                    "tls_version": "TLSV1.2",
                    "time": (1795400216, ""),
                    "duration": 0.007,
                    "attributes": {
                        "bucket_owner": (
                            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
                        ),
                        "bucket": "shop-assets",
                        "host_id": (
                            "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/e"
                            "TPFvsiP/XV/VLi31234="
                        ),
                        "signature": "SigV4",
                        "authentication": "AuthHeader",
                    },
                },
            ),
            (
                (
                    b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47e"
                    b"f2be shop-assets [23/Nov/2026:02:16:57 +0000] 192.0.2.3 - 66"
                    b'E57427F3EXAMPLE REST.GET.OBJECT img/logo%2520big.png "GET /i'
                    b'mg/logo%20big.png HTTP/1.1" 404 NoSuchKey 276 - 12 11 "https'
                    b'://shop.example/" "Mozilla/5.0" -'
                ),
                {
                    "source_address": "192.0.2.3",
                    "request_id": "66E57427F3EXAMPLE",
                    "event_action": "REST.GET.OBJECT",
                    "message": "GET /img/logo%20big.png HTTP/1.1",
                    "method": "GET",
                    "url": "/img/logo%20big.png",
                    "url_path": "/img/logo%20big.png",
                    "http_version": "1.1",
                    "status": 404,
                    "error_code": "NoSuchKey",
                    "response_bytes": 276,
                    "referrer": "https://shop.example/",
                    "user_agent": "Mozilla/5.0",
                    "time": (1795400217, ""),
                    "duration": 0.012,
                    "upstream_duration": 0.011,
                    "attributes": {
                        "bucket_owner": (
                            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
                        ),
                        "bucket": "shop-assets",
                        "object_key": "img/logo%2520big.png",
                    },
                },
            ),
            (
                (
                    b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47e"
                    b"f2be shop-assets [23/Nov/2026:02:16:58 +0000] - AmazonS3 8C6"
                    b'E3F4A1EXAMPLE S3.EXPIRE.OBJECT old/1.log "-" - - - 2048 - - '
                    b'"-" "-" - - - - - - - - -'
                ),
                {
                    "user": "AmazonS3",
                    "request_id": "8C6E3F4A1EXAMPLE",
                    "event_action": "S3.EXPIRE.OBJECT",
                    "time": (1795400218, ""),
                    "attributes": {
                        "bucket_owner": (
                            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
                        ),
                        "bucket": "shop-assets",
                        "object_key": "old/1.log",
                        "object_size": 2048,
                    },
                },
            ),
        ),
    ),
    "aws-cloudfront": Format(
        "aws-cloudfront",
        (
            Layout(
                rb"%{UTCDATE:time}\t%{TABBED:edge_location}\t%{INT:response_bytes}\t"
                rb"%{TABBED:source_address?}\t%{METHOD:method}\t%{TABBED:distribution}\t"
                rb"%{TABBED:url_path?}\t(?:0+|-|%{INT:status?})\t%{TABBED:referrer?}\t"
                rb"%{TABBED:_agent?}\t%{TABBED:url_query?}\t%{TABBED:cookie?}\t"
                rb"%{TABBED:cache_status?}\t%{TABBED:request_id?}\t%{TABBED:server_name?}\t"
                rb"%{TABBED:network_protocol?}\t(?:-|%{INT:request_bytes?})\t%{NUMBER:duration}"
                rb"(?:\t%{TABBED:forwarded_for?}\t%{TABBED:tls_version?}\t%{TABBED:tls_cipher?}\t"
                rb"%{TABBED:response_result?}"
                rb"(?:\tHTTP/%{HTTPVERSION:http_version?}\t%{TABBED:fle_status?}\t%{TABBED:fle_fields?}"
                rb"(?:\t%{INTORDASH:source_port?}\t%{TABBED:_first?}\t%{TABBED:detailed_result?}\t"
                rb"%{TABBED:response_content_type?}\t%{INTORDASH:response_body_bytes?}\t"
                rb"%{INTORDASH:range_start?}\t%{INTORDASH:range_end?}"
                rb"(?:\t%{BEGIN:more?}[^\n]*%{END})?)?)?)?",
                derive=(
                    ("user_agent", "_agent", percent_decoded),
                    ("upstream_duration", "_first", seconds),
                ),
            ),
            HeaderLayout(rb"#Fields: date time x-edge-[^\n]+", b"#Fields:"),
        ),
        samples=(
            (
                (
                    b"2026-11-23\t02:16:56\tLAX1-C1\t2390282\t192.0.2.202\tGET\td111111a"
                    b"bcdef8.cloudfront.net\t/view/my/file.html\t200\twww.displaymyfi"
                    b"les.com\tMozilla/4.0%20(compatible;%20MSIE%205.0b1;%20Mac_Pow"
                    b"erPC)\t-\tzip=98101\tHit\tMRVMF7KydIvxMWfJIglgwHQwZsbG2IhRJ07sn9"
                    b"AkKUFSHS9EXAMPLE==\td111111abcdef8.cloudfront.net\thttp\t-\t0.00"
                    b"1\t-\t-\t-\tRefreshHit\tHTTP/1.1\t-\t-"
                ),
                {
                    "response_bytes": 2390282,
                    "source_address": "192.0.2.202",
                    "method": "GET",
                    "url_path": "/view/my/file.html",
                    "status": 200,
                    "referrer": "www.displaymyfiles.com",
                    "cache_status": "Hit",
                    "request_id": "MRVMF7KydIvxMWfJIglgwHQwZsbG2IhRJ07sn9AkKUFSHS9EXAMPLE==",
                    "server_name": "d111111abcdef8.cloudfront.net",
                    "network_protocol": "http",
                    "duration": 0.001,
                    "http_version": "1.1",
                    "time": (1795400216, ""),
                    "user_agent": "Mozilla/4.0 (compatible; MSIE 5.0b1; Mac_PowerPC)",
                    "attributes": {
                        "edge_location": "LAX1-C1",
                        "distribution": "d111111abcdef8.cloudfront.net",
                        "cookie": "zip=98101",
                        "response_result": "RefreshHit",
                    },
                },
            ),
            (
                (
                    b"2026-11-23\t02:16:57\tSEA19-C1\t0\t2001:db8::7\tGET\td111111abcdef"
                    b"8.cloudfront.net\t/index.html\t000\t-\tcurl/8.5.0\ta=1\t-\tError\tSO"
                    b"X4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\twww.s"
                    b"hop.example\thttps\t23\t0.102\t10.1.1.1\tTLSv1.2\tECDHE-RSA-AES128"
                    b"-GCM-SHA256\tError\tHTTP/2.0\t-\t-\t11040\t0.1\tClientHTTPRequestTo"
                    b"oLarge\ttext/html\t78\t-\t-"
                ),
                {
                    "response_bytes": 0,
                    "source_address": "2001:db8::7",
                    "method": "GET",
                    "url_path": "/index.html",
                    "url_query": "a=1",
                    "cache_status": "Error",
                    "request_id": "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
                    "server_name": "www.shop.example",
                    "network_protocol": "https",
                    "request_bytes": 23,
                    "duration": 0.102,
                    "tls_version": "TLSv1.2",
                    "tls_cipher": "ECDHE-RSA-AES128-GCM-SHA256",
                    "http_version": "2.0",
                    "source_port": 11040,
                    "response_content_type": "text/html",
                    "response_body_bytes": 78,
                    "time": (1795400217, ""),
                    "user_agent": "curl/8.5.0",
                    "upstream_duration": 0.1,
                    "attributes": {
                        "edge_location": "SEA19-C1",
                        "distribution": "d111111abcdef8.cloudfront.net",
                        "forwarded_for": "10.1.1.1",
                        "response_result": "Error",
                        "detailed_result": "ClientHTTPRequestTooLarge",
                    },
                },
            ),
            (
                (
                    b"#Fields: date time x-edge-location sc-bytes c-ip cs-method c"
                    b"s(Host) cs-uri-stem sc-status"
                ),
                {
                    "message": (
                        "#Fields: date time x-edge-location sc-bytes c-ip cs-meth"
                        "od cs(Host) cs-uri-stem sc-status"
                    ),
                },
            ),
        ),
    ),
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
