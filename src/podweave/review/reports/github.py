"""GitHub workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from typing import Final

from podweave.review.review import Review

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def render(review: Review) -> str:
    """One command a line."""
    lines = []
    for each in review.reviewed:
        pod = each.judgement.case.pod
        for finding in each.judgement.findings:
            properties = {
                "file": pod.file,
                "line": str(finding.line),
                "title": f"{finding.rule} ({pod.kind} {pod.name})",
            }
            lines.append(_command(_COMMANDS[finding.level], properties, finding.message))
    for error in review.errors:
        properties = {"file": error.file or "-", "line": str(error.line or 1), "title": "input"}
        lines.append(_command("error", properties, str(error)))
    return "".join(f"{line}\n" for line in lines)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
