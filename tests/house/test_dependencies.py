"""What is installed is what is imported, and the other way round."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"podweave", "tests", "docs", "bench"}

PLUGINS = {"pytest-timeout", "pytest-xdist", "schemastore"}
"""Used without being imported; the last one for the schemas that it brings."""


def names(requirements: list[str]) -> set[str]:
    """Of distributions, as the index spells them."""
    found = (re.match(r"[\w.\-]+", each) for each in requirements)
    return {re.sub(r"[-_.]+", "-", each[0]).lower() for each in found if each}


def imported(folder: Path) -> set[str]:
    """The distributions whose modules are imported anywhere in a folder."""
    found: list[str] = []
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Import(names=aliases):
                    found += [each.name for each in aliases]
                case ast.ImportFrom(module=str(name), level=0):
                    found.append(name)
                case ast.Call(
                    func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name))]
                ):
                    found.append(name)
    modules = {name.partition(".")[0] for name in found}
    known = metadata.packages_distributions()
    strange = modules - sys.stdlib_module_names - OURS
    return names([name for module in strange for name in known.get(module, ())])


def with_their_own(requirements: set[str]) -> set[str]:
    """Distributions and what they themselves need."""
    return requirements.union(*(names(metadata.requires(each) or []) for each in requirements))


def test_podweave_imports_what_it_depends_on_and_nothing_else() -> None:
    declared = names(PROJECT["dependencies"])
    found = imported(ROOT / "src")
    assert declared <= found
    assert found <= declared | names(EXTRAS["demo"])


def test_tests_import_what_their_extra_has() -> None:
    declared = names(EXTRAS["test"])
    known = names(PROJECT["dependencies"]) | names(EXTRAS["demo"]) | declared
    found = imported(ROOT / "tests")
    assert declared - PLUGINS <= found
    assert found <= with_their_own(known)
