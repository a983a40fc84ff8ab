"""Measured use and load curves for `review`: files, and a question to Prometheus."""

from __future__ import annotations

import sys

import click

from podweave.model.errors import InputError
from podweave.review.curves import CURVES, read_loads
from podweave.review.simulation.day import Plan
from podweave.review.usage import CPU_QUERY, Used, read_usage


def measure(file: str | None, url: str | None) -> list[Used]:
    """Use from a file and from a Prometheus server."""
    used = []
    if file:
        used += read_usage(file, _text(file))
    if url:
        used += read_usage(url, _ask(url))
    return used


def planned(curve: str, loads_file: str | None, cluster: int) -> Plan:
    """The day to simulate."""
    if curve not in CURVES:
        raise click.UsageError(f"--curve is one of {', '.join(CURVES)}, not {curve}")
    if not 1 <= cluster <= 1_000_000:
        raise click.UsageError("--cluster is a number from 1 to 1000000")
    loads = read_loads(loads_file, _text(loads_file)) if loads_file else {}
    return Plan(curve=curve, loads=loads, cluster=cluster)


def _text(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.buffer.read().decode()
        with open(file, "rb") as stream:
            return stream.read().decode()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", file=file) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: {error.reason}", file=file) from None


def _ask(url: str) -> str:
    import urllib.error
    import urllib.parse
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise InputError("expected http://HOST:PORT of a Prometheus server", file=url)
    question = f"{url.rstrip('/')}/api/v1/query?query={urllib.parse.quote(CPU_QUERY)}"
    try:
        with urllib.request.urlopen(question, timeout=30) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise InputError(f"Prometheus doesn't answer: {error}", file=url) from None
