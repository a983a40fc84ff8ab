"""`podweave ambassadors`: where the connections of running Pods lead, and how that is going."""

from __future__ import annotations

import json
import sys
import time
from calendar import timegm
from typing import Any

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.fault_words import said
from podweave.cli.pod_tree import COLOURS, MARKS, Style, age, pod_name
from podweave.cli.running_helpers import RunningHelper, helpers_of, named_helpers
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError

_STYLES: dict[str, Style] = {"up": "good", "unknown": "plain", "failing": "wait"}
"""By an upstream's state; any other is bad."""


@click.command("ambassadors")
@click.argument("pod", required=False)
@engine_option
@click.option("-c", "--container", help="One ambassador; default: all of the Pod.")
@click.option("--json", "as_json", is_flag=True, help="A list of their states, for programs.")
def command(pod: str | None, engine_name: str, container: str | None, as_json: bool) -> None:
    """Show the ambassadors of a Pod, or of all: profile, upstreams, connections.

    An upstream is up or failing by the last attempt to connect or check, down by its health
    checks, ejected for a while because it kept failing, or unknown because nobody asked yet.
    """
    engine = engine_or_exit(engine_name)
    if pod or container:
        found = named_helpers(engine, pod, "ambassador", container)
    else:
        found = [
            each
            for every in engine.pods()
            if every["podweave"]["state"] == "alive"
            for each in helpers_of(engine, every, "ambassador")
        ]
    states = [(each, _state(each)) for each in found]
    if as_json:
        listed = [{"pod": pod_name(each.pod), "name": each.name, **state} for each, state in states]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False).encode())
    else:
        if not states:
            click.echo("no ambassadors", err=True)
        for each, state in states:
            for text, style in lines(pod_name(each.pod), each.name, state, time.time()):
                click.secho(text, fg=COLOURS.get(style))
    if any("error" in state for _, state in states):
        sys.exit(1)


def _state(ambassador: RunningHelper) -> dict[str, Any]:
    try:
        return ambassador.ask("/state")
    except (EngineError, InputError) as error:
        return {"error": str(error)}


def lines(pod: str, name: str, state: dict[str, Any], now: float) -> list[tuple[str, Style]]:
    """One ambassador as lines of text, each with its style."""
    if "error" in state:
        return [(f"{MARKS['bad']} {pod} {name}: {state['error']}", "bad")]
    profile = state["profile"]
    here = state["open"].get(profile, 0)
    head = (
        f"{pod} {name}: {state['protocol']}, profile {profile} for {_age(state['since'], now)}, "
        f"{here} open, {state['held']} waiting"
    )
    if elsewhere := {
        key: count for key, count in state["open"].items() if count and key != profile
    }:
        head += "; still open in " + ", ".join(f"{key}: {n}" for key, n in elsewhere.items())
    if state["stopping"]:
        head += "; stopping"
    shown: list[tuple[str, Style]] = [(head, "plain")]
    width = max((len(each["address"]) for each in state["upstreams"]), default=0)
    shown += [_upstream(each, profile, width, now) for each in state["upstreams"]]
    for key, faults in state.get("faults", {}).items():
        shown.append((f"   faults on purpose in {key}: {said(faults)}", "wait"))
    if error := state.get("configuration_error"):
        shown.append((f"   the changed configuration is refused: {error}", "bad"))
    if keys := state.get("restart_needed_for"):
        shown.append((f"   changed, and waiting for a restart: {', '.join(keys)}", "wait"))
    return shown


def _upstream(upstream: dict[str, Any], profile: str, width: int, now: float) -> tuple[str, Style]:
    state = upstream["state"]
    style = _STYLES.get(state, "bad")
    text = f"   {MARKS[style]} {upstream['address']:{width}}  {state}"
    if "since" in upstream:
        text += f" {_age(upstream['since'], now)}"
    text += f", {upstream['open']} open"
    if upstream["profile"] != profile:
        text += f", of profile {upstream['profile']}"
    if upstream["priority"]:
        text += f", priority {upstream['priority']}"
    if upstream["weight"] != 1:
        text += f", weight {upstream['weight']}"
    if left := upstream.get("ejected_seconds"):
        text += f", left out for {left:g} s more"
    if message := upstream.get("message"):
        text += f": {upstream['reason']}: {message}"
    return text, style


def _age(stamp: str, now: float) -> str:
    return age(now - timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")))
