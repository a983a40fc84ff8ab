"""`podweave replay`: records that a store refused, sent again by the sidecar that keeps them."""

from __future__ import annotations

import json
from typing import Any

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.running_helpers import counted, named_helpers
from podweave.model.errors import InputError


@click.command("replay")
@click.argument("pod", required=False)
@engine_option
@click.option("-c", "--container", help="One log sidecar; default: all of the Pod.")
@click.option("--store", default="", help="One store, by its name or kind; default: all.")
@click.option("--list", "listed", is_flag=True, help="Say what there is, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="What each sidecar answers, a JSON each.")
def command(
    pod: str | None,
    engine_name: str,
    container: str | None,
    store: str,
    listed: bool,
    as_json: bool,
) -> None:
    """Send dead letters again: records that a store refused, for a reason that is mended now.

    They keep the ids, times and Pod that they had. What is refused once more is a dead letter
    once more. POD may be left out when there is only one.
    """
    for sidecar in named_helpers(engine_or_exit(engine_name), pod, "sidecar", container):
        kept = sidecar.ask("/dead-letters")
        if store and store not in kept:
            known = ", ".join(kept)
            raise InputError(f"{sidecar.name}: there is no store {store!r}; there is {known}")
        kept = {key: value for key, value in kept.items() if store in ("", key)}
        if not listed and any(each["records"] for each in kept.values()):
            sidecar.ask("/replay", store)
        if as_json:
            click.echo(json.dumps({"container": sidecar.name, "stores": kept}))
        else:
            for key, value in kept.items():
                _show(f"{sidecar.name}: {key}", value, listed)


def _show(place: str, kept: dict[str, Any], listed: bool) -> None:
    if not kept["records"]:
        click.echo(f"{place}: no dead letters")
        return
    does = f"{kept['bytes']} bytes" if listed else "being sent again"
    click.echo(f"{place}: {counted(kept['records'], 'record')}, {does}")
    for reason, times in kept["reasons"].items():
        click.echo(f"  {times} × {reason}")
    if listed and kept["last"]:
        click.echo(f"  the last: {kept['last'].get('record', '')}")
