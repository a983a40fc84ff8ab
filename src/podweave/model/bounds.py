"""Numbers of a pattern that are out of their bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from podweave.model.errors import InputError, Path

Bounds = Mapping[tuple[str, str], tuple[float, float]]
"""(type, key) -> the least and the most it may be."""


def check_bounds(struct: msgspec.Struct, bounds: Bounds, path: Path) -> Iterator[InputError]:
    """Those of one struct, at `path`; not of the structs in it."""
    kind = type(struct)
    for field in msgspec.structs.fields(kind):
        allowed = bounds.get((kind.__name__, field.encode_name))
        value = getattr(struct, field.name)
        if allowed is not None and value is not None and not allowed[0] <= value <= allowed[1]:
            yield InputError(
                f"{value} isn't from {allowed[0]} to {allowed[1]}",
                path=(*path, field.encode_name),
            )
