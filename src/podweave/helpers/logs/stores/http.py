"""Any server that takes records by HTTP: NDJSON, a JSON array, or the lines as they are."""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.stores.http_store import HttpSettings, HttpStore, outcome_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.stores.interface import Context, Done

CONTENT_TYPES = {
    "ndjson": "application/x-ndjson",
    "array": "application/json",
    "raw": "text/plain; charset=utf-8",
}


class Settings(HttpSettings):
    """`format`: ndjson, array (one JSON array), or raw (what the application wrote)."""

    __slots__ = ("content_type", "format", "method")

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        self.method = section.text("method", "POST", among=("POST", "PUT"))
        self.format = section.text("format", "ndjson", among=tuple(CONTENT_TYPES))
        self.content_type = section.text("content_type", CONTENT_TYPES[self.format])
        if not self.content_type.isascii() or not self.content_type.isprintable():
            raise ConfigurationError(section.at("content_type"), "must be printable ASCII")


class HttpLineStore(HttpStore):
    kind = "http"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        query = settings.url.query
        self._target = f"?{query}" if query else ""
        if not settings.url.path:
            self._target = f"/{self._target}"

    def send(self, batch: Batch, done: Done) -> None:
        settings = self._settings
        if settings.format == "raw":
            content = batch.untouched()
        elif settings.format == "array":
            content = [b"[", b",".join(batch.documents()), b"]"]
        else:
            content = batch.ndjson()
        self.post(
            self._target,
            settings.content_type,
            content,
            outcome_of,
            done,
            method=settings.method,
        )


configure = Settings
make = HttpLineStore
