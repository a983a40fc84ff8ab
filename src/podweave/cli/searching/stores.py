"""Finding the files of embedded stores: `DIRECTORY/NAMESPACE/POD/20260102T030405Z-1.ndjson`, or
`.ndjson.gz` once they are packed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

DEPTH = 8
"""How deep in a volume a store is looked for."""

_NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9]+)\.ndjson(\.gz)?")


@dataclass
class Found:
    """The files, in the order in which they were begun, and what could not be looked into."""

    files: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def volumes(state: str) -> list[str]:
    """The local engine's volumes that may hold a store: claims, and volumes of its Pods."""
    found = []
    for kind, depth in (("claims", 2), ("pods", 1)):
        level = [os.path.join(state, kind)]
        for _ in range(depth):
            level = [path for directory in level for path in _directories(directory)]
        found += level if kind == "claims" else [os.path.join(pod, "volumes") for pod in level]
    return [path for path in found if os.path.isdir(path)]


def find(directories: Iterable[str], pod: str | None = None) -> Found:
    """Files of stores in and below the directories; of one Pod (`POD` or `NAMESPACE/POD`)."""
    found: dict[str, tuple[str, int]] = {}
    unreadable: list[str] = []

    def note(error: OSError) -> None:
        unreadable.append(str(error.filename))

    for top in directories:
        top = os.path.abspath(top)
        for directory, names, files in os.walk(top, onerror=note):
            if directory.count(os.sep) - top.count(os.sep) >= DEPTH:
                names.clear()
            if pod is not None and not _is_of(directory, pod):
                continue
            for name in files:
                match = _NAME.fullmatch(name)
                path = os.path.join(directory, name)
                if match is None or (match[3] and name.removesuffix(".gz") in files):
                    continue  # both are there for the moment between packing and deleting
                if os.access(path, os.R_OK):
                    found[path] = (match[1], int(match[2]))
                else:
                    unreadable.append(path)
    return Found(sorted(found, key=lambda path: (found[path], path)), unreadable)


def _is_of(directory: str, pod: str) -> bool:
    wanted = pod.split("/")
    return directory.split(os.sep)[-len(wanted) :] == wanted


def _directories(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []
