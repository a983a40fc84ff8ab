"""Servers and proxies of `bench/ambassador`: each a process with one thread that proxies.

All of them run where the application of a Pod would: as root in a network namespace of their own,
with the servers outside, beyond a veth pair; otherwise all on the loopback.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

SOURCES = Path(__file__).resolve().parent.parent / "src"
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
"""Built as distributions build it: a Python that somebody compiled without profile-guided
optimisation is a tenth slower, and says nothing beside optimised peers."""
READY_SECONDS = 20.0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Place:
    """Where the Pod's side runs, and the address at which it reaches the servers."""

    def __init__(self, enter: list[str], server: str) -> None:
        self.enter = enter
        self.server = server
        self.isolated = bool(enter)


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A Pod's network namespace as root, the loopback for others."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        yield Place([], "127.0.0.1")
        return
    name = f"podweave-bench-{os.getpid()}"
    outside, inside = f"bench{os.getpid() % 100000}o", f"bench{os.getpid() % 100000}i"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", name)
    try:
        ip("link", "add", outside, "type", "veth", "peer", inside, "netns", name)
        # Of this run alone: another one may be under way, or have been killed.
        network = f"10.{200 + os.getpid() // 250 % 50}.{os.getpid() % 250}"
        ip("addr", "add", f"{network}.1/30", "dev", outside)
        ip("link", "set", outside, "up")
        ip("-n", name, "addr", "add", f"{network}.2/30", "dev", inside)
        ip("-n", name, "link", "set", inside, "up")
        ip("-n", name, "link", "set", "lo", "up")
        # Else the connections of one peer, in TIME_WAIT, make the next one's slow to find a port.
        for key, value in (("tcp_tw_reuse", "1"), ("ip_local_port_range", "1024 65535")):
            ip("netns", "exec", name, "sysctl", "-qw", f"net.ipv4.{key}={value}")
        yield Place(["ip", "netns", "exec", name], f"{network}.1")
    finally:
        ip("netns", "del", name)


class Peer(Protocol):
    """A way from the Pod to a server. `port`: what the application dials."""

    name: str
    host: str
    port: int
    pid: int | None

    def stop(self) -> None: ...


class Direct:
    """No proxy at all."""

    name = "direct"
    pid: int | None = None

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def stop(self) -> None:
        pass


