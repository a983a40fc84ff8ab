"""A log sidecar in a Pod of the local engine, and its store outside, through the broker."""

from __future__ import annotations

import base64
import json
import ssl
from typing import Any

import trustme

from tests.engine.pods import pod, sh
from tests.installations import Installation
from tests.sidecar.bulk_cluster import Cluster
from tests.sidecar.http_peer import Fault, Received, Reply, http_peer
from tests.waiting import wait_until


def secret(name: str, **texts: str) -> str:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    metadata = {"name": name}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def test_a_line_in_a_pod_is_a_document_outside(one: Installation) -> None:
    """TLS by the Pod's ConfigMap, the API key by its Secret, the last line as the last act."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("host.podweave.internal").configure_cert(context)
    cluster = Cluster()

    def answer(received: Received) -> Reply | Fault:
        if received.fields.get("authorization") != "ApiKey aWQ6a2V5":
            return Reply(401)
        return cluster.answer(received)

    with http_peer(answer, context) as peer:
        pattern: dict[str, Any] = {
            "apiVersion": "podweave.dev/v1alpha1",
            "kind": "Sidecar",
            "metadata": {"name": "ship"},
            "spec": {
                "logs": [
                    {
                        "from": ["/var/log/shop/*.log"],
                        "store": {
                            "elasticsearch": {
                                "urls": [f"https://host.podweave.internal:{peer.port}"],
                                "index": "logs-{namespace}-{label:app}",
                                "apiKey": {"secretRef": {"name": "es", "key": "key"}},
                                "tls": {"ca": {"configMapRef": {"name": "es-ca"}}},
                            }
                        },
                    }
                ]
            },
        }
        ca = {"ca.crt": authority.cert_pem.bytes().decode()}
        config_map = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "es-ca"},
            "data": ca,
        }
        app = sh("app", "echo first > /var/log/shop/a.log; echo -n last >> /var/log/shop/a.log")
        metadata = {"labels": {"app": "orders"}}
        spec: dict[str, Any] = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 20}
        manifest = pod("shop", app, metadata=metadata, **spec)
        texts = [manifest, secret("es", key="id:key"), json.dumps(config_map)]
        files = (
            one.write("pod.yaml", "\n---\n".join(texts)),
            one.write("pattern.json", json.dumps(pattern)),
        )
        one.run("up", *files)
        wait_until(lambda: cluster.messages() == ["first", "last"], 30, "both lines are there")
        one.run("down", "shop")
    assert {index for index, _ in cluster.documents} == {"logs-default-orders"}
    document = next(iter(cluster.documents.values()))
    assert document["kubernetes"]["pod"]["name"] == "shop"
    assert document["kubernetes"]["pod"]["labels"] == {"app": "orders"}
