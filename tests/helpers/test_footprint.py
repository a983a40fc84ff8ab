"""Memory is imports: which modules each helper loads, and how much memory it takes.

A change of `loaded_modules/PROGRAM.txt` is a decision. To accept it:

    PODWEAVE_ACCEPT_MODULES=1 pytest tests/helpers/test_footprint.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.ambassador.http_peers import ok, serving
from tests.ambassador.upstreams import echo, upstream
from tests.helpers.processes import HelperProcess, archive
from tests.helpers.programs import Config, ambassador, healthy, programs

LISTS = Path(__file__).parent / "loaded_modules"
PYTHON_OF_LISTS = (3, 11)
IDLE_KIB = {"ambassador": 16 * 1024, "adapter": 20 * 1024, "sidecar": 20 * 1024}

# What the design forbids, whatever a version of Python imports by itself.
FORBIDDEN = {"asyncio", "dataclasses", "typing", "http", "logging", "email", "urllib", "inspect",
             "subprocess", "argparse", "pathlib", "threading", "ssl", "random"}  # fmt: skip


def frozen_modules() -> set[str]:
    """What this Python has loaded before the first line of a program runs."""
    code = "import sys; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def loaded_modules(helper: HelperProcess) -> list[str]:
    names = {
        line.rpartition("|")[2].strip()
        for line in helper.stderr
        if line.startswith("import time:") and "imported package" not in line
    }
    return sorted(names - frozen_modules())


@programs
def test_loaded_modules_are_those_on_the_list(tmp_path: Path, config: Config) -> None:
    with HelperProcess(config(tmp_path), tmp_path, options=("-X", "importtime")) as helper:
        healthy(helper)
        helper.terminate()
        assert helper.wait() == 0
    loaded = loaded_modules(helper)
    committed = LISTS / f"{config.__name__}.txt"
    if os.environ.get("PODWEAVE_ACCEPT_MODULES"):
        committed.write_text("".join(f"{name}\n" for name in loaded))
    expected = committed.read_text().split()
    if sys.version_info[:2] != PYTHON_OF_LISTS:
        # The standard library's own imports change from version to version.
        loaded = [name for name in loaded if name.startswith("podweave")]
        expected = [name for name in expected if name.startswith("podweave")]
    assert loaded == expected
    assert not FORBIDDEN & set(loaded)


@programs
def test_idle_memory(tmp_path: Path, config: Config) -> None:
    with HelperProcess(config(tmp_path), tmp_path) as helper:
        healthy(helper)
        assert helper.rss_kib() <= IDLE_KIB[config.__name__]


def test_the_ambassadors_memory_after_load(tmp_path: Path) -> None:
    with upstream(echo) as server:
        settings = {**ambassador(tmp_path), "profiles": {"dev": {"upstreams": [server.config]}}}
        with HelperProcess(settings, tmp_path) as helper:
            host, _, port = helper.event("listening")["addresses"][0].rpartition(":")
            for _ in range(300):
                with socket.create_connection((host, int(port)), timeout=20) as client:
                    client.sendall(b"x" * 10_000)
                    assert client.recv(1)
            healthy(helper)
            assert helper.rss_kib() <= IDLE_KIB["ambassador"]


def test_the_archive_is_small() -> None:
    assert os.stat(archive()).st_size < 7 << 20


def test_http_costs_no_module_that_the_design_forbids(tmp_path: Path) -> None:
    with upstream(serving(lambda asked: ok())) as server:
        profile = {"upstreams": [server.config], "http": {"routes": [{"path": "/a"}]}}
        settings = {**ambassador(tmp_path), "protocol": "http", "profiles": {"dev": profile}}
        with HelperProcess(settings, tmp_path, options=("-X", "importtime")) as helper:
            host, _, port = helper.event("listening")["addresses"][0].rpartition(":")
            with socket.create_connection((host, int(port)), timeout=20) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
            healthy(helper)
            assert helper.rss_kib() <= IDLE_KIB["ambassador"]
            helper.terminate()
            assert helper.wait() == 0
        loaded = set(loaded_modules(helper))
        assert "podweave.helpers.ambassador.http.incoming" in loaded
        assert not FORBIDDEN & loaded
