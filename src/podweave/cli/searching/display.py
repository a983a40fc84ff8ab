"""Records and rows as lines of text."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import click

COLOURS = {
    "emerg": "bright_red",
    "alert": "bright_red",
    "fatal": "bright_red",
    "crit": "bright_red",
    "critical": "bright_red",
    "err": "red",
    "error": "red",
    "severe": "red",
    "warn": "yellow",
    "warning": "yellow",
    "notice": "green",
    "info": "green",
    "debug": "bright_black",
    "trace": "bright_black",
}

# An application's message must not command the terminal that shows it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def record_line(row: tuple[Any, ...]) -> str:
    """Time, level, pod and message; further lines of a message are indented."""
    time, level, pod, message, record = row
    name = str(level or "-")
    shown = str(message) if message is not None else str(record)
    lines = printable(shown.rstrip("\r\n")).split("\n")
    head = " ".join(
        [
            click.style(instant(time) if time else "-", dim=True),
            click.style(f"{printable(name):<5}", fg=COLOURS.get(name.lower())),
            click.style(printable(str(pod or "-")), fg="cyan"),
        ]
    )
    return "\n    ".join([f"{head} {lines[0]}", *lines[1:]])


def instant(time: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def printable(text: str) -> str:
    """Control characters as \\x1b; newlines and tabs stay."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def cells(row: tuple[Any, ...]) -> str:
    """A row of SQL, its cells parted by tabs."""
    return "\t".join(_cell(value) for value in row)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.tzinfo is None:
        return instant(value)
    text = value if isinstance(value, str) else json.dumps(value, default=plain, ensure_ascii=False)
    if not isinstance(value, str | int | float | bool | list | dict):
        text = str(plain(value))
    return printable(text.replace("\n", "\\n").replace("\t", "\\t"))


def json_row(names: list[str], row: tuple[Any, ...]) -> str:
    """A row of SQL as a JSON object."""
    pairs = dict(zip(names, row, strict=True))
    return json.dumps(pairs, default=plain, ensure_ascii=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """What JSON has no form for: times in RFC 3339, bytes in base64, the rest as text."""
    if isinstance(value, datetime):
        return instant(value.astimezone(UTC) if value.tzinfo else value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
