"""What users of other localhost proxies complain of, one test for each."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.weave import weave
from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.dnsmasq import TTL, dns_of
from tests.ambassador.pod_network import PodNetwork, pod_network
from tests.ambassador.postgres_clients import profile, psql, start_with
from tests.ambassador.postgres_server import CHANGED, PASSWORD, PostgresServer
from tests.ambassador.secrets import Secret
from tests.ambassador.upstreams import echo, echoed, named, upstream
from tests.helpers.processes import run
from tests.ports import free_port
from tests.waiting import wait_until


def woven_probe() -> dict[str, Any]:
    """The startupProbe of a woven ambassador."""
    manifest = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\n"
        "spec: {containers: [{name: a, image: a}]}\n"
    )
    pattern = (
        "apiVersion: podweave.dev/v1alpha1\nkind: Ambassador\nmetadata: {name: db}\n"
        'spec: {listen: "localhost:5432", profiles: {dev: {upstreams: [{address: "db:5432"}]}}}\n'
    )
    sources = [read("pod.yaml", manifest.encode()), read("patterns.yaml", pattern.encode())]
    ((_, objects),) = weave(bundle(sources)).objects
    (container,) = objects[0]["spec"]["initContainers"]
    probe: dict[str, Any] = container["startupProbe"]
    return probe


def test_pain_01_the_application_dials_before_the_proxy_is_ready(start: Start) -> None:
    """Bound before anything else, a client is held until its upstream is there, `wait` says when
    to go on, and the woven manifest asks it before the application is started."""
    port = free_port()
    settings = {"admin": ["127.0.0.1", free_port()]}
    ambassador = start(dev=[["127.0.0.1", port]], settings=settings)
    with ambassador.dial() as client:
        client.sendall(b"early")
        held = "podweave_ambassador_clients_held"
        wait_until(lambda: ambassador.metric(held) == 1, 20, "the client is held")
        assert run("wait", str(ambassador.config_file)).returncode == 0
        with upstream(echo, port=port):
            assert client.recv(100) == b"early"
    assert woven_probe()["exec"]["command"][-2:] == ["wait", "/etc/podweave/db.json"]


def test_pain_02_the_proxy_is_gone_before_the_application_has_finished(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert echoed(client, b"x")
            ambassador.terminate()
            ambassador.event("draining")
        opened = "podweave_ambassador_connections_open"
        wait_until(lambda: ambassador.metric(opened, profile="dev") == 0, 20, "nobody is there")
        for _ in range(3):
            with ambassador.dial() as late:
                assert echoed(late, b"last record")
        assert ambassador.wait() == 0


def test_pain_03_jobs_hang_or_fail_because_of_the_proxy(start: Start) -> None:
    """It ends with 0, soon, when it is told to; and the application's last step can tell it, by
    a POST, which no careless GET of a page or a probe is."""
    by_signal, by_request = start(dev=[["127.0.0.1", 1]]), start(dev=[["127.0.0.1", 1]])
    by_signal.terminate()
    assert by_signal.wait(20) == 0
    assert by_request.admin("GET", "/quitquitquit")[0] == 405
    assert by_request.process.poll() is None
    assert by_request.admin("POST", "/quitquitquit")[0] == 200
    assert by_request.wait(20) == 0


def test_pain_04_readiness_tied_to_the_database_takes_the_application_down(start: Start) -> None:
    port = free_port()
    with upstream(echo, port=port) as server:
        settings = {"admin": ["127.0.0.1", free_port()]}
        ambassador = start(dev=[server.config], settings=settings)
        with ambassador.dial() as client:
            assert echoed(client, b"x")
        place = {"profile": "dev", "upstream": f"127.0.0.1:{port}"}
        assert ambassador.metric("podweave_ambassador_upstream_up", **place) == 1
    with ambassador.dial():
        up = "podweave_ambassador_upstream_up"
        wait_until(lambda: ambassador.metric(up, **place) == 0, 20, "the metric shows it")
        assert ambassador.admin("GET", "/healthz") == (200, "ok\n")
        assert run("wait", str(ambassador.config_file)).returncode == 0


def greeting(network: PodNetwork, ambassador: Ambassador) -> str:
    with network.connect(ambassador.address()) as client:
        return client.recv(100).decode().strip()


def in_pod(start: Start, network: PodNetwork, **profiles: list[list[object]]) -> Ambassador:
    settings = {"admin": [network.address, free_port()], "datapath": "proxy"}
    return start(settings=settings | {"connect_timeout": 30.0}, prefix=network.prefix, **profiles)


def test_pain_05_an_address_that_was_resolved_once(start: Start, tmp_path: Path) -> None:
    """A changed answer is followed when its time to live is over, and open connections stay."""
    with pod_network() as network, dns_of(network, tmp_path) as dns:
        old, new = network.servers
        with upstream(named(b"old"), old) as server, upstream(named(b"new"), new, server.port):
            dns.answer(db=old)
            ambassador = in_pod(start, network, dev=[["db.example", server.port]])
            with network.connect(ambassador.address()) as before:
                assert before.recv(100) == b"old\n"
                dns.answer(db=new)
                wait_until(lambda: greeting(network, ambassador) == "new", 20, "it is followed")
                before.sendall(b"x\n")
                assert before.recv(100) == b"old x\n"


@pytest.mark.parametrize("failure", ["stall", "stop"])
def test_pain_05_a_lookup_that_stalls_or_fails(start: Start, tmp_path: Path, failure: str) -> None:
    """The old answer is served while there is no new one, and nobody waits for another's name."""
    with pod_network() as network, dns_of(network, tmp_path) as dns:
        address = network.servers[1]
        with upstream(named(b"up"), address) as server:
            dns.answer(db=address)
            ambassador = in_pod(
                start,
                network,
                dev=[["db.example", server.port]],
                unknown=[["other.example", server.port]],
                direct=[[address, server.port]],
            )
            assert greeting(network, ambassador) == "up"
            getattr(dns, failure)()
            begun = time.monotonic()
            while time.monotonic() < begun + 2 * TTL:
                assert greeting(network, ambassador) == "up"
            ambassador.switch("unknown")
            with network.connect(ambassador.address()):
                held = "podweave_ambassador_clients_held"
                wait_until(lambda: ambassador.metric(held) == 1, 20, "it waits for its name")
                ambassador.switch("dev")
                assert greeting(network, ambassador) == "up"
                ambassador.switch("direct")
                assert greeting(network, ambassador) == "up"
            if failure == "stall":
                dns.go_on()


