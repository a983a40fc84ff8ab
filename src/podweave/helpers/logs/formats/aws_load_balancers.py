"""Access logs of AWS' load balancers: Application, Classic and Network (TLS).

Source: AWS' documentation of Elastic Load Balancing, "Access logs for your … Load Balancer".
Fields that were added over the years stand at the end and may be missing.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import milliseconds, seconds
from podweave.helpers.logs.layouts import Format, Layout

_ADDRESSES = (
    rb"%{ADDRESS:source_address}:%{INT:source_port} "
    rb"(?:-|%{ADDRESS:upstream_address?}:%{INT:upstream_port?}) "
)
_TIMES = rb"%{BEGIN:_times}%{NUMBER} %{NUMBER:_upstream} %{NUMBER}%{END} "
_REQUEST = (
    rb'"%{BEGIN:message}%{METHOD:method} %{BEGIN:url}(?:(?:http|https|ws|wss|h2c)://)?'
    rb'%{BEGIN:server_name}[^\s"/:?]*+%{END}(?>(?::\d+)?)%{BEGIN:url_path}[^\s"?]*+%{END}'
    rb"(?:\?%{URLQUERY:url_query?})?%{END} "
    rb'HTTP/%{HTTPVERSION:http_version}%{END}" '
)
# `- http://name:80- -` and `- - -`: no HTTP, or a request that couldn't be read.
_ANY_REQUEST = rb'"%{QUOTED:message}" '
_AGENT = rb'"%{QUOTED:user_agent?}" '
_TLS = rb"%{SPACED:tls_cipher?} %{SPACED:tls_version?}"
_CODES = (
    rb"(?:-|%{INT:status?}) (?:-|0|%{INT:upstream_status?}) "
    rb"%{INT:request_bytes} %{INT:response_bytes} "
)


def _sum(times: str) -> float | None:
    """-1 stands for what the request didn't come to."""
    known = [value for value in map(seconds, times.split(" ")) if value is not None]
    return round(sum(known), 6) if known else None


_DURATIONS = (("duration", "_times", _sum), ("upstream_duration", "_upstream", seconds))

_ALB_START = (
    rb"%{BEGIN:network_protocol}(?:https?|h2|grpcs|wss?)%{END} %{RFC3339:time} "
    rb"%{BEGIN:load_balancer}app/[^ \n]++%{END} " + _ADDRESSES + _TIMES + _CODES
)
_ALB_END = (
    _AGENT
    + _TLS
    + rb' %{SPACED:target_group?} "%{QUOTED:request_id?}" "%{QUOTED:tls_server_name?}" '
    rb'"%{QUOTED:certificate?}" (?:-|%{INT:rule_priority?}) %{SPACED:created?}'
    rb'(?: "%{QUOTED:event_action?}" "%{QUOTED:redirect?}" "%{QUOTED:error_code?}"'
    rb'(?: "%{QUOTED:targets?}" "%{QUOTED:target_statuses?}"'
    rb'(?: "%{QUOTED:classification?}" "%{QUOTED:classification_reason?}"'
    rb"(?: %{NOTSPACE:connection_trace?}(?: %{BEGIN:transformed?}[^\n]*%{END})?)?)?)?)?"
)
_ELB_START = rb"%{RFC3339:time} %{PYTHONLOGGER:load_balancer} " + _ADDRESSES + _TIMES + _CODES

