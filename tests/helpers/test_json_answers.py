"""Whatever a server answers, it is an object or it is none."""

from __future__ import annotations

from typing import Any

import pytest

from podweave.helpers.wire.json_answers import json_object


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"message":"no"}', {"message": "no"}),
        (b"{}", {}),
        (b"", None),
        (b"[1]", None),
        (b'"text"', None),
        (b"<html>", None),
        (b"\xff\xfe{", None),
        (b'{"a":' * 100_000, None),
    ],
)
def test_an_object_or_none(content: bytes, found: dict[str, Any] | None) -> None:
    assert json_object(content) == found
