"""Elasticsearch and OpenSearch, by `_bulk`: every record exactly once, as far as it is stored.

A record's id is made of the Pod, the file, and the place in it: sent again, it is "already there"
(409), which is success. That holds within one index; a date in the index's name comes from the
record's own @timestamp, so that it stays the same. A data stream that rolls over between two
sendings of a record takes it twice.

Items that fail by the store's fault (429, 5xx, a disk that is full, an index that is missing) are
sent again alone; those that the index's mapping refuses (400) become dead letters.
"""

from __future__ import annotations

import json
import time

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.http_client.authorization import basic
from podweave.helpers.logs.delivery.rows import interleave
from podweave.helpers.logs.stores.http_store import (
    HttpSettings,
    HttpStore,
    describe,
    no_query,
    outcome_of,
    wait_of,
)
from podweave.helpers.logs.stores.interface import DELIVERED, failed, partly
from podweave.helpers.logs.stores.name_templates import NameTemplate, pod_values
from podweave.helpers.logs.stores.settings import read_secret
from podweave.helpers.wire import elasticsearch as bulk
from podweave.helpers.wire.dates import days
from podweave.helpers.wire.urls import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.stores.interface import Context, Done, Outcome

_BEGIN = b'{"@timestamp":"'


class Settings(HttpSettings):
    """`index` (an index or an alias) or `data_stream`; `pipeline` is one of the store's own."""

    __slots__ = ("api_key", "index", "pipeline")

    def __init__(self, section: Section) -> None:
        super().__init__(section, several=True, url="urls")
        no_query(section, self)
        kinds = [key for key in ("index", "data_stream") if key in section]
        if len(kinds) != 1:
            raise ConfigurationError(section.path, "must have index or data_stream, one of them")
        where = section.at(kinds[0])
        text = section.text(kinds[0])
        self.index = NameTemplate(text, where, dated=kinds[0] == "index")
        literal = self.index.fill({})
        if literal != literal.lower() or literal != _clean(literal):
            raise ConfigurationError(where, f"{text!r} is no name of an index")
        if text[0] in "-_+.":
            raise ConfigurationError(where, f"{text!r}: an index doesn't begin with {text[0]}")
        self.pipeline = section.text("pipeline", "")
        self.api_key = section.text("api_key", "")
        """The path of a file, or empty."""
        if self.api_key and (self.credentials or self.token):
            raise ConfigurationError(
                section.at("api_key"), "is a second way to log in; one will do"
            )
        self.place = f"{self.url}/{text}"


class ElasticsearchStore(HttpStore):
    kind = "elasticsearch"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._parameters = f"?filter_path={bulk.FILTER}"
        if settings.pipeline:
            self._parameters += f"&pipeline={quote(settings.pipeline)}"

    def send(self, batch: Batch, done: Done) -> None:
        values = pod_values(batch.origin)
        if self._settings.index.dated:
            documents = batch.documents()
            names = self._dated(documents, values)
            path = "/_bulk"
            content = [bulk.body_for(names, batch.ids(), documents)]
            del documents
        else:
            path = f"/{quote(_clean(self._settings.index.fill(values)))}/_bulk"
            # Piece by piece, so that no buffer is larger than those that are used again.
            content = [body_of(piece, batch) for piece in batch.pieces]
        self.post(
            path + self._parameters,
            bulk.CONTENT_TYPE,
            content,
            lambda answer: self._answered(answer, batch.records),
            done,
        )

    def authorization(self) -> list[tuple[str, str]]:
        path = self._settings.api_key
        if not path:
            return super().authorization()
        key = read_secret(path)
        # ID:KEY, or the two encoded already, as Elasticsearch's answer has it.
        encoded = basic(*key.split(b":", 1))[6:] if b":" in key else key.decode("latin-1")
        return [("Authorization", f"ApiKey {encoded}")]

    def _dated(self, documents: list[bytes], values: dict[str, str]) -> list[bytes]:
        """The index of each record, by its own date."""
        now = time.time()
        known: dict[bytes, bytes] = {}
        names = []
        for document in documents:
            # Down to the hour, which is finer than any index.
            key = document[15:28] if document.startswith(_BEGIN) else _timestamp(document)
            name = known.get(key)
            if name is None:
                seconds = _seconds(key)
                moment = now if seconds is None else seconds
                name = _clean(self._settings.index.fill(values, moment)).encode()
                known[key] = name
            names.append(name)
        return names

    def _answered(self, answer: Answer, count: int) -> Outcome:
        if answer.status != 200:
            reason = bulk.error_reason(answer.content)
            # A bad request as a whole is a missing pipeline or the like: no record's fault, for a
            # line can't break out of its item.
            if answer.status == 400:
                return failed(describe(answer, reason))
            return outcome_of(answer, reason)
        try:
            items = bulk.read_items(answer.content, count)
        except ValueError as error:
            return failed(str(error))
        self.existing_records += items.existing
        if not items.again and not items.rejected:
            return DELIVERED
        return partly(items.again, items.rejected, items.reason, wait_of(answer))


def body_of(piece: Piece, batch: Batch) -> bytes:
    """A piece's items for the index in the URL, made without an item by itself."""
    texts = piece.texts()
    begin, rows, end = piece.rows(batch.origin, batch.raw, texts)
    first = b'{"create":{"_id":"' + batch.origin.id_prefix(piece.identity)
    second = b'"}}\n' + begin
    return interleave(len(rows), first, piece.id_ends(texts), second, rows, end + b"\n")


def _clean(name: str) -> str:
    """What names of Pods may have and those of indices may not."""
    return name.lower().translate(_FORBIDDEN)[:255]


_FORBIDDEN = {ord(char): "-" for char in ' "*\\<|,>/?#:'}


def _timestamp(document: bytes) -> bytes:
    try:
        found = json.loads(document)
        return str(found["@timestamp"])[:13].encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""


def _seconds(hour: bytes) -> int | None:
    """2026-01-31T23 to seconds since the epoch."""
    try:
        text = hour.decode("ascii")
        day = days(int(text[:4]), int(text[5:7]), int(text[8:10]))
        return day * 86400 + int(text[11:13]) * 3600
    except ValueError:
        return None


configure = Settings
make = ElasticsearchStore
