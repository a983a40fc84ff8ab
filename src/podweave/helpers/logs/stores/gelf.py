"""Graylog and what takes GELF: TCP with a NUL behind each message, TLS, or UDP in chunks.

A record of the adapter in the schema gelf is sent as it is, with the Pod beside it; of another
schema it is brought into GELF. A line of the application's is `short_message`.

Nobody acknowledges a message: over TCP a batch counts as delivered when the server's kernel has
it, over UDP when the network has it.
"""

from __future__ import annotations

import json
import os

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.delivery.rows import interleave
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.name_templates import file_name, pod_values
from podweave.helpers.logs.stores.socket_store import SocketSettings, SocketStore
from podweave.helpers.wire import gelf, syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context

_INFO = 6


class Settings(SocketSettings):
    __slots__ = ("compression", "fields", "host_name")

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        usual = "gzip" if self.udp else "none"
        among = ("none", "gzip", "zlib")
        self.compression = section.text("compression", usual, among=among)
        if self.compression != "none" and not self.udp:
            raise ConfigurationError(
                section.at("compression"), "is for udp: over TCP a NUL ends a message"
            )
        self.host_name = section.text("host", "")
        self.fields = {
            gelf.field_name(name.removeprefix("_")): value
            for name, value in section.texts("fields").items()
        }


class GelfStore(SocketStore):
    kind = "gelf"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings

    def stream(self, batch: Batch) -> list[Block]:
        return [b"\0".join(self._messages(batch)) + b"\0"]

    def datagrams(self, batch: Batch) -> tuple[list[bytes], list[tuple[int, str]]]:
        chunks: list[bytes] = []
        rejected: list[tuple[int, str]] = []
        for number, message in enumerate(self._messages(batch)):
            try:
                chunks += gelf.chunks(self._compressed(message), os.urandom(8))
            except ValueError as error:
                rejected.append((number, str(error)))
        return chunks, rejected

    def _compressed(self, message: bytes) -> bytes:
        if self._settings.compression == "none":
            return message
        import zlib

        # wbits 31 is a gzip member, 15 a zlib stream; Graylog tells them by their first bytes.
        packer = zlib.compressobj(
            6, zlib.DEFLATED, 31 if self._settings.compression == "gzip" else 15
        )
        return packer.compress(message) + packer.flush()

    def _messages(self, batch: Batch) -> list[bytes]:
        values = pod_values(batch.origin)
        host = self._settings.host_name or values["pod"] or "unknown"
        known = {
            f"_{name}": values[key]
            for name, key in (
                ("namespace", "namespace"),
                ("pod", "pod"),
                ("pod_uid", "uid"),
                ("node", "node"),
            )
            if values[key]
        }
        known |= self._settings.fields
        messages: list[bytes] = []
        if batch.raw:
            for piece in batch.pieces:
                messages += _raw(piece, host, known)
            return messages
        numbered = log_records.documents(batch)
        place = 0
        for piece in batch.pieces:
            about = known | {"_file": file_name(piece.path)}
            for document, read in numbered[place : place + piece.count()]:
                messages.append(_encode(_converted(document, read, host, about)))
            place += piece.count()
        return messages


def _raw(piece: Piece, host: str, known: dict[str, str]) -> list[bytes]:
    """Lines of an application, all of a piece at once."""
    texts = piece.quoted()
    begin = _encode({"version": "1.1", "host": host})[:-1] + b',"short_message":"'
    about = _encode(known | {"_file": file_name(piece.path)})
    end = b',"level":%d,%b' % (_INFO, about[1:])
    # A blank short_message is refused by servers.
    lines = [text if text.strip() else b"-" for text in texts]
    times: bytes | list[bytes]
    if piece.details is None:
        times = b'","timestamp":' + _seconds(log_records.read_time(piece))
    else:
        times = [b'","timestamp":' + _seconds(time) for time in log_records.raw_times(piece)]
    return interleave(len(lines), begin, lines, times, end, b"\n")[:-1].split(b"\n")


def _converted(document: Any, read: int, host: str, about: dict[str, str]) -> dict[str, Any]:
    if isinstance(document, dict) and isinstance(document.get("short_message"), str):
        return {"version": "1.1", "host": host} | document | about
    record = log_records.log_record(document, read)
    text = record.body if isinstance(record.body, str) else _encode(record.body).decode()
    first, newline, _ = text.partition("\n")
    message: dict[str, Any] = {
        "version": "1.1",
        "host": host,
        "short_message": first if first.strip() else "-",
    }
    if newline:
        message["full_message"] = text
    message["timestamp"] = record.time
    message["level"] = syslog.SEVERITIES.get(record.level.lower(), _INFO)
    if record.level:
        message["_level_name"] = record.level
    for name, value in (("_trace_id", record.trace), ("_span_id", record.span)):
        if value:
            message[name] = value
    for name, value in record.attributes.items():
        message[gelf.field_name(name)] = _plain(value)
    message |= about
    return message


def _plain(value: Any) -> str | int | float:
    """GELF's values are texts and numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return value
    return _encode(value).decode()


def _encode(value: Any) -> bytes:
    time = value.get("timestamp") if isinstance(value, dict) else None
    if isinstance(time, int) and not isinstance(time, bool) and time > 1 << 40:
        # Nanoseconds: a float would keep the microseconds at best.
        value = value | {"timestamp": 0}
        text = _dump(value).encode("utf-8", "replace")
        return text.replace(b'"timestamp":0', b'"timestamp":' + _seconds(time), 1)
    return _dump(value).encode("utf-8", "replace")


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _seconds(nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, log_records.SECOND)
    return b"%d.%06d" % (seconds, rest // 1000)


configure = Settings
make = GelfStore
