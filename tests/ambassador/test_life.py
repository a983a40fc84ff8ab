"""Start and end: bound before anything else, there until the application has gone, exit 0."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.ambassador.neighbours import TABLES, listening, others_listen
from tests.ambassador.configurations import configuration
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import echo, echoed, read_all, upstream
from tests.helpers.processes import command, run
from tests.waiting import wait_until


def config(**changes: Any) -> dict[str, Any]:
    profiles = {"dev": {"upstreams": [["127.0.0.1", 1, 1]]}}
    return configuration(profiles) | {"admin": None, "datapath": "proxy"} | changes


def test_an_idle_ambassador_ends_soon_after_sigterm(start: Start) -> None:
    ambassador = start(dev=[["127.0.0.1", 1, 1]])
    begun = time.monotonic()
    ambassador.terminate()
    assert ambassador.wait() == 0
    assert time.monotonic() - begun < 10
    assert ambassador.event("stopped")["connections_reset"] == 0


def test_it_stays_for_connections_and_takes_new_ones_while_it_drains(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert echoed(client, b"before")
            ambassador.terminate()
            ambassador.event("draining")
            assert echoed(client, b"during")
            # The application closes its pool, and then writes one last record.
        with ambassador.dial() as late:
            late.sendall(b"last record")
            late.shutdown(socket.SHUT_WR)
            assert read_all(late) == b"last record"
        assert ambassador.wait() == 0


def test_at_the_drains_deadline_what_is_open_is_reset(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config], settings={"drain": 0.3})
        with ambassador.dial() as client:
            assert echoed(client, b"x")
            ambassador.terminate()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert ambassador.wait() == 0
        assert ambassador.event("stopped")["connections_reset"] == 1


@pytest.mark.parametrize("path", ["/quitquitquit", "/quit"])
def test_only_a_post_ends_it(start: Start, path: str) -> None:
    ambassador = start(dev=[["127.0.0.1", 1, 1]])
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert ambassador.admin(method, path)[0] == 405
    assert ambassador.process.poll() is None
    assert ambassador.admin("POST", path) == (200, "stopping\n")
    assert ambassador.wait() == 0
    assert ambassador.event("draining")["connections"] == 0


def test_asked_twice_to_end_it_still_waits_for_its_connections(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert echoed(client, b"x")
            assert ambassador.admin("POST", "/quit")[0] == 200
            assert ambassador.admin("POST", "/quit")[0] == 200
            assert echoed(client, b"y")
        assert ambassador.wait() == 0
        assert ambassador.event("stopped")["connections_reset"] == 0


def test_a_web_page_can_not_end_it(start: Start) -> None:
    ambassador = start(dev=[["127.0.0.1", 1, 1]])
    host, _, port = ambassador.event("listening")["admin"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(
            b"POST /quit HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        assert read_all(sock).startswith(b"HTTP/1.1 403")
    assert ambassador.admin("GET", "/healthz")[0] == 200


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(start: Start, second: signal.Signals) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config], settings={"drain": 3600})
        with ambassador.dial() as client:
            assert echoed(client, b"x")
            ambassador.terminate()
            ambassador.event("draining")
            ambassador.process.send_signal(second)
            assert ambassador.wait() == 0


def test_health_does_not_depend_on_the_upstream(start: Start) -> None:
    ambassador = start(dev=[["no-such-name.invalid", 5432, 1]])
    assert ambassador.admin("GET", "/healthz") == (200, "ok\n")


def test_a_plain_container_stays_while_the_application_listens(start: Start) -> None:
    """It is told to stop together with the application, which may be quiet for long and then
    want to write a last record."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace of its own takes root to make")
    application = (
        "import socket, sys, time\n"
        "listener = socket.create_server(('127.0.0.1', 8080))\n"
        "sys.stdin.read()\n"
        "c = socket.create_connection(('127.0.0.1', 5432), timeout=20)\n"
        "print('accepted', flush=True)\n"
    )
    script = 'ip link set lo up; exec "$@"'
    prefix = ("unshare", "--net", "sh", "-c", script, "sh")
    settings = {
        "listen": [["127.0.0.1", 5432]],
        "datapath": "proxy",
        "stops_with_application": True,
        "connect_timeout": 1.0,
        "drain": 3600,
    }
    ambassador = start(dev=[["127.0.0.1", 1]], prefix=prefix, settings=settings)
    inside = ("nsenter", "--net", "--target", str(ambassador.process.pid))
    with subprocess.Popen(
        [*inside, sys.executable, "-c", application], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        listens = [*inside, "sh", "-c", "grep -q ':1F90 ' /proc/net/tcp"]
        wait_until(lambda: not subprocess.run(listens, check=False).returncode, 20, "it listens")
        ambassador.terminate()
        ambassador.event("draining")
        with pytest.raises(subprocess.TimeoutExpired):
            ambassador.wait(3.5)
        assert process.communicate()[0] == b"accepted\n"
    assert ambassador.wait() == 0


def test_who_listens_is_read_from_the_kernels_table(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_INET6) as six:
        six.bind(("::1", 0))
        six.listen()
        ports = {listener.getsockname()[1], six.getsockname()[1]}
        found = set()
        copies = []
        # Others go on to start and stop listening.
        for number, table in enumerate(TABLES):
            copy = tmp_path / str(number)
            copy.write_bytes(Path(table).read_bytes())
            copies.append(str(copy))
            found |= listening(copy.read_bytes())
        assert ports <= found
        assert not others_listen(found, copies)
        assert others_listen(found - ports, copies)
        assert others_listen([])
    garbage = tmp_path / "table"
    garbage.write_bytes(b"header\n 0: xx:zz 0:0 0A\n\n 1: 0:1 0:0 01 x\n 2:\n")
    assert not others_listen([], [str(garbage), str(tmp_path / "missing")])


def test_it_can_be_started_again_at_once_on_the_same_port(tmp_path: Path) -> None:
    with upstream(echo) as server:
        profiles = {"dev": {"upstreams": [server.config]}}
        with Ambassador(config(profiles=profiles), tmp_path) as first:
            address = first.address()
            with first.dial() as client:
                client.sendall(b"x")
                client.recv(1)
                first.process.kill()
                first.wait()
        again = config(profiles=profiles, listen=[list(address)])
        with Ambassador(again, tmp_path) as second, second.dial() as client:
            assert echoed(client, b"y")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = tmp_path / "db.json"
        file.write_text(json.dumps(config(listen=[list(taken.getsockname())])))
        result = run("ambassador", str(file))
    assert result.returncode == 1
    record = json.loads(result.stderr)
    assert record["event.action"] == "cannot-listen"
    assert record["address"] == f"127.0.0.1:{taken_port(record)}"
    assert record["reason"] == "Address already in use"


def taken_port(record: dict[str, Any]) -> int:
    return int(record["address"].rpartition(":")[2])


def test_a_machine_without_ipv6_is_no_failure(tmp_path: Path) -> None:
    """In a network namespace whose IPv6 is off, ::1 can't be bound."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace without IPv6 takes root to make")
    script = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; exec "$@"'
    prefix = ("unshare", "--net", "--mount", "sh", "-c", script, "sh")
    with Ambassador(
        config(listen=[["127.0.0.1", 0], ["::1", 0]]), tmp_path, prefix=prefix
    ) as ambassador:
        assert ambassador.event("no-ipv6")["address"] == "[::1]:0"
        assert len(ambassador.event("listening")["addresses"]) == 1


def test_a_read_only_root_and_an_unknown_user_are_enough(tmp_path: Path) -> None:
    """As in a Pod of the restricted profile: nothing can be written, nobody knows the user."""
    if os.geteuid() != 0:
        pytest.skip("a read-only root takes root to make")
    script = (
        "mount --make-rprivate / && for m in $(awk '{print $5}' /proc/self/mountinfo);"
        " do mount -o remount,bind,ro $m 2>/dev/null; done;"
        ' touch /tmp/podweave-writable 2>/dev/null && exit 9; exec "$@"'
    )
    prefix = ("unshare", "--mount", "sh", "-c", script, "sh")
    with upstream(echo) as server:
        profiles = {"dev": {"upstreams": [server.config]}}
        with (
            (
                Ambassador(config(profiles=profiles), tmp_path, prefix=prefix, environment={})
            ) as ambassador,
            ambassador.dial() as client,
        ):
            assert echoed(client, b"x")


def test_it_listens_on_any_address_of_its_configuration(start: Start) -> None:
    """The weaver keeps to loopback; `--publish` serves a port of the machine by this program."""
    with upstream(echo) as server:
        ambassador = start(dev=[server.config], settings={"listen": [["0.0.0.0", 0], ["::", 0]]})
        assert ambassador.address(0)[0] == "0.0.0.0"
        with socket.create_connection(
            ("127.0.0.2", ambassador.address(0)[1]), timeout=20
        ) as client:
            assert echoed(client, b"x")


def test_a_stalled_reader_of_its_log_does_not_stop_it(tmp_path: Path) -> None:
    with upstream(echo) as server, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        file = tmp_path / "db.json"
        profiles = {name: {"upstreams": [server.config]} for name in ("dev", "qa")}
        file.write_text(
            json.dumps(config(listen=[["127.0.0.1", port]], profiles=profiles,
                              admin=["127.0.0.1", 0]))
        )  # fmt: skip
        reader, writer = os.pipe()
        process = subprocess.Popen(command("ambassador", str(file)), stderr=writer)
        os.close(writer)
        try:
            line = b""
            while not line.endswith(b"\n"):
                line += os.read(reader, 1)
            admin = json.loads(line)["admin"].rpartition(":")
            for number in range(300):
                body = ["qa", "dev"][number % 2].encode()
                with socket.create_connection((admin[0], int(admin[2])), timeout=20) as sock:
                    sock.sendall(
                        b"POST /profile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                    )
                    assert read_all(sock).startswith(b"HTTP/1.1 200")
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                assert echoed(client, b"x")
        finally:
            process.kill()
            process.wait()
            os.close(reader)


def test_after_kill_nothing_of_it_is_left(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            client.sendall(b"x")
            client.recv(1)
            ambassador.process.kill()
            ambassador.wait()
            wait_until(lambda: not server.connections[0].recv(1), 20, "the upstream sees the end")
