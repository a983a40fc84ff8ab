"""`podweave-helpers.pyz`: dispatch, exit codes, wait, switch, check."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from podweave import __version__
from tests.ambassador.configurations import configuration
from tests.helpers.processes import HelperProcess, run
from tests.ports import free_port


def ambassador(**changes: Any) -> dict[str, Any]:
    profiles = {
        "dev": {"upstreams": [["127.0.0.1", 1, 1]]},
        "qa": {"upstreams": [["127.0.0.1", 2, 1]]},
    }
    return configuration(profiles, **changes)


def test_version() -> None:
    result = run("version")
    assert (result.returncode, result.stdout) == (0, f"podweave-helpers {__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("ambassador",), ("wait",), ("nonsense", "x")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: podweave-helpers ")


def test_an_absent_configuration(tmp_path: Path) -> None:
    file = tmp_path / "absent.json"
    result = run("ambassador", str(file))
    assert result.returncode == 2
    assert result.stderr == f"{file}: cannot be read: No such file or directory\n"


def test_check_says_whether_a_configuration_is_right(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(ambassador()))
    assert run("check", str(file)).returncode == 0
    file.write_text(json.dumps(ambassador(profile="prod")))
    result = run("check", str(file))
    assert result.returncode == 2
    assert result.stderr == f"{file}: profile: is 'prod'; must be one of dev, qa\n"
    file.write_text("{}")
    assert run("check", str(file)).returncode == 2


def test_wait_returns_as_soon_as_the_helper_is_healthy(tmp_path: Path) -> None:
    config = ambassador(admin=["127.0.0.1", free_port()])
    with HelperProcess(config, tmp_path) as helper:
        assert run("wait", str(helper.config_file)).returncode == 0


def test_wait_gives_up_before_the_probe_does(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    port = free_port()
    file.write_text(json.dumps(ambassador(admin=["127.0.0.1", port])))
    begun = time.monotonic()
    result = run("wait", str(file))
    assert time.monotonic() - begun > 3
    assert result.returncode == 1
    assert "not healthy within 4 s" in result.stderr
    assert f"127.0.0.1:{port}: Connection refused" in result.stderr


def test_wait_is_not_fooled_by_another_server(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file.write_text(json.dumps(ambassador(admin=list(silent.getsockname()))))
        result = run("wait", str(file))
    assert result.returncode == 1


def test_switch_prints_the_answer(tmp_path: Path) -> None:
    config = ambassador(admin=["127.0.0.1", free_port()])
    with HelperProcess(config, tmp_path) as helper:
        helper.event("listening")
        result = run("switch", "qa", str(helper.config_file))
        assert result.returncode == 0
        assert json.loads(result.stdout)["profile"] == "qa"
        result = run("switch", "prod", str(helper.config_file))
        assert result.returncode == 2
        assert result.stderr == "there is no profile 'prod'; there is dev, qa\n"
    result = run("switch", "dev", str(helper.config_file))
    assert result.returncode == 1
    assert result.stderr.startswith("no answer from the ambassador: ")
