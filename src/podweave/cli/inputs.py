"""The files that a command is given: named ones, directories, standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable

from podweave.manifests.decoding import MAX_BYTES
from podweave.manifests.documents import Source
from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


def read_sources(names: Iterable[str]) -> list[Source]:
    """Read every file, a file named twice once. Raises InputErrors with all that is wrong."""
    sources: list[Source] = []
    errors: list[InputError] = []
    seen: set[str] = set()
    for name in names:
        try:
            files = _files(name)
        except InputError as error:
            errors.append(error)
            continue
        for file in files:
            real = file if file == STDIN else os.path.realpath(file)
            if real in seen:
                continue
            seen.add(real)
            try:
                sources.append(read(file, _bytes(file)))
            except InputError as error:
                errors.append(error)
            except InputErrors as wrong:
                errors.extend(wrong.errors)
    if errors:
        raise InputErrors(errors)
    return sources


def _files(name: str) -> list[str]:
    """The file itself, or all manifests beneath a directory, in the order of their names."""
    if name == STDIN or not os.path.isdir(name):
        return [name]
    found = []

    def unreadable(error: OSError) -> None:
        raise InputError(f"can't be listed: {error.strerror}", file=error.filename)

    for folder, folders, files in os.walk(name, onerror=unreadable):
        # Hidden ones belong to tools (.git, .terraform, .idea), not to the manifests.
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        found += [
            os.path.join(folder, file)
            for file in sorted(files)
            if file.endswith(SUFFIXES) and not file.startswith(".")
        ]
    if not found:
        raise InputError(f"no manifest in this directory: no file {_listed()}", file=name)
    return found


def _listed() -> str:
    return " or ".join((", ".join(f"*{s}" for s in SUFFIXES[:-1]), f"*{SUFFIXES[-1]}"))


def _bytes(file: str) -> bytes:
    # One byte more than the limit is enough to see that it is exceeded.
    if file == STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open(file, "rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if stat.S_ISBLK(mode):
                raise InputError("is a block device, not a file", file=file)
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=file) from None
    except ValueError as error:
        raise InputError(f"can't be read: {error}", file=repr(file)) from None
