"""Files named after the moment at which they were begun: 20260102T030405Z-1.ndjson."""

from __future__ import annotations

import os
import time

CLOCK = "%Y%m%dT%H%M%SZ"
"""For strftime, in UTC."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def create(
    directory: str, suffix: str, seconds: float, *, mode: int, later: str
) -> tuple[int, str]:
    """Make a file in a directory, and open it for appending.

    `seconds`: Unix time. `later`: what may stand behind the name of a file that was made so, and
    whose number is taken then, too. The descriptor and the path; OSError if it can't be made.
    """
    clock = time.strftime(CLOCK, time.gmtime(seconds))
    number = 1
    while True:
        path = os.path.join(directory, f"{clock}-{number}{suffix}")
        try:
            if not os.path.exists(path + later):
                return os.open(path, _FLAGS, mode), path
        except FileExistsError:
            pass
        number += 1
