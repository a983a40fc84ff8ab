"""Paths inside a root that isn't trusted: a symlink must not lead out of it."""

from __future__ import annotations

import errno
import os

from podweave.sandbox.system_calls import (
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    SandboxError,
    openat2,
)

_PATH = os.O_PATH | os.O_CLOEXEC


def open_in_root(root: str, path: str) -> int:
    """An O_PATH descriptor of `path`, with `root` as what `/` means in it and in its symlinks."""
    return _open(root, path, RESOLVE_IN_ROOT)


def open_beneath(root: str, path: str) -> int:
    """An O_PATH descriptor of `path` beneath `root`. EXDEV when a symlink or `..` leaves it."""
    return _open(root, path, RESOLVE_BENEATH)


def _open(root: str, path: str, resolve: int) -> int:
    base = os.open(root, _PATH | os.O_DIRECTORY)
    try:
        return openat2(base, path.strip("/") or ".", os.O_PATH, resolve | RESOLVE_NO_MAGICLINKS)
    except SandboxError as error:
        raise SandboxError("open", os.path.join(root, path.strip("/")), error.errno or 0) from error
    finally:
        os.close(base)


def make_in_root(
    root: str, path: str, *, directory: bool, beneath: bool = False, mode: int = 0o755
) -> int:
    """Like `open_in_root`, or `open_beneath`, making what is missing: directories, and a file as
    the last part."""
    resolve = RESOLVE_BENEATH if beneath else RESOLVE_IN_ROOT
    try:
        return _open(root, path, resolve)
    except SandboxError as error:
        if error.errno != errno.ENOENT:
            raise
    base = os.open(root, _PATH | os.O_DIRECTORY)
    try:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        place = "."
        for index, part in enumerate(parts):
            parent, place = place, f"{place}/{part}"
            try:
                found = openat2(base, place, os.O_PATH, resolve | RESOLVE_NO_MAGICLINKS)
                os.close(found)
                continue
            except SandboxError as error:
                if error.errno != errno.ENOENT:
                    raise SandboxError("open", f"{root}/{place[2:]}", error.errno or 0) from error
            above = openat2(
                base, parent, os.O_PATH | os.O_DIRECTORY, resolve | RESOLVE_NO_MAGICLINKS
            )
            try:
                is_directory = directory or index < len(parts) - 1
                _make(above, part, is_directory, mode, f"{root}/{place[2:]}")
            finally:
                os.close(above)
        return openat2(base, place, os.O_PATH, resolve | RESOLVE_NO_MAGICLINKS)
    finally:
        os.close(base)


def _make(above: int, name: str, directory: bool, mode: int, path: str) -> None:
    try:
        if directory:
            os.mkdir(name, dir_fd=above)
            os.chmod(name, mode, dir_fd=above)
        else:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            os.close(os.open(name, flags, 0o644, dir_fd=above))
    except FileExistsError:
        pass  # a dangling symlink, which the next open reports, or somebody was quicker
    except OSError as error:
        raise SandboxError("make", path, error.errno or 0) from error
