"""The OpenTelemetry protocol's JSON: records by themselves, and requests of many.

Source: opentelemetry-proto's logs.proto and the protocol's mapping to JSON; the collector's file
exporter writes a request a line.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.otlp_layout import OtlpLayout

FORMATS = {
    "otlp-json": Format(
        "otlp-json",
        (OtlpLayout(),),
        samples=(
            (
                (
                    b'{"resourceLogs":[{"resource":{"attributes":[{"key":"service.'
                    b'name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope'
                    b'":{"name":"shop.orders"},"logRecords":[{"timeUnixNano":"1795'
                    b'400216789012345","severityNumber":9,"severityText":"INFO","b'
                    b'ody":{"stringValue":"placed"},"attributes":[{"key":"order","'
                    b'value":{"intValue":"42"}}],"traceId":"0af7651916cd43dd8448eb'
                    b'211c80319c","spanId":"b7ad6b7169203331"}]}]}]}'
                ),
                {
                    "time": (1795400216, "789012345"),
                    "level": "info",
                    "message": "placed",
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                    "span_id": "b7ad6b7169203331",
                    "logger": "shop.orders",
                    "service_name": "shop",
                    "attributes": {
                        "order": 42,
                    },
                },
            ),
            (
                (
                    b'{"timeUnixNano":"1795400216789012345","severityNumber":17,"s'
                    b'everityText":"ERROR","body":{"stringValue":"no stock"},"attr'
                    b'ibutes":[],"traceId":"","spanId":""}'
                ),
                {
                    "time": (1795400216, "789012345"),
                    "level": "error",
                    "message": "no stock",
                },
            ),
        ),
    ),
}
