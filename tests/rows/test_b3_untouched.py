"""S5c and B3: the main container stays untouched, provably, and unweave gives back the original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.installations import Installation

EXAMPLE = Path(__file__).parents[2] / "examples/orders"


def woven(installation: Installation) -> str:
    return installation.run(
        "weave",
        "-",
        installation.write("patterns.yaml", (EXAMPLE / "patterns.yaml").read_text()),
        stdin=(EXAMPLE / "deployment.yaml").read_text(),
    ).stdout


def main_container(text: str) -> dict[str, Any]:
    deployment = next(yaml.safe_load_all(text))
    (container,) = (
        each
        for each in deployment["spec"]["template"]["spec"]["containers"]
        if each["name"] == "orders"
    )
    found: dict[str, Any] = container
    return found


def test_s5c_only_volume_mounts_are_added_to_the_main_container(installation: Installation) -> None:
    before = main_container((EXAMPLE / "deployment.yaml").read_text())
    after = main_container(woven(installation))
    assert after.pop("volumeMounts") != before.pop("volumeMounts", [])
    assert after == before


def test_b3_unweave_gives_back_the_exact_file(installation: Installation) -> None:
    back = installation.run("unweave", "-", stdin=woven(installation)).stdout
    assert back == (EXAMPLE / "deployment.yaml").read_text()


def test_b3_weaving_twice_is_weaving_once(installation: Installation) -> None:
    once = woven(installation)
    twice = installation.run(
        "weave",
        "-",
        installation.write("patterns.yaml", (EXAMPLE / "patterns.yaml").read_text()),
        stdin=once,
    ).stdout
    assert twice == once
