"""`podweave explain`: what an adapter makes of a log file."""

from __future__ import annotations

import click

from podweave.cli.adapting import options, run


@click.command("explain")
@options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(file: str, format_: str, schema: str, time_zone: str | None, as_json: bool) -> None:
    """Say what an adapter makes of FILE: its format, its fields, and what it can't read.

    The table has each field's neutral name, its place in the schema, how many events have it,
    and an example.
    """
    arguments = [f"--format={format_}", f"--schema={schema}", *(["--json"] if as_json else [])]
    run("explain", file, *arguments, zone=time_zone)
