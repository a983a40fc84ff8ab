"""Which formats of one's own there are, and where."""

from __future__ import annotations

from importlib import import_module

from podweave.helpers.logs.layouts import Format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODULES = {
    "regex": "regex",
    "grok": "grok",
    "csv": "csv",
    "log4j": "log4j",
    "logback": "log4j",
    "python": "python",
    "nginx": "nginx",
    "apache": "apache",
}

KEYS = tuple(_MODULES)


def load(key: str, value: Any) -> Format:
    """The format of `{key: value}`, named after the key.

    KeyError for an unknown key, ValueError for a value that isn't right.
    """
    module = import_module(f"{__package__}.{_MODULES[key]}")
    return Format(key, tuple(module.make(value)))
