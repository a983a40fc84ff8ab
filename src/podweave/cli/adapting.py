"""Runs the adapter's own programs for `normalize` and `explain`.

The command line doesn't share the adapter's code: it runs the archive of the helpers, as a Pod
does, so that what is seen here is what happens there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from podweave.engines.helpers_archive import helpers_archive
from podweave.engines.local.records import cache_directory
from podweave.model.time_zones import time_zone_rule

SCHEMAS = ("ecs", "otel", "splunk", "gelf", "flat")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both have."""
    for option in (
        click.option(
            "--time-zone", metavar="ZONE", help="Of timestamps that name none: Asia/Seoul, +09:00."
        ),
        click.option(
            "--schema", type=click.Choice(SCHEMAS), default="ecs", show_default=True,
            help="The fields' names.",
        ),
        click.option(
            "--format", "format_", metavar="FORMAT", default="auto", show_default=True,
            help='A format\'s name, or one of your own as JSON: {"regex": "..."}.',
        ),
        click.argument("file"),
    ):  # fmt: skip
        command = option(command)
    return command


def run(program: str, file: str, *arguments: str, zone: str | None) -> NoReturn:
    """Become the program; its exit code is ours."""
    # By its descriptor: another version's archive may take its place while a filter runs.
    archive = os.open(helpers_archive(cache_directory()), os.O_RDONLY)
    os.set_inheritable(archive, True)
    argv = [sys.executable, "-I", "-S", f"/proc/self/fd/{archive}", program, *arguments]
    if zone is not None:
        argv.append(f"--time-zone={time_zone_rule(zone)}")
    sys.stdout.flush()
    # A file called --help, or -x, is a file.
    path = file if file == "-" or not file.startswith("-") else os.path.join(".", file)
    os.execv(sys.executable, [*argv, path])