def test_pain_06_a_name_that_does_not_resolve_yet(start: Start, tmp_path: Path) -> None:
    """It starts, is healthy, and holds the client until the name is there."""
    with pod_network() as network, dns_of(network, tmp_path) as dns:
        address = network.servers[1]
        with upstream(named(b"up"), address) as server:
            ambassador = in_pod(start, network, dev=[["db.example", server.port]])
            assert ambassador.admin("GET", "/healthz")[0] == 200
            with network.connect(ambassador.address()) as client:
                assert ambassador.event("upstream-failing")["reason"].startswith("EAI_")
                dns.answer(db=address)
                assert client.recv(100) == b"up\n"


def test_pain_07_rotated_credentials(
    start: Start, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Read at each dial; and where the rotation comes in between, read again and tried again."""
    secret = Secret(tmp_path / "secret", "rotated", PASSWORD)
    dials: list[int] = []

    def rotate_while_logging_in(connection: socket.socket) -> None:
        first = connection.recv(65536)
        dials.append(1)
        if len(dials) == 2:
            postgres_server.administer(f"ALTER ROLE rotated PASSWORD '{CHANGED}'")
            secret.write("rotated", CHANGED)
        with socket.create_connection(("127.0.0.1", postgres_server.port)) as server:
            server.sendall(first)
            back = threading.Thread(target=copy, args=(server, connection))
            back.start()
            copy(connection, server)
            back.join(20)

    try:
        with upstream(rotate_while_logging_in) as front:
            settings = profile(front.config, credentials=secret.config)
            ambassador = start_with(start, dev=settings)
            assert psql(ambassador, "SELECT current_user") == "rotated"
            assert psql(ambassador, "SELECT current_user") == "rotated"
            # The second one logged in twice: with the old password, and at once with the new.
            assert len(dials) == 3
            secret.write("rotated", "wrong")
            assert "password authentication failed" in psql(ambassador, "SELECT 1", fails=True)
            assert len(dials) == 4
    finally:
        postgres_server.administer(f"ALTER ROLE rotated PASSWORD '{PASSWORD}'")


def copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


def test_pain_08_plaintext_application_and_a_server_that_insists_on_tls(
    start: Start, postgres_server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    direct = profile(postgres_server)
    tls = {"mode": "verify-full", "ca": str(authority.file)}
    ambassador = start_with(start, plain=direct, secured=profile(postgres_server, tls=tls))
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    def ask(fails: bool = False) -> str:
        plain = {"PGPASSWORD": PASSWORD, "PGSSLMODE": "disable"}
        return psql(ambassador, query, user="tls_user", fails=fails, **plain)

    # The server turns a client without TLS away; the ambassador does the upgrade for it.
    assert "rejects connection" in ask(fails=True)
    ambassador.switch("secured")
    assert ask() == "t"


@pytest.mark.parametrize("password", ["", "not the one that counts"])
def test_pain_09_modern_authentication_that_the_application_does_not_know(
    start: Start, postgres_server: PostgresServer, tmp_path: Path, password: str
) -> None:
    """Two legs: to the application the proxy is a server that asks nothing, to the server it
    proves by SCRAM that it knows the password, and has the server prove the same."""
    secret = Secret(tmp_path / "secret", "scram_user", PASSWORD)
    settings = profile(postgres_server, tls={"mode": "require"}, credentials=secret.config)
    ambassador = start_with(start, dev=settings)
    assert psql(ambassador, "SELECT current_user", PGPASSWORD=password) == "scram_user"


def test_pain_10_idle_connections_are_cut(start: Start) -> None:
    """No idle timeout; TCP keepalive on both legs, so that nobody in between forgets them; and
    an end of one direction is not the end of the other."""
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert echoed(client, b"x")
            listed = subprocess.run(
                ["ss", "-tnop", "state", "established"], capture_output=True, text=True, check=True
            )
            legs = [
                line for line in listed.stdout.splitlines()
                if f"pid={ambassador.process.pid}," in line
            ]  # fmt: skip
            assert len(legs) == 2
            assert all("timer:(keepalive," in leg for leg in legs), legs
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""


def test_pain_11_a_proxy_that_sniffs_waits_for_a_client_that_waits_for_the_server(
    start: Start,
) -> None:
    """The protocol is declared: what the server says first is there before the client speaks."""
    with upstream(named(b"220 mail.example ESMTP")) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert client.recv(100) == b"220 mail.example ESMTP\n"


def test_pain_12_a_changed_configmap_is_ignored_or_a_read_only_root_breaks_it(
    start: Start, tmp_path: Path
) -> None:
    """The swap of a ConfigMap's symlink is followed, and nothing is written anywhere."""
    if os.geteuid() != 0:
        pytest.skip("a read-only root takes root to make")
    script = (
        "mount --make-rprivate / && for m in $(awk '{print $5}' /proc/self/mountinfo);"
        " do mount -o remount,bind,ro $m 2>/dev/null; done;"
        ' touch /tmp/podweave-writable 2>/dev/null && exit 9; exec "$@"'
    )
    prefix = ("unshare", "--mount", "sh", "-c", script, "sh")
    with upstream(named(b"old")) as old, upstream(named(b"new")) as new:
        ambassador = start(dev=[old.config], prefix=prefix, environment={})
        swap(ambassador.config_file, ambassador.config_file.read_text())

        def greet() -> bytes:
            with ambassador.dial() as client:
                return client.recv(100)

        assert greet() == b"old\n"
        config = json.loads(ambassador.config_file.read_text())
        config["profiles"]["dev"]["upstreams"] = [new.config]
        swap(ambassador.config_file, json.dumps(config))
        wait_until(lambda: greet() == b"new\n", 20, "the change is followed")
        swap(ambassador.config_file, '{"profiles": ')
        ambassador.event("configuration-refused")
        assert greet() == b"new\n"


def swap(file: Path, text: str) -> None:
    """As the kubelet updates a ConfigMap's volume: a new folder, and `..data` leads there."""
    version = file.parent / f"..{len(list(file.parent.iterdir()))}"
    version.mkdir()
    (version / file.name).write_text(text)
    link = file.parent / "..data_tmp"
    link.symlink_to(version.name)
    link.replace(file.parent / "..data")
    if not file.is_symlink():
        file.unlink()
        file.symlink_to(f"..data/{file.name}")
