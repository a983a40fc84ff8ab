"""The command `podweave`."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script."""
    if sys.argv[1:2] == ["up"]:
        # Before anything else is loaded: the two go on side by side.
        from podweave.engines.local.client import prefork

        prefork.prepare()
    from podweave.cli.commands import podweave

    podweave()
