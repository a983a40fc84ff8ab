"""Pods as lines of text: the object tree, each container's state, the faulty ones first seen."""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

Style = Literal["good", "wait", "bad", "done", "plain"]
Pod = dict[str, Any]

MARKS: dict[Style, str] = {"good": "●", "wait": "○", "bad": "✗", "done": "✓", "plain": " "}
COLOURS: dict[Style, str] = {"good": "green", "wait": "yellow", "bad": "red", "done": "blue"}


class Line(NamedTuple):
    """A line of the tree: its branches, what it names, and its state in words and style."""

    branches: str
    label: str
    state: str
    style: Style


class Condition(NamedTuple):
    """A container's state in words."""

    text: str
    style: Style


def tree(pods: list[Pod], now: float | None = None) -> list[Line]:
    """All Pods, grouped under the objects that own them."""
    now = time.time() if now is None else now
    lines: list[Line] = []
    for pod in sorted(pods, key=_place):
        depth = 0
        for owner in pod["podweave"]["owners"]:
            lines.append(Line(_branch(depth), f"{owner['kind']} {owner['name']}", "", "plain"))
            depth += 1
        lines.append(_pod_line(pod, depth, now))
        statuses = container_statuses(pod)
        for index, status in enumerate(statuses):
            last = index == len(statuses) - 1
            branch = "   " * depth + ("└─ " if last else "├─ ")
            kind = pod["podweave"]["helpers"].get(status["name"])
            label = f"{status['name']} ({kind})" if kind else status["name"]
            lines.append(Line(branch, label, *_described(pod, status, now)))
    return lines


def render(lines: list[Line]) -> list[tuple[str, Style]]:
    """Text in columns, with the style that each line's mark and state are shown in."""
    names = [f"{line.branches}{_mark(line)}{line.label}" for line in lines]
    width = max((len(name) for name in names), default=0)
    return [
        (f"{name:{width}}  {line.state}".rstrip(), line.style)
        for name, line in zip(names, lines, strict=True)
    ]


def container_statuses(pod: Pod) -> list[dict[str, Any]]:
    status = pod["status"]
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def pod_name(pod: Pod) -> str:
    """`name`, or `namespace/name` outside the default namespace."""
    metadata = pod["metadata"]
    if metadata["namespace"] == "default":
        return str(metadata["name"])
    return f"{metadata['namespace']}/{metadata['name']}"


def is_init(pod: Pod, name: str) -> bool:
    """An ordinary init container: it isn't made to be ready, and its end is no fault."""
    return name in pod["podweave"]["inits"]


def condition(pod: Pod, status: dict[str, Any]) -> Condition:
    """What a container does, or what is wrong with it, in the words of kubectl."""
    state = status["state"]
    last = status.get("lastState", {}).get("terminated")
    if "running" in state:
        if is_init(pod, status["name"]):
            return Condition("Running", "wait")
        if status["ready"]:
            return Condition("Running", "good")
        return Condition("Running, not ready" if status["started"] else "Running, starting", "wait")
    if "terminated" in state:
        end = state["terminated"]
        good = end["exitCode"] == 0
        text = "Completed" if good else f"{end['reason']}: {_exit(end)}"
        return Condition(text, "done" if good else "bad")
    waiting = state.get("waiting", {})
    reason = waiting.get("reason", "Waiting")
    if last is not None:
        return Condition(f"{reason}: last {_exit(last)} ({last['reason']})", "bad")
    if waiting.get("message"):
        return Condition(f"{reason}: {waiting['message']}", "bad")
    return Condition(reason, "wait")


def _described(pod: Pod, status: dict[str, Any], now: float) -> tuple[str, Style]:
    text, style = condition(pod, status)
    restarts = status["restartCount"]
    if restarts:
        text += f", {restarts} restart{'s' if restarts > 1 else ''}"
        last = status.get("lastState", {}).get("terminated")
        if last is not None and "running" in status["state"]:
            text += f", last {_exit(last)} ({last['reason']})"
            style = "wait" if style == "good" and _since(last, now) < 60 else style
    started = status["state"].get("running", {}).get("startedAt")
    if started:
        text += f", {age(now - _seconds(started))}"
    return text, style


def _pod_line(pod: Pod, depth: int, now: float) -> Line:
    status = pod["status"]
    mains = status.get("containerStatuses", [])
    ready = sum(bool(each["ready"]) for each in mains)
    phase = status.get("phase", "Unknown")
    state = pod["podweave"]["state"]
    text = status.get("reason") or phase
    style: Style = "good" if ready == len(mains) else "wait"
    if state == "lost" and not status:
        text, style = "Lost", "bad"
    elif phase == "Succeeded":
        style = "done"
    elif phase == "Failed":
        style = "bad"
    if state == "lost":
        text += " (its supervisor died; `podweave down` removes it, `up` starts it again)"
    elif state == "alive":
        text += f", {ready}/{len(mains)} ready"
        text += f", {status['podIP']}" if status.get("podIP") else ""
        text += "".join(f", {port}" for port in pod["podweave"]["ports"])
        if status.get("startTime"):
            text += f", {age(now - _seconds(status['startTime']))}"
    return Line(_branch(depth), f"Pod {pod_name(pod)}", text, style)


def _place(pod: Pod) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _branch(depth: int) -> str:
    return "   " * (depth - 1) + "└─ " if depth else ""


def _mark(line: Line) -> str:
    return f"{MARKS[line.style]} " if line.state else ""


def _exit(end: dict[str, Any]) -> str:
    signal = end.get("signal")
    return f"exit {end['exitCode']}" + (f" by signal {signal}" if signal else "")


def _since(end: dict[str, Any], now: float) -> float:
    finished = end.get("finishedAt")
    return now - _seconds(finished) if finished else 0.0


def _seconds(stamp: str) -> float:
    # Not in the way of `up`, which shows no ages to anything but a terminal.
    from calendar import timegm

    return timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


def age(seconds: float) -> str:
    """As kubectl: 5s, 12m, 3h, 8d."""
    seconds = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
