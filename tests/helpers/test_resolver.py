"""The resolver on the loop, against a DNS server of the tests' own on loopback."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podweave.helpers.dialing import lookup as lookup_module
from podweave.helpers.dialing import resolver as resolver_module
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.dialing.resolver import Resolver
from podweave.helpers.loop import Loop
from podweave.helpers.wire import dns
from tests.helpers.dns_messages import address, alias, message
from tests.helpers.driving import drive

Result = list[str] | DialError
Answers = Callable[[str, int], list[bytes] | int | None]
"""Records, an error code, or None for silence: by name and type."""


def both_on_one_port() -> tuple[socket.socket, socket.socket]:
    for _ in range(100):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
    raise AssertionError("no port is free for both UDP and TCP")


class Server:
    """UDP and TCP on one port. `answers` may be replaced while it runs."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []
        self.by_stream = 0
        self.truncate = False
        self._udp, self._tcp = both_on_one_port()
        self.port: int = self._udp.getsockname()[1]
        self._threads = [
            threading.Thread(target=self._serve_udp),
            threading.Thread(target=self._serve_tcp),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        # A datagram of no length is no query, and ends the thread that reads it.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._udp.getsockname())
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        self._udp.close()
        self._tcp.close()

    def _answer(self, query: bytes, *, truncate: bool) -> bytes | None:
        identifier = struct.unpack(">H", query[:2])[0]
        labels, offset = [], 12
        while query[offset]:
            labels.append(query[offset + 1 : offset + 1 + query[offset]].decode())
            offset += 1 + query[offset]
        name, kind = ".".join(labels), struct.unpack(">H", query[offset + 1 : offset + 3])[0]
        self.asked.append((name, kind))
        answer = self.answers(name, kind)
        if answer is None:
            return None
        if isinstance(answer, int):
            return message(identifier, name, kind, [], code=answer)
        if truncate:
            return message(identifier, name, kind, [], flags=0x8380)
        return message(identifier, name, kind, answer)

    def _serve_udp(self) -> None:
        while True:
            query, peer = self._udp.recvfrom(65535)
            if not query:
                return
            answer = self._answer(query, truncate=self.truncate)
            if answer is not None:
                # Noise first: a forged answer is ignored.
                self._udp.sendto(b"\xff\xff" + answer[2:], peer)
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                self.by_stream += 1
                query = connection.recv(65535)
                answer = self._answer(query[2:], truncate=False)
                if answer is not None:
                    framed = struct.pack(">H", len(answer)) + answer
                    for byte in (framed[:1], framed[1:9], framed[9:]):
                        connection.sendall(byte)


class Names:
    """A resolver under test with its loop, clock, server and files."""

    def __init__(self, directory: Path) -> None:
        self.server = Server(lambda name, kind: dns.NXDOMAIN)
        self.late = 0.0
        self.loop = Loop(lambda: time.monotonic() + self.late)
        self.resolv_conf = directory / "resolv.conf"
        self.resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        self.hosts = directory / "hosts"
        self.calendar = 1_000_000_000.0
        """Files that a test has just written are from another century, and so they are settled."""
        self.resolver = Resolver(
            self.loop,
            resolv_conf=str(self.resolv_conf),
            hosts=str(self.hosts),
            port=self.server.port,
            clock=lambda: self.calendar,
        )

    def rewrite_hosts(self, text: str) -> None:
        """As of now."""
        self.hosts.write_text(text)
        os.utime(self.hosts, (self.calendar, self.calendar))

    def look_again(self) -> None:
        """Let the resolver look at its files, for those who wait, a few times."""
        looks: list[int] = []
        for number in range(1, 4):
            self.loop.call_later(number * resolver_module.LOOK_SECONDS, lambda: looks.append(1))
        drive(self.loop, lambda: len(looks) == 3, 20, "looks at the files")

    def ask(self, name: str, seconds: float = 20.0) -> Result:
        results: list[Result] = []
        self.resolver.resolve(name, results.append)
        drive(self.loop, lambda: results, seconds, f"an answer for {name}")
        assert len(results) == 1
        return results[0]

    def failure(self, name: str) -> str:
        result = self.ask(name)
        assert isinstance(result, DialError)
        return result.reason


@pytest.fixture
def names(tmp_path: Path) -> Iterator[Names]:
    names = Names(tmp_path)
    yield names
    names.resolver.close()
    names.loop.close()
    names.server.close()


def table(**addresses: str) -> Answers:
    """A server that knows `db=10.0.0.1` as db.example, for both families."""

    def answers(name: str, kind: int) -> list[bytes] | int:
        host, _, domain = name.partition(".")
        text = addresses.get(host) if domain == "example" else None
        if text is None:
            return dns.NXDOMAIN
        right = (":" in text) == (kind == dns.AAAA)
        return [address(name, text, 30)] if right else []

    return answers


def test_both_families_are_asked_for(names: Names) -> None:
    names.server.answers = lambda name, kind: [
        address(name, "10.0.0.1" if kind == dns.A else "fd00::1", 60)
    ]
    assert names.ask("db.example") == ["10.0.0.1", "fd00::1"]
    assert sorted(names.server.asked) == [("db.example", dns.A), ("db.example", dns.AAAA)]


def test_an_answer_is_kept_for_its_time_to_live(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db.example") == ["10.0.0.1"]
    names.server.answers = table(db="10.0.0.2")
    names.late += 29
    assert names.ask("db.example") == ["10.0.0.1"]
    names.late += 2
    assert names.ask("db.example") == ["10.0.0.2"]


def test_questions_at_the_same_time_are_one(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    results: list[Result] = []
    for _ in range(50):
        names.resolver.resolve("db.example", results.append)
    names.resolver.resolve("db.example", results.append).cancel()
    drive(names.loop, lambda: len(results) == 50, 20, "all are answered")
    assert len(names.server.asked) == 2


def test_the_old_answer_is_served_while_the_new_one_fails(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db.example") == ["10.0.0.1"]
    for failing in (2, None):
        names.server.answers = lambda name, kind, failing=failing: failing  # type: ignore[misc]
        names.late += 100
        assert names.ask("db.example") == ["10.0.0.1"]
    names.late += 100
    names.server.answers = table(db="10.0.0.2")
    drive(names.loop, lambda: names.ask("db.example") == ["10.0.0.2"], 20, "the new answer")


def test_a_name_that_is_gone_is_gone(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db.example") == ["10.0.0.1"]
    names.server.answers = table()
    names.late += 100
    assert names.failure("db.example") == "EAI_NONAME"


def test_a_failure_is_forgotten_soon(names: Names) -> None:
    assert names.failure("db.example") == "EAI_NONAME"
    asked = len(names.server.asked)
    assert names.failure("db.example") == "EAI_NONAME"
    assert len(names.server.asked) == asked
    names.server.answers = table(db="10.0.0.1")
    names.late += 1.5
    assert names.ask("db.example") == ["10.0.0.1"]


def test_the_search_list(names: Names) -> None:
    names.resolv_conf.write_text("nameserver 127.0.0.1\nsearch a.test example\noptions ndots:2\n")
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db") == ["10.0.0.1"]
    assert [name for name, kind in names.server.asked if kind == dns.A] == [
        "db.a.test",
        "db.example",
    ]


def test_a_changed_resolv_conf_is_seen(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    assert names.failure("db") == "EAI_NONAME"
    names.resolv_conf.write_text("nameserver 127.0.0.1\nsearch example\n")
    names.late += 2
    assert names.ask("db") == ["10.0.0.1"]


def test_the_hosts_file_goes_first_and_is_read_again(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    names.hosts.write_text("10.9.9.9 db.example\nnonsense other.example\n")
    assert names.ask("DB.example.") == ["10.9.9.9"]
    names.hosts.write_text("")
    assert names.ask("db.example") == ["10.0.0.1"]


@pytest.mark.parametrize("half_written", ["", "127.0.0.1 localhost\n", "127.0.0.1 localhost\n10."])
def test_a_hosts_file_that_is_being_rewritten_keeps_what_was_known(
    names: Names, half_written: str
) -> None:
    """The kubelet and container engines truncate it and write it again, some line by line."""
    names.server.answers = table(db="10.0.0.1")
    names.rewrite_hosts("127.0.0.1 localhost\n10.9.9.9 db.example\n")
    assert names.ask("db.example") == ["10.9.9.9"]
    names.calendar += 100
    names.rewrite_hosts(half_written)
    assert names.ask("db.example") == ["10.9.9.9"]
    names.calendar += 0.5
    names.rewrite_hosts("127.0.0.1 localhost\n10.9.9.8 db.example\n")
    assert names.ask("db.example") == ["10.9.9.8"]
    names.rewrite_hosts(half_written)
    assert names.ask("db.example") == ["10.9.9.8"]
    assert names.server.asked == []
    names.calendar += 2
    assert names.ask("db.example") == ["10.0.0.1"], "it is meant as it is"


def test_who_knows_nothing_yet_waits_for_a_hosts_file_that_is_being_rewritten(
    names: Names,
) -> None:
    names.server.answers = table(db="10.0.0.1")
    names.rewrite_hosts("")
    results: list[Result] = []
    names.resolver.resolve("db.example", results.append)
    names.resolver.resolve("db.example", results.append).cancel()
    names.look_again()
    assert (results, names.server.asked) == ([], [])
    names.rewrite_hosts("10.9.9.9 db.example\n")
    drive(names.loop, lambda: results, 20, "an answer")
    assert (results, names.server.asked) == ([["10.9.9.9"]], [])


@pytest.mark.parametrize(("half_written", "seconds"), [("", 1.0), ("127.0.0.1 localhost\n", 0.06)])
def test_a_hosts_file_is_waited_for_no_longer_than_it_takes_to_write_one(
    names: Names, half_written: str, seconds: float
) -> None:
    names.server.answers = table(db="10.0.0.1")
    names.rewrite_hosts(half_written)
    results: list[Result] = []
    names.resolver.resolve("db.example", results.append)
    names.look_again()
    assert names.server.asked == []
    names.calendar += seconds
    drive(names.loop, lambda: results, 20, "an answer")
    assert results == [["10.0.0.1"]]


def test_an_empty_hosts_file_from_before_is_waited_for_by_nobody(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    names.rewrite_hosts("")
    names.calendar += 1
    results: list[Result] = []
    names.resolver.resolve("db.example", results.append)
    assert results == []
    drive(names.loop, lambda: names.server.asked, 20, "the server is asked")


def test_a_name_that_hosts_lists_meanwhile_needs_no_answer_of_a_server(names: Names) -> None:
    names.server.answers = lambda name, kind: None
    results: list[Result] = []
    names.resolver.resolve("db.example", results.append)
    drive(names.loop, lambda: names.server.asked, 20, "the server is asked")
    names.rewrite_hosts("10.9.9.9 DB.example\n")
    drive(names.loop, lambda: results, 20, "an answer")
    assert results == [["10.9.9.9"]]
    assert names.ask("db.example") == ["10.9.9.9"]


def test_an_emptied_resolv_conf_changes_nothing_at_first(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1", other="10.0.0.2")
    assert names.ask("db.example") == ["10.0.0.1"]
    names.resolv_conf.write_text("")
    os.utime(names.resolv_conf, (names.calendar, names.calendar))
    names.late += 100
    assert names.ask("db.example") == ["10.0.0.1"]
    results: list[Result] = []
    names.resolver.resolve("other.example", results.append)
    names.look_again()
    assert results == []
    names.resolv_conf.write_text("nameserver 127.0.0.1\n")
    drive(names.loop, lambda: results, 20, "an answer")
    assert results == [["10.0.0.2"]]


def test_a_truncated_answer_is_asked_for_again_by_tcp(names: Names) -> None:
    names.server.truncate = True
    many = [f"10.0.1.{number}" for number in range(200)]
    names.server.answers = lambda name, kind: (
        [address(name, text, 60) for text in many] if kind == dns.A else []
    )
    assert names.ask("db.example") == many
    assert names.server.by_stream == 2


def test_aliases_are_followed(names: Names) -> None:
    names.server.answers = lambda name, kind: [
        alias(name, "real.example", 60),
        *([address("real.example", "10.0.0.7", 60)] if kind == dns.A else []),
    ]
    assert names.ask("db.example") == ["10.0.0.7"]


def test_a_lost_packet_is_asked_again(names: Names) -> None:
    lost: list[int] = []

    def lose_first(name: str, kind: int) -> list[bytes] | int | None:
        if len(lost) < 2:
            lost.append(kind)
            return None
        return table(db="10.0.0.1")(name, kind)

    names.server.answers = lose_first
    assert names.ask("db.example") == ["10.0.0.1"]


def test_a_server_that_is_silent_on_ipv6_holds_nobody_up(names: Names) -> None:
    names.server.answers = lambda name, kind: (
        [address(name, "10.0.0.1", 60)] if kind == dns.A else None
    )
    asked = names.loop.now()
    assert names.ask("db.example") == ["10.0.0.1"]
    assert names.loop.now() - asked < 1.0


def test_the_next_server_is_asked_when_one_fails(names: Names) -> None:
    """127.0.0.2 refuses: nobody listens there. The second server answers."""
    names.resolv_conf.write_text("nameserver 127.0.0.2\nnameserver 127.0.0.1\n")
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db.example") == ["10.0.0.1"]


def test_silence_is_a_temporary_failure_within_bounded_time(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_module, "LOOKUP_SECONDS", 0.5)
    names.server.answers = lambda name, kind: None
    assert names.failure("db.example") == "EAI_AGAIN"


def test_names_that_cannot_be_asked_for_are_failures(names: Names) -> None:
    assert names.failure("한국.example") == "EAI_NONAME"
    assert names.failure("a..b") == "EAI_NONAME"


def test_doubt_makes_the_next_use_ask_again(names: Names) -> None:
    names.server.answers = table(db="10.0.0.1")
    assert names.ask("db.example") == ["10.0.0.1"]
    names.server.answers = table(db="10.0.0.2")
    names.late += 2
    names.resolver.doubt("db.example")
    assert names.ask("db.example") == ["10.0.0.2"]
    assert resolver_module.MIN_TTL == 1
