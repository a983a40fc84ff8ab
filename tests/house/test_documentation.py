"""The documentation agrees with the code: its commands, its patterns, its links, its benches."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from podweave.cli.commands import COMMANDS as COMMANDS_OF_PODWEAVE
from podweave.cli.commands import podweave
from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for folder in (ROOT, *(ROOT / name for name in ("docs", "examples")))
    for page in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
_CONTINUED = re.compile(r"[|\\]$")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[str]:
    """What stands behind `$` in a page's consoles, continued lines put together."""
    found: list[str] = []
    open_ = False
    for line in "\n".join(blocks(page, "console")).splitlines():
        if line.startswith("$ ") or open_:
            text = line.removeprefix("$ ")
            found = [*found[:-1], found[-1] + " " + text] if open_ else [*found, text]
            open_ = bool(_CONTINUED.search(text))
            found[-1] = found[-1].removesuffix("\\")
    return found


COMMANDS = [
    pytest.param(command, id=f"{page.relative_to(ROOT)}:{command[:50]}")
    for page in PAGES
    for command in commands(page)
]


def programs(command: str) -> list[list[str]]:
    """The words of each program in a shell's line, redirections left out."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if word in ("|", "&&", ";"):
            found.append([])
        elif word in (">", "<", ">>"):
            next(words)
        else:
            found[-1].append(word)
    return [each for each in found if each]


def understood(command: click.Command, words: list[str]) -> None:
    """click.UsageError where the command has no such option, or too few arguments."""
    context = click.Context(command)
    if isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]}"
        understood(inner, words[1:])
        return
    # What is read is not converted: the files of an example are not here.
    command.make_parser(context).parse_args(list(words))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_there_with_their_options(command: str) -> None:
    for words in programs(command):
        if words[0] == "podweave":
            understood(podweave, words[1:])
        elif words[0].startswith(("scripts/", "bench/")):
            assert (ROOT / words[0]).is_file()


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    understood(podweave, ["faults", "set", "orders", "--latency", "1s"])
    with pytest.raises(click.UsageError):
        understood(podweave, ["faults", "set", "orders", "--lateness", "1s"])
    with pytest.raises(AssertionError, match="sitch"):
        understood(podweave, ["sitch", "qa"])
    assert programs("a -b 'c | d' | e > f && g") == [["a", "-b", "c | d"], ["e"], ["g"]]


def patterns() -> list[Any]:
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for number, text in enumerate(blocks(page, "yaml"))
        if "apiVersion: podweave.dev/" in text
    ]


@pytest.mark.parametrize("text", patterns())
def test_patterns_are_right(text: str) -> None:
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    found = bundle([read("page.yaml", text.encode())]).patterns
    assert [type(each.pattern).__name__ for each in found] == kinds


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            if ":" in path:
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append((page.name, link))
    assert broken == []


def anchors(page: Path) -> set[str]:
    """As GitHub names a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_both_readmes_show_the_same() -> None:
    english, korean = (ROOT / "README.md", ROOT / "README.ko.md")

    def shown(page: Path) -> list[str]:
        lines = "\n".join(blocks(page, "(?:yaml|console)")).splitlines()
        return [line.partition("#")[0].rstrip() for line in lines]

    assert shown(english) == shown(korean)


def test_every_bench_is_told_of() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    told = set(re.findall(r"^\| `bench/(\w+)`", page, re.M))
    programs = {path.name for path in (ROOT / "bench").iterdir() if path.is_file()}
    assert told == {name for name in programs if "." not in name}


def test_every_command_is_in_the_table() -> None:
    for page in ("README.md", "README.ko.md"):
        table = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| `")]
        first = " ".join(line.split("|")[1] for line in table)
        assert {name for name in COMMANDS_OF_PODWEAVE if f"`{name}" not in first} == set(), page


def test_the_page_of_engines_names_the_commands_that_have_one() -> None:
    page = (ROOT / "docs/engines.md").read_text()
    (sentence,) = re.findall(r"^(`up`.*?) all take", page, re.M | re.S)
    assert set(re.findall(r"`(\w+)`", sentence)) == {
        name for name in COMMANDS_OF_PODWEAVE if has_engine(podweave, name)
    }


def has_engine(group: click.Group, name: str) -> bool:
    """Whether the command, or each of a group's, takes --engine."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    if isinstance(command, click.Group):
        return all(has_engine(command, each) for each in command.commands)
    return any("--engine" in option.opts for option in command.params)
