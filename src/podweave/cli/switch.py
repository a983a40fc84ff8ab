"""`podweave switch`: another profile for the ambassadors of running Pods."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.running_helpers import counted, named_helpers, seconds
from podweave.model.errors import InputError


@click.command("switch")
@click.argument("profile")
@click.argument("pod", required=False)
@engine_option
@click.option("-c", "--container", help="One ambassador; default: all of the Pod.")
@click.option(
    "--existing",
    type=click.Choice(["keep", "drain", "cut"]),
    help="What becomes of open connections. Default: as the pattern's onSwitch says.",
)
@click.option("--grace", metavar="TIME", help="Of drain: how long they may go on, as in 30s.")
@click.option("--json", "as_json", is_flag=True, help="What each ambassador answers, a JSON each.")
def command(
    profile: str,
    pod: str | None,
    engine_name: str,
    container: str | None,
    existing: str | None,
    grace: str | None,
    as_json: bool,
) -> None:
    """Change the profile of a Pod's ambassadors, while the application runs.

    New connections go to the new upstreams. Open ones go on where they are, unless the pattern's
    onSwitch or --existing says otherwise. POD may be left out when there is only one.
    """
    policy = []
    if grace is not None:
        if existing != "drain":
            raise InputError("--grace: goes with --existing drain")
        try:
            policy = [existing, str(seconds(grace))]
        except InputError as error:
            raise InputError(f"--grace: {error.message}") from None
    elif existing is not None:
        policy = [existing]
    codes = []
    for ambassador in named_helpers(engine_or_exit(engine_name), pod, "ambassador", container):
        code, output = ambassador.run("switch", profile, ambassador.configuration, *policy)
        codes.append(code)
        text = output.strip()
        if code == 0 and not as_json:
            text = said(json.loads(text))
        click.echo(f"{ambassador.name}: {text}" if not as_json or code else text, err=code != 0)
    if any(codes):
        sys.exit(1)


def said(answer: dict[str, Any]) -> str:
    """An ambassador's answer, for a person."""
    profile, previous = answer["profile"], answer["previous"]
    parts = [f"profile {profile}" + (f", was {previous}" if previous != profile else ", as before")]
    if count := answer.get("redialled"):
        parts.append(f"{counted(count, 'waiting client')} dialled anew")
    if count := answer.get("kept"):
        parts.append(f"{counted(count, 'connection')} kept where they are")
    if count := answer.get("draining"):
        # The kernel's connections have a grace time of their own, which isn't told.
        within = f" within {answer['grace_seconds']:g} s" if "grace_seconds" in answer else ""
        parts.append(f"{counted(count, 'connection')} may end{within}")
    if "cut" in answer:
        parts.append(f"{counted(answer['cut'], 'connection')} cut")
    return "; ".join(parts)
