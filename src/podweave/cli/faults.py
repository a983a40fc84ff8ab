"""`podweave faults`: make an ambassador's upstreams slow or unreliable on purpose."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.fault_words import said
from podweave.cli.running_helpers import counted, named_helpers, seconds
from podweave.model.errors import InputError
from podweave.model.quantities import parse_quantity


@click.group("faults")
def command() -> None:
    """Show, set or clear faults on purpose, while the application runs.

    What the application then sees is an upstream that is slow or breaks, on connections that are
    open already, too. Faults end when they are cleared, or with the Pod.
    """


def _options(function: Any) -> Any:
    for decorate in (
        click.argument("pod", required=False),
        engine_option,
        click.option("-c", "--container", help="One ambassador; default: all of the Pod."),
        click.option("--profile", help="Default: the profile in use."),
    ):
        function = decorate(function)
    return function


@command.command("set")
@_options
@click.option("--latency", metavar="TIME", help="Each answer is so much later: 200ms.")
@click.option("--jitter", metavar="TIME", help="Later or earlier by up to so much: 50ms.")
@click.option("--bandwidth", metavar="BYTES", help="A second each way, by connection: 64Ki.")
@click.option("--reset", metavar="SHARE", help="Of connections, when next answered: 10%.")
@click.option("--refuse", metavar="SHARE", help="Of new connections, at once: 5%.")
def set_faults(
    pod: str | None,
    engine_name: str,
    container: str | None,
    profile: str | None,
    **wanted: str | None,
) -> None:
    """Set these faults in place of those there were.

    POD may be left out when there is only one.
    """
    faults = {name: _value(name, text) for name, text in wanted.items() if text is not None}
    if not faults:
        raise InputError("name a fault, as in --latency 200ms; `podweave faults clear` ends them")
    _post(pod, engine_name, container, profile, faults)


@command.command("clear")
@_options
def clear_faults(
    pod: str | None, engine_name: str, container: str | None, profile: str | None
) -> None:
    """End all faults of a profile."""
    _post(pod, engine_name, container, profile, {})


@command.command("show")
@_options
def show_faults(
    pod: str | None, engine_name: str, container: str | None, profile: str | None
) -> None:
    """Say which faults there are."""
    for ambassador in named_helpers(engine_or_exit(engine_name), pod, "ambassador", container):
        faults = ambassador.ask("/faults")
        for name, values in faults.items():
            if profile in (None, name):
                click.echo(f"{ambassador.name}: profile {name}: {said(values)}")
        if not any(profile in (None, name) for name in faults):
            click.echo(f"{ambassador.name}: no faults")


def _post(
    pod: str | None,
    engine_name: str,
    container: str | None,
    profile: str | None,
    faults: dict[str, float],
) -> None:
    wanted = {**faults, **({"profile": profile} if profile is not None else {})}
    for ambassador in named_helpers(engine_or_exit(engine_name), pod, "ambassador", container):
        answer = ambassador.ask("/faults", json.dumps(wanted))
        click.echo(
            f"{ambassador.name}: profile {answer['profile']}: {said(answer['faults'])}; "
            f"{counted(answer['open'], 'open connection')} concerned"
        )


def _value(name: str, text: str) -> float:
    try:
        if name in ("latency", "jitter"):
            return seconds(text)
        if name == "bandwidth":
            rate = math.ceil(parse_quantity(text))
            if rate < 1:
                raise InputError(f"{text!r} isn't a number of bytes, as in 64Ki")
            return rate
        return _share(text)
    except InputError as error:
        raise InputError(f"--{name}: {error.message}") from None


def _share(text: str) -> float:
    percent = text.endswith("%")
    try:
        share = float(text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise InputError(f"{text!r} isn't a share, as in 10% or 0.1")
    return share
