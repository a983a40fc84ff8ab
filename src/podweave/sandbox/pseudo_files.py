"""Files of /proc, /sys and control groups: they take a value in one write, or refuse it."""

from __future__ import annotations

import os

from podweave.sandbox.system_calls import SandboxError


def write(path: str, value: str) -> None:
    """Give the kernel a value. Raises SandboxError with its errno."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SandboxError(f"write {value} to", path, error.errno or 0) from error
