"""Fluentd, Fluent Bit and what else takes the forward protocol: PackedForward, acknowledged.

A record of the adapter goes as the map that its JSON is, a line of the application's as
{"message": LINE}; both with `kubernetes` and `log.file.path` beside them, as the stores of JSON
have them. With `acknowledgement` (the default) a batch is delivered when the server has said so;
without, when its kernel has it.
"""

from __future__ import annotations

import os
from binascii import b2a_base64

from podweave.helpers.logs.delivery.rows import interleave
from podweave.helpers.logs.raw_records import utf8
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores import settings as keys
from podweave.helpers.logs.stores.interface import DELIVERED, Store, failed
from podweave.helpers.logs.stores.link import Link, host_and_port
from podweave.helpers.logs.stores.name_templates import NameTemplate, file_name, pod_values
from podweave.helpers.wire import fluent_forward, msgpack
from podweave.helpers.wire.fluent_forward import ForwardError, Hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.stores.interface import Context, Done

TAG = "podweave.{namespace}.{pod}"
_ANSWER_LIMIT = 1 << 16


class Settings:
    __slots__ = (
        "acknowledgement",
        "batch",
        "compression",
        "credentials",
        "host",
        "place",
        "port",
        "shared_key",
        "tag",
        "timeout",
        "tls",
    )

    def __init__(self, section: Section) -> None:
        self.host, self.port = host_and_port(section, "address")
        tag = section.text("tag", TAG)
        self.tag = NameTemplate(tag, section.at("tag"), ("file",))
        self.acknowledgement = section.boolean("acknowledgement", True)
        self.compression = section.text("compression", "none", among=("none", "gzip"))
        self.shared_key = section.text("shared_key", "")
        """The path of a file, or empty: no handshake."""
        self.credentials = keys.secret_files(section, ("username", "password"))
        self.tls = keys.tls(section)
        self.timeout = keys.timeout(section)
        self.batch = keys.batch_limits(section)
        self.place = f"{self.host}:{self.port}/{tag}"


class ForwardStore(Store):
    kind = "forward"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings.batch)
        self._settings = settings
        self._context = context
        self._link = Link(context, settings.host, settings.port, settings.tls, settings.timeout)

    def send(self, batch: Batch, done: Done) -> None:
        if self._link.connected:
            self._deliver(batch, done)
            return

        def opened(problem: str) -> None:
            if problem:
                done(failed(problem))
            elif self._settings.shared_key:
                _Handshake(self._link, self._settings, self._context, ready)
            else:
                ready("")

        def ready(problem: str) -> None:
            if problem:
                # What can be mended is a key or a server: no record is lost for it.
                self._link.close()
                done(failed(problem))
            else:
                self._deliver(batch, done)

        self._link.open(opened)

    def close(self) -> None:
        self._link.close()

    def _deliver(self, batch: Batch, done: Done) -> None:
        messages, chunks = self._messages(batch)

        def ended(problem: str) -> None:
            self.sent_bytes = self._link.sent_bytes
            done(failed(problem) if problem else DELIVERED)

        reader = _Acknowledgements(chunks).read if self._settings.acknowledgement else None
        self._link.send(messages, ended, reader)

    def _messages(self, batch: Batch) -> tuple[list[bytes], set[str]]:
        """A message for each tag, and the names of the chunks."""
        values = pod_values(batch.origin)
        entries: dict[str, list[bytes]] = {}
        counts: dict[str, int] = {}
        documents = [] if batch.raw else log_records.documents(batch)
        place = 0
        for piece in batch.pieces:
            path = file_name(piece.path)
            tag = self._settings.tag.fill({**values, "file": path})
            beside = {"log": {"file": {"path": path}}}
            if batch.origin.kubernetes:
                beside["kubernetes"] = batch.origin.kubernetes
            if batch.raw:
                packed = _raw(piece, beside)
            else:
                packed = _records(documents[place : place + piece.count()], beside)
                place += piece.count()
            entries.setdefault(tag, []).append(packed)
            counts[tag] = counts.get(tag, 0) + piece.count()
        messages, chunks = [], set()
        for tag, parts in entries.items():
            options: dict[str, Any] = {"size": counts[tag]}
            content = b"".join(parts)
            if self._settings.compression == "gzip":
                options["compressed"] = "gzip"
                content = _gzip(content)
            if self._settings.acknowledgement:
                chunk = b2a_base64(os.urandom(16), newline=False).decode()
                options["chunk"] = chunk
                chunks.add(chunk)
            messages.append(fluent_forward.message(tag, content, options))
        return messages, chunks


