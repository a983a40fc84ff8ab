"""The configuration reader: a wrong value is named with its place."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError, Section, address, read

VALUE = {
    "version": 1,
    "program": "adapter",
    "name": "orders-logs",
    "count": 3,
    "inner": {"a": {"text": ""}},
    "list": [1, 2],
    "seconds": 2,
    "admin": ["127.0.0.1", 15902],
}


def test_everything_taken() -> None:
    section = Section(VALUE)
    assert section.begin("adapter") == "orders-logs"
    assert section.integer("count", 0, 3) == 3
    assert section.array("list") == [("list[0]", 1), ("list[1]", 2)]
    assert section.seconds("seconds", 9.0) == 2.0
    assert section.seconds("absent", 9.0) == 9.0
    assert section.address("admin") == ("127.0.0.1", 15902)
    inner = section.sections("inner")["a"]
    assert inner.at("text") == "inner.a.text"
    section.end()


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (lambda s: s.begin("sidecar"), "program: is 'adapter'; must be one of sidecar"),
        (lambda s: s.take("absent"), "lacks the key 'absent'"),
        (lambda s: s.text("count"), "count: must be a string, not a number"),
        (
            lambda s: s.sections("inner")["a"].text("text"),
            "inner.a.text: must be a string, not an empty string",
        ),
        (lambda s: s.integer("count", 5, 9), "count: is 3; must be between 5 and 9"),
        (lambda s: s.integer("list", 0, 9), "list: must be an integer, not an array"),
        (lambda s: s.seconds("name", 1), "name: must be seconds, not a string"),
        (lambda s: s.seconds("count", 1, 2), "count: is 3; must be between 0 and 2 seconds"),
        (lambda s: s.array("count"), "count: must be an array, not a number"),
        (lambda s: s.sections("list"), "list: must be an object, not an array"),
        (lambda s: s.address("list"), "list[0]: must be a host, not a number"),
        (lambda s: s.end(), "version: is not a known key"),
    ],
)
def test_what_is_wrong_is_named(take: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        take(Section(VALUE))
    assert str(raised.value) == message


@pytest.mark.parametrize("value", [None, "a", ["a"], ["a", 1, 2], ["", 1], ["a", "1"], ["a", True]])
def test_wrong_addresses(value: Any) -> None:
    with pytest.raises(ConfigurationError):
        address(value, "admin")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"[1]", "must be a JSON object, not an array"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there twice"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b" " * 2_000_000, "is longer than"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        read(str(file))


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read(str(tmp_path / "absent.json"))


@settings(deadline=None)  # it writes files, and disks have moods
@given(st.binary(max_size=200))
def test_any_bytes_give_an_object_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(content)
    with contextlib.suppress(ConfigurationError):
        assert isinstance(read(str(file)), dict)
