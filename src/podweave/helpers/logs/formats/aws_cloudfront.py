"""AWS CloudFront: standard logs.

Source: AWS' documentation. Columns in another order are read by their header line (w3c.py).
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import percent_decoded, seconds
from podweave.helpers.logs.formats.w3c import HeaderLayout
from podweave.helpers.logs.layouts import Format, Layout

FORMATS = {
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
}
