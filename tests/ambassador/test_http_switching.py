"""Requests while the profile is switched, or the configuration changes."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from tests.ambassador.conftest import Start
from tests.ambassador.http_peers import GET, Client, ok, requests, serving
from tests.ambassador.upstreams import silent, upstream
from tests.ports import free_port
from tests.waiting import wait_until


def test_a_switch_moves_the_next_request_and_not_the_one_under_way(start: Start) -> None:
    waiting = threading.Event()
    go_on = threading.Event()

    def dev(connection: socket.socket) -> None:
        for asked in requests(connection):
            if asked.target == b"/wait":
                waiting.set()
                assert go_on.wait(20)
            connection.sendall(ok(b"dev"))

    with upstream(dev) as one, upstream(serving(lambda asked: ok(b"qa"))) as two:
        ambassador = start(dev=[one.config], qa=[two.config], settings={"protocol": "http"})
        with ambassador.dial() as first, ambassador.dial() as second:
            busy, idle = Client(first), Client(second)
            assert idle.get().body == b"dev"
            busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            assert waiting.wait(20)
            assert ambassador.switch("qa")[0] == 200
            assert idle.get().body == b"qa"
            go_on.set()
            assert busy.read().body == b"dev"
            assert busy.get().body == b"qa"


def test_a_held_request_follows_a_switch(start: Start) -> None:
    nobody: list[object] = ["127.0.0.1", free_port(), 1]
    with upstream(serving(lambda asked: ok(b"qa"))) as server:
        ambassador = start(
            dev=[nobody], qa=[server.config], settings={"protocol": "http", "connect_timeout": 20}
        )
        with ambassador.dial() as sock:
            client = Client(sock)
            client.send(GET)
            wait_until(
                lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 10, "held"
            )
            ambassador.switch("qa")
            assert client.read().body == b"qa"


def test_a_switch_that_cuts_ends_what_is_under_way(start: Start) -> None:
    with upstream(silent) as one, upstream(serving(lambda asked: ok(b"qa"))) as two:
        settings = {"protocol": "http", "on_switch": {"existing": "cut"}}
        ambassador = start(dev=[one.config], qa=[two.config], settings=settings)
        with ambassador.dial() as first, ambassador.dial() as second:
            busy, idle = Client(first), Client(second)
            busy.send(GET)
            wait_until(lambda: one.connections, 10, "the request is under way")
            ambassador.switch("qa")
            with pytest.raises(ConnectionResetError):
                busy.sock.recv(100)
            assert idle.get().body == b"qa"


def test_a_changed_file_moves_the_next_request(start: Start) -> None:
    with upstream(serving(lambda asked: ok(asked.target))) as server:
        ambassador = start(dev=[server.config], settings={"protocol": "http"})
        with ambassador.dial() as sock:
            client = Client(sock)
            assert client.get("/a").body == b"/a"
            config = json.loads(ambassador.config_file.read_text())
            config["listen"] = [list(ambassador.address(0)), list(ambassador.address(1))]
            policy = {"routes": [{"path": "/a", "rewrite_path": "/b"}]}
            config["profiles"]["dev"]["http"] = policy
            new = ambassador.config_file.with_suffix(".new")
            new.write_text(json.dumps(config))
            new.replace(ambassador.config_file)
            wait_until(lambda: client.get("/a").body == b"/b", 20, "the new route is taken")


def test_no_request_fails_through_many_switches(start: Start) -> None:
    with (
        upstream(serving(lambda asked: ok(b"dev" + asked.body))) as one,
        upstream(serving(lambda asked: ok(b"qa" + asked.body))) as two,
    ):
        ambassador = start(dev=[one.config], qa=[two.config], settings={"protocol": "http"})
        over = threading.Event()
        wrong: list[Any] = []
        served = [0] * 8

        def run(index: int) -> None:
            with ambassador.dial() as sock:
                client = Client(sock)
                while not over.is_set():
                    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
                    body = b"x" * (index * 20_000)
                    got = client.ask(head % len(body) + body)
                    if got.status != 200 or got.body not in (b"dev" + body, b"qa" + body):
                        wrong.append((got.status, got.body[:100]))
                    served[index] += 1

        threads = [threading.Thread(target=run, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for number in range(30):
            before = sum(served)
            assert ambassador.switch(("qa", "dev")[number % 2])[0] == 200
            wait_until(lambda before=before: sum(served) > before + 4, 20, "requests go on")  # type: ignore[misc]
        over.set()
        for thread in threads:
            thread.join(30)
        assert wrong == []
        assert len(one.connections) > 1
        assert len(two.connections) > 1
