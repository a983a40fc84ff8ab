"""The helper image is what the weaver counts on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from podweave.model.helper_places import ARCHIVE
from podweave.weave.helper_containers import DEFAULT_USER
from podweave.weave.options import HELPER_IMAGE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Containerfile").read_text()


def instruction(name: str) -> str:
    last: str = re.findall(rf"^{name} (.*)$", TEXT, re.M)[-1]
    return last


def test_archive_and_user_are_those_of_the_woven_container() -> None:
    assert instruction("COPY").split()[-1] == ARCHIVE
    assert instruction("USER") == f"{DEFAULT_USER}:{DEFAULT_USER}"
    assert json.loads(instruction("ENTRYPOINT")) == ["python3", "-I", "-S", ARCHIVE]
    assert HELPER_IMAGE in TEXT


def test_packing_needs_nothing_but_python(tmp_path: Path) -> None:
    packed = tmp_path / "podweave-helpers.pyz"
    line = instruction("RUN").replace("/src", str(ROOT / "src"))
    command = json.loads(line.replace("/podweave-helpers.pyz", str(packed)))
    command[command.index("python3")] = sys.executable
    subprocess.run(command, check=True, cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", packed, "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("podweave-helpers ")


def test_build_sees_the_sources_only() -> None:
    assert (ROOT / ".containerignore").read_text().splitlines()[:2] == ["*", "!src"]
