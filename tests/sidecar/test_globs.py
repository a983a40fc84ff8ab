"""Patterns of file names, as shells have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.globs import Globs

FILES = [
    "a.log",
    "b.log",
    ".hidden.log",
    "a.txt",
    "a.log.1.gz",
    "sub/a.log",
    "sub/deep/c.log",
    "sub/.git/d.log",
    "other/[x].log",
]


@pytest.mark.parametrize("pattern", ["**/*.log", "*/*.log", "*/a.log", "**/a.log"])
def test_what_a_file_system_keeps_for_itself_is_passed_over(folder: Path, pattern: str) -> None:
    (folder / "lost+found").mkdir()
    (folder / "lost+found" / "a.log").touch()
    globs = Globs([f"{folder}/{pattern}"])
    assert not [path for path in globs.paths(0.0) if "lost+found" in path]
    assert str(folder / "sub" / "a.log") in globs.paths(0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "sub" / "loop").symlink_to("..")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.log", ["a.log"]),
        ("absent.log", ["absent.log"]),
        ("*.log", ["a.log", "b.log"]),
        (".*.log", [".hidden.log"]),
        ("?.log", ["a.log", "b.log"]),
        ("[b-z].log", ["b.log"]),
        ("[!b-z].log", ["a.log"]),
        ("a.*", ["a.log", "a.txt"]),
        ("a.log.1.gz", ["a.log.1.gz"]),
        ("*/a.log", ["other/a.log", "sub/a.log"]),
        ("s*/*.log", ["sub/a.log"]),
        ("**/*.log", ["a.log", "b.log", "other/[x].log", "sub/a.log", "sub/deep/c.log"]),
        ("sub/**", ["sub/a.log", "sub/deep/c.log", "sub/loop"]),
        ("other/[[]x].log", ["other/[x].log"]),
        ("nothing/*.log", []),
        ("a.log/*", []),
    ],
)
def test_a_pattern_matches(folder: Path, pattern: str, names: list[str]) -> None:
    found = Globs([str(folder / pattern)]).paths(0.0)
    assert sorted(os.path.relpath(path, folder) for path in found) == names


def test_a_path_of_two_patterns_is_given_once(folder: Path) -> None:
    found = Globs([str(folder / "*.log"), str(folder / "a*")]).paths(0.0)
    assert [os.path.basename(path) for path in found] == ["a.log", "b.log", "a.txt"]


def test_names_that_come_and_go_are_seen(folder: Path) -> None:
    globs = Globs([str(folder / "new" / "*.log")])
    assert globs.paths(0.0) == []
    (folder / "new").mkdir()
    for number in range(20):
        path = folder / "new" / f"{number}.log"
        path.touch()
        assert globs.paths(0.0) == [str(path)]
        path.unlink()
        assert globs.paths(0.0) == []


def test_a_directory_that_cannot_be_listed_is_an_error_of_its_own(folder: Path) -> None:
    (folder / "circle").symlink_to("circle")
    globs = Globs([str(folder / "circle" / "*.log"), str(folder / "a.log")])
    assert globs.paths(0.0) == [str(folder / "a.log")]
    assert list(globs.errors) == [str(folder / "circle")]


@given(st.text(alphabet="ab*?[]!-/.", max_size=12))
def test_no_pattern_is_a_crash(pattern: str) -> None:
    Globs(["/nowhere-to-be-found/" + pattern]).paths(0.0)
