"""How log files are read: the keys of an entry of a Sidecar's or an Adapter's logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.pattern_parts import Strict
from podweave.model.quantities import parse_quantity
from podweave.model.regular_expressions import expression_problem
from podweave.model.suggestions import did_you_mean

ENCODINGS: Final = (
    "auto",
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "latin-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "koi8-r",
    "euc-kr",
    "cp949",
    "shift-jis",
    "euc-jp",
    "gbk",
    "gb18030",
    "big5",
)
"""What the helpers know; a test holds the two lists together."""

RULES: Final = ("none", "auto", "indented")
_LEAST_LINE: Final = 1024
_MOST_LINE: Final = 16 << 20
BOUNDS: Final[Bounds] = {("Multiline", "flushSeconds"): (0, 60)}


class Multiline(Strict):
    """Which lines are one record, in your own words: `start` or `continue`, one of them."""

    start: str | None = None
    """A regular expression: a line that it matches begins a record, all others continue it."""
    continue_: str | None = msgspec.field(name="continue", default=None)
    """A regular expression: a line that it matches continues the record before it."""
    flush_seconds: float = 0.5
    """Without a further line for so long a record is complete; at most 60."""


class Listen(Strict):
    """A place that the helper makes and reads what the application writes there."""

    pipe: str | None = None
    """Path of a named pipe; `pipe` or `socket`, one of them."""
    socket: str | None = None
    """Path of a Unix socket."""
    type: Literal["datagram", "stream"] = "datagram"
    """Of the socket. A datagram is a record; in a stream each line is one."""


def reading_errors(
    exclude: list[str], encoding: str, max_line: str, path: Path
) -> Iterator[InputError]:
    """What is wrong in the keys that Sidecar and Adapter share."""
    for index, item in enumerate(exclude):
        if not item or ("/" in item and not item.startswith("/")) or ".." in item.split("/"):
            yield InputError(
                f"{item!r} is neither a name, as in *.audit.log, nor a path that begins with `/`",
                path=(*path, "exclude", index),
            )
    if encoding not in ENCODINGS:
        hint = did_you_mean(encoding, ENCODINGS) or f"; known are {', '.join(ENCODINGS)}"
        yield InputError(f"no encoding is called {encoding!r}{hint}", path=(*path, "encoding"))
    try:
        size = parse_quantity(max_line)
    except InputError as error:
        yield InputError(error.message, path=(*path, "maxLine"))
    else:
        if not _LEAST_LINE <= size <= _MOST_LINE:
            yield InputError(f"{max_line} isn't from 1Ki to 16Mi", path=(*path, "maxLine"))


def multiline_errors(multiline: str | Multiline, path: Path) -> Iterator[InputError]:
    """What is wrong in `multiline` at `path`."""
    if isinstance(multiline, str):
        if multiline not in RULES:
            hint = did_you_mean(multiline, RULES) or f"; known are {', '.join(RULES)}"
            yield InputError(f"no rule is called {multiline!r}{hint}", path=path)
        return
    stated = [
        (key, value)
        for key, value in (("start", multiline.start), ("continue", multiline.continue_))
        if value is not None
    ]
    if len(stated) != 1:
        yield InputError("either `start` or `continue`, a regular expression", path=path)
    for key, value in stated:
        if problem := expression_problem(value):
            yield InputError(problem, path=(*path, key))
    yield from check_bounds(multiline, BOUNDS, path)


def listen_errors(listen: list[Listen], path: Path) -> Iterator[InputError]:
    """What is wrong in `listen` at `path`, but for the paths themselves."""
    for index, item in enumerate(listen):
        if (item.pipe is None) == (item.socket is None):
            yield InputError("either `pipe` or `socket`, with a path", path=(*path, index))


def rendered_reading(exclude: list[str], encoding: str, max_line: str) -> dict[str, object]:
    """For the helper: what isn't its default."""
    rendered: dict[str, object] = {}
    if exclude:
        rendered["exclude"] = exclude
    if encoding != "auto":
        rendered["encoding"] = encoding
    if max_line != "1Mi":
        rendered["max_line"] = int(parse_quantity(max_line))
    return rendered


def rendered_multiline(multiline: str | Multiline) -> dict[str, object]:
    """For the helper: nothing for `none`."""
    if multiline == "none":
        return {}
    if isinstance(multiline, str):
        return {"multiline": {"rule": multiline}}
    rule, regex = ("start", multiline.start)
    if regex is None:
        rule, regex = ("continue", multiline.continue_)
    return {"multiline": {"rule": rule, "regex": regex, "flush": multiline.flush_seconds}}


def rendered_listen(item: Listen) -> dict[str, object]:
    """For the helper."""
    if item.pipe is not None:
        return {"pipe": item.pipe}
    return {"socket": item.socket, "type": item.type}
