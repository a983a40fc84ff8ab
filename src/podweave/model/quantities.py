"""Kubernetes quantities: `500m`, `128Mi`, `1e3`, exactly."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from podweave.model.errors import InputError

_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?[0-9]{1,3}))?"
)
_FACTORS: Final = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", 1)},
}
_MAX_LENGTH: Final = 100


def parse_quantity(text: str | int | float) -> Fraction:
    """The exact value of a quantity. Raises InputError, without a path, for what is none."""
    if isinstance(text, int):
        return Fraction(text)
    if isinstance(text, float):
        if not math.isfinite(text):
            raise InputError(f"{text} isn't a quantity")
        # The decimal digits as written, not the binary fraction behind them.
        return Fraction(str(text))
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise InputError(
            f"{text[:60]!r} isn't a quantity: a number with a suffix of n, u, m, k, M, G, T, P, "
            "E or Ki, Mi, Gi, Ti, Pi, Ei, as in 500m or 128Mi"
        )
    number, suffix, exponent = match.groups()
    value = Fraction(number.rstrip(".") if number.endswith(".") else number)
    if suffix:
        return value * _FACTORS[suffix]
    return value * Fraction(10) ** int(exponent) if exponent else value


def bytes_of(quantity: str | int | float) -> int:
    """A quantity of memory or disk in bytes, rounded up as Kubernetes does."""
    return math.ceil(parse_quantity(quantity))


def cpu_of(quantity: str | int | float) -> Fraction:
    """A quantity of CPU in cores, rounded up to thousandths as Kubernetes does."""
    return Fraction(math.ceil(parse_quantity(quantity) * 1000), 1000)
