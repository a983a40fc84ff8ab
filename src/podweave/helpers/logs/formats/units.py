"""What formats derive fields with: other units, percent-encoding, lists of values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _divided(by: int) -> Callable[[str], float | None]:
    def convert(text: str) -> float | None:
        try:
            value = int(text)
        except ValueError:
            return None
        # -1 is how proxies say that it didn't come to that.
        return value / by if value >= 0 else None

    return convert


milliseconds = _divided(1000)
"""Seconds, from whole milliseconds; None where the text is no number or a negative one."""

microseconds = _divided(10**6)
"""Seconds, from whole microseconds; None where the text is no number or a negative one."""


def seconds(text: str) -> float | None:
    """Seconds; None where the text is no number or a negative one."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value >= 0 else None


def percent_decoded(text: str) -> str:
    """`Mozilla/5.0%20(X11)` without its percent-encoding; what isn't UTF-8 is replaced."""
    if "%" not in text:
        return text
    first, *rest = text.encode().split(b"%")
    parts = [first]
    for part in rest:
        try:
            if len(part) < 2:
                raise ValueError
            parts.append(bytes.fromhex(part[:2].decode("ascii")) + part[2:])
        except ValueError:
            parts.append(b"%" + part)
    return b"".join(parts).decode("utf-8", "replace")


def spaces_from_plus(text: str) -> str:
    """A field in which IIS wrote `+` for each space."""
    return text.replace("+", " ")


_TRANSPORTS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "132": "sctp"}


def transport(number: str) -> str:
    """The name of an IP protocol's number (IANA); others stay as they are."""
    return _TRANSPORTS.get(number, number)
