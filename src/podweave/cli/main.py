"""The command `podweave`."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from podweave.cli.commands import podweave

    podweave()
