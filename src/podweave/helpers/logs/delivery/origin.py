"""Whose records they are: the Pod, as its records and its document ids name it."""

from __future__ import annotations

import json
import os

from podweave.helpers.logs.fingerprints import fingerprint
from podweave.helpers.logs.raw_records import RawRecords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

_MEMO = 1000


class Origin:
    """One Pod. `kubernetes` is what goes with each of its records, in ECS's spelling without the
    leading `kubernetes.`."""

    __slots__ = (
        "_prefixes",
        "fragment",
        "ids",
        "kubernetes",
        "namespace",
        "node",
        "pod",
        "records",
        "uid",
    )

    def __init__(self, kubernetes: dict[str, Any], *, hostname: str = "", ids: str = "") -> None:
        pod = kubernetes.get("pod") or {}
        self.kubernetes = kubernetes
        self.namespace: str = kubernetes.get("namespace") or "default"
        self.pod: str = pod.get("name") or hostname
        self.uid: str = pod.get("uid") or f"{self.namespace}/{self.pod}"
        self.ids = ids
        """What ids are made from where that isn't the uid: the state that outlives the Pod."""
        self.node: str = (kubernetes.get("node") or {}).get("name") or ""
        text = json.dumps(kubernetes, ensure_ascii=False, separators=(",", ":"))
        self.fragment = b'"kubernetes":' + text.encode() if kubernetes else b""
        """Ready to stand in a JSON object, without a comma; empty where nothing is known."""
        self.records = RawRecords(kubernetes)
        self._prefixes: dict[str, bytes] = {}

    @classmethod
    def of_environment(
        cls, environ: Mapping[str, str], labels: Mapping[str, str], ids: str = ""
    ) -> Self:
        """From the downward API's variables, and the Pod's labels."""
        pod: dict[str, object] = {
            field: environ[name]
            for field, name in (("name", "POD_NAME"), ("uid", "POD_UID"), ("ip", "POD_IP"))
            if environ.get(name)
        }
        if labels:
            pod["labels"] = dict(labels)
        fields: dict[str, object] = {}
        if environ.get("POD_NAMESPACE"):
            fields["namespace"] = environ["POD_NAMESPACE"]
        if pod:
            fields["pod"] = pod
        if environ.get("NODE_NAME"):
            fields["node"] = {"name": environ["NODE_NAME"]}
        return cls(fields, hostname=os.uname().nodename, ids=ids)

    def id_prefix(self, identity: str) -> bytes:
        """What the ids of all records of a file begin with."""
        prefix = self._prefixes.get(identity)
        if prefix is None:
            if len(self._prefixes) >= _MEMO:
                self._prefixes.clear()
            name = f"{self.ids or self.uid}/{identity}".encode("utf-8", "surrogateescape")
            prefix = fingerprint(name, 10).encode()
            self._prefixes[identity] = prefix
        return prefix
