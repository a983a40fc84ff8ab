"""Addresses and ports in settings: this Pod's own localhost, and what lies outside of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# Repetitions are bounded throughout: a setting may be 20,000 characters of anything.
LOCAL: Final = re.compile(
    r"(?:(?<![a-z0-9+.])(?P<scheme>[a-z][a-z0-9+.]{0,20}):(?://)?(?:[^\s/@\"']{0,100}@)?)?"
    r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\])(?![\w-])(?:\]?[:,#](?P<port>\d{1,5})\b)?"
)
SCHEME_PORTS: Final = {
    "mysql": 3306, "mariadb": 3306, "postgres": 5432, "postgresql": 5432, "redis": 6379,
    "mongodb": 27017, "amqp": 5672, "http": 80, "https": 443, "memcached": 11211, "nats": 4222,
    "jdbc:mysql": 3306, "jdbc:postgresql": 5432, "jdbc:mariadb": 3306,
}  # fmt: skip
_NAME_PORTS: Final = (
    ("mysql", 3306), ("maria", 3306), ("wordpress_db", 3306), ("postgres", 5432), ("pg", 5432),
    ("redis", 6379), ("mongo", 27017), ("rabbit", 5672), ("amqp", 5672), ("memcache", 11211),
    ("elastic", 9200), ("kafka", 9092), ("mq", 5672), ("cassandra", 9042), ("couch", 5984),
    ("influx", 8086), ("solr", 8983), ("nats", 4222), ("zookeeper", 2181), ("etcd", 2379),
    ("neo4j", 7687), ("ldap", 389),
)  # fmt: skip
_ADDRESS: Final = re.compile(
    r"(?:^|[\s=@/\"',])((?:[a-z0-9-]{1,63}\.){0,9}[a-z][a-z0-9-]{1,62}|\d{1,3}(?:\.\d{1,3}){3})"
    r":(\d{2,5})\b"
)
URL: Final = re.compile(
    r"\b(?:https?|tcp|grpc|redis|mysql|postgres(?:ql)?|mongodb|amqp|tls)://"
    r"(?:[^\s/@\"']{0,100}@)?([a-z0-9][\w.-]{0,200})"
)


def port_of(match: re.Match[str], name: str) -> int:
    """The port of a localhost address: written, or usual for its scheme or setting."""
    if match["port"]:
        return int(match["port"]) if int(match["port"]) < 65536 else 0
    return usual_port(match["scheme"] or "", name)


def usual_port(scheme: str, name: str) -> int:
    """The port that a scheme, or a setting of that name, means when it says none."""
    if scheme in SCHEME_PORTS:
        return SCHEME_PORTS[scheme]
    for word, port in _NAME_PORTS:
        if word in name:
            return port
    return 0


def companion_port(name: str, values: dict[str, str]) -> int:
    """The port in DB_PORT beside DB_HOST."""
    for ending in ("_HOST", "_HOSTNAME", "_SERVER", "_ADDR", "_ADDRESS", "HOST"):
        if name.upper().endswith(ending):
            port = values.get(name[: -len(ending)] + ("_PORT" if "_" in ending else "PORT"), "")
            if port.isdigit():
                return int(port)
    return 0


def foreign(value: str) -> Iterator[str]:
    """Addresses that lie outside of the Pod."""
    for match in _ADDRESS.finditer(value):
        if match[1] not in {"127.0.0.1", "0.0.0.0", "localhost"}:
            yield f"{match[1]}:{match[2]}"
    for match in URL.finditer(value):
        if match[1] not in {"localhost", "127.0.0.1", "0.0.0.0"}:
            yield match[1]
