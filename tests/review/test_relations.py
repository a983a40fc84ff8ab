"""Who talks to whom, read from every place where it can be written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from podweave.review.facts import PodFacts
from podweave.review.inventory import Inventory
from podweave.review.relating import relate
from podweave.review.relations import Relations


def pod(
    *containers: dict[str, Any], others: list[dict[str, Any]] | None = None, **spec: Any
) -> PodFacts:
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"app": "p"}},
        "spec": {"containers": list(containers), **spec},
    }
    inventory = Inventory()
    inventory.add("p.yaml", yaml.safe_dump_all([document, *(others or [])]).encode())
    inventory.finish()
    assert inventory.errors == []
    return inventory.found[0].facts


def dials(relations: Relations) -> list[tuple[str, str, int, str]]:
    return [(dial.client, dial.server, dial.port, dial.place) for dial in relations.dials]


def server(port: int, **more: Any) -> dict[str, Any]:
    return {"name": "server", "image": "x/server", "ports": [{"containerPort": port}], **more}


@pytest.mark.parametrize(
    ("env", "port"),
    [
        ({"API_URL": "http://localhost:8080/v1"}, 8080),
        ({"DB_HOST": "127.0.0.1:3306"}, 3306),
        ({"DB_HOST": "localhost", "DB_PORT": "3307"}, 3307),
        ({"DATABASE_URL": "postgres://u:p@localhost/db"}, 5432),
        ({"JDBC": "jdbc:mysql://localhost/x"}, 3306),
        ({"WORDPRESS_DB_HOST": "localhost"}, 3306),
        ({"REDIS_HOST": "[::1]"}, 6379),
        ({"DNS": "127.0.0.1#5053"}, 5053),
        ({"BROKERS": "localhost:9092,localhost:9093"}, 9092),
    ],
)
def test_environment(env: dict[str, str], port: int) -> None:
    client = {"name": "client", "env": [{"name": k, "value": v} for k, v in env.items()]}
    assert ("client", "server", port, "env") in dials(relate(pod(client, server(port))))


@pytest.mark.parametrize(
    "name", ["LISTEN_ADDR", "BIND", "CORS_ORIGIN", "NO_PROXY", "ALLOWED_HOSTS"]
)
def test_environment_that_dials_nobody(name: str) -> None:
    client = {"name": "client", "env": [{"name": name, "value": "http://localhost:8080"}]}
    assert relate(pod(client, server(8080))).dials == []


@pytest.mark.parametrize(
    "args",
    [
        ["--upstream=http://127.0.0.1:8080/"],
        ["--redis.addr", "localhost:8080"],
        ["--reload-url=http://localhost:8080/-/reload"],
        ["-b", "127.0.0.1:8080"],
        ["sh", "-c", "while true; do curl -s localhost:8080/warm; done"],
    ],
)
def test_arguments(args: list[str]) -> None:
    client = {"name": "client", "args": args}
    assert dials(relate(pod(client, server(8080)))) == [("client", "server", 8080, "args")]


def test_an_address_to_listen_on_is_none_to_dial() -> None:
    own = {"name": "own", "args": ["--http=localhost:4040"], "ports": [{"containerPort": 4040}]}
    relations = relate(pod(own, server(8080)))
    assert relations.dials == []
    assert relations.loopback["own"] == {4040}


def test_a_configuration_file_that_was_given() -> None:
    front = {"name": "front", "volumeMounts": [{"name": "c", "mountPath": "/etc/nginx"}]}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {
            "nginx.conf": "server {\n  listen 8443 ssl;\n"
            "  location / { proxy_pass http://127.0.0.1:8080; }\n}\n"
        },
    }
    facts = pod(
        front, server(8080), others=[config], volumes=[{"name": "c", "configMap": {"name": "c"}}]
    )
    relations = relate(facts)
    assert dials(relations) == [("front", "server", 8080, "config")]
    assert 8443 in relations.listens["front"]


def test_a_service_that_leads_back_into_the_pod_is_a_dial() -> None:
    client = {"name": "client", "env": [{"name": "DB_HOST", "value": "db.prod.svc:3306"}]}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "db"},
        "spec": {"selector": {"app": "p"}, "ports": [{"port": 3306}]},
    }
    assert dials(relate(pod(client, server(3306), others=[service]))) == [
        ("client", "server", 3306, "env")
    ]


def test_the_one_that_declares_nothing_answers_what_nobody_else_does() -> None:
    client = {"name": "client", "env": [{"name": "LOG_URL", "value": "http://localhost:9009"}]}
    assert dials(relate(pod(client, {"name": "quiet"}))) == [("client", "quiet", 9009, "inferred")]
    both = relate(pod(client, {"name": "quiet"}, {"name": "still"}))
    assert both.dials == []
    assert [dial.port for dial in both.unanswered] == [9009]


def test_addresses_outside_of_the_pod() -> None:
    proxy = {
        "name": "proxy",
        "args": ["-instances=acme:eu:orders=tcp:5432", "--target=db.example.com:5432"],
    }
    relations = relate(pod(proxy, {"name": "app"}))
    assert {remote.address for remote in relations.remotes} >= {
        "acme:eu:orders",
        "db.example.com:5432",
    }
    assert relations.listens["proxy"] == {5432}


@pytest.mark.parametrize(
    ("path", "purpose"),
    [("/var/log/app", "log"), ("/run/app", "socket"), ("/tmp", "scratch"), ("/data", "data")],
)
def test_shared_files_have_a_purpose(path: str, purpose: str) -> None:
    one = {"name": "one", "volumeMounts": [{"name": "v", "mountPath": path, "readOnly": True}]}
    two = {"name": "two", "volumeMounts": [{"name": "v", "mountPath": path}]}
    (share,) = relate(pod(one, two, volumes=[{"name": "v", "emptyDir": {}}])).shares
    assert (share.purpose, share.reader) == (purpose, "one")


def test_two_subpaths_of_a_volume_are_not_shared() -> None:
    one = {"name": "one", "volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "a"}]}
    two = {"name": "two", "volumeMounts": [{"name": "v", "mountPath": "/b", "subPath": "b"}]}
    assert relate(pod(one, two, volumes=[{"name": "v", "emptyDir": {}}])).shares == []
