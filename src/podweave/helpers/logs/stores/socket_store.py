"""Base of the stores that send messages and are told nothing: over TCP or TLS, or as datagrams.

Over TCP a batch counts as delivered when the server's kernel has it, over UDP when the network
has it.
"""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.stores import settings as keys
from podweave.helpers.logs.stores.datagrams import Datagrams
from podweave.helpers.logs.stores.interface import DELIVERED, Store, failed, partly
from podweave.helpers.logs.stores.link import Link, host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context, Done


class SocketSettings:
    """address, transport, tls, timeout, batch: from the section."""

    __slots__ = ("batch", "host", "place", "port", "timeout", "tls", "udp")

    def __init__(self, section: Section) -> None:
        self.host, self.port = host_and_port(section, "address")
        self.udp = section.text("transport", "tcp", among=("tcp", "udp")) == "udp"
        self.tls = keys.tls(section)
        if self.udp and self.encrypted:
            raise ConfigurationError(section.at("tls"), "is for tcp, and the transport is udp")
        self.timeout = keys.timeout(section)
        self.batch = keys.batch_limits(section)
        self.place = f"{self.host}:{self.port}"

    @property
    def encrypted(self) -> bool:
        return self.tls is not None and self.tls.enabled


class SocketStore(Store):
    """A kind says how a batch looks in a stream of bytes, and how in datagrams."""

    def __init__(self, settings: SocketSettings, context: Context) -> None:
        super().__init__(settings.batch)
        host, port, timeout = settings.host, settings.port, settings.timeout
        self._link: Link | None = None
        self._datagrams: Datagrams | None = None
        if settings.udp:
            self._datagrams = Datagrams(context, host, port, timeout)
        else:
            self._link = Link(context, host, port, settings.tls, timeout)

    def stream(self, batch: Batch) -> list[Block]:
        """All messages with what stands between them, in blocks of bytes."""
        raise NotImplementedError

    def datagrams(self, batch: Batch) -> tuple[list[bytes], list[tuple[int, str]]]:
        """What can be sent, and the indexes of the records that are too long, with the reason."""
        raise NotImplementedError

    def send(self, batch: Batch, done: Done) -> None:
        if self._datagrams is not None:
            self._send_datagrams(self._datagrams, batch, done)
        elif self._link is not None:
            self._send_stream(self._link, self.stream(batch), done)

    def close(self) -> None:
        for way in (self._link, self._datagrams):
            if way is not None:
                way.close()

    def _send_stream(self, link: Link, blocks: list[Block], done: Done) -> None:
        def opened(problem: str) -> None:
            if problem:
                done(failed(problem))
            else:
                link.send(blocks, sent)

        def sent(problem: str) -> None:
            self.sent_bytes = link.sent_bytes
            done(failed(problem) if problem else DELIVERED)

        if link.connected:
            link.send(blocks, sent)
        else:
            link.open(opened)

    def _send_datagrams(self, way: Datagrams, batch: Batch, done: Done) -> None:
        datagrams, rejected = self.datagrams(batch)

        def sent(problem: str) -> None:
            self.sent_bytes = way.sent_bytes
            if problem:
                done(failed(problem))
            elif rejected:
                done(partly((), rejected, rejected[0][1]))
            else:
                done(DELIVERED)

        way.send(datagrams, sent)
