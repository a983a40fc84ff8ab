"""What is wrong in a pattern with a container of the user's own in place of podweave's helper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from podweave.model.errors import InputError, Path
from podweave.model.pattern_parts import Strict

NOT_THE_HELPERS: Final = ("selector", "container", "metrics")
"""Keys of every kind's spec that may stand beside a container, or say by themselves why not."""


def check_container(container: dict[str, object], path: Path) -> Iterator[InputError]:
    """All that podweave asks of the container at `path`."""
    if not isinstance(container.get("image"), str) or not container["image"]:
        yield InputError("a container of your own has an image", path=path)
    if "name" in container:
        yield InputError(
            "the container's name is the pattern's metadata.name: leave this out",
            path=(*path, "name"),
        )


def check_beside(struct: Strict, allowed: Sequence[str], path: Path) -> Iterator[InputError]:
    """Keys of the struct at `path` that would configure podweave's own helper."""
    for field in msgspec.structs.fields(struct):
        stated = getattr(struct, field.name) != _default(field)
        if stated and field.encode_name not in allowed:
            yield InputError(
                "this configures podweave's own helper and can't stand beside `container`",
                path=(*path, field.encode_name),
            )


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()
