"""Envoy: its default access log, Istio's, and its own (application) log.

Sources: Envoy's documentation of access logging, Istio's default `accessLogFormat`.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import milliseconds
from podweave.helpers.logs.layouts import Format, Layout

_REQUEST = (
    # Emissary-ingress names what it is in front.
    rb'(?:ACCESS )?\[%{RFC3339:time}\] "%{BEGIN:message}%{BEGIN:method?}[A-Z]+|-%{END} '
    rb"%{BEGIN:url?}%{URLPATH:url_path?}(?:\?%{URLQUERY:url_query?})?%{END} "
    rb'(?:HTTP/%{HTTPVERSION:http_version?}|-)%{END}" '
    rb"(?:0|%{INT:status?}) %{SPACED:response_flags?} "
)
_TRAFFIC = (
    rb"%{INT:request_body_bytes} %{INT:response_body_bytes} %{INT:_total} (?:-|%{INT:_upstream?}) "
    rb'"%{QUOTED:forwarded_for?}" "%{QUOTED:user_agent?}" "%{QUOTED:request_id?}" '
    rb'"%{QUOTED:server_name?}" "%{QUOTED:upstream_address?}"'
)
_LOG = rb"\[%{ISO8601:time}\]\[%{INT:thread_id}\]\[%{WORD:level}\]\[%{PYTHONLOGGER:logger}\] "
_DURATIONS = (
    ("duration", "_total", milliseconds),
    ("upstream_duration", "_upstream", milliseconds),
)

FORMATS = {
    "envoy-access": Format(
        "envoy-access",
        (
            Layout(_REQUEST + _TRAFFIC, derive=_DURATIONS),
            Layout(
                _REQUEST + rb"%{SPACED:response_code_details?} "
                rb"%{SPACED:connection_termination_details?} "
                rb'"%{QUOTED:upstream_failure?}" '
                + _TRAFFIC
                + rb" %{SPACED:upstream_name?} %{SPACED:upstream_local_address?} "
                rb"%{SPACED:downstream_local_address?} "
                rb"(?:-|\[?%{ADDRESS:source_address?}\]?(?::%{INT:source_port?})?) "
                rb"%{SPACED:tls_server_name?} %{SPACED:route_name?}",
                derive=_DURATIONS,
            ),
        ),
        samples=(
            (
                (
                    b'[2026-11-23T02:16:56.310Z] "POST /api/v1/orders?dry=1 HTTP/2'
                    b'" 204 - 154 0 226 100 "10.0.35.28, 10.0.0.1" "nsq2http" "cc2'
                    b'1d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop.example" "tcp://10.'
                    b'0.2.1:80"'
                ),
                {
                    "message": "POST /api/v1/orders?dry=1 HTTP/2",
                    "method": "POST",
                    "url": "/api/v1/orders?dry=1",
                    "url_path": "/api/v1/orders",
                    "url_query": "dry=1",
                    "http_version": "2",
                    "status": 204,
                    "request_body_bytes": 154,
                    "response_body_bytes": 0,
                    "user_agent": "nsq2http",
                    "request_id": "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2",
                    "server_name": "shop.example",
                    "upstream_address": "tcp://10.0.2.1:80",
                    "time": (1795400216, "310"),
                    "duration": 0.226,
                    "upstream_duration": 0.1,
                    "attributes": {
                        "forwarded_for": "10.0.35.28, 10.0.0.1",
                    },
                },
            ),
            (
                (
                    b'[2026-11-23T02:16:56.500Z] "GET /health HTTP/1.1" 503 UF,URX'
                    b' 0 91 10 - "-" "kube-probe/1.33" "7b1b" "orders:8080" "10.0.'
                    b'2.1:8080"'
                ),
                {
                    "message": "GET /health HTTP/1.1",
                    "method": "GET",
                    "url": "/health",
                    "url_path": "/health",
                    "http_version": "1.1",
                    "status": 503,
                    "request_body_bytes": 0,
                    "response_body_bytes": 91,
                    "user_agent": "kube-probe/1.33",
                    "request_id": "7b1b",
                    "server_name": "orders:8080",
                    "upstream_address": "10.0.2.1:8080",
                    "time": (1795400216, "500"),
                    "duration": 0.01,
                    "attributes": {
                        "response_flags": "UF,URX",
                    },
                },
            ),
            (
                (
                    b'[2026-11-23T02:16:56.310Z] "- - -" 0 - 4 8 12003 - "-" "-" "'
                    b'-" "-" "10.0.2.1:5432"'
                ),
                {
                    "message": "- - -",
                    "request_body_bytes": 4,
                    "response_body_bytes": 8,
                    "upstream_address": "10.0.2.1:5432",
                    "time": (1795400216, "310"),
                    "duration": 12.003,
                },
            ),
            (
                (
                    b'[2026-11-23T02:16:56.310Z] "GET /status/418 HTTP/1.1" 418 - '
                    b'via_upstream - "-" 0 135 4 4 "-" "curl/8.5.0" "84961386-6d84'
                    b'-929d-98bd-c5aee93b5c88" "httpbin:8000" "10.44.1.27:80" outb'
                    b"ound|8000||httpbin.foo.svc.cluster.local 10.44.1.23:37652 10"
                    b".0.45.184:8000 10.44.1.23:46520 - default"
                ),
                {
                    "message": "GET /status/418 HTTP/1.1",
                    "method": "GET",
                    "url": "/status/418",
                    "url_path": "/status/418",
                    "http_version": "1.1",
                    "status": 418,
                    "request_body_bytes": 0,
                    "response_body_bytes": 135,
                    "user_agent": "curl/8.5.0",
                    "request_id": "84961386-6d84-929d-98bd-c5aee93b5c88",
                    "server_name": "httpbin:8000",
                    "upstream_address": "10.44.1.27:80",
                    "upstream_name": "outbound|8000||httpbin.foo.svc.cluster.local",
                    "source_address": "10.44.1.23",
                    "source_port": 46520,
                    "time": (1795400216, "310"),
                    "duration": 0.004,
                    "upstream_duration": 0.004,
                    "attributes": {
                        "response_code_details": "via_upstream",
                        "upstream_local_address": "10.44.1.23:37652",
                        "downstream_local_address": "10.0.45.184:8000",
                        "route_name": "default",
                    },
                },
            ),
            (
                (
                    b'[2026-11-23T02:16:56.310Z] "- - -" 0 UH - - "-" 0 0 0 - "-" '
                    b'"-" "-" "-" "-" BlackHoleCluster - 10.0.45.184:443 10.44.1.2'
                    b"3:46521 shop.example -"
                ),
                {
                    "message": "- - -",
                    "request_body_bytes": 0,
                    "response_body_bytes": 0,
                    "upstream_name": "BlackHoleCluster",
                    "source_address": "10.44.1.23",
                    "source_port": 46521,
                    "tls_server_name": "shop.example",
                    "time": (1795400216, "310"),
                    "duration": 0.0,
                    "attributes": {
                        "response_flags": "UH",
                        "downstream_local_address": "10.0.45.184:443",
                    },
                },
            ),
        ),
    ),
    "envoy": Format(
        "envoy",
        (
            Layout(_LOG + rb"\[%{BEGIN:file}[^\]:\n]++%{END}:%{INT:line}\] %{REST:message}"),
            Layout(_LOG + rb"%{REST:message}", general=True),
            # What istio-proxy prints: time, level, "envoy" and the logger, the place
            Layout(
                rb"%{RFC3339:time}\t%{WORD:level}\tenvoy %{PYTHONLOGGER:logger} "
                rb"%{BEGIN:file}[^:\s]++%{END}:%{INT:line}\t%{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"[2026-11-23 02:16:56.789][1][info][main] [source/server/serv"
                    b"er.cc:404] initializing epoch 0 (base id=0, hot restart vers"
                    b"ion=11.104)"
                ),
                {
                    "thread_id": 1,
                    "level": "info",
                    "logger": "main",
                    "file": "source/server/server.cc",
                    "line": 404,
                    "message": "initializing epoch 0 (base id=0, hot restart version=11.104)",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"[2026-11-23 02:16:56.790][17][critical][backtrace] Caught Se"
                    b"gmentation fault, suspect faulting address 0x0"
                ),
                {
                    "thread_id": 17,
                    "level": "fatal",
                    "logger": "backtrace",
                    "message": "Caught Segmentation fault, suspect faulting address 0x0",
                    "time": (1795400216, "790"),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.790123Z\twarning\tenvoy config external/en"
                    b"voy/source/common/config/grpc_stream.h:163\tStreamAggregatedR"
                    b"esources gRPC config stream closed: 14\tthread=20"
                ),
                {
                    "level": "warn",
                    "logger": "config",
                    "file": "external/envoy/source/common/config/grpc_stream.h",
                    "line": 163,
                    "message": (
                        "StreamAggregatedResources gRPC config stream closed: 14\tthread=20"
                    ),
                    "time": (1795400216, "790123"),
                },
            ),
        ),
    ),
}
