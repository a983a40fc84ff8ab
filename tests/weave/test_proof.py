"""The proof that the application is untouched fails when it is touched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from podweave.weave.proof import untouched
from tests.weave.woven_cases import Case


@pytest.fixture
def templates() -> tuple[dict[str, Any], dict[str, Any]]:
    case = Case("legacy-deployment")
    ((_, objects),) = case.weave().objects
    original = list(yaml.safe_load_all(case.text))[1]["spec"]["template"]
    return original, copy.deepcopy(objects[1]["spec"]["template"])


def main(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["spec"]["containers"][0]
    return found


def test_woven_is_untouched(templates: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert untouched(*templates) == []


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "image": lambda t: main(t).update(image="other"),
    "command": lambda t: main(t)["command"].append("--debug"),
    "args": lambda t: main(t).update(args=[]),
    "env": lambda t: main(t)["env"].append({"name": "X", "value": "1"}),
    "a probe": lambda t: main(t)["livenessProbe"].update(periodSeconds=31),
    "a type": lambda t: main(t)["ports"][0].update(containerPort="8080"),
    "a field that goes": lambda t: main(t).pop("resources"),
    "security": lambda t: main(t)["securityContext"].update(runAsUser=0),
    "an init container": lambda t: t["spec"]["initContainers"][-1].update(image="other"),
    "labels": lambda t: t["metadata"]["labels"].update(app="x"),
    "an annotation": lambda t: t["metadata"]["annotations"].update({"prometheus.io/scrape": "1"}),
    "the grace period": lambda t: t["spec"].update(terminationGracePeriodSeconds=1),
    "hostNetwork": lambda t: t["spec"].update(hostNetwork=True),
    "the container itself": lambda t: t["spec"]["containers"].clear(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_touching_it_is_seen(change: str, templates: tuple[dict[str, Any], dict[str, Any]]) -> None:
    original, woven = templates
    CHANGES[change](woven)
    assert len(untouched(original, woven)) == 1


def test_mounts_may_only_be_added() -> None:
    mounts = [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b"}]
    original = {"spec": {"containers": [{"name": "x", "volumeMounts": mounts}]}}
    for other, differences in (
        ([*mounts, {"name": "c", "mountPath": "/c"}], 0),
        (mounts[:1], 1),
        ([*reversed(mounts)], 1),
        ([mounts[0], {"name": "b", "mountPath": "/b", "readOnly": True}], 1),
    ):
        woven = {"spec": {"containers": [{"name": "x", "volumeMounts": other}]}}
        assert len(untouched(original, woven)) == differences


def test_containers_in_another_order_are_seen() -> None:
    two = [{"name": "a"}, {"name": "b"}]
    woven = {"spec": {"containers": [two[1], two[0]]}}
    (difference,) = untouched({"spec": {"containers": two}}, woven)
    assert "order" in difference
