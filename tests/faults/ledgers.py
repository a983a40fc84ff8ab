"""Stores that keep a ledger: every message that they took, in the order in which they took it.

Each is a server of its own that follows its protocol strictly, with a proxy before it that breaks
connections (see weather), and, in a storm, answers of its own that are errors: some before a
request is taken, some after.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.faults.weather import Weather
from tests.sidecar.bulk_cluster import Cluster
from tests.sidecar.http_peer import HALF, NONSENSE, RESET, Fault, HttpPeer, Received, Reply
from tests.stream_server import StreamServer

TIMEOUT = 1.0
"""Seconds that the sidecar waits for an answer: a stall costs no more."""


class Ledger:
    """`taken` as they came, repeated ones too. `on_request` is called when a request is there."""

    kind = ""
    once = False
    """What comes again is known by its id, and stored once."""

    ordered = True
    """What came first of each line is in the order of its file."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.taken: list[str] = []
        self.stormy = False
        self.on_request: Callable[[], object] = lambda: None
        self.lock = threading.Lock()

    def config(self) -> dict[str, Any]:
        """The store's section."""
        raise NotImplementedError

    def stored(self) -> list[str]:
        return self.taken

    def storm(self) -> None:
        raise NotImplementedError

    def down(self) -> None:
        raise NotImplementedError

    def calm(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class Behind(Ledger):
    """A server behind a proxy."""

    weather: Weather

    def storm(self) -> None:
        self.stormy = True
        self.weather.storm()

    def down(self) -> None:
        self.weather.down()

    def calm(self) -> None:
        self.stormy = False
        self.weather.calm()

    def close(self) -> None:
        self.weather.close()


class _Http(Behind):
    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._peer = HttpPeer(self._answer)
        self.weather = Weather(self._peer.port, seed)
        self.url = f"http://127.0.0.1:{self.weather.port}"

    def close(self) -> None:
        super().close()
        self._peer.close()

    def _answer(self, received: Received) -> Reply | Fault:
        # Requests are not kept: there are many.
        self._peer.received.clear()
        self.on_request()
        with self.lock:
            draw = self.chance.random() if self.stormy else 1.0
            if draw < 0.1:
                return Reply(503, "unavailable")
            if draw < 0.2:
                after = self.chance.choice(("0", "1", "Mon, 02 Jan 2006 15:04:05 GMT", "soon"))
                return Reply(429, "slow down", Retry_After=after)
            reply = self.take(received)
            if draw < 0.3:
                # It is taken, and nobody is told so.
                return self.chance.choice((RESET, HALF, NONSENSE, Reply(500), Reply(504)))
            return reply

    def take(self, received: Received) -> Reply | Fault:
        raise NotImplementedError


class Http(_Http):
    kind = "http"

    def config(self) -> dict[str, Any]:
        return {"url": self.url, "timeout": TIMEOUT, "compression": "gzip"}

    def take(self, received: Received) -> Reply | Fault:
        self.taken += [row["message"] for row in received.rows]
        return Reply(200)


class Elasticsearch(_Http):
    kind = "elasticsearch"
    once = True

    def __init__(self, seed: str) -> None:
        self.cluster = Cluster()
        super().__init__(seed)
        # Items that it refuses for now come again alone, behind the others of their request.
        self.ordered = self.chance.random() < 0.5

    def config(self) -> dict[str, Any]:
        return {"urls": [self.url], "index": "logs", "timeout": TIMEOUT}

    def take(self, received: Received) -> Reply | Fault:
        self.taken += [row["message"] for row in received.rows[1::2]]
        if self.stormy and not self.ordered and self.chance.random() < 0.3:
            some = self.chance.sample(received.rows[1::2], min(5, len(received.rows) // 2))
            busy = (429, "es_rejected_execution_exception")
            self.cluster.item_faults = {row["message"]: [busy] for row in some}
        reply = self.cluster.answer(received)
        self.cluster.item_faults = {}
        return reply

    def stored(self) -> list[str]:
        return self.cluster.messages()


class Loki(_Http):
    kind = "loki"
    # Where a file's places fill a millisecond they begin anew, and lines of that moment with them.
    ordered = False

    def config(self) -> dict[str, Any]:
        return {"url": self.url, "timeout": TIMEOUT}

    def take(self, received: Received) -> Reply | Fault:
        for stream in received.json["streams"]:
            self.taken += [value[1] for value in stream["values"]]
        return Reply(204)


class Otlp(_Http):
    kind = "otlp"

    def config(self) -> dict[str, Any]:
        return {"url": self.url, "timeout": TIMEOUT}

    def take(self, received: Received) -> Reply | Fault:
        request = ExportLogsServiceRequest()
        request.ParseFromString(received.content)
        self.taken += [
            record.body.string_value
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]
        return Reply(200, b"", Content_Type="application/x-protobuf")

    def _answer(self, received: Received) -> Reply | Fault:
        reply = super()._answer(received)
        if isinstance(reply, Reply) and reply.status == 500:
            # By its specification, a 500 is never sent again: the records are dead letters.
            return Reply(502)
        return reply


class Forward(Behind):
    kind = "forward"

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._server = StreamServer(self._serve)
        self.weather = Weather(self._server.port, seed)

    def config(self) -> dict[str, Any]:
        return {"address": f"127.0.0.1:{self.weather.port}", "timeout": TIMEOUT}

    def close(self) -> None:
        super().close()
        self._server.close()

    def _serve(self, connection: socket.socket) -> None:
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        while data := connection.recv(65536):
            unpacker.feed(data)
            for _, packed, options in unpacker:
                if options.get("compressed") == "gzip":
                    packed = gzip.decompress(packed)
                entries = msgpack.Unpacker(raw=False)
                entries.feed(packed)
                self.on_request()
                with self.lock:
                    draw = self.chance.random() if self.stormy else 1.0
                    if draw < 0.1:
                        return
                    self.taken += [record["message"] for _, record in entries]
                if draw < 0.2:
                    return
                answer = "another" if draw < 0.3 else options["chunk"]
                connection.sendall(msgpack.packb({"ack": answer}))


class Syslog(Ledger):
    """Behind no proxy: what a proxy's kernel has acknowledged and the proxy then forgets is
    nothing that the protocol could notice. It reads what it was sent, slowly at times."""

    kind = "syslog"
    # What its kernel has of one connection it may read after what comes on the next.
    ordered = False

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._calm = threading.Event()
        self._calm.set()
        self._server = StreamServer(self._serve)

    def config(self) -> dict[str, Any]:
        return {"address": f"127.0.0.1:{self._server.port}", "timeout": TIMEOUT}

    def storm(self) -> None:
        self.stormy = True

    def down(self) -> None:
        self._calm.clear()

    def calm(self) -> None:
        self.stormy = False
        self._calm.set()

    def close(self) -> None:
        self.calm()
        self._server.close()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        while data := self._received(connection):
            held += data
            self.on_request()
            while True:
                size, space, rest = held.partition(b" ")
                if not space or len(rest) < int(size):
                    break
                message, held = rest[: int(size)], rest[int(size) :]
                text = message.partition(b"] ")[2].decode()
                with self.lock:
                    self.taken.append(text)

    def _received(self, connection: socket.socket) -> bytes:
        self._calm.wait(60)
        return connection.recv(1024 if self.stormy else 65536)


class Files(Ledger):
    """The embedded store, packed and kept in small files. When it is down, its directory is a
    file; when it was closed before, it can't be opened again."""

    kind = "files"

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._place = Path(tempfile.mkdtemp(prefix="podweave-faults-"))
        self._directory = self._place / "store"
        self._away = self._place / "away"

    def config(self) -> dict[str, Any]:
        return {"directory": str(self._directory), "file_bytes": 40_000, "compression": "gzip"}

    def storm(self) -> None:
        self.down()

    def down(self) -> None:
        if not self._directory.is_file():
            if self._directory.exists():
                self._directory.rename(self._away)
            self._directory.touch()

    def calm(self) -> None:
        if self._directory.is_file():
            self._directory.unlink()
            if self._away.exists():
                self._away.rename(self._directory)

    def stored(self) -> list[str]:
        """A crash may leave a file both packed and not; both are whole."""
        found: dict[tuple[str, int], bytes] = {}
        for path in self._directory.rglob("*.ndjson*"):
            match = re.fullmatch(r"(.*)-(\d+)\.ndjson(\.gz)?", path.name)
            if match is not None:  # else it is being packed
                data = path.read_bytes()
                data = gzip.decompress(data) if match[3] else data
                place = match[1], int(match[2])
                assert found.setdefault(place, data) == data, path
        return [
            json.loads(line)["message"]
            for _, data in sorted(found.items())
            for line in data[: data.rfind(b"\n") + 1].splitlines()
        ]

    def close(self) -> None:
        shutil.rmtree(self._place)


KINDS: dict[str, type[Ledger]] = {
    each.kind: each for each in (Elasticsearch, Http, Loki, Otlp, Forward, Syslog, Files)
}


@contextlib.contextmanager
def ledger(kind: str, seed: str) -> Iterator[Ledger]:
    made = KINDS[kind](seed)
    try:
        yield made
    finally:
        made.close()
