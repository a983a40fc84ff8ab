"""Servers and loads of `bench/ambassador`: what runs behind a proxy, and what is asked of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ambassador_peers import (
    Peer,
    Place,
    cpu_seconds,
    free_port,
    resident_mib,
    stop_process,
    wait_port,
)

BULK_BYTES = 1 << 30
REDIS_REQUESTS = 50_000
NEW_CONNECTIONS = 5_000
SECONDS = 2
HELD = 1000
PINGS = 10_000
HERE = Path(__file__).resolve()


class Result:
    """What a load gave through a peer. `value`: more is better, unless the work says otherwise."""

    def __init__(self, value: float, cpu_us: float | None = None) -> None:
        self.value = value
        self.cpu_us = cpu_us


@contextlib.contextmanager
def redis(at: Place, folder: Path) -> Iterator[int]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", at.server, "--save", "", "--dir"]
    with _server([*command, str(folder), "--protected-mode", "no"], at, port):
        yield port


@contextlib.contextmanager
def web(at: Place, folder: Path) -> Iterator[int]:
    """nginx with a response of a few bytes."""
    port = free_port()
    config = folder / "web.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/web.pid;\n"
        f"error_log {folder}/web-error.log;\nevents {{ worker_connections 8192; }}\n"
        "http { access_log off; keepalive_requests 10000000; server { "
        f"listen {at.server}:{port} backlog=4096; "
        'location / { return 200 "hello\\n"; } } }\n'
    )
    with _server(["nginx", "-p", str(folder), "-c", str(config)], at, port):
        yield port


@contextlib.contextmanager
def postgres(at: Place, folder: Path) -> Iterator[int]:
    """A PostgreSQL that trusts everybody, with pgbench's tables; as root under another id."""
    binaries = postgres_binaries()
    assert binaries is not None
    data = Path(tempfile.mkdtemp(prefix="podweave-bench-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        os.chown(data, 65534, 65534)
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    port = free_port()
    try:
        initdb = [f"{binaries}/initdb", "-D", f"{data}/db", "-U", "postgres", "-A", "trust", "-N"]
        subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=data)
        with (data / "db/pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 trust\n")
        command = [f"{binaries}/postgres", "-D", f"{data}/db", "-h", at.server, "-p", str(port)]
        command += ["-k", "", "-c", "fsync=off", "-c", "max_connections=200"]
        with _server([*as_user, *command], at, port):
            _pgbench(at.server, port, [], "-i", "-q", "-s", "1")
            yield port
    finally:
        shutil.rmtree(data)


@contextlib.contextmanager
def echo(at: Place, folder: Path) -> Iterator[int]:
    """Answers `ping`, gives and takes bulk data: this file's own server."""
    port = free_port()
    with _server([sys.executable, str(HERE), "server", at.server, str(port)], at, port):
        yield port


@contextlib.contextmanager
def tls_echo(at: Place, folder: Path) -> Iterator[int]:
    """Answers `ping` over TLS, with a certificate that nobody has signed."""
    port = free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    command = [sys.executable, str(HERE), "tls-server", at.server, str(port)]
    with _server([*command, str(certificate), str(key)], at, port):
        yield port


@contextlib.contextmanager
def _server(command: list[str], at: Place, port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_port(at.server, port)
        yield
    finally:
        stop_process(process)


def postgres_binaries() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(found[-1].parent) if found else None


def redis_get(at: Place, peer: Peer) -> Result:
    """GETs a second, 50 connections."""
    return _redis(at, peer, REDIS_REQUESTS, "-t", "get", "-c", "50")


def new_connections(at: Place, peer: Peer) -> Result:
    """Connections a second, each for one PING."""
    return _redis(at, peer, NEW_CONNECTIONS, "-t", "ping_inline", "-c", "50", "-k", "0")


def _redis(at: Place, peer: Peer, requests: int, *words: str) -> Result:
    command = ["redis-benchmark", "-h", peer.host, "-p", str(peer.port), "-n", str(requests)]
    text, cpu = _run(at, peer, [*command, "--csv", *words])
    rate = next(
        line.split(",")[1] for line in text.splitlines() if line.startswith(('"GET', '"PING'))
    )
    return Result(float(rate.strip('"')), cpu * 1e6 / requests)


def pgbench_select(at: Place, peer: Peer) -> Result:
    """`pgbench -S` transactions a second, 16 connections."""
    text, cpu = _pgbench_measured(at, peer, "-S", "-c", "16", "-j", "1", "-T", str(SECONDS), "-n")
    match = re.search(r"tps = ([\d.]+)", text)
    assert match is not None, text
    rate = float(match[1])
    return Result(rate, cpu * 1e6 / (rate * SECONDS))


def _pgbench(host: str, port: int, enter: list[str], *words: str) -> str:
    command = [*enter, "pgbench", "-h", host, "-p", str(port), "-U", "postgres", *words, "postgres"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def _pgbench_measured(at: Place, peer: Peer, *words: str) -> tuple[str, float]:
    command = [
        "pgbench",
        "-h",
        peer.host,
        "-p",
        str(peer.port),
        "-U",
        "postgres",
        *words,
        "postgres",
    ]
    return _run(at, peer, command)


def http_small(at: Place, peer: Peer) -> Result:
    """Requests a second over 50 connections that stay open, answers of a few bytes."""
    url = f"http://{peer.host}:{peer.port}/"
    text, cpu = _run(at, peer, ["wrk", "-t1", "-c50", f"-d{SECONDS}s", url])
    match = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert match is not None, text
    assert "Non-2xx" not in text, text
    rate = float(match[1])
    return Result(rate, cpu * 1e6 / (rate * SECONDS))


def _own(at: Place, peer: Peer, *words: str) -> dict[str, float]:
    """This file as a client in the Pod."""
    text, _ = _run(at, peer, [sys.executable, str(HERE), *words, peer.host, str(peer.port)])
    answer: dict[str, float] = json.loads(text)
    return answer


def latency(at: Place, peer: Peer) -> dict[str, float]:
    """A ping's round trip on one connection: p50 and p99 in µs."""
    return _own(at, peer, "ping", str(PINGS))


def bulk_down(at: Place, peer: Peer) -> Result:
    """GB/s from the server."""
    answer = _own(at, peer, "down", str(BULK_BYTES))
    return Result(BULK_BYTES / 1e9 / answer["seconds"])


def bulk_up(at: Place, peer: Peer) -> Result:
    """GB/s to the server, until it has said that it has all."""
    answer = _own(at, peer, "up", str(BULK_BYTES))
    return Result(BULK_BYTES / 1e9 / answer["seconds"])


def held_connections(at: Place, peer: Peer) -> float:
    """The proxy's RSS in MiB with 1,000 connections on which a ping was answered."""
    assert peer.pid is not None
    command = [*at.enter, sys.executable, str(HERE), "hold", str(HELD), peer.host, str(peer.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        answer = holder.stdout.readline()
        if answer.strip() != b"held":
            raise RuntimeError(f"{peer.name}: {HELD} connections could not be held")
        memory = resident_mib(peer.pid)
        holder.stdin.close()
    return memory


def _run(at: Place, peer: Peer, command: list[str]) -> tuple[str, float]:
    """Output of a load in the Pod, and the CPU seconds that the proxy took for it."""
    before = cpu_seconds(peer.pid) if peer.pid is not None else 0.0
    done = subprocess.run(
        [*at.enter, *command], check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise RuntimeError(f"{peer.name}: {' '.join(command)}: {done.stderr[-500:]}")
    after = cpu_seconds(peer.pid) if peer.pid is not None else 0.0
    return done.stdout, after - before


# --- The same file as a process of its own: the server beyond the proxy, and the client. ---

CHUNK = 256 * 1024


def serve(host: str, port: int) -> None:
    """A line says what is wanted: `p` pings go back, `d N` gives N bytes, `u N` takes them."""
    import selectors
    import socket
    import threading

    def bulk(connection: socket.socket, words: list[bytes]) -> None:
        connection.setblocking(True)
        left = int(words[1])
        with connection:
            if words[0] == b"d":
                data = memoryview(bytes(CHUNK))
                while left:
                    left -= connection.send(data[: min(left, CHUNK)])
            else:
                buffer = bytearray(CHUNK)
                while left:
                    count = connection.recv_into(buffer)
                    if not count:
                        return
                    left -= count
                connection.sendall(b"k")

    selector = selectors.DefaultSelector()
    with socket.create_server((host, port), backlog=4096) as listener:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                    continue
                connection = key.fileobj  # type: ignore[assignment]
                data = connection.recv(64)
                if data.startswith(b"p"):
                    connection.sendall(data)
                elif data:
                    selector.unregister(connection)
                    threading.Thread(
                        target=bulk, args=(connection, data.split()), daemon=True
                    ).start()
                else:
                    selector.unregister(connection)
                    connection.close()


def serve_tls(host: str, port: int, certificate: str, key: str) -> None:
    """Pings go back, each connection's in a thread of its own."""
    import socket
    import ssl
    import threading

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(64):
                tls.sendall(data)

    with socket.create_server((host, port), backlog=4096) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


def client(words: list[str]) -> None:
    import socket
    import time

    kind, amount, host, port = words[0], int(words[1]), words[2], int(words[3])

    def connect() -> socket.socket:
        sock = socket.create_connection((host, port), 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    if kind == "hold":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        held = []
        for _ in range(amount):
            sock = connect()
            sock.sendall(b"p")
            assert sock.recv(1) == b"p"
            held.append(sock)
        print("held", flush=True)
        sys.stdin.read()
        return
    with connect() as sock:
        if kind == "ping":
            times = []
            for _ in range(amount):
                asked = time.perf_counter_ns()
                sock.sendall(b"p" * 32)
                sock.recv(64)
                times.append((time.perf_counter_ns() - asked) / 1000)
            times = sorted(times[amount // 10 :])
            print(json.dumps({"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}))
            return
        began = time.perf_counter()
        if kind == "down":
            sock.sendall(b"d %d" % amount)
            buffer = bytearray(CHUNK)
            while amount:
                count = sock.recv_into(buffer)
                assert count, "the transfer was cut"
                amount -= count
        else:
            sock.sendall(b"u %d" % amount)
            # So that the server reads the order by itself.
            time.sleep(0.05)
            began = time.perf_counter()
            data = memoryview(bytes(CHUNK))
            while amount:
                amount -= sock.send(data[: min(amount, CHUNK)])
            assert sock.recv(1) == b"k", "the transfer was cut"
        print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "tls-server":
        serve_tls(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
    else:
        client(sys.argv[1:])
