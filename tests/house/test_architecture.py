"""The architecture page shows the walls that import-linter really holds up."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_layers_on_the_page_are_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.split("<!-- layers -->")[1].split("<!-- /layers -->")[0]
    drawn = [re.findall(r"`([\w.]+)`", row) for row in table.splitlines() if "`" in row]
    assert drawn == [[part.strip() for part in layer.split("|")] for layer in layers]


def test_pure_packages_on_the_page_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (pure,) = (
        each["source_modules"]
        for each in contracts["contracts"]
        if each["name"] == "Pure cores do no I/O"
    )
    page = (ROOT / "docs/architecture.md").read_text()
    (sentence,) = re.findall(r"^Pure, without I/O: (.*?)\. ", page, re.M | re.S)
    drawn = re.findall(r"`([\w/]+)`", sentence)
    assert [f"podweave.{each.replace('/', '.')}" for each in drawn] == pure


def test_every_package_has_a_charter() -> None:
    packages = sorted((ROOT / "src/podweave").rglob("__init__.py"))
    assert len(packages) > 8
    for package in packages:
        assert package.read_text().startswith('"""'), package


def test_generated_pages_are_up_to_date() -> None:
    from docs.generate import main

    assert main(check=True) == 0
