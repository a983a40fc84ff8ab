"""What can be found in a line that no format reads: a timestamp near its beginning, a level."""

from __future__ import annotations

import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import level_of
from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.fields import Record

_SEARCHED = 256
"""Bytes in which they are looked for."""
_KNOWN = ("RFC3339", "ISOZONE", "ISO8601", "ISOAPART", "SLASHDATE", "HTTPDATE", "CTIME",
          "DAYMONTHYEAR", "SYSLOGDATE")  # fmt: skip
# What every timestamp has in it.
_CLOCK = re.compile(rb"\d:[0-5]\d:\d")
_LEVEL = re.compile(
    rb"(?<![\w.\-])(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|ALERT"
    rb"|FATAL|EMERG(?:ENCY)?|PANIC)(?![\w.\-])"
    rb"|(?<=[\[<(])(?i:trace|debug|info|notice|warn|warning|err|error|crit|critical|fatal)(?=[\])>:])"
    rb"|(?<=level=)[A-Za-z]{3,11}\b"
    rb"|\A(?i:debug|info|notice|warn|warning|error|critical|fatal)(?=: )"
)


def findings(line: bytes, clock: Clock) -> Record:
    """The record of such a line: whole, as its message, with what was found."""
    record: Record = {"message": line.decode("utf-8", "replace")}
    head = line[:_SEARCHED]
    if _CLOCK.search(head) is not None:
        for name in _KNOWN:
            found = STAMPS[name].find(head, clock)
            if found is not None:
                record["time"] = found
                break
    level = _level(head)
    if level is not None:
        record["level"] = level
    return record


def level_in(text: str) -> str | None:
    """The level that a message names, near its beginning."""
    return _level(text[:_SEARCHED].encode("utf-8", "replace"))


def _level(head: bytes) -> str | None:
    level = _LEVEL.search(head)
    return None if level is None else level_of(level[0].decode("ascii"))
