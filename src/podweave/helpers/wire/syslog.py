"""Messages of syslog (RFC 5424) and how they are kept apart in a stream, without I/O.

Octet counting (RFC 6587 3.4.1, and over TLS RFC 5425 4.3) carries any message. With newlines
(RFC 6587 3.4.2) a message can't have one: it becomes `#012`, as rsyslog writes it.
"""

from __future__ import annotations

VERSION = b"1"
NIL = b"-"

FACILITIES = {
    name: number
    for number, name in enumerate(
        (
            *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
            *("uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock"),
            *(f"local{number}" for number in range(8)),
        )
    )
}
"""By keyword, RFC 5424 table 1 with the keywords of syslog.conf(5)."""

SEVERITIES = {
    name: number
    for number, names in enumerate(
        (
            "emerg emergency panic",
            "alert",
            "crit critical fatal",
            "err error severe",
            "warning warn",
            "notice",
            "info information informational",
            "debug trace verbose",
        )
    )
    for name in names.split()
}
"""By the words of all schemas, RFC 5424 table 2."""

NEWLINE = b"#012"
MOST_FRACTION_DIGITS = 6


def priority(facility: int, severity: int) -> bytes:
    return b"<%d>" % (facility * 8 + severity)


def header(
    priority: bytes, time: bytes, host: bytes, application: bytes, structured_data: bytes
) -> bytes:
    """All that stands before MSG, its space included. `time` is RFC 3339 or NIL."""
    return (
        b"".join(
            (
                priority,
                VERSION,
                b" ",
                time,
                b" ",
                host,
                b" ",
                application,
                b" - - ",
                structured_data,
            )
        )
        + b" "
    )


def field(text: str, most: int) -> bytes:
    """A HOSTNAME or APP-NAME: printable ASCII without spaces, at most so long; else NIL."""
    encoded = text.encode("ascii", "replace")
    kept = bytes(byte if 33 <= byte <= 126 else 0x5F for byte in encoded[:most])
    return kept or NIL


def structured_data(identifier: str, parameters: dict[str, str]) -> bytes:
    """One SD-ELEMENT of what isn't empty; NIL for nothing."""
    parts = [
        b' %b="%b"' % (name.encode("ascii"), _parameter(value))
        for name, value in parameters.items()
        if value
    ]
    return b"[%b%b]" % (identifier.encode("ascii"), b"".join(parts)) if parts else NIL


def _parameter(value: str) -> bytes:
    for character in '\\"]':
        value = value.replace(character, "\\" + character)
    return value.encode("utf-8", "replace")


def timestamp(time: bytes) -> bytes:
    """RFC 3339 as RFC 5424 takes it: a `T`, a zone, at most six digits of a fraction."""
    if time[10:11] != b"T" or len(time) < 20:
        return NIL
    head, dot, rest = time.partition(b".")
    if not dot:
        return time
    digits = len(rest)
    for mark in (b"Z", b"+", b"-"):
        place = rest.find(mark)
        if place >= 0:
            digits = min(digits, place)
    zone = rest[digits:]
    if not zone:
        return NIL
    return head + b"." + rest[: min(digits, MOST_FRACTION_DIGITS)] + zone
