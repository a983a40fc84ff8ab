"""`did you mean`: the known word nearest to an unknown one."""

from __future__ import annotations

from collections.abc import Iterable

_ENOUGH = 500
"""Of more words than these none is looked at: nobody waits for a better error."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    # Only errors need it, and every start would pay for it.
    import difflib

    words = [each for each, _ in zip(known, range(_ENOUGH), strict=False) if each != word]
    lowered = {each.lower(): each for each in words}
    matches = difflib.get_close_matches(word.lower()[:100], lowered, 1, 0.6)
    return lowered[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`: did you mean 'X'?` where a known word is near, else nothing."""
    found = nearest(word, known)
    return f": did you mean {found!r}?" if found else ""
