"""One look-up of a name: the search list, the servers and the attempts of resolv.conf."""

from __future__ import annotations

import errno
import os
import socket

from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire import dns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.loop import Loop, Timer
    from podweave.helpers.wire.name_files import ResolverSettings

LOOKUP_SECONDS = 15.0
"""For the whole of it, however long the search list is."""

# Once there are IPv4 addresses, a server that is slow or silent on IPv6 holds nobody up.
_OTHER_FAMILY_SECONDS = 0.1
_TYPES = (dns.A, dns.AAAA)


class Lookup:
    """Calls `done(addresses, ttl)` or `done(error, 0)` once, from the loop."""

    def __init__(
        self,
        loop: Loop,
        settings: ResolverSettings,
        name: str,
        port: int,
        done: Callable[[list[str] | DialError, int], object],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._name = name
        self._port = port
        self._done = done
        self._candidates = settings.candidates(name)
        self._tries: list[str] = []
        self._trouble = ""
        self._exchange: Exchange | None = None
        self._begin_candidate()
        self._timer = loop.call_later(0, self._begin)

    def cancel(self) -> None:
        self._timer.cancel()
        if self._exchange is not None:
            self._exchange.close()

    def _begin(self) -> None:
        self._timer = self._loop.call_later(LOOKUP_SECONDS, self._out_of_time)
        self._ask()

    def _begin_candidate(self) -> None:
        servers = self._settings.servers
        if self._settings.rotate:
            first = os.urandom(1)[0] % len(servers)
            servers = servers[first:] + servers[:first]
        self._tries = servers * self._settings.attempts

    def _ask(self) -> None:
        while self._candidates:
            if self._tries:
                name, server = self._candidates[0], self._tries.pop(0)
                try:
                    self._exchange = Exchange(
                        self._loop, server, self._port, name, self._settings.timeout, self._answered
                    )
                except dns.BadNameError as error:
                    self._finish(DialError("EAI_NONAME", str(error)))
                    return
                except OSError as error:
                    self._trouble = f"{server}: {error.strerror}"
                    continue
                return
            self._candidates.pop(0)
            self._begin_candidate()
        if self._trouble:
            self._finish(DialError("EAI_AGAIN", f"{self._name}: {self._trouble}"))
        else:
            self._finish(DialError("EAI_NONAME", f"{self._name}: there is no such name"))

    def _answered(self, server: str, answers: dict[int, dns.Answer]) -> None:
        self._exchange = None
        with_addresses = [answers[kind] for kind in _TYPES if kind in answers]
        with_addresses = [answer for answer in with_addresses if answer.addresses]
        if with_addresses:
            packed = [address for answer in with_addresses for address in answer.addresses]
            self._finish(
                [render_address(address) for address in packed],
                min(answer.ttl for answer in with_addresses),
            )
            return
        codes = [answer.code for answer in answers.values()]
        if dns.NXDOMAIN in codes or codes == [dns.NOERROR, dns.NOERROR]:
            self._tries = []
        else:
            refusals = [code for code in codes if code != dns.NOERROR]
            self._trouble = f"{server}: " + (f"error {refusals[0]}" if refusals else "no answer")
        self._ask()

    def _out_of_time(self) -> None:
        self.cancel()
        self._finish(DialError("EAI_AGAIN", f"{self._name}: no answer in {LOOKUP_SECONDS:g} s"))

    def _finish(self, result: list[str] | DialError, ttl: int = 0) -> None:
        self._timer.cancel()
        self._done(result, ttl)


class Exchange:
    """A and AAAA of one name, asked of one server at the same time, over UDP.

    A truncated answer is asked for again over TCP. OSError when the server can't be reached.
    """

    def __init__(
        self,
        loop: Loop,
        server: str,
        port: int,
        name: str,
        timeout: float,
        done: Callable[[str, dict[int, dns.Answer]], object],
    ) -> None:
        self._loop = loop
        self._server = server
        self._port = port
        self._name = name
        self._done = done
        self._answers: dict[int, dns.Answer] = {}
        self._streams: dict[int, Stream] = {}
        random = os.urandom(4)
        self._identifiers = {
            dns.A: int.from_bytes(random[:2], "big"),
            dns.AAAA: int.from_bytes(random[2:], "big"),
        }
        queries = [dns.encode_query(self._identifiers[kind], name, kind) for kind in _TYPES]
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._sock.connect((server, port))
            for query in queries:
                self._sock.send(query)
        except OSError:
            self._sock.close()
            raise
        loop.add(self._sock.fileno(), READ, self._readable)
        self._timer = loop.call_later(timeout, self._finish)

    def close(self) -> None:
        self._timer.cancel()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        if self._sock.fileno() >= 0:
            self._loop.remove(self._sock.fileno())
            self._sock.close()

    def _readable(self, events: int) -> None:
        while self._sock.fileno() >= 0:
            try:
                message = self._sock.recv(65535)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error: nobody listens there.
                self._finish()
                return
            self._take(message)

    def _take(self, message: bytes) -> None:
        for kind in _TYPES:
            if kind in self._answers or kind in self._streams:
                continue
            try:
                answer = dns.decode_answer(message, self._identifiers[kind], self._name, kind)
            except dns.MessageError:
                continue
            if answer.truncated:
                self._ask_by_stream(kind)
            else:
                self._answered(kind, answer)
            return

    def _ask_by_stream(self, kind: int) -> None:
        def done(message: bytes) -> None:
            try:
                answer = dns.decode_answer(message, self._identifiers[kind], self._name, kind)
            except dns.MessageError:
                answer = dns.Answer(-1, False, [], 0)
            self._answered(kind, answer)

        query = dns.encode_query(self._identifiers[kind], self._name, kind)
        self._streams[kind] = Stream(self._loop, self._server, self._port, query, done)

    def _answered(self, kind: int, answer: dns.Answer) -> None:
        self._answers[kind] = answer
        if len(self._answers) == len(_TYPES) or answer.code == dns.NXDOMAIN:
            self._finish()
        elif kind == dns.A and answer.addresses:
            self._timer.cancel()
            self._timer = self._loop.call_later(_OTHER_FAMILY_SECONDS, self._finish)

    def _finish(self) -> None:
        self.close()
        self._done(self._server, self._answers)


class Stream:
    """One query over TCP. Calls `done(message)`; an empty message when that fails."""

    def __init__(
        self, loop: Loop, server: str, port: int, query: bytes, done: Callable[[bytes], object]
    ) -> None:
        self._loop = loop
        self._done = done
        self._output = len(query).to_bytes(2, "big") + query
        self._input = b""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self._sock: socket.socket | None = None
        self._timer: Timer | None = None
        try:
            self._sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            outcome = self._sock.connect_ex((server, port))
            if outcome not in (0, errno.EINPROGRESS):
                raise OSError(outcome, "connect")
        except OSError:
            if self._sock is not None:
                self._sock.close()
                self._sock = None
            self._timer = loop.call_later(0, self._finish)
        else:
            loop.add(self._sock.fileno(), WRITE, self._ready)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._sock is not None:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _ready(self, events: int) -> None:
        assert self._sock is not None
        try:
            if self._output:
                self._output = self._output[self._sock.send(self._output) :]
                if not self._output:
                    self._loop.modify(self._sock.fileno(), READ)
                return
            data = self._sock.recv(65535)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._input += data
        length = int.from_bytes(self._input[:2], "big")
        if not data or len(self._input) - 2 >= length:
            self._finish()

    def _finish(self) -> None:
        self.close()
        self._done(self._input[2:])


def render_address(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
