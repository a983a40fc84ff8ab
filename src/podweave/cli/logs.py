"""`podweave logs`: the output of a Pod's containers."""

from __future__ import annotations

import collections
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.pod_names import container_name, find_pod, only_pod
from podweave.engines.engine import Engine, LogLine, LogSource
from podweave.engines.errors import EngineError
from podweave.engines.log_files import in_order
from podweave.model.errors import InputError

if TYPE_CHECKING:
    from podweave.cli.pod_tree import Pod

INTERVAL: Final = 0.05
"""Seconds between two looks at the files of a Pod that is followed."""

COLOURS: Final = ("cyan", "magenta", "yellow", "green", "blue")


@click.command("logs")
@click.argument("pod", required=False)
@engine_option
@click.option("-c", "--container", help="One container; default: all, with their names.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the Pod ends.")
@click.option("--tail", type=click.IntRange(0), help="Only the last lines of each container.")
@click.option("--timestamps", is_flag=True, help="The time of each line before it.")
@click.option("-p", "--previous", is_flag=True, help="The run before the last restart.")
def command(
    pod: str | None,
    engine_name: str,
    container: str | None,
    follow: bool,
    tail: int | None,
    timestamps: bool,
    previous: bool,
) -> None:
    """Print what a Pod's containers have printed. POD may be left out when there is only one."""
    if follow and previous:
        raise click.UsageError("a run that has ended can't be followed")
    engine = engine_or_exit(engine_name)
    pods = engine.pods()
    found = find_pod(pods, pod) if pod else only_pod(pods)
    names = list(found["podweave"]["containers"])
    if container is not None:
        names = [container_name(found, container)]
    show = _printer(names, timestamps)
    try:
        readers = [engine.log_source(found, name, former=previous) for name in names]
    except EngineError as error:
        raise InputError(str(error)) from None
    try:
        show(_last(in_order(readers), tail))
        if follow:
            _follow(engine, found, readers, show)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for reader in readers:
            reader.close()


def _last(lines: Iterator[LogLine], tail: int | None) -> Iterable[LogLine]:
    if tail is None:
        return lines
    kept: dict[str, collections.deque[LogLine]] = {}
    for line in lines:
        kept.setdefault(line.container, collections.deque(maxlen=tail)).append(line)
    return sorted((line for each in kept.values() for line in each), key=lambda line: line.time)


def _follow(
    engine: Engine,
    pod: Pod,
    readers: list[LogSource],
    show: Callable[[Iterable[LogLine]], None],
) -> None:
    while True:
        # Asked first: what a Pod prints before its end is read after that.
        alive = engine.is_alive(pod)
        if not alive:
            left = (line for reader in readers for line in reader.finish())
            show(sorted(left, key=lambda line: line.time))
            return
        show(in_order(readers))
        time.sleep(INTERVAL)


def _printer(names: list[str], timestamps: bool) -> Callable[[Iterable[LogLine]], None]:
    output = sys.stdout.buffer
    width = max(len(name) for name in names)
    marks = {}
    for number, name in enumerate(names):
        mark = f"{name:{width}} | "
        if sys.stdout.isatty():
            mark = click.style(mark, fg=COLOURS[number % len(COLOURS)])
        marks[name] = mark.encode() if len(names) > 1 else b""

    def show(lines: Iterable[LogLine]) -> None:
        for line in lines:
            stamp = line.time + b" " if timestamps else b""
            output.write(marks[line.container] + stamp + line.text + b"\n")
        output.flush()

    return show
