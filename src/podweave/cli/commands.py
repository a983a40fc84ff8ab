"""The command group: which file holds which command, and how errors end.

A command's module is imported when the command runs, so that `podweave --help` stays quick and
a broken optional part breaks only its own command.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any, NoReturn

import click

from podweave import __version__
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError, InputErrors

COMMANDS = {
    "weave": "Weave pattern helpers into manifests.",
    "unweave": "Give back the original of a woven manifest.",
    "up": "Weave and run Pods.",
    "ps": "Show Pods and the state of each container.",
    "logs": "Print the output of a Pod's containers.",
    "exec": "Run a command in a container.",
    "down": "Stop Pods and remove what they left.",
    "switch": "Change the ambassadors' profile while the application runs.",
    "ambassadors": "Show where ambassadors lead, and how that is going.",
    "faults": "Make an ambassador's upstreams slow or unreliable on purpose.",
    "explain": "Say what an adapter makes of a log file.",
    "normalize": "Write a log file's events as JSON records of a schema.",
    "search": "Look into the embedded log store.",
    "replay": "Send records again that a log store refused.",
    "review": "Judge which containers should share a Pod, and what it costs.",
    "split": "Write a Pod's tiers as workloads of their own.",
    "schema": "Print the JSON Schema of the pattern resources.",
    "demo": "Show the whole story on this machine.",
}


class Commands(click.Group):
    """Loads `podweave.cli.NAME` for the command NAME; its click command is called `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"podweave.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            # What a terminal can't show is no reason to fail. Data is written as bytes.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            super().main(*args, **kwargs)
        except InputError as error:
            fail(str(error))
        except InputErrors as errors:
            fail(str(errors))
        except EngineError as error:
            print(error, file=sys.stderr)
            sys.exit(1)
        except BrokenPipeError:
            # The reader went away (`podweave logs | head`): no traceback at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        sys.exit(0)


def fail(message: str) -> NoReturn:
    """Say what is wrong with the input, exit with 2."""
    print(message, file=sys.stderr)
    sys.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="podweave")
def podweave() -> None:
    """Weave sidecars, ambassadors and adapters into Pods, run them, look into them.

    Exit codes: 0 done, 1 findings or a failed Pod, 2 bad input or usage.
    """
