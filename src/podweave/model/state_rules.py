"""What is wrong in the place of a log helper's state and no type can say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from podweave.model.errors import InputError, Path
from podweave.model.names import dns_label_problem
from podweave.model.pattern_parts import State
from podweave.model.store_rules import check_volume

ENDING_VOLUMES: Final = ("emptyDir", "ephemeral")
"""Volume sources that end with their Pod."""


def check_state(state: State, own: bool, path: Path) -> Iterator[InputError]:
    """All that is wrong in `state` at `path`. `own`: beside a container of the user's own."""
    if own:
        yield InputError(
            "this configures podweave's own helper and can't stand beside `container`", path=path
        )
    if isinstance(state.volume, str):
        if problem := dns_label_problem(state.volume):
            yield InputError(
                f"{problem}; it is the name of a volume of the Pod", path=(*path, "volume")
            )
    else:
        wrong = list(check_volume(state.volume, (*path, "volume")))
        kind = next(iter(state.volume), "")
        if not wrong and kind in ENDING_VOLUMES:
            message = f"a volume of {kind} ends with the Pod: leave `state` out for that"
            wrong.append(InputError(message, path=(*path, "volume", kind)))
        yield from wrong
    if problem := _path_problem(state.path):
        yield InputError(problem, path=(*path, "path"))


def _path_problem(path: str) -> str | None:
    if not path or path.startswith("/") or "\0" in path or ".." in path.split("/"):
        return f"{path!r} must be a folder in the volume, as `.podweave` is, without `..`"
    if set(path) & set("*?[{}"):
        return f"{path!r} names one folder, without wildcards and braces"
    if posixpath.normpath(path) == ".":
        return f"{path!r}: the volume's root is not for the state alone: name a folder in it"
    return None
