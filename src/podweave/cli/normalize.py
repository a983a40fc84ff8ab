"""`podweave normalize`: the adapter as a filter."""

from __future__ import annotations

import click

from podweave.cli.adapting import options, run


@click.command("normalize")
@options
def command(file: str, format_: str, schema: str, time_zone: str | None) -> None:
    """Write the events of FILE, or of standard input (-), as JSON records, one a line.

    It is what an adapter of the same format and schema makes of the file. What no format reads
    is kept whole as the message. A file may be gzipped.
    """
    run("normalize", file, f"--format={format_}", f"--schema={schema}", zone=time_zone)
