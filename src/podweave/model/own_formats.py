"""Formats of the user's own: `format: {KEY: VALUE}`.

What a value means is the adapter's business, which this program doesn't share: it compiles each
to a layout, and is asked what it says of it before a Pod runs (cli/judging.py). Here stands which
keys there are, and what is refused although it could be compiled.
"""

from __future__ import annotations

from typing import Any, Final

from podweave.model.regular_expressions import expression_problem

OWN_FORMATS: Final = ("regex", "grok", "csv", "log4j", "logback", "python", "nginx", "apache")
"""The keys."""


def own_format_problem(key: str, value: Any) -> str | None:
    """What keeps `value` from being used on log lines, however well it is written; or None."""
    if key == "regex" and isinstance(value, str):
        return expression_problem(value, named_groups=True)
    return None
