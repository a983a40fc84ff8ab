"""podweave demo: the whole story on one machine, by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(short_help="Show the whole story on this machine.")
def command() -> None:
    """Run an order service that nobody may change, woven, on this machine.

    Two real PostgreSQL servers stand for the environments dev and qa. Orders are placed without
    a pause while the ambassador switches from one to the other; the service's two log formats
    become one. Everything it starts, it stops and removes. Needs the extra `demo`.
    """
    from podweave.cli.demonstration.guard import guarded
    from podweave.cli.demonstration.postgres import PostgresError
    from podweave.cli.demonstration.story import Story, StoryError

    story = Story(find_example())

    def tell() -> int:
        try:
            story.tell()
        except (StoryError, PostgresError) as error:
            click.secho(f"\nThe demonstration failed: {error}", fg="red", err=True)
            return 1
        return 0

    sys.exit(guarded(tell, story.clear))


def find_example() -> Path:
    """examples/orders: in a checkout beside src/, in an installation inside the package."""
    package = Path(__file__).resolve().parents[1]
    for place in (package.parents[1] / "examples/orders", package / "examples/orders"):
        if place.is_dir():
            return place
    raise click.ClickException("examples/orders is not in this installation; use a checkout")
