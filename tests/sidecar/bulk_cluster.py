"""A search engine's bulk endpoint by the documentation: what is stored, and items that fail."""

from __future__ import annotations

import re
from typing import Any

from tests.sidecar.http_peer import Fault, FaultyServer, Received, Reply


class Cluster(FaultyServer):
    """Takes bulk requests as the specification says, and keeps documents by index and id."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.item_faults: dict[str, list[tuple[int, str]]] = {}
        """For a message: what becomes of its item, once each."""

    def serve(self, received: Received) -> Reply | Fault:
        assert received.method == "POST"
        assert received.fields["content-type"] == "application/x-ndjson"
        assert received.content.endswith(b"\n")
        match = re.fullmatch(r"(?:/([^/?]+))?/_bulk", received.path)
        assert match is not None, received.path
        rows = received.rows
        items = []
        for action, document in zip(rows[::2], rows[1::2], strict=True):
            ((operation, about),) = action.items()
            assert operation == "create"
            assert "@timestamp" in document
            items.append({"create": self._item(about.get("_index", match[1]), about, document)})
        errors = any("error" in item["create"] for item in items)
        return Reply(200, {"took": 1, "errors": errors, "items": items})

    def _item(self, index: str, about: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        faults = self.item_faults.get(document.get("message", ""), [])
        if faults:
            status, kind = faults.pop(0)
            return {"status": status, "error": {"type": kind, "reason": "as told"}}
        key = (index, about["_id"])
        if key in self.documents:
            error = {"type": "version_conflict_engine_exception", "reason": "exists"}
            return {"status": 409, "error": error}
        self.documents[key] = document
        return {"status": 201}

    def messages(self) -> list[str]:
        return [document["message"] for document in self.documents.values()]
