"""`podweave up`: weave and run Pods."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.inputs import read_sources
from podweave.cli.patience import Patience
from podweave.engines.engine import PodExistsError
from podweave.engines.errors import EngineError
from podweave.engines.orders import orders
from podweave.manifests.bundle import bundle
from podweave.model.errors import InputError

if TYPE_CHECKING:
    from podweave.engines.engine import Engine, PodOrder
    from podweave.manifests.bundle import Bundle


def images(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Parse IMAGE=DIR."""
    found = {}
    for value in values:
        image, equals, directory = value.rpartition("=")
        if not equals or not image or not directory:
            raise click.BadParameter(f"{value!r}: write IMAGE=DIR")
        if not os.path.isdir(directory):
            raise click.BadParameter(f"{directory} is not a directory")
        found[image] = os.path.abspath(directory)
    return found


def publications(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, int, int]]:
    """Parse [ADDRESS:]HOST:CONTAINER."""
    import ipaddress

    found = []
    for value in values:
        rest, _, inner = value.rpartition(":")
        address, _, outer = rest.rpartition(":")
        address = address.removeprefix("[").removesuffix("]") or "0.0.0.0"
        try:
            ipaddress.ip_address(address)
            ports = int(outer), int(inner)
        except ValueError:
            raise click.BadParameter(
                f"{value!r}: write HOST:CONTAINER or ADDRESS:HOST:CONTAINER, as 8080:80"
            ) from None
        if not all(0 < port < 65536 for port in ports):
            raise click.BadParameter(f"{value!r}: a port is a number from 1 to 65535")
        found.append((address, *ports))
    return found


def backoff(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    """Parse INITIAL:MAXIMUM seconds."""
    if value is None:
        return None
    first, _, longest = value.partition(":")
    try:
        times = float(first), float(longest)
    except ValueError:
        times = (-1.0, -1.0)
    if not 0 < times[0] <= times[1]:
        raise click.BadParameter(f"{value!r}: write seconds as 1:60")
    return times


@click.command("up")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@engine_option
@click.option("--profile", metavar="NAME", help="The profile every ambassador starts with.")
@click.option(
    "--publish",
    "published",
    metavar="[ADDRESS:]HOST:CONTAINER",
    multiple=True,
    callback=publications,
    help="A port of this machine that leads to a port of the Pod. As with other engines it is "
    "open to the network unless an ADDRESS (127.0.0.1) is given. Goes before a hostPort.",
)
@click.option(
    "--image",
    "image_directories",
    metavar="IMAGE=DIR",
    multiple=True,
    callback=images,
    help="The files of DIR lie over this machine's in containers of IMAGE.",
)
@click.option("--dry-run", is_flag=True, help="Print the steps of the set-up, do none.")
@click.option("--replace", is_flag=True, help="End a Pod of the same name first.")
@click.option("--no-weave", is_flag=True, help="Pass over the patterns among the files.")
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until the Pods are ready.",
)
@click.option(
    "--backoff",
    "backoff_times",
    callback=backoff,
    metavar="FIRST:LONGEST",
    help="Seconds between restarts; default 1:60. Kubernetes' own are 10:300.",
)
def command(
    files: tuple[str, ...],
    engine_name: str,
    profile: str | None,
    published: list[tuple[str, int, int]],
    image_directories: dict[str, str],
    dry_run: bool,
    replace: bool,
    no_weave: bool,
    timeout: float,
    backoff_times: tuple[float, float] | None,
) -> None:
    """Weave and run Pods.

    FILEs are manifests and patterns in any order: files, directories, `-` for standard input.
    Comes back when every Pod is ready, or has ended well where it is made to end (a Job). A Pod
    that isn't set up leaves nothing behind; one that doesn't get ready stays, to be looked at.
    """
    runner = engine_or_exit(engine_name)
    given = woven(files, profile, no_weave, runner.kubernetes)
    wanted, warnings = orders(given, image_directories, published)
    if not wanted:
        raise InputError("no workload among the files: there is no Pod to run", file=files[0])
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    for order in wanted:
        order.backoff = backoff_times
    try:
        if dry_run:
            for order in wanted:
                for step in runner.plan(order):
                    click.echo(step)
            return
        said: set[str] = set()
        good = [bring_up(runner, order, timeout, replace, said) for order in wanted]
    except BrokenPipeError:
        raise
    except (EngineError, OSError) as error:
        click.echo(_place(error, wanted), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("not waited for any longer; the Pod goes on (`podweave ps`)", err=True)
        sys.exit(130)
    leave(0 if all(good) else 1)


def bring_up(
    runner: Engine, order: PodOrder, timeout: float, replace: bool, said: set[str]
) -> bool:
    if replace:
        metadata = order.pod.metadata
        for pod in runner.pods():
            found = pod["metadata"]
            if (found["namespace"], found["name"]) == (metadata.namespace, metadata.name):
                runner.stop(pod, grace=None, volumes=False)
    try:
        patience = Patience(timeout)
        changes = runner.start(order, until=patience)
        # What shows the Pod is loaded while it comes up.
        from podweave.cli.coming_up import follow

        return follow(runner, order, changes, patience, said)
    except PodExistsError as error:
        message = f"{error}; `podweave up --replace` or `podweave down` ends it first"
        raise PodExistsError(message) from error


def leave(code: int) -> NoReturn:
    """Exit without the interpreter's tidying up, which takes a tenth of the time of all of `up`."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def woven(
    files: tuple[str, ...], profile: str | None, no_weave: bool, version: tuple[int, int] | None
) -> Bundle:
    given = bundle(read_sources(files))
    if no_weave or not given.patterns:
        return given
    from podweave.cli.judging import check_adapters
    from podweave.weave import Options, weave

    check_adapters(given)
    options = Options(profile=profile)
    if version is not None:
        options = Options(profile=profile, kubernetes=version)
    return weave(given, options).bundle


def _place(error: EngineError | OSError, wanted: list[PodOrder]) -> str:
    container = getattr(error, "container", None)
    name = wanted[0].pod.metadata.name if len(wanted) == 1 else None
    parts = [f"Pod {name}" if name else "", f"container {container}" if container else ""]
    if name and str(error).startswith(f"Pod {name} "):
        parts = []
    return ": ".join(part for part in [*parts, str(error)] if part)
