"""The option --engine, the same for every command that has to do with running Pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from podweave.engines.choice import ENGINES, engine
from podweave.engines.engine import Engine
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError


def engine_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the command an argument `engine_name`."""
    return click.option(
        "--engine",
        "engine_name",
        type=click.Choice(ENGINES),
        default="local",
        envvar="PODWEAVE_ENGINE",
        show_envvar=True,
        show_default=True,
        help="What runs the Pods.",
    )(function)


def engine_or_exit(name: str) -> Engine:
    """The engine; one that isn't there is a matter of usage."""
    try:
        return engine(name)
    except EngineError as error:
        raise InputError(error.message) from None
