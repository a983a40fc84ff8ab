"""Formats of the user's own: `format: {KEY: VALUE}`, and what can be wrong in the value.

What a value means is the adapter's business, which this program doesn't share: it compiles each
to a layout. Here stands what can be said of it before a Pod runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from podweave.model.regular_expressions import expression_problem


def regex_problem(pattern: Any) -> str | None:
    """What keeps `pattern` from being the format of a log line; or None."""
    if not isinstance(pattern, str):
        return "a regular expression is a text"
    return expression_problem(pattern, named_groups=True)


def _text_problem(value: Any) -> str | None:
    if isinstance(value, str) and value.strip():
        return None
    return "a layout is a text, as it stands in the application's configuration"


def _any_problem(value: Any) -> str | None:
    return None


OWN_FORMATS: Final[dict[str, Callable[[Any], str | None]]] = {
    "regex": regex_problem,
    "grok": _any_problem,
    "csv": _any_problem,
    "log4j": _text_problem,
    "logback": _text_problem,
    "python": _text_problem,
    "nginx": _text_problem,
    "apache": _text_problem,
}
"""Key of an own format -> what is wrong with its value, or None."""
