"""A container's root while the machine's tree changes under it."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from podweave.engines.local.setup.root_files import Piece, Root, SealRoot
from podweave.sandbox import mounts, namespaces
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
            remover.communicate(b"\n", timeout=20)
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