class Process:
    """A proxy's process; `pid` is the one that proxies, perhaps a worker of the one started."""

    def __init__(self, name: str, at: Place, command: list[str], port: int, folder: Path) -> None:
        self.name = name
        self.host = "127.0.0.1"
        self.port = port
        self._log = (folder / f"{name}-{port}.log").open("wb")
        self._process = subprocess.Popen(
            [*at.enter, *command], stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL
        )
        self._folder = folder
        if not reachable(at, self.host, port):
            self.stop()
            text = (folder / f"{name}-{port}.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{name} doesn't listen on {port}\n{text}")
        self.pid: int | None = worker(self._process.pid)

    def stop(self) -> None:
        # `ip netns exec` execs, so this is the proxy itself.
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def worker(pid: int) -> int:
    """nginx proxies in a child; the others in the process started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def reachable(at: Place, host: str, port: int) -> bool:
    """Wait until somebody listens there, seen from the Pod."""
    probe = (
        "import socket,sys,time\n"
        f"end = time.monotonic() + {READY_SECONDS}\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        f"        socket.create_connection(({host!r}, {port}), 1).close(); sys.exit(0)\n"
        "    except OSError:\n"
        "        time.sleep(0.05)\n"
        "sys.exit(1)\n"
    )
    return subprocess.run([*at.enter, sys.executable, "-c", probe], check=False).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def archive(folder: Path) -> Path:
    """The helpers as they are shipped."""
    path = folder / "podweave-helpers.pyz"
    if not path.exists():
        subprocess.run(
            [sys.executable, "-m", "podweave.engines.helpers_archive", str(path)],
            check=True,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stdout=subprocess.DEVNULL,
        )
    return path


# What proxies a server's port: (place, server's port, protocol, folder) -> the peer.
Start = Callable[[Place, int, str, Path], Peer]


def direct(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    return Direct(at.server, upstream)


def podweave(
    at: Place,
    upstream: int,
    protocol: str,
    folder: Path,
    datapath: str = "proxy",
    **profile: Any,
) -> Peer:
    port = free_port()
    config = folder / f"podweave-{port}.json"
    profile["upstreams"] = [[at.server, upstream, 1]]
    config.write_text(
        json.dumps(
            {
                "version": 1,
                "program": "ambassador",
                "name": "bench",
                "listen": [["127.0.0.1", port]],
                "admin": None,
                "protocol": protocol,
                "profile": "bench",
                "profiles": {"bench": profile},
                "datapath": datapath,
            }
        )
    )
    command = [PYTHON, "-I", "-S", str(archive(folder)), "ambassador", str(config)]
    name = "podweave" if datapath == "proxy" else f"podweave-{datapath}"
    return Process(name, at, command, port, folder)


def podweave_kernel(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    return podweave(at, upstream, "tcp", folder, datapath="kernel")


def haproxy(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    port = free_port()
    config = folder / f"haproxy-{port}.cfg"
    mode = "http" if protocol == "http" else "tcp"
    extra = (
        "option http-keep-alive\n    http-reuse always" if mode == "http" else "option splice-auto"
    )
    config.write_text(
        textwrap.dedent(f"""\
        global
            nbthread 1
            maxconn 4000
        defaults
            mode {mode}
            {extra}
            timeout connect 5s
            timeout client 1m
            timeout server 1m
        listen bench
            bind 127.0.0.1:{port}
            server upstream {at.server}:{upstream}
        """)
    )
    return Process("haproxy", at, ["haproxy", "-db", "-f", str(config)], port, folder)


def nginx(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    port = free_port()
    config = folder / f"nginx-{port}.conf"
    module = "/usr/lib/nginx/modules/ngx_stream_module.so"
    load = f"load_module {module};" if Path(module).exists() else ""
    if protocol == "http":
        block = f"""
        http {{
            access_log off;
            upstream up {{
                server {at.server}:{upstream};
                keepalive 64; keepalive_requests 1000000;
            }}
            server {{
                listen 127.0.0.1:{port};
                keepalive_requests 1000000;
                location / {{
                    proxy_pass http://up; proxy_http_version 1.1;
                    proxy_set_header Connection "";
                }}
            }}
        }}"""
        load = ""
    else:
        block = (
            f"stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {at.server}:{upstream}; }} }}"
        )
    config.write_text(
        f"{load}\ndaemon off;\nmaster_process on;\nworker_processes 1;\n"
        f"pid {folder}/nginx-{port}.pid;\nerror_log {folder}/nginx-{port}-error.log;\n"
        f"events {{ worker_connections 8192; }}\n{block}\n"
    )
    return Process("nginx", at, ["nginx", "-p", str(folder), "-c", str(config)], port, folder)


def has_nginx_stream() -> bool:
    return Path("/usr/lib/nginx/modules/ngx_stream_module.so").exists()


ENVOY = "type.googleapis.com/envoy.extensions.filters"


def envoy(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    port = free_port()
    config = folder / f"envoy-{port}.json"
    many = {"max_connections": 10000, "max_pending_requests": 10000, "max_requests": 10000}
    typed: dict[str, object] = {"stat_prefix": "bench"}
    if protocol == "http":
        manager = "network.http_connection_manager"
        router = {"@type": f"{ENVOY}.http.router.v3.Router"}
        route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
        hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
        typed["@type"] = f"{ENVOY}.{manager}.v3.HttpConnectionManager"
        typed["route_config"] = {"virtual_hosts": hosts}
        typed["http_filters"] = [{"name": "envoy.filters.http.router", "typed_config": router}]
        filter_ = {"name": f"envoy.filters.{manager}", "typed_config": typed}
    else:
        typed["@type"] = f"{ENVOY}.network.tcp_proxy.v3.TcpProxy"
        typed["cluster"] = "upstream"
        filter_ = {"name": "envoy.filters.network.tcp_proxy", "typed_config": typed}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [many]},
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": _envoy_address(at.server, upstream)}]}],
        },
    }
    listener = _envoy_address("127.0.0.1", port) | {"filter_chains": [{"filters": [filter_]}]}
    resources = {"listeners": [listener], "clusters": [cluster]}
    config.write_text(json.dumps({"static_resources": resources}))
    words = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return Process("envoy", at, ["envoy", "-c", str(config), *words], port, folder)


def _envoy_address(host: str, port: int) -> dict[str, object]:
    return {"address": {"socket_address": {"address": host, "port_value": port}}}


def pgbouncer(at: Place, upstream: int, protocol: str, folder: Path) -> Peer:
    port = free_port()
    config = folder / f"pgbouncer-{port}.ini"
    users = folder / "pgbouncer-users.txt"
    users.write_text('"postgres" ""\n')
    config.write_text(
        f"[databases]\n* = host={at.server} port={upstream}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\n"
        f"auth_file = {users}\npool_mode = session\nmax_client_conn = 2000\n"
        f"default_pool_size = 200\nunix_socket_dir =\nuser = nobody\n"
    )
    folder.chmod(0o755)
    return Process("pgbouncer", at, ["pgbouncer", "-q", str(config)], port, folder)


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Servers stop by SIGTERM, PostgreSQL quicker by SIGINT."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_port(host: str, port: int) -> None:
    """Wait until a server outside listens."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
