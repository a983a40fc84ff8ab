"""This machine's tree of files, in the pieces that a container's root is made of.

As root, one overlay covers `/` and one each mount beneath it. In a user namespace the kernel
refuses (EINVAL) an overlay over a directory beneath which something is mounted, so there each
top-level directory gets its own, and those with mounts beneath them are descended into.
"""

from __future__ import annotations

import contextlib
import os

import msgspec

from podweave.sandbox import mounts

OWN = ("/dev", "/proc", "/run", "/sys")
"""What a container never has of the machine's. /run is the state of its running services."""

_NO_FILES = frozenset(
    [
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fuse.lxcfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "sysfs",
        "tracefs",
    ]
)
"""File systems that hold no files of the machine's; `overlay` is other containers' roots."""

_MANY = 64
_TOO_MANY = 512
"""A directory with mounts beneath is descended into. With more entries than the first number
each is shown read-only instead of under a layer of its own; with more than the second, too many
to mount one by one, the directory is shown read-only as a whole."""


class Piece(msgspec.Struct, frozen=True):
    """A part of the machine's tree and how a container sees it."""

    kind: str
    """layer (overlay), bind (read-only), directory (new and empty), link."""
    path: str
    link: str = ""
    lower: tuple[str, ...] = ()
    recursive: bool = False
    """For bind: with the mounts beneath it, which can't be left out in a user namespace."""


def survey(
    table: list[mounts.Mount],
    *,
    in_user_namespace: bool,
    image: str | None = None,
    hidden: str | None = None,
) -> list[Piece]:
    """Look at this machine's tree: in which pieces a container's root is made of it.

    What is mounted beneath the directory `hidden` is the Pod's own, for no container to see.
    """
    if hidden is not None:
        table = [entry for entry in table if not entry.target.startswith(hidden + "/")]
    if in_user_namespace or image is not None:
        pieces = _descend("/", {entry.target for entry in table}, hidden or "")
        return pieces if image is None else with_image(pieces, image)
    pieces = [Piece("layer", "/")]
    for entry in sorted(mounts.visible(table), key=lambda entry: entry.target):
        target = entry.target
        if target == "/" or is_own(target) or entry.filesystem in _NO_FILES:
            continue
        if os.path.isdir(target):
            pieces.append(Piece("layer", target))
        elif os.path.isfile(target):
            pieces.append(Piece("bind", target))
    return pieces


def is_own(path: str) -> bool:
    return any(path == own or path.startswith(own + "/") for own in OWN)


def _descend(directory: str, targets: set[str], hidden: str) -> list[Piece]:
    pieces: list[Piece] = []
    try:
        with os.scandir(directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return pieces  # removed meanwhile
    crowded = len(found) > _MANY
    for entry in found:
        path = entry.path
        if path in OWN:
            continue
        if entry.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                pieces.append(Piece("link", path, link=os.readlink(path)))
        elif not entry.is_dir(follow_symlinks=False):
            if os.access(path, os.R_OK):
                pieces.append(Piece("bind", path))
        elif not os.access(path, os.R_OK | os.X_OK):
            # Root's home, lost+found: nothing in it could be read, but HOME is to be writable.
            pieces.append(Piece("directory", path))
        else:
            try:
                names = os.listdir(path)
            except OSError:
                continue  # removed meanwhile
            beneath = any(target.startswith(path + "/") for target in targets)
            if not names:
                pieces.append(Piece("directory", path))
            elif not beneath:
                pieces.append(Piece("bind" if crowded else "layer", path))
            elif len(names) > _TOO_MANY and not hidden.startswith(path + "/"):
                pieces.append(Piece("bind", path, recursive=True))
            else:
                pieces.append(Piece("directory", path))
                pieces += _descend(path, targets, hidden)
    return pieces


def with_image(pieces: list[Piece], image: str) -> list[Piece]:
    """Lay the files of the directory `image` over the pieces of `_descend`."""
    result = []
    for piece in pieces:
        over = image + piece.path
        if piece.kind in ("layer", "directory", "bind") and os.path.isdir(over):
            # Overlayfs refuses layers of which one is beneath the other.
            around = (image + "/").startswith(piece.path + "/")
            alone = piece.kind == "directory" or around
            lower = (over,) if alone else (over, piece.path)
            result.append(Piece("layer", piece.path, lower=lower))
        else:
            result.append(piece)
    known = {piece.path for piece in pieces}
    with os.scandir(image) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = "/" + entry.name
            if path in known or path in OWN:
                continue
            if entry.is_dir():
                result.append(Piece("layer", path, lower=(entry.path,)))
            elif entry.is_file():
                result.append(Piece("bind", path, link=entry.path))
    return result
