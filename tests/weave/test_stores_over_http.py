"""Every key of the stores over HTTP: what the pattern says, the helper takes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.sidecar_program import check
from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model import stores
from podweave.model.name_templates import index_problem, template_problem
from podweave.model.urls import url_problem
from podweave.weave import weave
from tests.sidecar.storing import configured

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: app, labels: {app: app}}
spec: {containers: [{name: main, image: "main:1"}]}
"""
TLS = {
    "mode": "verify-full",
    "serverName": "logs.example",
    "ca": {"configMapRef": {"name": "our-ca"}},
    "certificate": {"secretRef": {"name": "client"}},
}
TOKEN = {"secretRef": {"name": "logs", "key": "token"}}
COMMON = {
    "tls": TLS,
    "batch": {"bytes": "512Ki", "records": 100, "seconds": 0.5},
    "timeoutSeconds": 10,
    "compression": "gzip",
    "proxy": "http://proxy.example:3128",
}
BASIC = {"secretRef": {"name": "login"}}
STORES: dict[str, list[dict[str, Any]]] = {
    "http": [
        {"url": "https://logs.example/in", "method": "PUT", "format": "array", "token": TOKEN,
         "headers": {"X-Team": "shop"}, "contentType": "application/json; charset=utf-8"},
        {"url": "https://logs.example", "credentials": BASIC},
    ],
    "elasticsearch": [
        {"urls": ["https://a:9200", "https://b:9200"], "index": "logs-{namespace}-%Y.%m.%d",
         "pipeline": "geoip", "apiKey": TOKEN, "headers": {"X-Team": "shop"}},
        {"urls": ["https://a:9200"], "dataStream": "logs-orders-{namespace}",
         "credentials": BASIC},
    ],
    "splunk": [
        {"url": "https://splunk:8088", "token": TOKEN, "index": "main", "source": "{label:app}",
         "sourcetype": "_json", "host": "{node}", "endpoint": "raw", "acknowledgement": False,
         "acknowledgementTimeoutSeconds": 60, "headers": {"X-Team": "shop"}},
    ],
    "loki": [
        {"url": "https://loki:3100", "tenant": "shop", "structuredMetadata": False,
         "labels": {"app": "{label:app}", "file": "{file}"}, "credentials": BASIC,
         "headers": {"X-Team": "shop"}},
        {"url": "https://loki:3100", "token": TOKEN},
    ],
    "otlp": [
        {"url": "https://collector:4318", "encoding": "json", "token": TOKEN,
         "attributes": {"deployment.environment.name": "dev"}, "headers": {"X-Team": "shop"}},
        {"url": "https://collector:4318", "credentials": BASIC},
    ],
    "s3": [
        {"bucket": "logs", "endpoint": "https://minio:9000", "region": "eu-central-1",
         "key": "{namespace}/%Y/{id}.ndjson", "pathStyle": True, "storageClass": "STANDARD_IA",
         "format": "raw", "encryption": "aws:kms", "credentials": {"secretRef": {"name": "aws"}}},
    ],
}  # fmt: skip
CASES = [
    pytest.param(kind, {**COMMON, **config}, id=f"{kind}-{number}")
    for kind, configs in STORES.items()
    for number, config in enumerate(configs)
]


def woven_store(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """The store in the helper's configuration, which the helper has taken."""
    pattern = {
        "apiVersion": "podweave.dev/v1alpha1",
        "kind": "Sidecar",
        "metadata": {"name": "ship"},
        "spec": {"logs": [{"from": ["/var/log/app/*.log"], "store": {kind: config}}]},
    }
    sources = [read("pod.yaml", POD.encode()), read("ship.yaml", yaml.safe_dump(pattern).encode())]
    weaving = weave(bundle(sources), None)
    made = json.loads(weaving.objects[0][1][-1]["data"]["ship.json"])
    check(made)
    found: dict[str, Any] = made["logs"][0]["stores"][0][kind]
    return found


@pytest.mark.parametrize(("kind", "config"), CASES)
def test_the_helper_takes_what_the_pattern_says(kind: str, config: dict[str, Any]) -> None:
    made = woven_store(kind, config)
    assert made["batch"] == {"bytes": 524288, "records": 100, "seconds": 0.5}
    assert made["timeout"] == 10
    assert made["tls"]["mode"] == "verify-full"


@pytest.mark.parametrize("kind", STORES)
def test_every_key_is_tried(kind: str) -> None:
    tried = {key for config in STORES[kind] for key in (*config, *COMMON)}
    types = {field.name: field for field in msgspec.structs.fields(stores.Store)}
    (struct, _) = types[kind].type.__args__
    known = {field.encode_name for field in msgspec.structs.fields(struct)}
    # It stands in the common base, and beside the token that Splunk needs it is refused.
    assert known - ({"credentials"} if kind == "splunk" else set()) <= tried


def test_without_anything_but_what_must_be_there() -> None:
    assert woven_store("otlp", {"url": "http://collector:4318"}) == {"url": "http://collector:4318"}
    assert woven_store("s3", {"bucket": "logs"}) == {"bucket": "logs"}
    splunk = woven_store("splunk", {"url": "http://splunk:8088", "token": TOKEN})
    assert splunk["token"].endswith("/token")


_PIECES = st.lists(
    st.sampled_from(
        ["logs", "-", "{namespace}", "{label:app}", "{id}", "{file}", "{", "}", "%Y", "%q", "%",
         "%%", "A", "/", "{nobody}", "{label:}", " ", "*"]
    ),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip


def helper_takes(kind: str, **config: Any) -> bool:
    try:
        configured(kind, **config)
    except ConfigurationError:
        return False
    return True


@given(_PIECES)
def test_names_are_right_for_the_weaver_when_they_are_for_the_helper(text: str) -> None:
    urls = ["http://x"]
    index = helper_takes("elasticsearch", urls=urls, index=text)
    assert (index_problem(text, dated=True) is None) is index
    stream = helper_takes("elasticsearch", urls=urls, data_stream=text)
    assert (index_problem(text, dated=False) is None) is stream
    source = helper_takes("splunk", url="http://x", token="/t", source=text)
    assert (template_problem(text) is None) is source
    label = helper_takes("loki", url="http://x", labels={"a": text})
    assert (template_problem(text, ("file",)) is None) is label


_URLS = st.lists(
    st.sampled_from(
        ["http://", "HTTPS://", "ftp://", "a", "b.example", ":", "80", "0", "99999", "/", "?", "#",
         "[", "]", "::1", "@", "%20", " ", "\u00e9", "_", "\\", "^"]
    ),
    min_size=1, max_size=6,
).map("".join)  # fmt: skip


@given(_URLS)
@example("http://http://[")
def test_a_url_that_the_weaver_takes_is_one_for_the_helper(text: str) -> None:
    if url_problem(text) is None:
        assert helper_takes("http", url=text), text
