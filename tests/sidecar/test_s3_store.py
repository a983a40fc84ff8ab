"""The s3 store: keys, the signed request, the clock of the store, and its errors."""

from __future__ import annotations

import calendar
import email.utils
import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from tests.sidecar.http_peer import (
    HALF,
    RESET,
    STALL,
    Fault,
    FaultyServer,
    HttpPeer,
    Received,
    Reply,
)
from tests.sidecar.storing import (
    Made,
    configured,
    is_delivered,
    is_divided,
    is_failed,
    making,
    secret,
)


def error(status: int, code: str, **fields: str) -> Reply:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>told</Message></Error>"
    return Reply(status, text, **fields)


class Bucket(FaultyServer):
    """Keeps objects whose signature is what botocore makes of the same request."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.clock = 0.0
        """Seconds that it is ahead; more than 15 minutes are too many."""

    def serve(self, received: Received) -> Reply | Fault:
        stamp = received.fields["x-amz-date"]
        moment = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        now = time.time() + self.clock
        if abs(moment - now) > 900:
            date = email.utils.formatdate(now, usegmt=True)
            return error(403, "RequestTimeTooSkewed", Date=date)
        if received.fields["authorization"] != self._signed(received, stamp):
            return error(403, "SignatureDoesNotMatch")
        self.objects[unquote(received.path)] = received.packed
        return Reply(200)

    def _signed(self, received: Received, stamp: str) -> str:
        given = received.fields["authorization"]
        found = re.search(r"SignedHeaders=([^,]+),", given)
        assert found is not None
        request = AWSRequest(received.method, f"http://{received.fields['host']}{received.target}")
        for name in found[1].split(";"):
            request.headers[name] = received.fields[name]
        request.context["timestamp"] = stamp
        auth = S3SigV4Auth(Credentials("the-id", "the-key"), "s3", "eu-central-1")
        canonical = auth.canonical_request(request)
        signature = auth.signature(auth.string_to_sign(request, canonical), request)
        scope = f"the-id/{stamp[:8]}/eu-central-1/s3/aws4_request"
        return (
            f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={found[1]}, Signature={signature}"
        )


@pytest.fixture
def server() -> Bucket:
    return Bucket()


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    keys = {
        "access_key_id": secret(tmp_path, "id", "the-id\n"),
        "secret_access_key": secret(tmp_path, "key", "the-key\n"),
        "session_token": str(tmp_path / "nowhere"),
    }
    config = {
        "endpoint": peer.url,
        "bucket": "logs",
        "region": "eu-central-1",
        "credentials": keys,
    }
    with making(loop, tmp_path, "s3", **config) as make:
        yield make


def rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def test_a_batch_is_an_object_that_is_overwritten_by_itself(store: Made, server: Bucket) -> None:
    storing = store()
    batch = storing.raw(b"one", b"two")
    for _ in range(2):
        assert is_delivered(storing.send(batch))
    ((key, data),) = server.objects.items()
    assert re.fullmatch(
        r"/logs/shop/orders-1/2026/01/02/030405-[0-9a-f]{20}-0{12}-[0-9a-f]{8}\.ndjson\.gz", key
    )
    assert [row["message"] for row in rows(data)] == ["one", "two"]


def test_another_batch_at_the_same_place_is_another_object(store: Made, server: Bucket) -> None:
    storing = store()
    storing.send(storing.raw(b"one"))
    storing.send(storing.raw(b"eno"))
    storing.send(storing.raw(b"one", offset=4))
    assert len(server.objects) == 3


def test_a_key_has_the_time_of_the_first_record(store: Made, server: Bucket) -> None:
    storing = store(key="%Y/%j {label:app}/ä+=/{file}-{id}%%", compression="none")
    record = {"@timestamp": "2025-12-31T23:59:59Z", "message": "x"}
    assert is_delivered(storing.send(storing.records(record)))
    ((key, data),) = server.objects.items()
    assert key.startswith("/logs/2025/365 orders/ä+=/spool/a-")
    assert key.endswith("%")
    assert json.loads(data) == record


def test_lines_may_go_untouched(store: Made, server: Bucket, peer: HttpPeer) -> None:
    storing = store(format="raw", storage_class="STANDARD_IA", encryption="AES256")
    storing.send(storing.raw(b"one", b"\xff"))
    assert [gzip.decompress(data) for data in server.objects.values()] == [b"one\n\xff\n"]
    assert peer.received[0].fields["x-amz-storage-class"] == "STANDARD_IA"
    assert peer.received[0].fields["x-amz-server-side-encryption"] == "AES256"


def test_a_clock_that_is_wrong_is_corrected(store: Made, server: Bucket) -> None:
    server.clock = 7200
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "RequestTimeTooSkewed" in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


@pytest.mark.parametrize(
    "fault",
    [
        error(403, "AccessDenied"),
        error(404, "NoSuchBucket"),
        error(400, "ExpiredToken"),
        error(301, "PermanentRedirect"),
        error(503, "SlowDown", Retry_After="2"),
        error(500, "InternalError"),
        RESET,
        HALF,
        STALL,
    ],
)
def test_nothing_is_lost_by_what_can_be_mended(
    store: Made, server: Bucket, fault: Reply | Fault
) -> None:
    storing = store(timeout=0.5)
    server.faults = [fault]
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    if isinstance(fault, Reply):
        assert str(fault.status) in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_too_much_at_once_is_divided(store: Made, server: Bucket) -> None:
    server.faults = [error(400, "EntityTooLarge")]
    storing = store()
    assert is_divided(storing.send(storing.raw(b"x", b"y")))


def test_a_wrong_key_is_said_and_read_again(store: Made, tmp_path: Path) -> None:
    storing = store()
    secret(tmp_path, "key", "wrong")
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "SignatureDoesNotMatch told" in outcome.reason
    secret(tmp_path, "key", "the-key")
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_where_a_bucket_is() -> None:
    amazon: Any = configured("s3", bucket="logs", region="eu-central-1").settings
    assert str(amazon.url) == "https://logs.s3.eu-central-1.amazonaws.com"
    own: Any = configured("s3", bucket="logs", endpoint="http://minio:9000").settings
    assert (str(own.url), own.virtual) == ("http://minio:9000", False)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"bucket": "A"}, "no bucket's name"),
        ({"bucket": "logs", "key": "x"}, "must have {id}"),
        ({"bucket": "logs", "key": "/{id}"}, "doesn't begin with a slash"),
        ({"bucket": "logs", "endpoint": "http://x/path"}, "ends with the host"),
        ({"bucket": "logs", "credentials": {"access_key_id": "/a"}}, "go together"),
        ({"bucket": "logs", "storage_class": "a b"}, "STANDARD_IA"),
    ],
)
def test_what_is_wrong_is_said(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        configured("s3", **config)
