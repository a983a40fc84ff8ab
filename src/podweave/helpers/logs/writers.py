"""Whether anybody still has a file open for writing.

The kernel grants a read lease only on a file that nobody has open for writing, so asking for one
and giving it back at once answers the question across PID namespaces, where looking through
/proc can't. It needs the file's owner or CAP_LEASE; otherwise the answer is "unknown", and the
caller falls back on waiting for quiet. For the microseconds of the lease an open for writing waits
(with O_NONBLOCK: fails), which is why only files that were rotated away are asked about, and all
of them once the application has ended.
"""

from __future__ import annotations

import errno
import fcntl
import signal


def has_writer(descriptor: int) -> bool | None:
    """True or False for a descriptor opened read-only; None where the kernel doesn't tell."""
    try:
        # A writer that opens the file in the microseconds of the lease makes the kernel send
        # SIGIO, whose default is to end the process.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    except ValueError:  # not in the main thread
        return None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
