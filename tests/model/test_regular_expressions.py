"""Regular expressions that would take for ever are refused; those that people write aren't."""

from __future__ import annotations

import pytest

from podweave.model.regular_expressions import expression_problem


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<a>(a+)+)b",
        r"(?P<x>(\w+\s?)*)$",
        r"(.*,)*x",
        r"(.*)*",
        r"(a*)*",
        r"(?:(?:\d+\.?)+)-",
        r"([a-z]+)*=",
        r"(x+x+)+y",
        r"(?:a|ab|b)*c",
    ],
)
def test_repeats_of_what_can_be_taken_in_several_ways_are_refused(pattern: str) -> None:
    assert "take for ever" in (expression_problem(pattern) or "")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<time>\S+ \S+) \[(?P<level>\w+)\] (?P<message>.*)",
        r"(?:[^,]*,)*(?P<message>.*)",
        r"(?P<ip>(?:\d{1,3}\.){3}\d+) (?P<message>.*)",
        r'(?P<a>(?:[^"\\]|\\.)*)x',
        r"(?P<a>\w+(?:\.\w+)*): (?P<message>.*)",
        r"(?P<l>(?:INFO|WARN|ERROR)) (?P<m>.*)",
        r"(?P<m>(?:\[[^\]]*\] ?)*)x",
        r"(?P<k>(?:\w+=\S+ )*)",
        r"(?:a++)*b",
        r"(?P<message>.*)",
    ],
)
def test_usual_patterns_are_taken(pattern: str) -> None:
    assert expression_problem(pattern) is None


def test_what_is_none_is_said_so() -> None:
    assert "not a regular expression" in (expression_problem("(") or "")
    assert "no named group" in (expression_problem("x", named_groups=True) or "")
