"""What users set: `.podweave.yaml`, and annotations that ignore a rule for a reason.

podweave.dev/ignore.RULE: the reason, in a sentence
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any, Final, Literal

import msgspec

from podweave.model.errors import InputError
from podweave.review.case import Finding, Level
from podweave.review.facts import PodFacts
from podweave.review.rules.catalogue import BY_ID

IGNORE: Final = "podweave.dev/ignore."


class Ignore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that isn't wanted for some workloads."""

    rule: str
    reason: str
    workload: str = "*"
    """A pattern on NAMESPACE/NAME or NAME."""
    file: str = "*"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The `review` part of `.podweave.yaml`."""

    fail_on: Literal["error", "warning", "note", "never"] = "warning"
    levels: dict[str, Literal["error", "warning", "note", "off"]] = {}
    ignore: list[Ignore] = []
    exclude: list[str] = []
    """Patterns of files in directories that aren't read."""

    def level(self, finding: Finding, pod: PodFacts) -> Level | None:
        """The level of a finding here, or None where it isn't wanted."""
        level = self.levels.get(finding.rule, finding.level)
        if level == "off":
            return None
        for each in self.ignore:
            if each.rule not in {finding.rule, "*"} or not fnmatch(pod.file, each.file):
                continue
            if fnmatch(pod.name, each.workload) or fnmatch(
                f"{pod.namespace or 'default'}/{pod.name}", each.workload
            ):
                return None
        return level

    def ignored(self, pod: PodFacts) -> tuple[set[str], list[str]]:
        """Rules that the Pod's own annotations switch off, and what is wrong with those."""
        rules: set[str] = set()
        wrong: list[str] = []
        for key, value in pod.annotations.items():
            if not key.startswith(IGNORE):
                continue
            rule = key.removeprefix(IGNORE)
            if rule not in BY_ID:
                wrong.append(
                    f"{key}: there is no rule {rule!r}; `podweave review --rules` lists them"
                )
            elif not value.strip():
                wrong.append(f"{key}: say why the rule is ignored")
            else:
                rules.add(rule)
        return rules, wrong


def read_settings(file: str, object: Any) -> Settings:
    """The settings in a `.podweave.yaml` that was read as plain values."""
    if object is None:
        return Settings()
    if not isinstance(object, dict):
        raise InputError("a mapping with the key `review`", file=file)
    try:
        settings = msgspec.convert(object.get("review") or {}, Settings)
    except msgspec.ValidationError as error:
        raise InputError(f"review: {error}", file=file) from None
    for rule in (*settings.levels, *(each.rule for each in settings.ignore)):
        if rule not in BY_ID and rule != "*":
            raise InputError(f"review: there is no rule {rule!r}", file=file)
    for each in settings.ignore:
        if not each.reason.strip():
            raise InputError(f"review: say why {each.rule} is ignored", file=file)
    return settings
