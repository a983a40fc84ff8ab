"""Names of time zones, and their rules."""

from __future__ import annotations

import pytest

from podweave.model.time_zones import posix_rule, time_zone_problem, time_zone_rule


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Asia/Seoul", "KST-9"),
        ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("+09:00", "+09:00"),
        ("UTC", "UTC"),
    ],
)
def test_rules_of_zones(name: str, rule: str) -> None:
    assert time_zone_problem(name) is None
    assert time_zone_rule(name) == rule


def test_what_held_before_the_rule_stands_before_it() -> None:
    words = time_zone_rule("America/New_York").split(" ")
    assert words[:2] == ["-18000", "954658800:-14400"]
    # The first change by the present rule, in March 2007.
    assert words[-2:] == ["1173596400:-14400", "EST5EDT,M3.2.0,M11.1.0"]
    assert time_zone_rule("Europe/Moscow").split(" ")[-2:] == ["1414274400:10800", "MSK-3"]


@pytest.mark.parametrize("name", ["Asia/Seol", "../../etc/passwd", "+25:00", "", "Asia"])
def test_what_is_no_zone(name: str) -> None:
    assert time_zone_problem(name) is not None
    assert posix_rule(name) is None
