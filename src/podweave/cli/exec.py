"""`podweave exec`: a command in a running container."""

from __future__ import annotations

import sys

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.pod_names import container_name, find_pod
from podweave.cli.pod_tree import pod_name
from podweave.engines.engine import PodGoneError
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError


@click.command("exec", context_settings={"ignore_unknown_options": False})
@click.argument("pod")
@click.argument("argv", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, type=click.UNPROCESSED)
@engine_option
@click.option("-c", "--container", help="Default: the Pod's default container, or its first.")
@click.option("-i", "--stdin", "interactive", is_flag=True, help="Pass standard input on.")
@click.option("-t", "--tty", is_flag=True, help="A terminal of its own for the command.")
def command(
    pod: str,
    argv: tuple[str, ...],
    engine_name: str,
    container: str | None,
    interactive: bool,
    tty: bool,
) -> None:
    """Run a command in a container of a Pod. Ends with the command's exit code."""
    if not argv:
        raise click.UsageError("name a command: podweave exec POD -- COMMAND")
    engine = engine_or_exit(engine_name)
    found = find_pod(engine.pods(), pod)
    name = container_name(found, container)
    if found["podweave"]["state"] != "alive":
        raise InputError(f"Pod {pod_name(found)} doesn't run any more")
    try:
        code = engine.attach(found, name, list(argv), interactive=interactive, terminal=tty)
    except PodGoneError:
        # Between the look at it and now.
        raise InputError(f"Pod {pod_name(found)} doesn't run any more") from None
    except EngineError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    sys.exit(code)
