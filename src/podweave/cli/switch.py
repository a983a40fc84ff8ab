"""`podweave switch`: another profile for the ambassadors of running Pods."""

from __future__ import annotations

import sys

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.pod_names import find_pod, only_pod
from podweave.cli.pod_tree import container_statuses, pod_name

ARCHIVE = "/opt/podweave/podweave-helpers.pyz"


@click.command("switch")
@click.argument("profile")
@click.argument("pod", required=False)
@engine_option
@click.option("-c", "--container", help="One ambassador; default: all of the Pod.")
def command(profile: str, pod: str | None, engine_name: str, container: str | None) -> None:
    """Change the profile of a Pod's ambassadors, while the application runs.

    Open connections go on where they are; new ones go to the new upstreams. POD may be left out
    when there is only one.
    """
    engine = engine_or_exit(engine_name)
    pods = engine.pods()
    found = find_pod(pods, pod) if pod else only_pod(pods)
    helpers = found["podweave"]["helpers"]
    names = [
        each["name"]
        for each in container_statuses(found)
        if helpers.get(each["name"]) == "ambassador" and container in (None, each["name"])
    ]
    if not names:
        wanted = f"ambassador {container}" if container else "ambassador"
        click.echo(f"Pod {pod_name(found)} has no {wanted}", err=True)
        sys.exit(2)
    failed = False
    for name in names:
        configuration = f"/etc/podweave/{name}.json"
        argv = ["python3", "-I", "-S", ARCHIVE, "switch", profile, configuration]
        code, output = engine.execute(found, name, argv)
        failed |= code != 0
        text = output.strip() or f"profile {profile}"
        click.echo(f"{name}: {text}", err=code != 0)
    if failed:
        sys.exit(1)
