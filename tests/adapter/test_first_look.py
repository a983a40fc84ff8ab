"""A first look never says no where a layout reads the line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.envelope import Envelope
from podweave.helpers.logs.first_look import candidates, look
from podweave.helpers.logs.formats import catalogue
from tests.adapter.lines import SAMPLE_LINES, mutated

CLOCK = Clock(1795400300.25, 0)


def every_layout() -> list[Any]:
    found: list[Any] = []
    for format_ in catalogue.load_all():
        for layout in format_.layouts:
            found += [layout, *(layout.every() if isinstance(layout, Envelope) else ())]
    return found


LAYOUTS = every_layout()


def test_what_a_layout_reads_is_let_through() -> None:
    for layout in LAYOUTS:
        for line in SAMPLE_LINES:
            if layout.reads(line, CLOCK):
                assert candidates((layout,), line), (layout.format, layout.first, layout.literals)


@given(st.lists(mutated(), max_size=3))
def test_and_so_are_lines_like_the_samples(lines: list[bytes]) -> None:
    for line in lines:
        some = {id(layout) for layout in candidates(LAYOUTS, line)}
        for layout in LAYOUTS:
            if id(layout) not in some:
                assert not layout.reads(line, CLOCK)


def test_most_layouts_say_how_a_line_begins_or_what_is_in_it() -> None:
    silent = [each for each in LAYOUTS if each.first is None and not each.literals]
    assert len(silent) < len(LAYOUTS) / 20


@pytest.mark.parametrize(
    ("pattern", "first", "literals"),
    [
        (rb"%{ISO8601:time} \[%{WORD:level}\] %{REST:message}", b"0123456789", (b" [", b"] ")),
        (rb"\[?%{SLASHDATE:time}", b"[0123456789", ()),
        (rb"type=%{WORD:a}(?: x)? msg=y+z", b"t", (b"type=", b" msg=y", b"z")),
        (rb"a|b", None, ()),
        (rb"%{BEGIN:message}a|b%{END} -> ", None, (b" -> ",)),
        (rb"%{BEGIN:message}ab%{END}? cd", None, (b" cd",)),
        (rb"%{BEGIN:message}ab(?:c|d)%{END} ef", b"a", (b" ef", b"ab")),
        (rb"[a-z]+ - ", None, (b" - ",)),
        (rb"\d{2}:x{2}yz", None, (b"yz", b":")),
        (rb"", None, ()),
    ],
)
def test_what_is_seen_in_a_pattern(
    pattern: bytes, first: bytes | None, literals: tuple[bytes, ...]
) -> None:
    seen = look(pattern)
    assert seen[0] == (None if first is None else frozenset(first))
    assert set(seen[1]) == {text for text in literals if len(text) > 1 or not text.isalnum()}
