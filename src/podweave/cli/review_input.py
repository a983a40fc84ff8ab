"""Files, directories and standard input for `review` and `split`, and their settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Final

from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors
from podweave.review.inventory import Inventory
from podweave.review.settings import Settings, read_settings

ENDINGS: Final = (".yaml", ".yml", ".json")
SETTINGS_FILE: Final = ".podweave.yaml"


def gather(files: tuple[str, ...], exclude: list[str] | None = None) -> Inventory:
    """Read everything that was named."""
    inventory = Inventory()
    for file in files:
        if file == "-":
            inventory.add("-", sys.stdin.buffer.read())
        elif os.path.isdir(file):
            for path in _walk(file, exclude or []):
                _add(inventory, path, guess=True)
        else:
            _add(inventory, file, guess=False)
    return inventory


def _add(inventory: Inventory, path: str, *, guess: bool) -> None:
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        message = f"can't be read: {error.strerror or error}"
        inventory.errors.append(InputError(message, file=path))
        return
    inventory.add(path, data, guess=guess)


def _walk(directory: str, exclude: list[str]) -> Iterator[str]:
    """Manifest files below a directory, in a stable order; hidden directories are left out."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            hidden = name.startswith(".")
            wanted = name.endswith(ENDINGS) and not hidden
            relative = os.path.relpath(path, directory)
            if wanted and not any(fnmatch(relative, each) for each in exclude):
                yield path


def settings_for(files: tuple[str, ...], named: str | None) -> Settings:
    """The settings file that was named, or the nearest one above the first file."""
    path = named or _nearest(files[0] if files else "-")
    if path is None:
        return Settings()
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", file=path) from None
    return read_settings(path, _values(path, data))


def _nearest(file: str) -> str | None:
    start = os.getcwd() if file == "-" else os.path.abspath(file)
    folder = start if os.path.isdir(start) else os.path.dirname(start)
    while True:
        path = os.path.join(folder, SETTINGS_FILE)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder or os.path.isdir(os.path.join(folder, ".git")):
            return None
        folder = above


def _values(path: str, data: bytes) -> object:
    """The plain values of a settings file: it is YAML, though no Kubernetes object."""
    envelope = b"apiVersion: v1\nkind: Settings\n"
    try:
        documents = read(path, envelope + data).documents
    except InputErrors as errors:
        for error in errors.errors:
            if error.line is not None:
                error.line = max(1, error.line - 2)
        raise
    return documents[0].object if documents else None
