"""The metrics beyond loopback: a scrape and nothing else, apart from the admin endpoint."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers import metrics_endpoint
from podweave.helpers.admin import CONNECTION_LIMIT, Admin
from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.loop import Loop
from podweave.helpers.metrics_endpoint import MetricsEndpoint
from tests.helpers.driving import running
from tests.helpers.processes import HelperProcess
from tests.helpers.programs import Config, healthy, programs
from tests.ports import free_port
from tests.waiting import wait_until


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def ask(port: int, method: str, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_scrape_over_both_families_and_nothing_else(loop: Loop) -> None:
    port = free_port()
    endpoint = MetricsEndpoint(loop, [("0.0.0.0", port), ("::", port)], lambda: b"m 1\n")
    assert endpoint.addresses == [f"0.0.0.0:{port}", f"[::]:{port}"]
    assert endpoint.ports == [port, port]
    with running(loop):
        for host in ("127.0.0.1", "::1"):
            assert ask(port, "GET", "/metrics", host) == (200, b"m 1\n")
            assert ask(port, "GET", "/healthz", host) == (200, b"ok\n")
            assert ask(port, "POST", "/metrics", host)[0] == 405
            assert ask(port, "POST", "/quitquitquit", host)[0] == 404
    endpoint.close()


def test_a_machine_without_ipv6(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def admin(loop: Loop, address: tuple[str, int], handlers: Any) -> Any:
        if ":" in address[0]:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return Admin(loop, address, handlers)

    monkeypatch.setattr("podweave.helpers.metrics_endpoint.Admin", admin)
    endpoint = MetricsEndpoint(loop, [("127.0.0.1", 0), ("::", 0)], lambda: b"")
    assert len(endpoint.addresses) == 1
    endpoint.close()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "metrics: must be an array, not an object"),
        ([["pod", 9102]], r"metrics\[0\]\[0\]: is 'pod'; must be an IP address"),
        ([["0.0.0.0", 70000]], r"metrics\[0\]\[1\]: is 70000"),
    ],
)
def test_wrong_addresses(value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        metrics_endpoint.configure(Section({"metrics": value}))


@programs
def test_every_helper_has_it(tmp_path: Path, config: Config) -> None:
    port = free_port()
    metrics = [["0.0.0.0", port], ["::", port]]
    with HelperProcess({**config(tmp_path), "metrics": metrics}, tmp_path) as helper:
        healthy(helper)
        assert ask(port, "GET", "/metrics")[1].startswith(b"# HELP podweave_")
        # Whoever takes up all of its connections keeps nobody out of the admin endpoint.
        flood = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTION_LIMIT)]
        assert helper.admin("GET", "/healthz") == (200, "ok\n")
        assert ask(port, "GET", "/healthz") == (200, b"ok\n")
        for sock in flood:
            sock.close()
        helper.terminate()
        assert helper.wait() == 0


@programs
def test_a_port_that_is_taken_is_said(tmp_path: Path, config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        metrics = [["127.0.0.1", port]]
        with HelperProcess({**config(tmp_path), "metrics": metrics}, tmp_path) as helper:
            assert helper.wait() == 1
            wait_until(lambda: helper.stderr, 20, "it says why")
            assert f"127.0.0.1:{port}" in helper.stderr[-1]
            assert "Address already in use" in helper.stderr[-1]
