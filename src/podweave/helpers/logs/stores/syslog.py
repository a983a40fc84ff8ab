"""A syslog server: RFC 5424 messages over TCP, TLS or UDP.

A line that an application wrote is a message as it stands, with the time of its reading. A record
of the adapter is a message, too, as JSON; its time and its level are in the message's head. What
is known of the Pod is structured data.

Nobody acknowledges a message. Over TCP a batch counts as delivered when the server's kernel has
it: what a server that dies then had not written is lost, and no sender can know.
"""

from __future__ import annotations

import time

from podweave.helpers.logs.delivery.batches import JOINT
from podweave.helpers.logs.delivery.rows import between, interleave
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.datagrams import MOST_BYTES
from podweave.helpers.logs.stores.name_templates import file_name, pod_values
from podweave.helpers.logs.stores.socket_store import SocketSettings, SocketStore
from podweave.helpers.wire import syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context

DATA_ID = "podweave@32473"
"""32473 is the enterprise number for those who have none (RFC 5612)."""

_HOST_LENGTH = 255
_APPLICATION_LENGTH = 48


class Settings(SocketSettings):
    __slots__ = ("application", "counted", "facility", "host_name", "severity")

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        framing = section.text("framing", "octet_counting", among=("octet_counting", "newline"))
        # RFC 5425 has counting only.
        self.counted = framing == "octet_counting" or self.encrypted
        facility = section.text("facility", "local0", among=tuple(syslog.FACILITIES))
        self.facility = syslog.FACILITIES[facility]
        severity = section.text("severity", "info", among=tuple(syslog.SEVERITIES))
        self.severity = syslog.SEVERITIES[severity]
        self.application = section.text("app_name", "")
        self.host_name = section.text("host_name", "")


class SyslogStore(SocketStore):
    kind = "syslog"

    def __init__(self, settings: Settings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings

    def datagrams(self, batch: Batch) -> tuple[list[bytes], list[tuple[int, str]]]:
        heads = self._heads(batch)
        lines = [line for piece in batch.pieces for line in _lines(piece, newlines=True)]
        messages = [head + line for head, line in zip(heads, lines, strict=True)]
        long = f"is longer than a datagram, {MOST_BYTES} bytes"
        rejected = [
            (number, long) for number, message in enumerate(messages) if len(message) > MOST_BYTES
        ]
        return [message for message in messages if len(message) <= MOST_BYTES], rejected

    def stream(self, batch: Batch) -> list[Block]:
        counted = self._settings.counted
        frames: list[Block] = []
        for piece, heads in zip(batch.pieces, self._piece_heads(batch), strict=True):
            if not counted and isinstance(heads, bytes):
                data = piece.data
                if piece.joined:
                    data = data.replace(JOINT, syslog.NEWLINE)
                frames += between(data, heads, b"\n")
                continue
            own = _lines(piece, newlines=counted)
            if not counted:
                frames.append(interleave(len(own), heads, own, b"\n"))
                continue
            if isinstance(heads, bytes):
                longer = len(heads)
                counts = [b"%d " % (len(line) + longer) for line in own]
            else:
                counts = [
                    b"%d " % (len(head) + len(line)) for head, line in zip(heads, own, strict=True)
                ]
            frames.append(interleave(len(own), counts, heads, own))
        return frames

    def _heads(self, batch: Batch) -> list[bytes]:
        heads: list[bytes] = []
        for piece, own in zip(batch.pieces, self._piece_heads(batch), strict=True):
            heads += [own] * piece.count() if isinstance(own, bytes) else own
        return heads

    def _piece_heads(self, batch: Batch) -> list[bytes | list[bytes]]:
        """For each piece the head of all its messages, or one for each."""
        values = pod_values(batch.origin)
        settings = self._settings
        host = syslog.field(settings.host_name or values["pod"], _HOST_LENGTH)
        application = settings.application or values["service"]
        name = syslog.field(application, _APPLICATION_LENGTH)
        known = {
            "namespace": values["namespace"],
            "pod": values["pod"],
            "uid": values["uid"],
            "node": values["node"],
        }
        usual = syslog.priority(settings.facility, settings.severity)
        heads: list[bytes | list[bytes]] = []
        for piece in batch.pieces:
            data = syslog.structured_data(DATA_ID, known | {"file": file_name(piece.path)})
            if batch.raw and piece.details is None:
                read = syslog.timestamp(_read_time(piece))
                heads.append(syslog.header(usual, read, host, name, data))
                continue
            end = b" ".join((b"", host, name, b"- -", data, b""))
            heads.append(
                [
                    b"%b1 %b%b" % (priority, moment, end)
                    for priority, moment in self._details(batch, piece, usual)
                ]
            )
        return heads

    def _details(self, batch: Batch, piece: Piece, usual: bytes) -> list[tuple[bytes, bytes]]:
        """Priority and time of each record."""
        if batch.raw:
            return [(usual, syslog.timestamp(moment)) for moment in piece.times()]
        read = log_records.read_time(piece)
        found = []
        for line in piece.texts():
            moment, level = log_records.time_and_level(line, read)
            severity = syslog.SEVERITIES.get(level.lower())
            priority = usual
            if severity is not None:
                priority = syslog.priority(self._settings.facility, severity)
            found.append((priority, _rfc3339(moment)))
        return found


def _lines(piece: Piece, *, newlines: bool) -> list[bytes]:
    """The messages. `newlines`: they may have some in them."""
    lines = piece.texts()
    if piece.joined:
        joint = b"\n" if newlines else syslog.NEWLINE
        lines = [line.replace(JOINT, joint) for line in lines]
    return lines


def _read_time(piece: Piece) -> bytes:
    return _rfc3339(log_records.read_time(piece))


def _rfc3339(nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, log_records.SECOND)
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return b"%b.%06dZ" % (clock.encode("ascii"), rest // 1000)


configure = Settings
make = SyslogStore
