"""A Pod coming up: shown line by line, or live in a terminal, until it is ready or it can't be."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from podweave.cli.pod_tree import (
    COLOURS,
    condition,
    container_statuses,
    is_init,
    pod_name,
    render,
    tree,
)
from podweave.engines.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podweave.cli.patience import Patience
    from podweave.engines.engine import Engine, PodObject, PodOrder

HOPELESS_RESTARTS: Final = 3
"""A container that waits for a further start after so many isn't waited for."""

SETTLING: Final = 1.0
"""Seconds that a Pod which is made to end (restartPolicy Never, OnFailure) gets to do so once
it is ready: a command that fails at once must not look like one that is up."""

LAST_LINES: Final = 10
QUIET: Final = ("PodInitializing", "ContainerCreating")
CREATION: Final = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def follow(
    engine: Engine,
    order: PodOrder,
    pods: Iterator[PodObject],
    patience: Patience,
    said: set[str],
) -> bool:
    """Wait for a Pod that was begun. False when it doesn't get ready; why is said.

    `said` are the notices that were told for Pods before this one, and needn't be again.
    """
    can_move = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    view = LiveView() if can_move else PlainView()
    wait = Waiting(order)
    pod: PodObject | None = None
    for pod in pods:
        view.show(pod)
        if wait.over(pod):
            break
        patience.shorten(SETTLING if wait.settling else None)
    if pod is None:
        raise EngineError("the Pod's supervisor went away before it said anything")
    for notice in pod["podweave"]["notices"]:
        if notice not in said:
            click.echo(f"note: {notice}", err=True)
            said.add(notice)
    if wait.is_good(pod):
        _tell_success(pod)
        return True
    _tell_failure(engine, pod, patience.seconds)
    if _uncreatable(pod):
        engine.stop(pod, grace=0, volumes=False)
    return False


class Waiting:
    """What a Pod is waited for."""

    def __init__(self, order: PodOrder) -> None:
        owners = [owner["kind"] for owner in order.owners]
        self._to_the_end = "Job" in owners
        self._settles = (
            not self._to_the_end and (order.pod.spec.restart_policy or "Always") != "Always"
        )
        self._ports = len(order.publish)
        self.settling = False

    def over(self, pod: PodObject) -> bool:
        """Whether the Pod is what it was waited for to be, or never will be."""
        if pod["status"]["phase"] in ("Succeeded", "Failed") or _hopeless(pod):
            return True
        ready = self._is_ready(pod)
        self.settling = ready and self._settles
        return ready and not self._to_the_end and not self._settles

    def is_good(self, pod: PodObject) -> bool:
        if pod["status"]["phase"] == "Succeeded":
            return True
        return not self._to_the_end and self._is_ready(pod)

    def _is_ready(self, pod: PodObject) -> bool:
        if pod["podweave"]["busy"] or len(pod["podweave"]["ports"]) < self._ports:
            return False
        conditions = pod["status"].get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


class PlainView:
    """A line for each change of a container's state."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def show(self, pod: PodObject) -> None:
        for status in container_statuses(pod):
            name, text = status["name"], condition(pod, status).text
            if self._last.get(name) != text and not text.startswith(QUIET):
                self._last[name] = text
                click.echo(f"Pod {pod_name(pod)}: {name}: {text}")


class LiveView:
    """The tree, drawn over itself. Plain control codes: a library would take longer to load than
    most Pods take to come up."""

    def __init__(self) -> None:
        self._drawn = 0

    def show(self, pod: PodObject) -> None:
        width = os.get_terminal_size(1).columns - 1
        lines = [
            click.style(text[:width], fg=COLOURS.get(style)) for text, style in render(tree([pod]))
        ]
        back = f"\x1b[{self._drawn}F" if self._drawn else ""
        click.echo(back + "".join(f"\x1b[K{line}\n" for line in lines) + "\x1b[J", nl=False)
        self._drawn = len(lines)


def faulty(pod: PodObject) -> list[dict[str, Any]]:
    """The containers that keep the Pod from being well."""
    found = []
    for status in container_statuses(pod):
        style = condition(pod, status).style
        ended_well = style == "done" and is_init(pod, status["name"])
        if style != "good" and not ended_well and "PodInitializing" not in str(status["state"]):
            found.append(status)
    bad = [status for status in found if condition(pod, status).style == "bad"]
    return bad or found


def _hopeless(pod: PodObject) -> bool:
    for status in container_statuses(pod):
        waiting = status["state"].get("waiting", {})
        if (
            waiting.get("reason") == "CrashLoopBackOff"
            and status["restartCount"] >= HOPELESS_RESTARTS
        ):
            return True
    return _uncreatable(pod)


def _uncreatable(pod: PodObject) -> bool:
    """A container can't even be made: nothing but another manifest will change that."""
    return any(
        status["state"].get("waiting", {}).get("reason") in CREATION
        for status in container_statuses(pod)
    )


def _tell_success(pod: PodObject) -> None:
    status = pod["status"]
    if status["phase"] == "Succeeded":
        click.echo(f"Pod {pod_name(pod)} has succeeded")
        return
    places = ", ".join(filter(None, [status.get("podIP"), *pod["podweave"]["ports"]]))
    click.echo(f"Pod {pod_name(pod)} is ready" + (f" ({places})" if places else ""))


def _tell_failure(engine: Engine, pod: PodObject, timeout: float) -> None:
    phase, name = pod["status"]["phase"], pod_name(pod)
    if phase == "Failed":
        reason = pod["status"].get("message") or pod["status"].get("reason")
        click.echo(f"Pod {name} has failed" + (f": {reason}" if reason else ""), err=True)
    elif _hopeless(pod):
        click.echo(f"Pod {name} doesn't get ready", err=True)
    elif not engine.is_alive(pod):
        click.echo(f"Pod {name} was lost while it came up: what ran it was killed", err=True)
    else:
        click.echo(f"Pod {name} is not ready within {timeout:g} s", err=True)
    for status in faulty(pod):
        container = status["name"]
        click.echo(f"container {container}: {condition(pod, status).text}", err=True)
        for event in _warnings(pod, container):
            click.echo(f"  {event['reason']}: {event['message']}", err=True)
        lines = engine.last_lines(pod, container, LAST_LINES)
        if lines:
            click.echo(f"  the last it printed (podweave logs -c {container} {name}):", err=True)
            for line in lines:
                click.echo(f"    {line}", err=True)
    for event in pod["podweave"]["events"]:
        if "container" not in event and event["type"] == "Warning":
            click.echo(f"  {event['reason']}: {event['message']}", err=True)


def _warnings(pod: PodObject, container: str) -> list[dict[str, Any]]:
    """The last different warnings about a container."""
    found = {
        event["message"]: event
        for event in pod["podweave"]["events"]
        if event.get("container") == container and event["type"] == "Warning"
    }
    return [event for event in found.values() if event["reason"] != "BackOff"][-3:]
