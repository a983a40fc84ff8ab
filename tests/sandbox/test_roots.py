"""A container's root while the machine's tree changes under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from podweave.engines.local.setup import machine_tree
from podweave.engines.local.setup.machine_tree import Piece, survey
from podweave.engines.local.setup.root_entry import SealRoot
from podweave.engines.local.setup.root_files import Root
from podweave.sandbox import mounts, namespaces
from podweave.sandbox.mounts import Mount
from tests.sandbox.machine import Machine


@pytest.mark.only("root")
@pytest.mark.parametrize("call", ["overlay", "bind", "make_read_only"])
def test_what_goes_away_meanwhile_is_left_out(
    machine: Machine, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container of another engine ends while a root is made: its mount point is removed."""
    shm = f"{machine.directory}/shm"
    os.mkdir(shm)
    remover = subprocess.Popen(
        ["sh", "-c", f"read line; rmdir {shm}; echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    namespaces.separate(["mnt"])
    mounts.make_private()
    mounts.tmpfs(shm)
    original = getattr(mounts, call)

    def remove_first(*arguments: Any, **options: Any) -> None:
        if remover.returncode is None:
            remover.communicate(b"\n", timeout=60)
        original(*arguments, **options)

    scratch = f"{machine.directory}/scratch"
    os.mkdir(scratch)
    mounts.tmpfs(scratch)
    kind = "layer" if call == "overlay" else "bind"
    root = Root(scratch, (Piece("layer", "/"), Piece(kind, shm, recursive=True)), False)
    first, layer, piece, run = root.assemble()
    first.run()
    layer.run()
    monkeypatch.setattr(mounts, call, remove_first)
    piece.run()
    assert remover.returncode == 0
    assert not os.path.exists(shm)
    run.run()
    SealRoot(root).run()


def test_a_directory_removed_during_the_survey_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone" / "mounted").mkdir(parents=True)
    table = [Mount(1, 0, "/", "/", "", "ext4", "a")]
    table.append(Mount(2, 1, "/", str(tmp_path / "gone" / "mounted"), "", "tmpfs", "b"))
    listed = os.listdir

    def list_and_lose(path: str) -> list[str]:
        names = listed(path)
        if path == str(tmp_path / "gone"):
            shutil.rmtree(path)
        return names

    monkeypatch.setattr(os, "listdir", list_and_lose)
    # However many temporary files there are beside it.
    monkeypatch.setattr(machine_tree, "_TOO_MANY", sys.maxsize)
    pieces = {piece.path for piece in survey(table, in_user_namespace=True)}
    assert not (tmp_path / "gone").exists()
    assert "/etc" in pieces
    assert str(tmp_path / "gone" / "mounted") not in pieces
