"""AWS S3: server access logs.

Source: AWS' documentation.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.nginx import ANY_REQUEST, REQUEST
from podweave.helpers.logs.formats.units import milliseconds
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
}
