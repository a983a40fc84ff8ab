"""Formats that any program may write: LTSV, pairs with commas, CSV, GELF, OTLP, and what
container runtimes write around a line.

Sources: ltsv.org, Graylog's GELF 1.1, the OpenTelemetry protocol's JSON, Kubernetes'
audit.k8s.io/v1.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import SEVERITY_LEVELS
from podweave.helpers.logs.formats.own.csv import header_layouts
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import TEXT, JsonLayout
from podweave.helpers.logs.structured.pairs_layout import PairsLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


FORMATS = {
    "docker-json": Format(
        "docker-json",
        (
            JsonLayout(
                {"log": "message", "stream": "stream"},
                requires={"log": TEXT, "stream": ("stdout", "stderr"), "time": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"log":"listening on :8080\\n","stream":"stdout","time":"2026'
                    b'-11-23T02:16:56.789012345Z"}'
                ),
                {
                    "message": "listening on :8080",
                    "stream": "stdout",
                    "time": (1795400216, "789012345"),
                },
            ),
            (
                (
                    b'{"log":"no stock\\n","stream":"stderr","attrs":{"tag":"shop"}'
                    b',"time":"2026-11-23T02:16:57.000000001Z"}'
                ),
                {
                    "message": "no stock",
                    "stream": "stderr",
                    "attributes": {
                        "attrs": {
                            "tag": "shop",
                        },
                    },
                    "time": (1795400217, "000000001"),
                },
            ),
        ),
    ),
    "cri": Format(
        "cri",
        (
            Layout(
                rb"%{RFC3339:time} %{BEGIN:stream}stdout|stderr%{END} [FP]"
                rb"(?::[^ \n]*)? %{REST:message}"
            ),
        ),
        samples=(
            (
                b"2026-11-23T02:16:56.789012345Z stdout F listening on :8080",
                {
                    "stream": "stdout",
                    "message": "listening on :8080",
                    "time": (1795400216, "789012345"),
                },
            ),
            (
                b"2026-11-23T11:16:57.000000001+09:00 stderr P a part of a line",
                {
                    "stream": "stderr",
                    "message": "a part of a line",
                    "time": (1795400217, "000000001"),
                },
            ),
        ),
    ),
    "kubernetes-audit": Format(
        "kubernetes-audit",
        (
            JsonLayout(
                {
                    "level": "",
                    "auditID": "event_id",
                    "stageTimestamp": "time",
                    "verb": "event_action",
                    "requestURI": "url",
                    "user.username": "user",
                    "user.uid": "user_id",
                    "sourceIPs": "source_address",
                    "userAgent": "user_agent",
                    "responseStatus.code": "status",
                    "responseStatus.message": "error_message",
                    "responseStatus.status": "",
                    "kind": "",
                },
                requires={"kind": ("Event",), "auditID": TEXT, "verb": TEXT, "stage": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Meta'
                    b'data","auditID":"3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d","stag'
                    b'e":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/'
                    b'pods?limit=500","verb":"list","user":{"username":"kim","grou'
                    b'ps":["system:authenticated"]},"sourceIPs":["192.0.2.7"],"use'
                    b'rAgent":"kubectl/v1.31.0","objectRef":{"resource":"pods","na'
                    b'mespace":"shop","apiVersion":"v1"},"responseStatus":{"metada'
                    b'ta":{},"code":200},"requestReceivedTimestamp":"2026-11-23T02'
                    b':16:56.780000Z","stageTimestamp":"2026-11-23T02:16:56.789012'
                    b'Z","annotations":{"authorization.k8s.io/decision":"allow"}}'
                ),
                {
                    "attributes": {
                        "kind": "Event",
                        "apiVersion": "audit.k8s.io/v1",
                        "level": "Metadata",
                        "stage": "ResponseComplete",
                        "user": {
                            "groups": ["system:authenticated"],
                        },
                        "objectRef": {
                            "resource": "pods",
                            "namespace": "shop",
                            "apiVersion": "v1",
                        },
                        "responseStatus": {
                            "metadata": {},
                        },
                        "requestReceivedTimestamp": "2026-11-23T02:16:56.780000Z",
                        "annotations": {
                            "authorization.k8s.io/decision": "allow",
                        },
                    },
                    "event_id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
                    "url": "/api/v1/namespaces/shop/pods?limit=500",
                    "event_action": "list",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "user_agent": "kubectl/v1.31.0",
                    "status": 200,
                    "time": (1795400216, "789012"),
                },
            ),
        ),
    ),
    "gelf": Format(
        "gelf",
        (
            JsonLayout(
                {
                    "short_message": "message",
                    "full_message": "",
                    "timestamp": "time",
                    "_logger": "logger",
                    "_thread": "thread",
                    "_level_name": "",
                    "_stack_trace": "stack_trace",
                },
                requires={"version": ("1.1", "1.0"), "short_message": TEXT, "host": TEXT},
                strip="_",
            ),
        ),
        samples=(
            (
                (
                    b'{"version":"1.1","host":"web-1","short_message":"order place'
                    b'd","timestamp":1795400216.789,"level":6,"_order":42}'
                ),
                {
                    "attributes": {
                        "version": "1.1",
                        "order": 42,
                    },
                    "host": "web-1",
                    "message": "order placed",
                    "time": (1795400216, "789"),
                    "level": "info",
                },
            ),
            (
                (
                    b'{"version":"1.1","host":"web-1","short_message":"failed","fu'
                    b'll_message":"failed\\nno stock","timestamp":1795400217,"level'
                    b'":3,"_user_id":"kim","_request_id":"r-17"}'
                ),
                {
                    "attributes": {
                        "version": "1.1",
                        "full_message": "failed\nno stock",
                        "user_id": "kim",
                    },
                    "host": "web-1",
                    "message": "failed",
                    "time": (1795400217, ""),
                    "level": "error",
                    "request_id": "r-17",
                },
            ),
        ),
        levels={str(number): level for number, level in enumerate(SEVERITY_LEVELS)},
    ),
    "ltsv": Format(
        "ltsv",
        (
            PairsLayout(
                {
                    "host": "source_address",
                    "ua": "user_agent",
                    "req": "message",
                    "size": "response_bytes",
                    "reqsize": "request_bytes",
                    "reqtime": "duration",
                    "reqtime_microsec": "duration:us",
                    "apptime": "upstream_duration",
                    "vhost": "server_name",
                    "method": "method",
                    "protocol": "network_protocol",
                    "cache": "cache_status",
                },
                between=b"\t",
                assign=b":",
                quoted=False,
            ),
        ),
        samples=(
            (
                (
                    b"time:23/Nov/2026:02:16:56 +0000\thost:192.0.2.7\tmethod:GET\tur"
                    b"i:/orders?page=2\tstatus:200\tsize:512\treferer:-\tua:curl/8.5.0"
                    b"\treqtime:0.043"
                ),
                {
                    "time": (1795400216, ""),
                    "source_address": "192.0.2.7",
                    "method": "GET",
                    "url": "/orders?page=2",
                    "status": 200,
                    "response_bytes": 512,
                    "referrer": "-",
                    "user_agent": "curl/8.5.0",
                    "duration": 0.043,
                },
            ),
            (
                b"time:2026-11-23T02:16:57Z\tlevel:error\tmessage:no stock\torder:42",
                {
                    "time": (1795400217, ""),
                    "level": "error",
                    "message": "no stock",
                    "attributes": {
                        "order": "42",
                    },
                },
            ),
        ),
    ),
    "key-value": Format(
        "key-value",
        (
            PairsLayout(between=b",", least=3),
            PairsLayout(between=b";", least=3),
            PairsLayout(between=b"|", least=3),
        ),
        samples=(
            (
                b'time="2026-11-23 02:16:56", level=WARN, msg="no stock", order=42',
                {
                    "time": (1795400216, ""),
                    "level": "warn",
                    "message": "no stock",
                    "attributes": {
                        "order": 42,
                    },
                },
            ),
            (
                b"ts=2026-11-23T02:16:57Z;level=info;msg=placed;order=42",
                {
                    "time": (1795400217, ""),
                    "level": "info",
                    "message": "placed",
                    "attributes": {
                        "order": 42,
                    },
                },
            ),
        ),
    ),
    "csv": Format(
        "csv",
        (
            *header_layouts(b",", b'"'),
            *header_layouts(b";", b'"'),
            *header_layouts(b"\t", b'"'),
        ),
        samples=(
            (
                b"timestamp,level,logger,message",
                {
                    "message": "timestamp,level,logger,message",
                },
            ),
            (
                b'"date";"severity";"user";"message"',
                {
                    "message": '"date";"severity";"user";"message"',
                },
            ),
            (
                b"host\ttime\tlevel\tmessage",
                {
                    "message": "host\ttime\tlevel\tmessage",
                },
            ),
        ),
    ),
}
