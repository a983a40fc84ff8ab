"""SARIF 2.1.0, as code scanning services read it."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from podweave import __version__
from podweave.model.errors import InputError, render_path
from podweave.review.case import Finding
from podweave.review.review import Review, Reviewed
from podweave.review.rules.catalogue import RULES

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
PAGES: Final = "https://github.com/podweave/podweave/blob/main/docs/review/rules"
_INDEX: Final = {rule.id: index for index, rule in enumerate(RULES)}


def render(review: Review) -> str:
    """The SARIF text."""
    run = {
        "tool": {
            "driver": {
                "name": "podweave",
                "version": __version__,
                "informationUri": "https://github.com/podweave/podweave",
                "rules": [
                    {
                        "id": rule.id,
                        "name": "".join(word.capitalize() for word in rule.id.split("-")),
                        "shortDescription": {"text": rule.title},
                        "helpUri": f"{PAGES}/{rule.id}.md",
                        "defaultConfiguration": {"level": rule.level},
                        "properties": {"tags": [rule.family]},
                    }
                    for rule in RULES
                ],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not review.errors,
                "toolExecutionNotifications": [_notification(error) for error in review.errors],
            }
        ],
        "results": [
            _result(each, finding)
            for each in review.reviewed
            for finding in each.judgement.findings
        ],
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _result(reviewed: Reviewed, finding: Finding) -> dict[str, Any]:
    pod = reviewed.judgement.case.pod
    path = render_path(finding.path)
    # Lines move; what is meant stays: the workload, the rule and the place in it.
    identity = "\n".join((pod.kind, pod.namespace, pod.name, finding.rule, path))
    return {
        "ruleId": finding.rule,
        "ruleIndex": _INDEX[finding.rule],
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": _place(pod.file, finding.line),
                "logicalLocations": [
                    {"fullyQualifiedName": f"{pod.kind}/{pod.name}: {path}", "kind": "object"}
                ],
            }
        ],
        "partialFingerprints": {"podweave/v1": hashlib.sha256(identity.encode()).hexdigest()[:32]},
    }


def _notification(error: InputError) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": str(error)},
        "locations": [{"physicalLocation": _place(error.file or "-", error.line or 1)}],
    }


def _place(file: str, line: int) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": "stdin" if file == "-" else _uri(file)},
        "region": {"startLine": max(1, line)},
    }


_SAFE: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=@"
)


def _uri(path: str) -> str:
    """A file's path as a URI reference. Written out here: urllib.parse comes with the network
    in its package, which this pure layer keeps out."""
    encoded = path.replace("\\", "/").encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in encoded)
