"""Paths before and after something was taken away: items move up in their lists."""

from __future__ import annotations

from podweave.model.errors import Path


def before_removal(path: Path, removed: tuple[Path, ...]) -> Path:
    """Where a path of the stripped document was before the paths `removed` were taken away."""
    written: Path = ()
    for part in path:
        if isinstance(part, int):
            gone = sorted(
                last
                for *parent, last in removed
                if isinstance(last, int) and tuple(parent) == written
            )
            for index in gone:
                if index <= part:
                    part += 1
        written += (part,)
    return written


def after_removal(path: Path, removed: tuple[Path, ...]) -> Path:
    """Where a path of the user's document is once the paths `removed` are taken away."""
    after: Path = ()
    for depth, part in enumerate(path):
        if isinstance(part, int):
            part -= sum(
                1
                for gone in removed
                if len(gone) == depth + 1
                and gone[:-1] == path[:depth]
                and isinstance(gone[-1], int)
                and gone[-1] < part
            )
        after += (part,)
    return after
