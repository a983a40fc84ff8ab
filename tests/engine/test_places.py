"""Where podweave keeps its state and cache, and what it says when it can't."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podweave.engines.local.records import state_directory
from tests.installations import Installation

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec:
  containers:
  - {name: app, image: x, command: [sleep, "1000"]}
"""


def test_a_relative_base_directory_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODWEAVE_STATE", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/somebody")
    for relative in ("", "state"):
        monkeypatch.setenv("XDG_STATE_HOME", relative)
        assert state_directory() == "/home/somebody/.local/state/podweave"
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert state_directory() == "/elsewhere/podweave"


@pytest.mark.parametrize("command", [["ps"], ["down", "--all"], ["logs", "plain"]])
def test_a_state_directory_that_cannot_be_read_is_named(
    one: Installation, command: list[str]
) -> None:
    file = Path(one.write("file", ""))
    one.environment["PODWEAVE_STATE"] = str(file)
    result = one.run(*command, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"{file}: the state directory can't be read: ")


def test_a_state_directory_that_cannot_be_made_is_named(one: Installation) -> None:
    file = one.write("file", "")
    one.environment["PODWEAVE_STATE"] = f"{file}/state"
    result = one.run("up", one.write("p.yaml", POD), check=False)
    assert (result.returncode, result.stderr) == (
        1,
        f"Pod plain: {file}/state: Not a directory\n",
    )
