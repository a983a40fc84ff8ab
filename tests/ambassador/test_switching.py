"""The profile changes while the application runs: nothing fails, nothing is lost or mixed."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import partial

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import named, upstream
from tests.waiting import wait_until


def test_open_connections_stay_and_new_ones_follow(start: Start) -> None:
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        ambassador = start(dev=[dev.config], qa=[qa.config])
        with ambassador.dial() as old:
            assert old.recv(100) == b"dev\n"
            status, text = ambassador.switch("qa")
            assert status == 200
            assert json.loads(text) == {
                "profile": "qa",
                "previous": "dev",
                "open": {"dev": 1, "qa": 0},
                "redialled": 0,
                "kept": 1,
            }
            with ambassador.dial() as new:
                assert new.recv(100) == b"qa\n"
                old.sendall(b"x\n")
                assert old.recv(100) == b"dev x\n"
                shown = json.loads(ambassador.admin("GET", "/profile")[1])
                assert shown == {
                    "profile": "qa",
                    "profiles": ["dev", "qa"],
                    "open": {"dev": 1, "qa": 1},
                    "held": 0,
                }
        assert ambassador.metric("podweave_ambassador_profile_info", profile="qa") == 1
        assert ambassador.metric("podweave_ambassador_profile_info", profile="dev") == 0
        assert ambassador.metric("podweave_ambassador_switches_total") == 1
        assert ambassador.event("profile-switched")["previous"] == "dev"


def test_an_unknown_profile_is_refused_by_naming_the_known_ones(start: Start) -> None:
    with upstream(named(b"dev")) as dev:
        ambassador = start(dev=[dev.config], qa=[dev.config])
        for name in ("prod", "", "de v", "한국"):
            status, text = ambassador.switch(name)
            assert status == 404
            assert text.endswith("; there is dev, qa\n")
        assert json.loads(ambassador.admin("GET", "/profile")[1])["profile"] == "dev"


def test_a_switch_to_the_same_profile_changes_nothing(start: Start) -> None:
    with upstream(named(b"dev")) as dev:
        ambassador = start(dev=[dev.config])
        assert ambassador.switch("dev\n")[0] == 200
        assert ambassador.metric("podweave_ambassador_switches_total") == 0


def test_held_clients_go_to_the_new_profile(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with upstream(named(b"qa")) as qa:
        ambassador = start(dev=[["127.0.0.1", port, 1]], qa=[qa.config])
        with ambassador.dial() as client:
            wait_until(
                lambda: ambassador.metric("podweave_ambassador_clients_held") == 1,
                20,
                "the client is held",
            )
            assert json.loads(ambassador.switch("qa")[1])["redialled"] == 1
            assert client.recv(100) == b"qa\n"


@dataclass
class Client:
    """Connects again and again and checks every byte, until told to stop."""

    ambassador: Ambassador
    stop: threading.Event
    exchanges: int = 0
    seen: set[bytes] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        address = self.ambassador.address()
        while not self.stop.is_set():
            try:
                self.connection(address)
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def connection(self, address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=20) as sock, sock.makefile("rb") as lines:
            name = lines.readline().strip()
            self.seen.add(name)
            for number in range(5):
                word = b"%d " % number + b"x" * (number * 5000)
                sock.sendall(word + b"\n")
                answer = lines.readline()
                assert answer == name + b" " + word + b"\n", "bytes were lost or mixed"
                self.exchanges += 1


def test_fifty_switches_under_load(start: Start) -> None:
    with contextlib.ExitStack() as stack:
        names = [b"dev", b"qa", b"stage"]
        servers = {name.decode(): stack.enter_context(upstream(named(name))) for name in names}
        ambassador = start(**{name: [server.config] for name, server in servers.items()})
        stop = threading.Event()
        clients = [Client(ambassador, stop) for _ in range(8)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()

        def exchanges() -> int:
            return sum(client.exchanges for client in clients)

        def more_than(wanted: int) -> bool:
            return exchanges() > wanted

        try:
            for number in range(50):
                wanted = exchanges() + 20
                wait_until(partial(more_than, wanted), 30, "the load goes on")
                assert ambassador.switch(["dev", "qa", "stage"][number % 3])[0] == 200
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        assert [client.failures for client in clients] == [[]] * len(clients)
        assert set().union(*(client.seen for client in clients)) == set(names)
        assert (
            "podweave_ambassador_clients_refused_total"
            not in ambassador.admin("GET", "/metrics")[1]
        )


def test_a_switch_takes_hold_at_once(start: Start) -> None:
    """From the answer on, no connection goes to the old profile."""
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        ambassador = start(dev=[dev.config], qa=[qa.config])
        deadline = time.monotonic() + 2
        turn = 0
        while time.monotonic() < deadline and turn < 100:
            turn += 1
            name = ["dev", "qa"][turn % 2]
            assert ambassador.switch(name)[0] == 200
            with ambassador.dial() as client:
                assert client.recv(100).strip().decode() == name
