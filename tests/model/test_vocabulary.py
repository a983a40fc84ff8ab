"""Quantities, names, addresses, selectors: the small words of the model."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.model.addresses import Address, is_loopback, parse_address, parse_listen
from podweave.model.errors import InputError
from podweave.model.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
)
from podweave.model.pods import LabelSelector, LabelSelectorRequirement
from podweave.model.quantities import bytes_of, cpu_of, parse_quantity
from podweave.model.selectors import matches


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("500m", Fraction(1, 2)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("12e-1", Fraction(6, 5)),
        ("128Mi", 128 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("1k", 1000),
        ("1Ki", 1024),
        ("100n", Fraction(1, 10**7)),
        ("100u", Fraction(1, 10**4)),
        ("+1", 1),
        ("-1", -1),
        (2, 2),
        (0.1, Fraction(1, 10)),
    ],
)
def test_quantities(text: str | int | float, value: Fraction | int) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1K", "1mi", "m", "1e", "1.2.3", "0x1", "1e9999", "½", "1" * 101]
)
def test_no_quantities(text: str) -> None:
    with pytest.raises(InputError, match="isn't a quantity"):
        parse_quantity(text)


def test_quantities_round_up() -> None:
    assert bytes_of("1.1") == 2
    assert bytes_of("64Mi") == 67108864
    assert cpu_of("0.0001") == Fraction(1, 1000)
    assert cpu_of("250m") == Fraction(1, 4)


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_an_input_error(text: str) -> None:
    try:
        assert isinstance(parse_quantity(text), Fraction)
    except InputError:
        pass


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (
            dns_label_problem,
            ["a", "0", "a-b", "x" * 63],
            ["", "A", "-a", "a-", "a.b", "x" * 64, "é", "a\n"],
        ),
        (dns_subdomain_problem, ["a", "a.b-c.d"], ["", "a..b", ".a", "a_b", "A", "a" * 254]),
        (
            label_key_problem,
            ["app", "a.example/b", "A_b.c"],
            ["", "a b", "/b", "A.example/b", "-a", "x" * 64, "a/b/c"],
        ),
        (label_value_problem, ["", "a", "A_b.c-d"], ["a b", "-a", "x" * 64, "a\n"]),
    ],
)
def test_names(check: Callable[[str], str | None], good: list[str], bad: list[str]) -> None:
    assert [name for name in good if check(name) is not None] == []
    assert [name for name in bad if check(name) is None] == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("db.example:5432", ("db.example", 5432)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
        ("my_service.ns.svc.:80", ("my_service.ns.svc.", 80)),
        ("localhost:80", ("localhost", 80)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a",
        "a:",
        ":1",
        "a:0",
        "a:65536",
        "a:-1",
        "a:１",
        "a b:1",
        "http://a:1",
        "::1",
        "::1:80",
        "[::1]",
        "[a]:1",
        "1.2.3:4",
        "1.2.3.256:4",
        "a..b:1",
        "-a:1",
        "a/b:1",
        "a:1\n",
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(InputError):
        parse_address(text)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_an_input_error(text: str) -> None:
    try:
        assert 1 <= parse_address(text).port <= 65535
    except InputError:
        pass


def test_localhost_listens_on_both_loopbacks() -> None:
    assert parse_listen("localhost:80") == [Address("127.0.0.1", 80), Address("::1", 80)]
    assert parse_listen("127.0.0.2:80") == [Address("127.0.0.2", 80)]
    assert parse_listen("[::1]:80") == [Address("::1", 80)]


def test_loopback() -> None:
    assert [host for host in ("127.9.9.9", "::1", "LOCALHOST") if not is_loopback(host)] == []
    assert [host for host in ("0.0.0.0", "::", "localhost.example") if is_loopback(host)] == []


def requirement(operator: str, *values: str) -> LabelSelector:
    return LabelSelector(
        match_expressions=[
            LabelSelectorRequirement(key="tier", operator=operator, values=list(values) or None)  # type: ignore[arg-type]
        ]
    )


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (None, {}, True),
        (LabelSelector(), {"a": "b"}, True),
        (LabelSelector(match_labels={"a": "b"}), {"a": "b", "c": "d"}, True),
        (LabelSelector(match_labels={"a": "b"}), {"a": "x"}, False),
        (LabelSelector(match_labels={"a": "b"}), None, False),
        (requirement("In", "db", "web"), {"tier": "web"}, True),
        (requirement("In", "db"), {}, False),
        (requirement("NotIn", "db"), {}, True),
        (requirement("NotIn", "db"), {"tier": "db"}, False),
        (requirement("Exists"), {"tier": ""}, True),
        (requirement("Exists"), {}, False),
        (requirement("DoesNotExist"), {}, True),
        (requirement("DoesNotExist"), {"tier": "x"}, False),
    ],
)
def test_selectors(
    selector: LabelSelector | None, labels: dict[str, str] | None, expected: bool
) -> None:
    assert matches(selector, labels) is expected
