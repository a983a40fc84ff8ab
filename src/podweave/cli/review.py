"""`podweave review`: judge which containers should share a Pod."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from podweave.review.review import Review

FORMATS = ("text", "json", "sarif", "junit", "github", "html")


@click.command()
@click.argument("files", nargs=-1, required=False)
@click.option("-o", "--output", type=click.Choice(FORMATS), default=None, help="Default: text.")
@click.option("--json", "as_json", is_flag=True, help="Short for --output json.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    default=None,
    help="Exit with 1 for findings of this level or above. Default: warning.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option(
    "--usage", "usage_file", help="Measured use: `kubectl top pod --containers`, or JSON."
)
@click.option("--prometheus", "prometheus_url", help="Ask this Prometheus for measured use.")
@click.option("--simulate", "simulated", is_flag=True, help="Replay a day, together and apart.")
@click.option(
    "--curve", default="office", help="Built-in day: office, consumer, flat, batch, spike."
)
@click.option(
    "--loads", "loads_file", help="CSV: a column of load a container, instead of a curve."
)
@click.option("--cluster", default=10_000, show_default=True, help="Pods in the simulated cluster.")
@click.option("--config", type=click.Path(), help="Settings; default: the nearest .podweave.yaml.")
@click.option("-v", "--verbose", is_flag=True, help="Show the evidence for each role.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and stop.")
@click.option("--color/--no-color", default=None, help="Default: in a terminal only.")
def command(
    files: tuple[str, ...],
    output: str | None,
    as_json: bool,
    fail_on: str | None,
    exit_zero: bool,
    usage_file: str | None,
    prometheus_url: str | None,
    simulated: bool,
    curve: str,
    loads_file: str | None,
    cluster: int,
    config: str | None,
    verbose: bool,
    list_rules: bool,
    color: bool | None,
) -> None:
    """Judge which containers of a Pod belong together, and what it costs if they don't.

    FILES are manifests, directories, or - for standard input: a Helm-rendered stream, the output
    of kustomize, or of `kubectl get ... -o json`. Without FILES standard input is read.

    Exit codes: 0 nothing found, 1 findings, 2 input that can't be read.
    """
    from podweave.cli.review_input import gather, settings_for
    from podweave.review.review import review

    if list_rules:
        _print_rules()
        return
    if not files:
        if sys.stdin.isatty():
            raise click.UsageError("name files or directories, or pipe manifests in")
        files = ("-",)
    settings = settings_for(files, config)
    used = plan = None
    if usage_file or prometheus_url:
        from podweave.cli.review_usage import measure

        used = measure(usage_file, prometheus_url)
    if simulated:
        from podweave.cli.review_usage import planned

        plan = planned(curve, loads_file, cluster)
    # Nothing here makes cycles worth collecting, and the collector's walks over thousands of
    # parsed manifests take a fifth of the time.
    gc.disable()
    result = review(gather(files, settings.exclude), settings, used=used, plan=plan)
    form = "json" if as_json else output or "text"
    if form == "text":
        from podweave.review.reports.text import render

        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        text = render(result, colour=coloured if color is None else color, verbose=verbose)
    else:
        report = importlib.import_module(f"podweave.review.reports.{form}")
        text = report.render(result)
    sys.stdout.write(text)
    sys.stdout.flush()
    for error in result.errors:
        print(str(error), file=sys.stderr)
    sys.exit(_exit_code(result, fail_on or settings.fail_on, exit_zero))


def _exit_code(review: Review, fail_on: str, exit_zero: bool) -> int:
    if exit_zero:
        return 0
    if review.errors:
        return 2
    if fail_on in {"error", "warning", "note"}:
        return int(review.fails(fail_on))  # type: ignore[arg-type]
    return 0


def _print_rules() -> None:
    from podweave.review.rules.catalogue import RULES

    for rule in RULES:
        print(f"{rule.id:28} {rule.level:8} {rule.family:10} {rule.title}")
