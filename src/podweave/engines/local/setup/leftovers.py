"""What a Pod leaves outside of its namespaces, recorded ahead of being made, and its removal.

The rest ends with the Pod's processes, which end with their supervisor, however that ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import msgspec

from podweave.engines.local.setup import outer_network
from podweave.sandbox import cgroups

_RECORD = "sandbox.json"
_DIRECTORIES = ("volumes", "termination", "private", "root")
_SOCKETS = ("agent.sock", "broker.sock")


class RecordSandbox(msgspec.Struct, frozen=True):
    """Written first: whatever exists later is known to `remove`."""

    directory: str
    link: str | None = None
    groups: tuple[str, ...] = ()

    def describe(self) -> str:
        return f"record in {self.directory}/{_RECORD} what will have to be removed"

    def run(self) -> None:
        path = f"{self.directory}/{_RECORD}"
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"version": 1, "link": self.link, "cgroups": self.groups}, file)
        os.replace(path + ".new", path)


def remove(directory: str) -> None:
    """Remove it all. Idempotent."""
    record = _read(directory)
    groups = record.get("cgroups")
    if isinstance(groups, list):
        cgroups.remove(groups)
        for group in groups:
            try:
                os.rmdir(os.path.dirname(group))
            except OSError:
                pass  # other Pods' groups are in it
    link = record.get("link")
    if isinstance(link, str) and os.geteuid() == 0:
        outer_network.disconnect(link)
    for name in _DIRECTORIES:
        _remove_tree(f"{directory}/{name}")
    for name in (*_SOCKETS, _RECORD, _RECORD + ".new"):
        try:
            os.unlink(f"{directory}/{name}")
        except (FileNotFoundError, NotADirectoryError):
            pass


def _read(directory: str) -> dict[str, object]:
    try:
        with open(f"{directory}/{_RECORD}", encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _remove_tree(path: str) -> None:
    import shutil  # only at a Pod's end; `up` doesn't wait for it to load

    def open_up(function: Callable[[str], object], failed: str, error: object) -> None:
        """A directory that its owner may not enter or change: an app can leave such."""
        if isinstance(error, tuple) and isinstance(error[1], FileNotFoundError):
            return
        os.chmod(os.path.dirname(failed), 0o700)
        if not os.path.islink(failed):
            os.chmod(failed, 0o700)
        if os.path.isdir(failed) and not os.path.islink(failed):
            shutil.rmtree(failed, ignore_errors=True)
        else:
            function(failed)

    shutil.rmtree(path, onerror=open_up)
