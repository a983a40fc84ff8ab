"""Kafka, ZooKeeper, RabbitMQ, NATS.

Sources: the log4j configurations that Kafka and ZooKeeper are delivered with, RabbitMQ's "Logging",
nats-server's logger.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

FORMATS = {
    "kafka": Format(
        "kafka",
        (
            Layout(
                rb"\[%{ISO8601:time}\] %{LOGLEVEL:level} %{REST:message} "
                rb"\(%{BEGIN:logger}(?:kafka|org\.apache\.(?:kafka|zookeeper)|org\.I0Itec\.zkclient"
                rb"|io\.(?:confluent|strimzi)|state\.change)\.[\w.$\-]+%{END}\)"
            ),
        ),
        samples=(
            (
                (
                    b"[2026-11-23 02:16:56,789] INFO [KafkaServer id=0] started (k"
                    b"afka.server.KafkaServer)"
                ),
                {
                    "level": "info",
                    "message": "[KafkaServer id=0] started",
                    "logger": "kafka.server.KafkaServer",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"[2026-11-23 02:16:56,790] WARN [Consumer clientId=c-1, group"
                    b"Id=shop] Offset commit failed (org.apache.kafka.clients.cons"
                    b"umer.internals.ConsumerCoordinator)"
                ),
                {
                    "level": "warn",
                    "message": "[Consumer clientId=c-1, groupId=shop] Offset commit failed",
                    "logger": "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator",
                    "time": (1795400216, "790"),
                },
            ),
            (
                (
                    b"[2026-11-23 02:16:57,000] TRACE [Broker id=0] Handling Leade"
                    b"rAndIsr request (state.change.logger)"
                ),
                {
                    "level": "trace",
                    "message": "[Broker id=0] Handling LeaderAndIsr request",
                    "logger": "state.change.logger",
                    "time": (1795400217, "000"),
                },
            ),
            (
                b"[2026-11-23 02:16:57,001] INFO Session: 0x1 closed "
                b"(org.apache.zookeeper.ZooKeeper)",
                {
                    "level": "info",
                    "message": "Session: 0x1 closed",
                    "logger": "org.apache.zookeeper.ZooKeeper",
                    "time": (1795400217, "001"),
                },
            ),
        ),
    ),
    "zookeeper": Format(
        "zookeeper",
        (
            # audit.enable=true
            Layout(
                rb"%{ISO8601:time} (?:\[myid:%{BEGIN:server_id?}[^\]\n]*%{END}\] )?(?:- )?"
                rb"%{LOGLEVEL:level} +(?:\[[^\]\n]*\] - )?"
                rb"(?:%{BEGIN:logger?}[\w.$]*audit\.\w+%{END}: )?"
                rb"%{BEGIN:message}(?:session=%{BEGIN:session_id?}0x[0-9a-f]+%{END}[ \t]+)?"
                rb"user=%{BEGIN:user}[^ \t\n]+%{END}[ \t]+(?:ip=%{ADDRESS:source_address?}[ \t]+)?"
                rb"operation=%{BEGIN:event_action}\w+%{END}[ \t]+"
                rb"(?:znode=%{BEGIN:znode?}[^ \t\n]+%{END}[ \t]+)?"
                rb"(?:znode_type=%{BEGIN:znode_type?}\w+%{END}[ \t]+)?"
                rb"(?:acl=%{BEGIN:acl?}[^ \t\n]+%{END}[ \t]+)?"
                rb"result=%{BEGIN:event_outcome}\w+%{END}%{END}"
            ),
            Layout(
                # Before 3.4.6 the server isn't named.
                rb"%{ISO8601:time} (?:\[myid:%{BEGIN:server_id?}[^\]\n]*%{END}\] )?- "
                rb"%{LOGLEVEL:level} +"
                rb"\[%{BEGIN:thread}[^@\n]*%{END}:%{BEGIN:logger}[\w.$]+%{END}@%{INT:line}\] - "
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56,789 [myid:1] - INFO  [main:o.a.z.s.q.Quo"
                    b"rumPeerMain@151] - Starting quorum peer"
                ),
                {
                    "level": "info",
                    "thread": "main",
                    "logger": "o.a.z.s.q.QuorumPeerMain",
                    "line": 151,
                    "message": "Starting quorum peer",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "server_id": "1",
                    },
                },
            ),
            (
                b"2026-11-23 02:16:56,789 INFO audit.Slf4jAuditLogger: session=0x1934 "
                b"user=kim\tip=192.0.2.7\toperation=create\tznode=/a\tresult=failure",
                {
                    "level": "info",
                    "logger": "audit.Slf4jAuditLogger",
                    "message": "session=0x1934 user=kim\tip=192.0.2.7\toperation=create\t"
                    "znode=/a\tresult=failure",
                    "session_id": "0x1934",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "event_action": "create",
                    "event_outcome": "failure",
                    "time": (1795400216, "789"),
                    "attributes": {"znode": "/a"},
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56,790 - WARN  [QuorumPeer[myid=1]/0:0:0:0:"
                    b"0:0:0:0:2181:FastLeaderElection@774] - Notification time out"
                ),
                {
                    "level": "warn",
                    "thread": "QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181",
                    "logger": "FastLeaderElection",
                    "line": 774,
                    "message": "Notification time out",
                    "time": (1795400216, "790"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57,000 [myid:] - WARN  [NIOWorkerThread-1:o"
                    b".a.z.s.NIOServerCnxn@380] - Close of session 0x0"
                ),
                {
                    "level": "warn",
                    "thread": "NIOWorkerThread-1",
                    "logger": "o.a.z.s.NIOServerCnxn",
                    "line": 380,
                    "message": "Close of session 0x0",
                    "time": (1795400217, "000"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57,001 [myid:1] - INFO  [QuorumPeer[myid=1]"
                    b"(plain=0.0.0.0:2181)(secure=disabled):Leader@584] - LEADING"
                ),
                {
                    "level": "info",
                    "thread": "QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)",
                    "logger": "Leader",
                    "line": 584,
                    "message": "LEADING",
                    "time": (1795400217, "001"),
                    "attributes": {
                        "server_id": "1",
                    },
                },
            ),
        ),
    ),
    "rabbitmq": Format(
        "rabbitmq",
        (
            Layout(
                rb"%{ISO8601:time} \[%{BEGIN:level}[a-z]+%{END}\] <"
                rb"%{BEGIN:erlang_process}[\d.]+%{END}> "
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56.789012+00:00 [info] <0.123.0> accepting "
                    b"AMQP connection <0.123.0> (192.0.2.7:51234 -> 10.0.0.5:5672)"
                ),
                {
                    "level": "info",
                    "message": (
                        "accepting AMQP connection <0.123.0> (192.0.2.7:51234 -> 10.0.0.5:5672)"
                    ),
                    "time": (1795400216, "789012"),
                    "attributes": {
                        "erlang_process": "0.123.0",
                    },
                },
            ),
            (
                (b"2026-11-23 02:16:57.000 [warning] <0.9.0> closing AMQP connection <0.9.0>"),
                {
                    "level": "warn",
                    "message": "closing AMQP connection <0.9.0>",
                    "time": (1795400217, "000"),
                    "attributes": {
                        "erlang_process": "0.9.0",
                    },
                },
            ),
        ),
    ),
    "nats": Format(
        "nats",
        (
            Layout(
                rb"\[%{INT:pid}\] %{SLASHDATE:time} \["
                rb"%{BEGIN:level}TRC|DBG|INF|WRN|ERR|FTL%{END}\] "
                rb"(?>(?:%{BEGIN:source_address?}[0-9A-Fa-f.:\[\]]+%{END}:%{INT:source_port?} - )?)"
                rb"%{REST:message}"
            ),
        ),
        samples=(
            (
                b"[1] 2026/11/23 02:16:56.789012 [INF] Starting nats-server",
                {
                    "pid": 1,
                    "level": "info",
                    "message": "Starting nats-server",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                (
                    b"[1] 2026/11/23 02:16:57.000000 [ERR] 192.0.2.7:51234 - cid:7"
                    b" - authentication error"
                ),
                {
                    "pid": 1,
                    "level": "error",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "message": "cid:7 - authentication error",
                    "time": (1795400217, "000000"),
                },
            ),
        ),
    ),
}