FORMATS = {
    "aws-alb": Format(
        "aws-alb",
        (
            Layout(_ALB_START + _REQUEST + _ALB_END, derive=_DURATIONS),
            Layout(_ALB_START + _ANY_REQUEST + _ALB_END, derive=_DURATIONS, general=True),
        ),
        samples=(
            (
                (
                    b"http 2026-11-23T02:16:56.135000Z app/shop/50dc6c495c0c9188 1"
                    b'92.0.2.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "'
                    b'GET http://www.shop.example:80/orders?page=2 HTTP/1.1" "curl'
                    b'/8.5.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789'
                    b'012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262'
                    b'-36d228ad5d99923122bbe354" "-" "-" 0 2026-11-23T02:16:56.134'
                    b'000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
                ),
                {
                    "network_protocol": "http",
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "upstream_address": "10.0.0.1",
                    "status": 200,
                    "upstream_status": 200,
                    "request_bytes": 34,
                    "response_bytes": 366,
                    "message": "GET http://www.shop.example:80/orders?page=2 HTTP/1.1",
                    "method": "GET",
                    "url": "http://www.shop.example:80/orders?page=2",
                    "server_name": "www.shop.example",
                    "url_path": "/orders",
                    "url_query": "page=2",
                    "http_version": "1.1",
                    "user_agent": "curl/8.5.0",
                    "request_id": "Root=1-58337262-36d228ad5d99923122bbe354",
                    "event_action": "forward",
                    "time": (1795400216, "135000"),
                    "duration": 0.001,
                    "upstream_duration": 0.001,
                    "attributes": {
                        "load_balancer": "app/shop/50dc6c495c0c9188",
                        "upstream_port": 80,
                        "target_group": (
                            "arn:aws:elasticloadbalancing:us-east-2:123456789012:targ"
                            "etgroup/my-targets/73e2d6bc24d8a067"
                        ),
                        "rule_priority": 0,
                        "created": "2026-11-23T02:16:56.134000Z",
                        "targets": "10.0.0.1:80",
                        "target_statuses": "200",
                    },
                },
            ),
            (
                (
                    b"h2 2026-11-23T02:16:56.335000Z app/shop/50dc6c495c0c9188 200"
                    b"1:db8::7:48160 10.0.1.252:9000 0.002 0.037 0.001 200 200 5 2"
                    b'57 "GET https://shop.example:443/ HTTP/2.0" "Mozilla/5.0" EC'
                    b"DHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalanci"
                    b'ng:us-east-2:123456789012:targetgroup/my-targets/73e2 "Root='
                    b'1-58337327-72bd00b0343d75b906739c42" "shop.example" "arn:aws'
                    b':acm:us-east-2:123456789012:certificate/12345678" 1 2026-11-'
                    b'23T02:16:56.312000Z "redirect" "https://example.com:80/" "-"'
                    b' "10.0.1.252:9000" "200" "Acceptable" "NonCompliantHeader" T'
                    b"ID_1234abcd5678ef90"
                ),
                {
                    "network_protocol": "h2",
                    "source_address": "2001:db8::7",
                    "source_port": 48160,
                    "upstream_address": "10.0.1.252",
                    "status": 200,
                    "upstream_status": 200,
                    "request_bytes": 5,
                    "response_bytes": 257,
                    "message": "GET https://shop.example:443/ HTTP/2.0",
                    "method": "GET",
                    "url": "https://shop.example:443/",
                    "server_name": "shop.example",
                    "url_path": "/",
                    "http_version": "2.0",
                    "user_agent": "Mozilla/5.0",
                    "tls_cipher": "ECDHE-RSA-AES128-GCM-SHA256",
                    "tls_version": "TLSv1.2",
                    "request_id": "Root=1-58337327-72bd00b0343d75b906739c42",
                    "tls_server_name": "shop.example",
                    "event_action": "redirect",
                    "time": (1795400216, "335000"),
                    "duration": 0.04,
                    "upstream_duration": 0.037,
                    "attributes": {
                        "load_balancer": "app/shop/50dc6c495c0c9188",
                        "upstream_port": 9000,
                        "target_group": (
                            "arn:aws:elasticloadbalancing:us-east-2:123456789012:targ"
                            "etgroup/my-targets/73e2"
                        ),
                        "certificate": "arn:aws:acm:us-east-2:123456789012:certificate/12345678",
                        "rule_priority": 1,
                        "created": "2026-11-23T02:16:56.312000Z",
                        "redirect": "https://example.com:80/",
                        "targets": "10.0.1.252:9000",
                        "target_statuses": "200",
                        "classification": "Acceptable",
                        "classification_reason": "NonCompliantHeader",
                        "connection_trace": "TID_1234abcd5678ef90",
                    },
                },
            ),
            (
                (
                    b"http 2026-11-23T02:16:56.135000Z app/shop/50dc6c495c0c9188 1"
                    b'92.0.2.7:2817 - -1 -1 -1 460 - 0 0 "- http://www.shop.exampl'
                    b'e:80- -" "-" - - - "-" "-" "-" - 2026-11-23T02:16:56.134000Z'
                    b' "-" "-" "-" "-" "-" "-" "-"'
                ),
                {
                    "network_protocol": "http",
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "status": 460,
                    "request_bytes": 0,
                    "response_bytes": 0,
                    "message": "- http://www.shop.example:80- -",
                    "time": (1795400216, "135000"),
                    "attributes": {
                        "load_balancer": "app/shop/50dc6c495c0c9188",
                        "created": "2026-11-23T02:16:56.134000Z",
                    },
                },
            ),
        ),
    ),
    "aws-elb": Format(
        "aws-elb",
        (
            Layout(_ELB_START + _REQUEST + _AGENT + _TLS, derive=_DURATIONS),
            Layout(_ELB_START + _ANY_REQUEST + _AGENT + _TLS, derive=_DURATIONS, general=True),
        ),
        samples=(
            (
                (
                    b"2026-11-23T02:16:56.945958Z my-loadbalancer 192.0.2.7:2817 1"
                    b'0.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http'
                    b'://www.shop.example:80/ HTTP/1.1" "curl/7.38.0" - -'
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "upstream_address": "10.0.0.1",
                    "status": 200,
                    "upstream_status": 200,
                    "request_bytes": 0,
                    "response_bytes": 29,
                    "message": "GET http://www.shop.example:80/ HTTP/1.1",
                    "method": "GET",
                    "url": "http://www.shop.example:80/",
                    "server_name": "www.shop.example",
                    "url_path": "/",
                    "http_version": "1.1",
                    "user_agent": "curl/7.38.0",
                    "time": (1795400216, "945958"),
                    "duration": 0.001178,
                    "upstream_duration": 0.001048,
                    "attributes": {
                        "load_balancer": "my-loadbalancer",
                        "upstream_port": 80,
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.945958Z my-loadbalancer 192.0.2.7:2817 1"
                    b'0.0.0.1:443 0.000086 0.001048 0.001337 200 200 0 57 "GET htt'
                    b'ps://www.shop.example:443/a?b=c HTTP/1.1" "curl/7.38.0" DHE-'
                    b"RSA-AES128-SHA TLSv1.2"
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "upstream_address": "10.0.0.1",
                    "status": 200,
                    "upstream_status": 200,
                    "request_bytes": 0,
                    "response_bytes": 57,
                    "message": "GET https://www.shop.example:443/a?b=c HTTP/1.1",
                    "method": "GET",
                    "url": "https://www.shop.example:443/a?b=c",
                    "server_name": "www.shop.example",
                    "url_path": "/a",
                    "url_query": "b=c",
                    "http_version": "1.1",
                    "user_agent": "curl/7.38.0",
                    "tls_cipher": "DHE-RSA-AES128-SHA",
                    "tls_version": "TLSv1.2",
                    "time": (1795400216, "945958"),
                    "duration": 0.002471,
                    "upstream_duration": 0.001048,
                    "attributes": {
                        "load_balancer": "my-loadbalancer",
                        "upstream_port": 443,
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.945958Z my-loadbalancer 192.0.2.7:2817 1"
                    b'0.0.0.1:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-'
                    b'" - -'
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "upstream_address": "10.0.0.1",
                    "request_bytes": 82,
                    "response_bytes": 305,
                    "message": "- - - ",
                    "time": (1795400216, "945958"),
                    "duration": 0.001138,
                    "upstream_duration": 2.8e-05,
                    "attributes": {
                        "load_balancer": "my-loadbalancer",
                        "upstream_port": 80,
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:57.000000Z my-loadbalancer 192.0.2.7:2817 -"
                    b' -1 -1 -1 503 0 0 0 "GET http://www.shop.example:80/ HTTP/1.'
                    b'1" "curl/7.38.0" - -'
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 2817,
                    "status": 503,
                    "request_bytes": 0,
                    "response_bytes": 0,
                    "message": "GET http://www.shop.example:80/ HTTP/1.1",
                    "method": "GET",
                    "url": "http://www.shop.example:80/",
                    "server_name": "www.shop.example",
                    "url_path": "/",
                    "http_version": "1.1",
                    "user_agent": "curl/7.38.0",
                    "time": (1795400217, "000000"),
                    "attributes": {
                        "load_balancer": "my-loadbalancer",
                    },
                },
            ),
        ),
    ),
    "aws-nlb": Format(
        "aws-nlb",
        (
            Layout(
                rb"tls \d\.\d %{UTCDATE:time} %{BEGIN:load_balancer}net/[^ \n]++%{END} "
                rb"%{SPACED:listener} " + _ADDRESSES + rb"(?:-|%{INT:_connection?}) "
                rb"(?:-|%{INT:tls_handshake_ms?}) %{INT:request_bytes} %{INT:response_bytes} "
                rb"%{SPACED:tls_alert?} %{SPACED:certificate?} %{SPACED:certificate_serial?} "
                + _TLS
                + rb" %{SPACED:tls_named_group?} "
                rb"%{SPACED:tls_server_name?}"
                rb"(?: %{SPACED:network_protocol?} %{SPACED:alpn_backend?} "
                rb"%{SPACED:alpn_client?} %{SPACED:created?})?",
                derive=(("duration", "_connection", milliseconds),),
            ),
        ),
        samples=(
            (
                (
                    b"tls 2.0 2026-11-23T02:16:56 net/my-network-loadbalancer/c6e7"
                    b"7e28c25b2234 g3d4b5e8bb8464cd 192.0.2.7:51341 172.16.100.185"
                    b":443 5 2 98 246 - arn:aws:acm:us-east-2:123456789012:certifi"
                    b"cate/2a108f19 - ECDHE-RSA-AES128-SHA tlsv12 - lb.example h2 "
                    b'h2 "h2","http/1.1" 2026-11-23T02:16:51'
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 51341,
                    "upstream_address": "172.16.100.185",
                    "request_bytes": 98,
                    "response_bytes": 246,
                    "tls_cipher": "ECDHE-RSA-AES128-SHA",
                    "tls_version": "tlsv12",
                    "tls_server_name": "lb.example",
                    "network_protocol": "h2",
                    "time": (1795400216, ""),
                    "duration": 0.005,
                    "attributes": {
                        "load_balancer": "net/my-network-loadbalancer/c6e77e28c25b2234",
                        "listener": "g3d4b5e8bb8464cd",
                        "upstream_port": 443,
                        "tls_handshake_ms": 2,
                        "certificate": "arn:aws:acm:us-east-2:123456789012:certificate/2a108f19",
                        "alpn_backend": "h2",
                        "alpn_client": '"h2","http/1.1"',
                        "created": "2026-11-23T02:16:51",
                    },
                },
            ),
            (
                (
                    b"tls 2.0 2026-11-23T02:16:56 net/my-network-loadbalancer/c6e7"
                    b"7e28c25b2234 g3d4b5e8bb8464cd 192.0.2.7:51341 - - - 0 0 80 -"
                    b" - - - - - - - - 2026-11-23T02:16:51"
                ),
                {
                    "source_address": "192.0.2.7",
                    "source_port": 51341,
                    "request_bytes": 0,
                    "response_bytes": 0,
                    "time": (1795400216, ""),
                    "attributes": {
                        "load_balancer": "net/my-network-loadbalancer/c6e77e28c25b2234",
                        "listener": "g3d4b5e8bb8464cd",
                        "tls_alert": "80",
                        "created": "2026-11-23T02:16:51",
                    },
                },
            ),
        ),
    ),
}
