r"""Masks: payment cards, Korean resident registration numbers, tokens, e-mail addresses.

Each is a regular expression that finds candidates and a function that decides. None can be made
slow: a candidate begins at a boundary and its length is bounded.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Replace = Callable[[re.Match[str], str], str]

_CARD = re.compile(r"(?<![\d.])[2-6](?:[ \-]?\d){12,18}(?![\d.]?\d)", re.ASCII)
_RESIDENT = re.compile(
    r"(?<!\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(-?)[1-8]\d{6}(?!\d)", re.ASCII
)
_EMAIL = re.compile(
    r"(?<![\w.%+\-])[\w.%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}", re.ASCII
)
_KEYS = (
    "passw(?:or)?d|passwd|pwd|secret|(?:access|auth|api|private|secret|session)[_\\-]?(?:key|token)"
    "|client[_\\-]?secret|token|authorization|credentials?"
)
_TOKEN = re.compile(
    r"(?P<scheme>\b(?:bearer|basic) {1,4})[\w.~+/=\-]{8,4096}"
    r"|\beyJ[\w\-]{5,4096}\.[\w\-]{5,8192}(?:\.[\w\-]{0,4096})?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{36,255}|\bxox[abprs]-[\w\-]{10,255}"
    r"|(?P<key>(?:" + _KEYS + r")[\"']?\s{0,4}[=:]\s{0,4}[\"']?)"
    r"(?!(?:bearer|basic) )[^\s\"'&,;)}\]]{1,4096}",
    re.IGNORECASE | re.ASCII,
)
_SECRET_NAME = re.compile(r"(?:.{0,64}[_.\-])?(?:" + _KEYS + ")", re.IGNORECASE | re.ASCII)

# Luhn: digits at even places from the right count double, and nine less above nine.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: the check digit of a card's number is right."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def _card(match: re.Match[str], instead: str) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1 or not luhn(digits):
        return match[0]
    return instead + digits[-4:]


def _resident(match: re.Match[str], instead: str) -> str:
    if not match[1]:
        # Thirteen digits alone may be anything: the check digit, which numbers given since
        # October 2020 needn't have, decides.
        total = sum(
            weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, match[0], strict=False)
        )
        if (11 - total % 11) % 10 != int(match[0][12]):
            return match[0]
    return f"{match[0][:6]}-{instead}"


def _email(match: re.Match[str], instead: str) -> str:
    return instead


def _token(match: re.Match[str], instead: str) -> str:
    return (match["scheme"] or match["key"] or "") + instead


KINDS: dict[str, tuple[re.Pattern[str], Replace]] = {
    "cards": (_CARD, _card),
    "residentNumbers": (_RESIDENT, _resident),
    "tokens": (_TOKEN, _token),
    "emails": (_EMAIL, _email),
}

_DIGITS = {
    "cards": rb"[2-6](?:[ \-]?[0-9]){12}",
    "residentNumbers": rb"[0-9]{6}-?[0-9]{7}",
}
_NEEDLES = {
    "tokens": b"bearer basic eyj akia asia ghp_ gho_ ghu_ ghs_ ghr_ xox pass pwd secret token key "
    b"authori credential",
    "emails": b"@",
}
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_THIRTEEN = b"0" * 13
_ESCAPED = b"\\u"


class Suspicion:
    """What a line must have for masks of these kinds to change anything in it."""

    __slots__ = ("_digits", "_needles")

    def __init__(self, kinds: Iterable[str]) -> None:
        chosen = set(kinds)
        digits = [pattern for kind, pattern in _DIGITS.items() if kind in chosen]
        self._digits = re.compile(b"|".join(digits)) if digits else None
        # A character that JSON writes as its number may be any.
        self._needles = [_ESCAPED]
        for kind, needles in _NEEDLES.items():
            if kind in chosen:
                self._needles += needles.split()

    def of(self, data: bytes) -> bool:
        """Whether a line, or one of many lines, has it."""
        if self._digits is not None:
            # Thirteen digits, whatever is between: a tenth of the expression's time.
            digits = data.translate(_ZEROS, b" -")
            if _THIRTEEN in digits and self._digits.search(data) is not None:
                return True
        lower = data.lower()
        return any(needle in lower for needle in self._needles)


def is_secret(name: str) -> bool:
    """A field of that name holds a secret, whatever it looks like."""
    return _SECRET_NAME.fullmatch(name) is not None
