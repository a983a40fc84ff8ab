r"""Regular expressions of the user's own, judged before lines meet them.

`(a+)+`, `(a|a)*`, `(\w+\s?)*`: a repeat around something that can take the same text in more
than one way doubles the time with every character of a line that doesn't fit. Such a pattern is
refused here. Neighbours that can take the same text (`.* .*`) cost a power of the line's length,
which the adapter bounds at run time: it gives up on a line after a while.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_parser: Any = re._parser  # type: ignore[attr-defined]

_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT")
_MANY: Final = 10
"""A repeat of up to so many rounds can't do much harm."""

Characters = frozenset[int]
_ALL: Final = frozenset(range(256))
"""Every character beyond Latin-1 is like the last of these, for this purpose."""


def expression_problem(pattern: str, *, named_groups: bool = False) -> str | None:
    """What keeps `pattern` from being used on log lines; or None."""
    try:
        compiled = re.compile(pattern.encode())
        tree = _parser.parse(pattern.encode())
    except (re.error, OverflowError, RecursionError, UnicodeEncodeError) as error:
        return f"not a regular expression: {error}"
    if named_groups and not compiled.groupindex:
        return "no named group in it: name the fields, as in (?P<message>.*)"
    for repeated in _many(tree):
        if _ambiguous(repeated):
            return (
                "a repeat around something that can take the same text in several ways: a line "
                "that doesn't fit would take for ever; make what separates the rounds certain, "
                "as in (?:[^,]*,)*, or forbid going back with (?>...)"
            )
    return None


def _many(tree: Any) -> Iterator[Any]:
    """The bodies of all repeats of many rounds that may go back."""
    for operation, argument in tree:
        name = str(operation)
        if name in _REPEATS and argument[1] > _MANY:
            yield argument[2]
        if name == "POSSESSIVE_REPEAT":
            # It doesn't go back into its rounds; what they do inside is their own.
            yield from _many(argument[2])
            continue
        for inner in _inner(name, argument):
            yield from _many(inner)


def _inner(name: str, argument: Any) -> list[Any]:
    if name in (*_REPEATS, "POSSESSIVE_REPEAT"):
        return [argument[2]]
    if name == "SUBPATTERN":
        return [argument[3]]
    if name == "BRANCH":
        return list(argument[1])
    if name == "ATOMIC_GROUP":
        return [argument]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if name == "GROUPREF_EXISTS":
        return [branch for branch in argument[1:] if branch is not None]
    return []


def _ambiguous(body: Any) -> bool:
    """Whether rounds of `body` can take one text in several ways.

    Judged by first and last characters: a round that can be empty; an inner repeat at the round's
    end (or beginning) whose characters another round can go on with; branches that begin alike.
    """
    if _can_be_empty(body) and any(True for _ in _many(body)):
        return True
    start = _first(body)
    for inner, follow in _inner_repeats(body, start):
        if _characters(inner) & follow:
            return True
    return _branches_alike(body)


def _inner_repeats(tree: Any, follow: Characters) -> Iterator[tuple[Any, Characters]]:
    """Each inner repeat of many rounds, with the characters that can come right behind it."""
    items = list(tree)
    for index, (operation, argument) in enumerate(items):
        name = str(operation)
        behind = _first_of(items[index + 1 :], follow)
        if name in _REPEATS and argument[1] > _MANY:
            yield argument[2], behind
        if name in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"):
            continue
        for inner in _inner(name, argument):
            yield from _inner_repeats(inner, behind)


def _branches_alike(tree: Any) -> bool:
    for operation, argument in tree:
        name = str(operation)
        if name == "BRANCH":
            seen: Characters = frozenset()
            for branch in argument[1]:
                first = _first(branch)
                if first & seen and not _differ(argument[1]):
                    return True
                seen |= first
        if name in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"):
            continue
        if any(_branches_alike(inner) for inner in _inner(name, argument)):
            return True
    return False


def _differ(branches: Any) -> bool:
    """Plain texts, none of which begins another: only one of them can fit."""
    texts = []
    for branch in branches:
        if any(str(operation) != "LITERAL" for operation, _ in branch):
            return False
        texts.append(tuple(argument for _, argument in branch))
    return not any(
        left is not right and left == right[: len(left)] for left in texts for right in texts
    )


def _can_be_empty(tree: Any) -> bool:
    return bool(tree.getwidth()[0] == 0)


def _first(tree: Any) -> Characters:
    return _first_of(list(tree), frozenset())


def _first_of(items: list[Any], follow: Characters) -> Characters:
    """The characters that a text of these items can begin with, and `follow` if it can be empty."""
    found: Characters = frozenset()
    for operation, argument in items:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY"):
            return found | _single(operation, argument)
        inner = _inner(name, argument)
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            continue
        if name == "GROUPREF":
            return _ALL
        least = argument[0] if name in (*_REPEATS, "POSSESSIVE_REPEAT") else 1
        for each in inner:
            found |= _first(each)
        if least > 0 and not any(_can_be_empty(each) for each in inner):
            return found
    return found | follow


def _characters(tree: Any) -> Characters:
    """Every character that a text of the tree can have in it."""
    found: Characters = frozenset()
    for operation, argument in tree:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY"):
            found |= _single(operation, argument)
        elif name == "GROUPREF":
            return _ALL
        elif name not in ("ASSERT", "ASSERT_NOT"):
            for inner in _inner(name, argument):
                found |= _characters(inner)
    return found


def _single(operation: Any, argument: Any) -> Characters:
    compiler: Any = re._compiler  # type: ignore[attr-defined]
    state = _parser.State()
    state.str = b""
    single = _parser.SubPattern(state, [(operation, argument)])
    code = compiler._code(single, 0)
    one = compiler._sre.compile(b"", 0, code, 0, {}, (None,))
    return frozenset(value for value in range(256) if one.match(bytes((value,))))
