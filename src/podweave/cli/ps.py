"""`podweave ps`: the object tree down to each container and its state."""

from __future__ import annotations

import json

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.pod_tree import COLOURS, render, tree


@click.command("ps")
@engine_option
@click.option("--json", "as_json", is_flag=True, help="A List of Pod objects, for programs.")
def command(engine_name: str, as_json: bool) -> None:
    """Show Pods and the state of each container.

    Red is what is at fault, yellow what isn't ready (yet), green what serves, blue what has
    ended well. Pods whose supervisor died are shown, too.
    """
    pods = engine_or_exit(engine_name).pods()
    if as_json:
        found = {"apiVersion": "v1", "kind": "List", "items": pods}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False).encode())
        return
    if not pods:
        click.echo("no Pods", err=True)
    for text, style in render(tree(pods)):
        click.secho(text, fg=COLOURS.get(style))
