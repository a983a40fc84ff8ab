"""`podweave schema`: the JSON Schema of the pattern resources, for editors."""

from __future__ import annotations

import click

from podweave.cli.outputs import write_json


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of Ambassador, Adapter and Sidecar.

    An editor checks a pattern file by it: with the YAML language server, write
    `# yaml-language-server: $schema=FILE` on the file's first line.
    """
    from podweave.model.schema import schema

    write_json([schema()])
