"""Signatures for S3: Amazon's own example, and botocore's signer as the judge."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime
from unittest import mock

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire.aws_signature import (
    Keys,
    content_hash,
    encoded_path,
    hmac_sha256,
    signed_fields,
)

_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), max_size=20)


def test_the_example_of_the_documentation() -> None:
    """PUT Object of "Signature Calculations for the Authorization Header"."""
    keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    fields = [
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ]
    signed = signed_fields(
        "PUT",
        "examplebucket.s3.amazonaws.com",
        encoded_path("/test$file.text"),
        (),
        fields,
        content_hash([b"Welcome to ", b"Amazon S3."]),
        keys,
        "us-east-1",
        1369353600.0,
    )
    assert dict(signed)["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_hmac_is_the_librarys(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


@given(
    _TEXT, _TEXT.filter(bool), st.text("abc ", max_size=9), st.binary(max_size=50), st.booleans()
)
def test_botocore_signs_alike(
    name: str, secret: str, value: str, content: bytes, session: bool
) -> None:
    token = "a/session+token=" if session else ""
    path = encoded_path(f"/bucket/{name}")
    now = 1767323045.0
    request = AWSRequest("PUT", f"https://s3.eu-central-1.amazonaws.com{path}", data=content)
    request.headers["Host"] = "s3.eu-central-1.amazonaws.com"
    request.headers["X-Amz-Meta-A"] = value
    request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(content).hexdigest()
    moment = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    auth = S3SigV4Auth(Credentials("access", secret, token or None), "s3", "eu-central-1")
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        auth.add_auth(request)
    signed = signed_fields(
        "PUT",
        "s3.eu-central-1.amazonaws.com",
        path,
        (),
        [("X-Amz-Meta-A", value)],
        content_hash([content]),
        Keys("access", secret, token),
        "eu-central-1",
        now,
    )
    assert time.gmtime(now).tm_year == 2026
    assert dict(signed)["Authorization"] == request.headers["Authorization"]
