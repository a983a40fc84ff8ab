"""What the system says when it refuses something with a file."""

from __future__ import annotations

import errno
import os


def why(error: OSError) -> str:
    """In words; where it is a matter of rights, as whom this runs."""
    words = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{words}: this runs as user {os.geteuid()}, group {os.getegid()}"
    return words
