"""`podweave replay`: records that a store refused, sent again by the sidecar that keeps them."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.pod_names import find_pod, only_pod
from podweave.cli.pod_tree import Pod, container_statuses, pod_name
from podweave.engines.engine import Engine
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError

ARCHIVE = "/opt/podweave/podweave-helpers.pyz"


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
    engine = engine_or_exit(engine_name)
    pods = engine.pods()
    found = find_pod(pods, pod) if pod else only_pod(pods)
    names = _sidecars(found, container)
    if not names:
        wanted = f"log sidecar {container}" if container else "log sidecar"
        raise InputError(f"Pod {pod_name(found)} has no {wanted}")
    for name in names:
        kept = _ask(engine, found, name, "/dead-letters")
        if store and store not in kept:
            raise InputError(f"{name}: there is no store {store!r}; there is {', '.join(kept)}")
        kept = {key: value for key, value in kept.items() if store in ("", key)}
        if not listed and any(each["records"] for each in kept.values()):
            _ask(engine, found, name, "/replay", store)
        if as_json:
            click.echo(json.dumps({"container": name, "stores": kept}))
        else:
            for key, value in kept.items():
                _show(f"{name}: {key}", value, listed)
    sys.exit(0)


def _sidecars(pod: Pod, container: str | None) -> list[str]:
    helpers = pod["podweave"]["helpers"]
    return [
        each["name"]
        for each in container_statuses(pod)
        if helpers.get(each["name"]) == "sidecar" and container in (None, each["name"])
    ]


def _ask(engine: Engine, pod: Pod, name: str, path: str, *content: str) -> dict[str, Any]:
    argv = ["python3", "-I", "-S", ARCHIVE, "ask", path, f"/etc/podweave/{name}.json", *content]
    code, output = engine.execute(pod, name, argv)
    text = output.strip()
    if code == 2:
        raise InputError(f"{name}: {text}")
    try:
        answer = json.loads(text) if code == 0 else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise EngineError(f"{name}: {text or f'no answer, exit {code}'}")
    return answer


def _show(place: str, kept: dict[str, Any], listed: bool) -> None:
    count = kept["records"]
    if not count:
        click.echo(f"{place}: no dead letters")
        return
    noun = "record" if count == 1 else "records"
    does = f"{kept['bytes']} bytes" if listed else "being sent again"
    click.echo(f"{place}: {count} {noun}, {does}")
    for reason, times in kept["reasons"].items():
        click.echo(f"  {times} × {reason}")
    if listed and kept["last"]:
        click.echo(f"  the last: {kept['last'].get('record', '')}")
