"""The least that each helper can be started with, and whether it then runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.configurations import configuration
from tests.helpers.processes import HelperProcess, run
from tests.ports import free_port

Config = Callable[[Path], dict[str, Any]]


def ambassador(directory: Path) -> dict[str, Any]:
    return configuration(
        {"dev": {"upstreams": [["127.0.0.1", 1, 1]]}},
        listen=[["127.0.0.1", 0], ["::1", 0]],
        admin=["127.0.0.1", free_port()],
    )


def adapter(directory: Path) -> dict[str, Any]:
    log = {
        "from": [str(directory / "*.log")],
        "format": "auto",
        "schema": "ecs",
        "to": [{"stdout": True}],
    }
    return {
        "version": 1,
        "program": "adapter",
        "name": "orders-logs",
        "admin": ["127.0.0.1", free_port()],
        "state": str(directory / "state"),
        "logs": [log],
    }


def sidecar(directory: Path) -> dict[str, Any]:
    store = {"files": {"directory": str(directory / "store")}}
    return {
        "version": 1,
        "program": "sidecar",
        "name": "orders-ship",
        "admin": ["127.0.0.1", free_port()],
        "state": str(directory / "state"),
        "logs": [{"from": [str(directory / "*.log")], "stores": [store]}],
    }


programs = pytest.mark.parametrize(
    "config", [ambassador, adapter, sidecar], ids=lambda config: config.__name__
)


def healthy(helper: HelperProcess) -> None:
    """The `wait` program's word for it, and one scrape: rendering loads modules, too."""
    result = run("wait", str(helper.config_file))
    assert result.returncode == 0, result.stderr + "".join(helper.stderr)
    assert helper.admin("GET", "/metrics")[0] == 200
