"""The profile changes while the application runs: nothing fails, nothing is lost or mixed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import time

import pytest

from tests.ambassador.conftest import Start
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


class Load:
    """Many clients in one loop: each connects again and again and checks every byte."""

    def __init__(self) -> None:
        self.address = ("", 0)
        self.exchanges = 0
        self.clients_through = 0
        self.seen: set[bytes] = set()
        self.failures: list[str] = []

    async def client(self, number: int) -> None:
        while True:
            try:
                await self.connection(number)
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append(f"client {number}: {error!r}")
                return

    async def connection(self, number: int) -> None:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            name = (await reader.readuntil(b"\n")).strip()
            self.seen.add(name)
            for turn in range(4):
                word = b"%d/%d " % (number, turn) + b"x" * (turn * (number % 7) * 300)
                writer.write(word + b"\n")
                answer = await reader.readexactly(len(name) + len(word) + 2)
                assert answer == name + b" " + word + b"\n", "bytes were lost or mixed up"
                self.exchanges += 1
        finally:
            await close(writer)
        self.clients_through += 1

    async def more(self, count: int) -> None:
        wanted = self.exchanges + count
        async with asyncio.timeout(60):
            while self.exchanges < wanted and not self.failures:
                await asyncio.sleep(0.001)


async def close(writer: asyncio.StreamWriter) -> None:
    """Wholly: what the loop leaves open would be another test's failure."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def serve(name: bytes) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name + b"\n")
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                writer.write(name + b" " + line)
        await close(writer)

    return await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20, backlog=2048)


def test_a_thousand_clients_under_load_through_fifty_switches(start: Start) -> None:
    """No failed connect, no byte lost or mixed up."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    names = ["dev", "qa", "stage"]
    load = Load()

    async def run() -> None:
        servers = {name: await serve(name.encode()) for name in names}
        ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
        ambassador = await asyncio.to_thread(
            lambda: start(**{name: [["127.0.0.1", port]] for name, port in ports.items()})
        )
        load.address = ambassador.address()
        clients = [asyncio.create_task(load.client(number)) for number in range(1000)]
        try:
            for number in range(50):
                await load.more(int(os.environ.get("PODWEAVE_SWITCH_EXCHANGES", "50")))
                status, _ = await asyncio.to_thread(ambassador.switch, names[(number + 1) % 3])
                assert status == 200
            await load.more(2000)
            text = (await asyncio.to_thread(ambassador.admin, "GET", "/metrics"))[1]
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
            for server in servers.values():
                server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)
        assert "podweave_ambassador_clients_refused_total{" not in text
        assert "podweave_ambassador_switches_total 50" in text

    asyncio.run(run())
    assert load.failures == []
    assert load.seen == {name.encode() for name in names}
    assert load.clients_through >= 1000


@pytest.mark.parametrize("as_configured", [True, False])
def test_a_switch_may_cut_what_it_leaves_behind(start: Start, as_configured: bool) -> None:
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        settings = {"on_switch": {"existing": "cut"}} if as_configured else {}
        ambassador = start(dev=[dev.config], qa=[qa.config], settings=settings)
        with ambassador.dial() as old, ambassador.dial() as other:
            assert old.recv(100) == other.recv(100) == b"dev\n"
            wish = b"qa" if as_configured else b'{"profile": "qa", "existing": "cut"}'
            answer = json.loads(ambassador.admin("POST", "/profile", wish)[1])
            assert (answer["cut"], answer["open"]) == (2, {"dev": 0, "qa": 0})
            for client in (old, other):
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
        with ambassador.dial() as new:
            assert new.recv(100) == b"qa\n"
        assert ambassador.metric("podweave_ambassador_connections_cut_total") == 2


def test_a_switch_may_give_time_to_what_it_leaves_behind(start: Start) -> None:
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        drain = {"on_switch": {"existing": "drain", "grace": 0.5}}
        ambassador = start(dev=[dev.config], qa=[qa.config], settings=drain)
        with ambassador.dial() as quick, ambassador.dial() as slow:
            assert quick.recv(100) == slow.recv(100) == b"dev\n"
            answer = json.loads(ambassador.switch("qa")[1])
            assert (answer["draining"], answer["grace_seconds"]) == (
                2,
                pytest.approx(0.5, abs=0.01),
            )
            quick.sendall(b"last\n")
            assert quick.recv(100) == b"dev last\n"
            quick.close()
            with ambassador.dial() as new:
                assert new.recv(100) == b"qa\n"
                with pytest.raises(ConnectionResetError):
                    slow.recv(1)
                new.sendall(b"x\n")
                assert new.recv(100) == b"qa x\n", "what is right already stays"
        assert ambassador.event("switch-drained")["connections_cut"] == 1


@pytest.mark.parametrize("existing", ["keep", "drain"])
def test_another_switch_does_not_prolong_a_grace_time(start: Start, existing: str) -> None:
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(upstream(named(name.encode())))
            for name in ("dev", "qa", "stage")
        }
        ambassador = start(**{name: [server.config] for name, server in servers.items()})
        first = stack.enter_context(ambassador.dial())
        assert first.recv(100) == b"dev\n"
        wish = {"profile": "qa", "existing": "drain", "grace": 0.5}
        ambassador.admin("POST", "/profile", json.dumps(wish).encode())
        second = stack.enter_context(ambassador.dial())
        assert second.recv(100) == b"qa\n"
        wish = {"profile": "stage", "existing": existing, "grace": 3600}
        answer = json.loads(ambassador.admin("POST", "/profile", json.dumps(wish).encode())[1])
        assert answer["draining"] == (1 if existing == "keep" else 2)
        with pytest.raises(ConnectionResetError):
            first.recv(1)
        second.sendall(b"x\n")
        assert second.recv(100) == b"qa x\n"


def test_a_connection_that_is_right_again_is_not_cut(start: Start) -> None:
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        drain = {"on_switch": {"existing": "drain", "grace": 0.3}}
        ambassador = start(dev=[dev.config], qa=[qa.config], settings=drain)
        with ambassador.dial() as first:
            assert first.recv(100) == b"dev\n"
            ambassador.switch("qa")
            with ambassador.dial() as second:
                assert second.recv(100) == b"qa\n"
                assert json.loads(ambassador.switch("dev")[1])["draining"] == 1
                with pytest.raises(ConnectionResetError):
                    second.recv(1)
            first.sendall(b"x\n")
            assert first.recv(100) == b"dev x\n"


@pytest.mark.parametrize(
    ("wish", "status", "message"),
    [
        (b'{"profile": "qa"', 400, "is not JSON"),
        (b'{"profile": "qa", "existing": "stop"}', 400, "must be one of keep, drain, cut"),
        (b'{"profile": "qa", "grace": -1}', 400, "grace: is -1; must be between"),
        (b'{"existing": "cut"}', 400, "lacks the key 'profile'"),
        (b'{"profile": "prod"}', 404, "there is no profile 'prod'"),
    ],
)
def test_a_wish_that_is_wrong_changes_nothing(
    start: Start, wish: bytes, status: int, message: str
) -> None:
    ambassador = start(dev=[["127.0.0.1", 1]], qa=[["127.0.0.1", 2]])
    found, text = ambassador.admin("POST", "/profile", wish)
    assert (found, message in text) == (status, True), text
    assert json.loads(ambassador.admin("GET", "/profile")[1])["profile"] == "dev"


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
