"""The report for a terminal: the Pod drawn, the verdict, then what was found."""

from __future__ import annotations

from typing import Any, Final

from podweave.review.case import Case
from podweave.review.review import Review, Reviewed
from podweave.review.rules.grouping import number

_COLOURS: Final = {
    "error": "31", "warning": "33", "note": "36", "keep": "32", "split": "31", "dim": "2",
    "bold": "1",
}  # fmt: skip


class Painter:
    """Colours, or nothing where they aren't wanted."""

    def __init__(self, colour: bool) -> None:
        self._colour: Final = colour

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self._colour else text


def render(review: Review, *, colour: bool = False, verbose: bool = False) -> str:
    """The whole report."""
    paint = Painter(colour)
    lines: list[str] = []
    for each in review.reviewed:
        lines += _pod(each, paint, verbose)
        lines.append("")
    lines.append(_summary(review, paint))
    return "\n".join(lines) + "\n"


def _pod(reviewed: Reviewed, paint: Painter, verbose: bool) -> list[str]:
    case = reviewed.judgement.case
    pod = case.pod
    verdict = reviewed.judgement.verdict
    place = f"{pod.file}:{reviewed.found.line(pod.path)}"
    title = f"{pod.kind} {pod.namespace or 'default'}/{pod.name or '(no name)'}"
    lines = [f"{paint(title, 'bold')}  {paint(verdict.upper(), verdict)}  {paint(place, 'dim')}"]
    if len(case.standings) > 1 or verbose:
        lines += picture(case, paint)
    if verbose:
        for each in case.standings:
            lines.append(f"  {each.name}: {each.role}, confidence {each.confidence:.2f}")
            lines += [
                paint(f"    {sign.weight:+.1f} {sign.towards}: {sign.text}", "dim")
                for sign in sorted(each.signs, key=lambda sign: -sign.weight)
            ]
    for finding in reviewed.judgement.findings:
        level = paint(finding.level, finding.level)
        rule = paint(f"[{finding.rule}]", "dim")
        lines.append(f"  {level} {pod.file}:{finding.line}: {finding.message} {rule}")
    lines += [f"  {line}" for line in costs(reviewed)]
    return lines


def picture(case: Case, paint: Painter) -> list[str]:
    """The Pod as a box, a box in it for each group, a line for each container."""
    rows: list[list[str]] = []
    by_name = {each.name: each for each in case.standings}
    for group in case.grouping.groups:
        texts = []
        for name in group:
            each = by_name[name]
            ports = "".join(f" :{port.number}" for port in each.facts.ports[:4])
            mounts = sorted(
                {
                    mount.volume
                    for mount in each.facts.mounts
                    if (volume := case.pod.volumes.get(mount.volume))
                    and volume.kind not in {"config", "secret"}
                }
            )
            disks = f" [{', '.join(mounts[:3])}]" if mounts else ""
            talks = [dial.server for dial in case.relations.dials if dial.client == name]
            arrow = f" → {', '.join(dict.fromkeys(talks))}" if talks else ""
            texts.append(f"{name} ({each.role}){ports}{disks}{arrow}")
        rows.append(texts)
    width = min(96, max(len(text) for texts in rows for text in texts) + 2)
    apart = len(rows) > 1
    lines = [f"  ┌{'─' * width}┐"]
    for index, texts in enumerate(rows):
        if index and apart:
            lines.append(f"  ├{'╌' * width}┤")
        lines += [f"  │ {text[: width - 1]:<{width - 1}}│" for text in texts]
    lines.append(f"  └{'─' * width}┘")
    return [paint(line, "dim") for line in lines]


def costs(reviewed: Reviewed) -> list[str]:
    """The numbers in sentences."""
    cost = reviewed.judgement.cost
    lines = _measured(cost)
    if "hot" not in cost:
        return lines
    for reason in cost.get("blocked", []):
        lines.append(f"cost: scaling is blocked: {reason}")
    if cost["hot"] is None or "tax" not in cost:
        return lines
    unknown = cost["unknown"]
    if unknown and "unknown" in cost["tax"].values():
        lines.append(f"cost: unknown, for want of requests: {', '.join(unknown)}")
    for line in cost["arithmetic"]:
        lines.append(f"cost: scaling {cost['hot']}: {line}")
    return lines


def _measured(cost: dict[str, Any]) -> list[str]:
    lines = []
    for name, row in cost.get("usage", {}).items():
        if row == "unknown":
            lines.append(f"usage: {name}: unknown")
            continue
        lines.append(
            f"usage: {name}: {row['peak_cores']:g} cores at the peak need "
            f"{row['replicas_needed']} of {row['replicas']} replicas; "
            f"{row['wasted_cores_at_peak']:g} cores wasted, "
            f"{row['slack_cores']:g} more are right-sizing's, not splitting's"
        )
    day = cost.get("simulation")
    if day == "unknown":
        lines.append("simulation: unknown, for want of CPU and memory requests")
    elif day:
        lines += [f"simulation: {line}" for line in day["summary"]]
    return lines


def _summary(review: Review, paint: Painter) -> str:
    pods = len(review.reviewed)
    split = sum(each.judgement.verdict == "split" for each in review.reviewed)
    counts = {"error": 0, "warning": 0, "note": 0}
    for each in review.reviewed:
        for finding in each.judgement.findings:
            counts[finding.level] += 1
    what = ", ".join(
        f"{count} {level}{'s' if count != 1 else ''}" for level, count in counts.items() if count
    )
    verdict = f"{number(split)} to split" if split else "none to split"
    unread = len(review.errors)
    problems = f"; {unread} error{'s' if unread != 1 else ''} in the input" if unread else ""
    return paint(
        f"{pods} Pod{'s' if pods != 1 else ''}: {verdict}; {what or 'no findings'}{problems}",
        "bold",
    )