def _raw(piece: Piece, beside: dict[str, Any]) -> bytes:
    """[time, {"message": LINE, …}] for each line of a piece."""
    lines = piece.lines() if piece.joined else utf8(piece.data[:-1]).split(b"\n")
    rest = msgpack.pack(beside)
    fields = len(beside) + 1
    head = msgpack.map_head(fields) + msgpack.pack("message")
    lengths = [msgpack.text_head(len(line)) for line in lines]
    times: bytes | list[bytes]
    if piece.details is None:
        times = fluent_forward.event_time(log_records.read_time(piece))
    else:
        times = [fluent_forward.event_time(time) for time in log_records.raw_times(piece)]
    # The map of what is beside, without its own head.
    return interleave(len(lines), b"\x92", times, head, lengths, lines, rest[1:])


def _records(documents: list[tuple[Any, int]], beside: dict[str, Any]) -> bytes:
    parts = []
    for document, read in documents:
        time = log_records.log_record(document, read).time
        record = document if isinstance(document, dict) else {"message": document}
        parts += [b"\x92", fluent_forward.event_time(time), msgpack.pack(beside | record)]
    return b"".join(parts)


def _gzip(data: bytes) -> bytes:
    import zlib

    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


class _Values:
    """MessagePack values out of a stream in any pieces."""

    def __init__(self) -> None:
        self._held = b""

    def take(self, data: bytes) -> list[Any]:
        """MsgpackError."""
        self._held += data
        values = []
        while self._held:
            try:
                value, size = msgpack.unpack(self._held)
            except msgpack.Incomplete:
                if len(self._held) > _ANSWER_LIMIT:
                    raise msgpack.MsgpackError("the server's answer is too long") from None
                break
            values.append(value)
            self._held = self._held[size:]
        return values


class _Acknowledgements:
    """Waits for all chunks of a batch."""

    def __init__(self, chunks: set[str]) -> None:
        self._chunks = chunks
        self._values = _Values()

    def read(self, data: bytes) -> str | None:
        try:
            for value in self._values.take(data):
                # Of an earlier life of the connection there can be none, so any other is strange.
                self._chunks.discard(fluent_forward.acknowledged(value))
        except (ForwardError, msgpack.MsgpackError) as error:
            return str(error)
        return None if self._chunks else ""


class _Handshake:
    """HELO, PING, PONG on an open connection. `ready` is told what went wrong, "" for nothing."""

    def __init__(
        self, link: Link, settings: Settings, context: Context, ready: Callable[[str], object]
    ) -> None:
        self._link = link
        self._ready = ready
        self._host = context.origin.pod or "podweave"
        self._salt = os.urandom(16)
        self._values = _Values()
        self._hello: Hello | None = None
        try:
            self._key = keys.read_secret(settings.shared_key)
            login = {name: keys.read_secret(path) for name, path in settings.credentials.items()}
        except OSError as error:
            ready(keys.secret_problem(error))
            return
        self._username = login.get("username", b"")
        self._password = login.get("password", b"")
        link.receive(self._greeted, self._read_hello)

    def _read_hello(self, data: bytes) -> str | None:
        try:
            for value in self._values.take(data):
                self._hello = Hello(value)
                return ""
        except (ForwardError, msgpack.MsgpackError) as error:
            return str(error)
        return None

    def _greeted(self, problem: str) -> None:
        if problem:
            self._ready(problem)
            return
        assert self._hello is not None
        ping = fluent_forward.ping(
            self._hello, self._host, self._key, self._salt, self._username, self._password
        )
        self._link.send([ping], self._ready, self._read_pong)

    def _read_pong(self, data: bytes) -> str | None:
        assert self._hello is not None
        try:
            for value in self._values.take(data):
                fluent_forward.check_pong(value, self._hello, self._key, self._salt)
                return ""
        except (ForwardError, msgpack.MsgpackError) as error:
            return str(error)
        return None


configure = Settings
make = ForwardStore
