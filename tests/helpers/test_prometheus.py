"""The text format, as its specification and a scraper want it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire.prometheus import Registry


def test_families_in_order_with_help_and_type() -> None:
    registry = Registry()
    errors = registry.counter("dial_failures_total", "Dials that failed.", "upstream", "reason")
    registry.gauge("open_connections", "Open now.\nBackslash: \\").set(2.5)
    errors.add(3, "db:5432", "ECONNREFUSED")
    errors.labels("db:5432", "ETIMEDOUT").value += 1
    assert registry.render().decode() == (
        "# HELP dial_failures_total Dials that failed.\n"
        "# TYPE dial_failures_total counter\n"
        'dial_failures_total{upstream="db:5432",reason="ECONNREFUSED"} 3\n'
        'dial_failures_total{upstream="db:5432",reason="ETIMEDOUT"} 1\n'
        "# HELP open_connections Open now.\\nBackslash: \\\\\n"
        "# TYPE open_connections gauge\n"
        "open_connections 2.5\n"
    )


def test_a_family_without_labels_starts_at_zero_and_one_with_labels_is_silent() -> None:
    registry = Registry()
    registry.counter("a_total", "A.")
    registry.counter("b_total", "B.", "kind")
    assert registry.render() == b"# HELP a_total A.\n# TYPE a_total counter\na_total 0\n"


def test_a_histogram_is_cumulative() -> None:
    registry = Registry()
    dial = registry.histogram("dial_seconds", "Dials.", "to", bounds=(0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7):
        dial.labels("db").observe(seconds)
    assert registry.render().decode().splitlines()[2:] == [
        'dial_seconds_bucket{to="db",le="0.1"} 2',
        'dial_seconds_bucket{to="db",le="1"} 3',
        'dial_seconds_bucket{to="db",le="+Inf"} 4',
        'dial_seconds_sum{to="db"} 7.65',
        'dial_seconds_count{to="db"} 4',
    ]


@given(st.text())
def test_label_values_can_be_read_back(value: str) -> None:
    registry = Registry()
    registry.gauge("g", "G.", "label").set(1, value)
    line = registry.render().decode().split("\n", 2)[2]
    assert line.startswith('g{label="')
    assert line.endswith('"} 1\n')
    escaped = line.removeprefix('g{label="').removesuffix('"} 1\n')
    assert "\n" not in escaped
    characters = iter(escaped)
    unescape = {"\\": "\\", '"': '"', "n": "\n"}
    read = "".join(unescape[next(characters)] if char == "\\" else char for char in characters)
    assert read == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1e15, "1000000000000000.0"),
        (12345678901, "12345678901"),
        (0.1, "0.1"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    registry = Registry()
    registry.gauge("g", "G.").set(value)
    assert registry.render().decode().splitlines()[-1] == f"g {text}"


def test_wrong_names_are_programming_errors() -> None:
    registry = Registry()
    registry.gauge("taken", "T.")
    for make in (
        lambda: registry.gauge("taken", "T."),
        lambda: registry.counter("no_suffix", "N."),
        lambda: registry.gauge("gauge_total", "N."),
        lambda: registry.gauge("a-b", "N."),
        lambda: registry.gauge("g", "N.", "__reserved"),
        lambda: registry.gauge("g", "N.", "a b"),
        lambda: registry.counter("c_total", "N.", "one").labels("1", "2"),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            make()
