"""S3 and what is compatible with it: an object of NDJSON for each batch.

The key comes from the file, the place of the first record in it and a checksum of the batch, and
the dates in it from the first record's own @timestamp: the same batch sent again overwrites itself,
and another one never does. Nothing here is a record's fault, so nothing becomes a dead letter but
a single record that is too large.
"""

from __future__ import annotations

import re
import time
from binascii import crc32

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.compression import EXTENSIONS, compress
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    describe,
    outcome_of,
    wait_of,
)
from podweave.helpers.logs.stores.interface import failed, too_large
from podweave.helpers.logs.stores.name_templates import NameTemplate, file_name, pod_values
from podweave.helpers.logs.stores.settings import read_secret, secret_problem
from podweave.helpers.wire import aws_signature
from podweave.helpers.wire.dates import http_date
from podweave.helpers.wire.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

KEY = "{namespace}/{pod}/%Y/%m/%d/%H%M%S-{id}.ndjson"
_CODE = re.compile(rb"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CLASS = re.compile(r"[A-Z0-9_]{1,40}")


class Settings(HttpSettings):
    """`endpoint` is Amazon's of the region where none is given. `path_style`: endpoint/bucket/key
    in place of bucket.endpoint/key."""

    __slots__ = ("bucket", "encryption", "format", "key", "region", "storage_class", "virtual")

    def __init__(self, section: Section) -> None:
        self.region = section.text("region", "us-east-1")
        amazon = "endpoint" not in section
        super().__init__(
            section,
            credentials=("access_key_id", "secret_access_key", "session_token"),
            compression="gzip",
            url="endpoint",
            default=f"https://s3.{self.region}.amazonaws.com",
            bytes=8 << 20,
            records=1_000_000,
            seconds=30.0,
        )
        if self.url.query or self.url.path:
            raise ConfigurationError(section.at("endpoint"), "ends with the host: http://HOST:PORT")
        names = self.credentials
        if names and not ("access_key_id" in names and "secret_access_key" in names):
            where = section.at("credentials")
            raise ConfigurationError(where, "access_key_id and secret_access_key go together")
        self.bucket = section.text("bucket")
        if not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationError(section.at("bucket"), f"{self.bucket!r} is no bucket's name")
        self.virtual = not section.boolean("path_style", not amazon)
        if self.virtual:
            url = self.url
            self.url = Url(url.scheme, f"{self.bucket}.{url.host}", url.port, "", "", "")
            self.urls = [self.url]
        self.key = _key(section)
        self.format = section.text("format", "ndjson", among=("ndjson", "raw"))
        self.storage_class = section.text("storage_class", "")
        if self.storage_class and not _CLASS.fullmatch(self.storage_class):
            raise ConfigurationError(section.at("storage_class"), "is such as STANDARD_IA")
        self.encryption = section.text("encryption", "", among=("", "AES256", "aws:kms"))
        self.place = f"{self.url}/{self.bucket}/{self.key.text}"


def _key(section: Section) -> NameTemplate:
    where = section.at("key")
    template = NameTemplate(section.text("key", KEY), where, ("id", "file"), dated=True)
    if "{id}" not in template.text:
        raise ConfigurationError(where, "must have {id}, or objects would overwrite each other")
    if template.text.startswith("/"):
        raise ConfigurationError(where, "doesn't begin with a slash")
    return template


class S3Store(HttpStore):
    kind = "s3"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._skew = 0.0
        """Seconds that the store's clock is ahead of ours."""

    def send(self, batch: Batch, done: Done) -> None:
        settings = self._settings
        content = batch.untouched() if settings.format == "raw" else batch.ndjson()
        content = compress(content, settings.compression)
        path = aws_signature.encoded_path(
            f"/{self._key(batch)}" if settings.virtual else f"/{settings.bucket}/{self._key(batch)}"
        )
        try:
            fields = self._signed(path, content)
        except OSError as error:
            done(failed(secret_problem(error)))
            return
        self.post(
            path,
            "",
            content,
            self._answered,
            done,
            fields=fields,
            method="PUT",
            authorize=False,
            packed=True,
        )

    def _key(self, batch: Batch) -> str:
        settings = self._settings
        piece = batch.pieces[0]
        checksum = 0
        for each in batch.pieces:
            checksum = crc32(each.data, checksum)
        file = batch.origin.id_prefix(piece.identity).decode()
        name = f"{file}-{piece.offsets()[0]:012x}-{checksum:08x}"
        values = pod_values(batch.origin)
        values.update(id=name, file=file_name(piece.path).lstrip("/"))
        return settings.key.fill(values, _first_time(batch)) + EXTENSIONS[settings.compression]

    def _signed(self, path: str, content: list[Block]) -> list[tuple[str, str]]:
        settings = self._settings
        # No Content-Encoding: the object is a compressed file, and is given back as one.
        fields = [("Content-Type", _content_type(settings))]
        if settings.storage_class:
            fields.append(("X-Amz-Storage-Class", settings.storage_class))
        if settings.encryption:
            fields.append(("X-Amz-Server-Side-Encryption", settings.encryption))
        files = settings.credentials
        if not files:
            return fields
        keys = aws_signature.Keys(
            read_secret(files["access_key_id"]).decode("latin-1"),
            read_secret(files["secret_access_key"]).decode("latin-1"),
            _optional_secret(files.get("session_token", "")),
        )
        return aws_signature.signed_fields(
            "PUT",
            settings.url.authority,
            path,
            (),
            fields,
            aws_signature.content_hash(content),
            keys,
            settings.region,
            time.time() + self._skew,
        )

    def _answered(self, answer: Answer) -> Outcome:
        if 200 <= answer.status < 300:
            return outcome_of(answer)
        code, words = _code(answer.content)
        reason = describe(answer, f"{code} {words}")
        if code == "RequestTimeTooSkewed":
            self._skew = _skew(answer)
            return failed(reason)
        if answer.status == 413 or code == "EntityTooLarge":
            return too_large(reason)
        return failed(reason, wait_of(answer))


def _optional_secret(path: str) -> str:
    """A Secret for an account of its own has no session token."""
    try:
        return read_secret(path).decode("latin-1") if path else ""
    except FileNotFoundError:
        return ""


def _content_type(settings: Settings) -> str:
    if settings.compression == "gzip":
        return "application/gzip"
    if settings.compression == "zstd":
        return "application/zstd"
    return "application/x-ndjson" if settings.format == "ndjson" else "text/plain"


def _first_time(batch: Batch) -> float:
    """Unix time of the first record: its own, else when it was read."""
    piece = batch.pieces[0]
    if not batch.raw:
        line = piece.data[: piece.data.index(b"\n")]
        found = re.match(rb'\{"@timestamp":"([^"]{19,40})"', line)
        if found is not None:
            time = log_records.nanoseconds(found[1].decode("latin-1"))
            if time is not None:
                return time / log_records.SECOND
    return piece.seconds


def _code(content: bytes) -> tuple[str, str]:
    code, message = _CODE.search(content), _MESSAGE.search(content)
    return (
        code[1].decode("utf-8", "replace") if code else "",
        message[1].decode("utf-8", "replace") if message else "",
    )


def _skew(answer: Answer) -> float:
    date = http_date(answer.value("date") or "")
    return 0.0 if date is None else date - time.time()


configure = Settings
make = S3Store
