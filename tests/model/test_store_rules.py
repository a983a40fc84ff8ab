"""What is wrong in a Sidecar's stores, each with its path; and that every kind has a home."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podweave.model.pattern_rules import check_pattern
from podweave.model.patterns import Sidecar
from podweave.model.stores import KINDS

URL = "https://sink.example/x"


def found(store: dict[str, Any], **spec: Any) -> dict[str, str]:
    logs = {"from": ["/a/x"], "store": store}
    value = {"metadata": {"name": "x"}, "spec": {"logs": [logs], **spec}}
    pattern = msgspec.convert(value, Sidecar)
    dots = [(".".join(map(str, error.path)), error.message) for error in check_pattern(pattern)]
    return {path.removeprefix("spec."): message for path, message in dots}


GOOD: list[dict[str, Any]] = [
    {"stdout": {}},
    {"files": {"directory": "/x", "fileBytes": "1Mi", "retention": {"bytes": "1Gi"}}},
    {"http": {"url": URL, "batch": {"bytes": 5000, "seconds": 0.5}, "timeoutSeconds": 2.5}},
    {"elasticsearch": {"urls": [URL], "index": "logs-%Y"}},
    {"splunk": {"url": URL, "token": {"secretRef": {"name": "s"}}}},
    {"loki": {"url": "http://[2001:db8::1]:3100"}},
    {"otlp": {"url": "http://10.0.0.1:4318/v1/logs"}},
    {"syslog": {"address": "log.example:514", "transport": "udp"}},
    {"forward": {"address": "fluentd:24224", "sharedKey": {"secretRef": {"name": "k"}}}},
    {"gelf": {"address": "graylog:12201", "transport": "udp", "compression": "zlib"}},
    {"s3": {"bucket": "logs", "endpoint": "http://minio:9000"}},
]


def test_every_kind_is_tried() -> None:
    assert sorted(next(iter(store)) for store in GOOD) == sorted(KINDS)


@pytest.mark.parametrize("store", GOOD, ids=lambda store: next(iter(store)))
def test_a_right_store_is_right(store: dict[str, Any]) -> None:
    assert found(store) == {}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "names no kind"),
    ({"stdout": {}, "loki": {"url": URL}}, "", "stdout and loki: exactly one"),
    ({"name": "A", "stdout": {}}, "name", "isn't a valid name"),
    ({"http": {"url": "sink.example"}}, "http.url", "isn't a URL"),
    ({"http": {"url": "ftp://sink.example"}}, "http.url", "isn't a URL"),
    ({"http": {"url": "https://u:p@sink.example"}}, "http.url", "name a Secret"),
    ({"http": {"url": "https://sink.example:99999"}}, "http.url", "isn't a URL"),
    ({"http": {"url": "https://sink.example/a b"}}, "http.url", "no request can carry"),
    ({"http": {"url": "https://-.example"}}, "http.url", "isn't a host name"),
    ({"http": {"url": URL, "headers": {"a b": "c"}}}, "http.headers.a b", "isn't the name"),
    (
        {"http": {"url": URL, "headers": {"Authorization": "x"}}},
        "http.headers.Authorization",
        "a secret doesn't stand in a manifest",
    ),
    ({"http": {"url": URL, "headers": {"X": "a\nb"}}}, "http.headers.X", "one line"),
    ({"http": {"url": URL, "batch": {"bytes": "1Pi"}}}, "http.batch.bytes", "1Ki to 64Mi"),
    ({"http": {"url": URL, "batch": {"bytes": "x"}}}, "http.batch.bytes", "isn't a quantity"),
    ({"http": {"url": URL, "batch": {"records": 0}}}, "http.batch.records", "1 to 1000000"),
    ({"http": {"url": URL, "timeoutSeconds": 0}}, "http.timeoutSeconds", "0.1 to 3600"),
    (
        {
            "http": {
                "url": URL,
                "token": {"secretRef": {"name": "a"}},
                "credentials": {"secretRef": {"name": "a"}},
            }
        },
        "http",
        "either `credentials` or `token`",
    ),
    (
        {"http": {"url": URL, "token": {"secretRef": {"name": "A_"}}}},
        "http.token.secretRef.name",
        "isn't a valid name",
    ),
    (
        {"http": {"url": URL, "token": {"secretRef": {"name": "a", "key": "/"}}}},
        "http.token.secretRef.key",
        "isn't the key",
    ),
    ({"elasticsearch": {"urls": [], "index": "x"}}, "elasticsearch.urls", "at least one"),
    ({"elasticsearch": {"urls": ["x"], "index": "x"}}, "elasticsearch.urls.0", "isn't a URL"),
    ({"elasticsearch": {"urls": [URL]}}, "elasticsearch", "either `index` or"),
    ({"syslog": {"address": "https://x:1"}}, "syslog.address", "write HOST:PORT"),
    (
        {"syslog": {"address": "x:1", "transport": "udp", "tls": {}}},
        "syslog.tls",
        "no TLS over UDP",
    ),
    ({"gelf": {"address": "x:1", "compression": "gzip"}}, "gelf.compression", "over UDP only"),
    ({"s3": {"bucket": "logs", "endpoint": "minio"}}, "s3.endpoint", "isn't a URL"),
    ({"s3": {"bucket": "logs", "endpoint": "http://x/y"}}, "s3.endpoint", "without a path"),
    ({"s3": {"bucket": "Logs"}}, "s3.bucket", "no bucket's name"),
    ({"s3": {"bucket": "logs", "key": "a"}}, "s3.key", "must have {id}"),
    ({"s3": {"bucket": "logs", "key": "{id}%Q"}}, "s3.key", "there is no %Q"),
    ({"s3": {"bucket": "logs", "storageClass": "a b"}}, "s3.storageClass", "STANDARD_IA"),
    ({"elasticsearch": {"urls": [URL], "index": "A"}}, "elasticsearch.index", "lower case"),
    ({"elasticsearch": {"urls": [URL], "index": "_a"}}, "elasticsearch.index", "begin with _"),
    (
        {"elasticsearch": {"urls": [URL], "dataStream": "a-{nam}"}},
        "elasticsearch.dataStream",
        "there is no {nam}",
    ),
    (
        {"elasticsearch": {"urls": ["https://x", "http://x"], "index": "a"}},
        "elasticsearch.urls",
        "all https://",
    ),
    ({"elasticsearch": {"urls": ["http://x?y"], "index": "a"}}, "elasticsearch.urls.0", "?query"),
    ({"loki": {"url": URL, "labels": {"a-b": "c"}}}, "loki.labels.a-b", "letters, digits"),
    ({"loki": {"url": URL, "labels": {"a": "{b"}}}, "loki.labels.a", "counterpart"),
    ({"otlp": {"url": "http://[::1"}}, "otlp.url", "in brackets"),
    ({"otlp": {"url": URL, "proxy": "https://p:1"}}, "otlp.proxy", "http://HOST:PORT"),
    ({"otlp": {"url": URL, "proxy": "http://u:p@p:1"}}, "otlp.proxy", "a user and a password"),
    ({"otlp": {"url": "http://x", "tls": {}}}, "otlp.tls", "the URL is http://"),
    ({"otlp": {"url": "https://x", "tls": {"mode": "disable"}}}, "otlp.tls.mode", "https://"),
    ({"files": {"directory": "/x", "fileBytes": 1}}, "files.fileBytes", "64Ki to"),
    (
        {"files": {"directory": "/x", "retention": {"seconds": 1}}},
        "files.retention.seconds",
        "isn't from 60",
    ),
]


@pytest.mark.parametrize(("store", "path", "message"), BAD)
def test_a_wrong_store_is_told_with_its_path(
    store: dict[str, Any], path: str, message: str
) -> None:
    errors = found(store)
    assert list(errors) == [f"logs.0.store.{path}".removesuffix(".")]
    assert message in next(iter(errors.values()))


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"limits": {"memory": "1Gi"}}, "limits.memory", "1Mi to 16Mi"),
        ({"spill": {"maxBytes": "1Ki"}}, "spill.maxBytes", "isn't from 1Mi"),
        ({"spill": {"volume": {}}}, "spill.volume", "one volume source"),
        ({"spill": {"afterSeconds": -1}}, "spill.afterSeconds", "isn't from 0"),
        ({"deadLetters": {"volume": {"name": "x"}}}, "deadLetters.volume", "one volume source"),
        (
            {"spill": {"volume": {"persistentVolumeClam": {"claimName": "x"}}}},
            "spill.volume.persistentVolumeClam",
            "did you mean 'persistentVolumeClaim'?",
        ),
        (
            {"spill": {"volume": {"persistentVolumeClaim": {"claimname": "x"}}}},
            "spill.volume.persistentVolumeClaim.claimname",
            "did you mean 'claimName'?",
        ),
        (
            {"spill": {"volume": {"persistentVolumeClaim": {"claimName": "A_B"}}}},
            "spill.volume.persistentVolumeClaim.claimName",
            "'A_B'",
        ),
        (
            {"spill": {"volume": {"persistentVolumeClaim": {"claimName": "a", "readOnly": True}}}},
            "spill.volume.persistentVolumeClaim.readOnly",
            "the sidecar writes there",
        ),
        (
            {"deadLetters": {"volume": {"secret": {"secretName": "x"}}}},
            "deadLetters.volume.secret",
            "nothing can be written",
        ),
        ({"spill": {"volume": {"emptyDir": None}}}, "spill.volume.emptyDir", "expected a mapping"),
        ({"drainSeconds": -1}, "drainSeconds", "isn't from 0 to 3600"),
    ],
)
def test_what_stands_beside_the_logs(spec: dict[str, Any], path: str, message: str) -> None:
    errors = found({"stdout": {}}, **spec)
    assert next(iter(errors)) == path
    assert message in errors[path]


def test_one_store_or_several_not_both() -> None:
    logs = {"from": ["/a/x"], "store": {"stdout": {}}, "stores": [{"stdout": {}}]}
    pattern = msgspec.convert({"metadata": {"name": "x"}, "spec": {"logs": [logs]}}, Sidecar)
    (error,) = check_pattern(pattern)
    assert error.path == ("spec", "logs", 0, "stores")
    stores = [{"name": "a", "stdout": {}}, {"name": "a", "http": {"url": "http://b"}}]
    logs = {"from": ["/a/x"], "stores": stores}
    pattern = msgspec.convert({"metadata": {"name": "x"}, "spec": {"logs": [logs]}}, Sidecar)
    (error,) = check_pattern(pattern)
    assert error.path == ("spec", "logs", 0, "stores", 1, "name")
    container = {"image": "x"}
    spec = {"container": container, "logs": [{"from": ["/a/x"]}], "spill": {}, "drainSeconds": 3}
    pattern = msgspec.convert({"metadata": {"name": "x"}, "spec": spec}, Sidecar)
    paths = [error.path[1:] for error in check_pattern(pattern)]
    assert paths == [("spill",), ("drainSeconds",)]
