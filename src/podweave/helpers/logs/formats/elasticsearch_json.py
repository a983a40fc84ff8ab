"""Elasticsearch and OpenSearch, where they write JSON: server, deprecation, slow and audit logs.

Sources: the log4j2 configurations that they are delivered with, "Audit events" of Elastic's
documentation.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import PRESENT, TEXT, JsonLayout


def _port(address: str) -> int | None:
    port = address.rpartition(":")[2]
    return int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _outcome(action: str) -> str | None:
    """What the names of audit events end with."""
    if action.endswith(("_granted", "_success")):
        return "success"
    return "failure" if action.endswith(("_denied", "_failed", "tampered_request")) else None


FORMATS = {
    "elasticsearch-json": Format(
        "elasticsearch-json",
        (
            JsonLayout(
                {
                    "log.level": "level",
                    "elasticsearch.node.name": "",
                    "elasticsearch.cluster.name": "",
                    "service.name": "service_name",
                    "process.thread.name": "thread",
                    "log.logger": "logger",
                    "event.dataset": "",
                    "ecs.version": "",
                },
                requires={"@timestamp": TEXT, "message": TEXT, "elasticsearch.cluster.name": TEXT},
            ),
            # 7, OpenSearch
            JsonLayout(
                {
                    "type": "",
                    "timestamp": "time",
                    "component": "logger",
                    "cluster.name": "",
                    "node.name": "",
                    "stacktrace": "stack_trace",
                    "took_millis": "duration:ms",
                },
                requires={"type": TEXT, "timestamp": TEXT, "component": TEXT, "node.name": TEXT},
            ),
            # The slow logs of 8
            JsonLayout(
                {
                    "elasticsearch.slowlog.message": "message",
                    "elasticsearch.slowlog.took_millis": "duration:ms",
                    "service.name": "service_name",
                    "event.dataset": "",
                    "ecs.version": "",
                },
                requires={"@timestamp": TEXT, "elasticsearch.slowlog.took_millis": PRESENT},
            ),
            # The audit log
            JsonLayout(
                {
                    "type": "",
                    "timestamp": "time",
                    "event.type": "",
                    "event.action": "event_action",
                    "user.name": "user",
                    "origin.type": "",
                    "origin.address": "source_address",
                    "request.method": "method",
                    "request.id": "request_id",
                },
                requires={"event.type": TEXT, "event.action": TEXT, "node.id": TEXT},
                derive=(
                    ("source_port", "source_address", _port),
                    ("url", "url_path", str),
                    ("event_outcome", "event_action", _outcome),
                ),
            ),
        ),
        samples=(
            (
                (
                    b'{"@timestamp":"2026-11-23T02:16:56.789Z", "log.level": "INFO'
                    b'", "message":"started", "ecs.version": "1.2.0","service.name'
                    b'":"ES_ECS","event.dataset":"elasticsearch.server","process.t'
                    b'hread.name":"main","log.logger":"org.elasticsearch.node.Node'
                    b'","elasticsearch.node.name":"node-1","elasticsearch.cluster.'
                    b'name":"shop"}'
                ),
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "message": "started",
                    "attributes": {
                        "ecs.version": "1.2.0",
                        "event.dataset": "elasticsearch.server",
                        "elasticsearch.node.name": "node-1",
                        "elasticsearch.cluster.name": "shop",
                    },
                    "service_name": "ES_ECS",
                    "thread": "main",
                    "logger": "org.elasticsearch.node.Node",
                },
            ),
            (
                (
                    b'{"type": "server", "timestamp": "2026-11-23T02:16:56,789Z", '
                    b'"level": "WARN", "component": "o.o.n.Node", "cluster.name": '
                    b'"shop", "node.name": "node-1", "message": "slow", "cluster.u'
                    b'uid": "abc", "node.id": "def"  }'
                ),
                {
                    "attributes": {
                        "type": "server",
                        "cluster.name": "shop",
                        "node.name": "node-1",
                        "cluster.uuid": "abc",
                        "node.id": "def",
                    },
                    "time": (1795400216, "789"),
                    "level": "warn",
                    "logger": "o.o.n.Node",
                    "message": "slow",
                },
            ),
            (
                b'{"@timestamp":"2026-11-23T02:16:57.000Z", "log.level":"WARN", '
                b'"elasticsearch.slowlog.message":"[orders][0]", '
                b'"elasticsearch.slowlog.took":"1.5s", "elasticsearch.slowlog.took_millis":1502, '
                b'"ecs.version": "1.2.0","service.name":"ES_ECS"}',
                {
                    "time": (1795400217, "000"),
                    "level": "warn",
                    "message": "[orders][0]",
                    "duration": 1.502,
                    "service_name": "ES_ECS",
                    "attributes": {
                        "elasticsearch.slowlog.took": "1.5s",
                        "ecs.version": "1.2.0",
                    },
                },
            ),
            (
                b'{"type":"audit", "timestamp":"2026-11-23T02:16:57,001+0000", "node.id":"abc", '
                b'"event.type":"rest", "event.action":"authentication_failed", "user.name":"kim", '
                b'"origin.type":"rest", "origin.address":"[2001:db8::7]:51234", '
                b'"url.path":"/_search", "request.method":"GET", "request.id":"r-7"}',
                {
                    "time": (1795400217, "001"),
                    "event_action": "authentication_failed",
                    "event_outcome": "failure",
                    "user": "kim",
                    "source_address": "[2001:db8::7]:51234",
                    "source_port": 51234,
                    "url": "/_search",
                    "url_path": "/_search",
                    "method": "GET",
                    "request_id": "r-7",
                    "attributes": {
                        "type": "audit",
                        "node.id": "abc",
                        "event.type": "rest",
                        "origin.type": "rest",
                    },
                },
            ),
        ),
    ),
}
