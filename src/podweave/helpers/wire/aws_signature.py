"""AWS Signature Version 4 for S3, without I/O.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

S3 differs from other services in that the path is encoded once, not twice, and that the hash of
the content stands in a field of its own.
"""

from __future__ import annotations

import time

from podweave.helpers.wire.digests import sha256
from podweave.helpers.wire.urls import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALGORITHM = "AWS4-HMAC-SHA256"
_BLOCK = 64


class Keys:
    """`token` is for temporary credentials, else empty."""

    __slots__ = ("access", "secret", "token")

    def __init__(self, access: str, secret: str, token: str = "") -> None:
        self.access = access
        self.secret = secret
        self.token = token


def content_hash(pieces: Iterable[bytes | memoryview]) -> str:
    """SHA-256 of the content, in hexadecimal."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    hexadecimal: str = digest.hexdigest()
    return hexadecimal


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104. The module hmac would load OpenSSL."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner = sha256(key.translate(_INNER) + message).digest()
    digest: bytes = sha256(key.translate(_OUTER) + inner).digest()
    return digest


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def encoded_path(path: str) -> str:
    """A path as S3 signs it: everything percent-encoded but the slashes and unreserved."""
    return quote(path, b"/")


def signed_fields(
    method: str,
    host: str,
    path: str,
    query: Sequence[tuple[str, str]],
    fields: Sequence[tuple[str, str]],
    content: str,
    keys: Keys,
    region: str,
    now: float,
) -> list[tuple[str, str]]:
    """The fields to send, those given among them; Host is signed and left to the client.

    `path` is encoded (`encoded_path`), `query` isn't; `content` is its hash; `now` is Unix time.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    sent = [*fields, ("X-Amz-Content-Sha256", content), ("X-Amz-Date", stamp)]
    if keys.token:
        sent.append(("X-Amz-Security-Token", keys.token))
    canonical = sorted(
        (name.lower(), " ".join(value.split())) for name, value in [("host", host), *sent]
    )
    names = ";".join(name for name, _ in canonical)
    parameters = sorted((quote(name), quote(value)) for name, value in query)
    request = "\n".join(
        [
            method,
            path,
            "&".join(f"{name}={value}" for name, value in parameters),
            *(f"{name}:{value}" for name, value in canonical),
            "",
            names,
            content,
        ]
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, content_hash([request.encode()])])
    signature = hmac_sha256(_signing_key(keys.secret, stamp[:8], region), text.encode()).hex()
    credential = f"{keys.access}/{scope}"
    sent.append(
        (
            "Authorization",
            f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}",
        )
    )
    return sent


def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac_sha256(key, part.encode())
    return key
