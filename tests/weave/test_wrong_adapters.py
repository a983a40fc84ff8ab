"""Values that only the adapter understands: what is wrong in them is told before anything runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.weave.test_commands import podweave
from tests.weave.woven_cases import CASES

MANIFEST = CASES / "adapter-meaning" / "manifest.yaml"
HEAD = "apiVersion: podweave.dev/v1alpha1\nkind: Adapter\nmetadata: {name: a}\nspec:\n  logs:\n"

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"format": {"log4j": "%d %z %m"}}, ".format.log4j", "no conversion word of log4j"),
    ({"format": {"log4j": "%d{yyyy-QQ} %m"}}, ".format.log4j", "QQ, which isn't read"),
    ({"format": {"log4j": "%d{HH:mm:ss}{Mars/X} %m"}}, ".format.log4j", "'Mars/X' is no time zone"),
    ({"format": {"log4j": "%c%m"}}, ".format.log4j", "nothing stands between %c and %m"),
    ({"format": {"logback": "%p %m%n%c"}}, ".format.logback", "only layouts of one line"),
    ({"format": {"logback": "%highlight %m"}}, ".format.logback", "nothing in parentheses"),
    ({"format": {"python": "%(asctime) %(message)s"}}, ".format.python", "names no attribute"),
    (
        {"format": {"python": {"format": "%(asctime)s", "datefmt": "%Q"}}},
        ".format.python",
        "%Q, which isn't read",
    ),
    ({"format": {"nginx": "$remote_addr $"}}, ".format.nginx", "a $ that names no variable"),
    ({"format": {"nginx": "{'a': '$status'}"}}, ".format.nginx", "nginx-json or json reads it"),
    ({"format": {"apache": "%h %{x}T"}}, ".format.apache", "one of ms, us, s"),
    ({"format": {"csv": {"columns": ["a:date"]}}}, ".format.csv", "NAME, NAME:int or NAME:float"),
    ({"format": {"csv": {"header": False}}}, ".format.csv", "a header that names them"),
    ({"format": {"grok": "%{LOGLEVELS:x}"}}, ".format.grok", "did you mean 'LOGLEVEL'?"),
    ({"format": {"grok": "(%{INT:x}"}}, ".format.grok", "no regular expression"),
    (
        {"format": {"grok": {"match": "%{A:x}", "patterns": {"A": "%{A}"}}}},
        ".format.grok",
        "lead back to themselves",
    ),
    ({"format": {"regex": 7}}, ".format.regex", "must be a text"),
    ({"steps": [{"drop": {"status": "ok"}}]}, ".steps[0].drop.status", "'ok' is no status"),
    (
        {"steps": [{"keep": {"level": "info"}}, {"add": {"level": "loud"}}]},
        ".steps[1].add.level",
        "'loud' is no level: one of trace, debug, info, notice, warn, error, fatal",
    ),
    (
        {"steps": [{"rateLimit": {"events": 9, "when": {"status": "x"}}}]},
        ".steps[0].rateLimit.when.status",
        "a number, as 200",
    ),
    (
        {"steps": [{"drop": {"a.b": "x", "time": "noon"}}]},
        ".steps[0].drop.time",
        "the timestamp",
    ),
]
"""An entry's keys, the path of what is wrong in it, and what is said."""

RIGHT = {"format": {"grok": "%{INT:n} %{GREEDYDATA:message}"}, "timeZone": "Asia/Seoul"}


def entries(*some: dict[str, Any]) -> str:
    """The patterns' file, an entry a line."""
    lines = [
        json.dumps({"from": [f"/var/log/orders/{number}.log"], **keys})
        for number, keys in enumerate(some)
    ]
    return HEAD + "".join(f"  - {line}\n" for line in lines)


@pytest.mark.parametrize("command", [("weave",), ("up", "--engine", "local")])
def test_all_that_is_wrong_is_told_with_its_line(command: tuple[str, ...], tmp_path: Path) -> None:
    patterns = tmp_path / "patterns.yaml"
    patterns.write_text(entries(RIGHT, *(keys for keys, _, _ in WRONG)))
    done = podweave(*command, MANIFEST, patterns)
    assert (done.returncode, done.stdout) == (2, b"")
    told = done.stderr.decode().splitlines()
    assert len(told) == len(WRONG)
    before = HEAD.count("\n") + 1
    for number, (line, (_, path, said)) in enumerate(zip(told, WRONG, strict=True), start=1):
        place = f"{patterns}:{before + number}: spec.logs[{number}]{path}: "
        assert line.startswith(place)
        assert said in line[len(place) :]


def test_a_pattern_in_a_list_is_told_with_its_own_line(tmp_path: Path) -> None:
    pattern = {
        "apiVersion": "podweave.dev/v1alpha1",
        "kind": "Adapter",
        "metadata": {"name": "a"},
        "spec": {"logs": [{"from": ["/var/log/orders/x.log"], "format": {"log4j": "%z"}}]},
    }
    patterns = tmp_path / "patterns.json"
    patterns.write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [pattern]}, indent=1)
    )
    done = podweave("weave", MANIFEST, patterns)
    line = patterns.read_text().splitlines().index('       "log4j": "%z"') + 1
    assert done.returncode == 2
    assert f"{patterns}:{line}: items[0].spec.logs[0].format.log4j: has %z" in done.stderr.decode()


def test_it_is_told_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setitem(os.environ, "PODWEAVE_CACHE", str(tmp_path / "file" / "below"))
    patterns = tmp_path / "patterns.yaml"
    patterns.write_text(entries(RIGHT))
    done = podweave("weave", MANIFEST, patterns)
    assert (done.returncode, done.stderr) == (0, b"")
    patterns.write_text(entries(WRONG[0][0]))
    assert podweave("weave", MANIFEST, patterns).returncode == 2
