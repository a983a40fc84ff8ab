"""What weaving makes of real manifests, and that every way back and forth ends where it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.weave import unweave, weave
from tests.weave.woven_cases import NAMES, Case, only_text

OTHER_PATTERNS = b"""
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata: {name: another}
spec:
  logs:
  - from: [/somewhere/else/entirely/*.log]
    store: {files: {directory: /somewhere/store}}
---
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata: {name: yet-another}
spec:
  logs:
  - from: [/somewhere/else/*.log]
"""


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_woven_text_is_the_expected_one(case: Case) -> None:
    text = only_text(case.weave())
    if os.environ.get("PODWEAVE_WRITE_CASES"):
        case.expected.write_bytes(text.encode())
    assert text == case.expected.read_bytes().decode()


def test_weaving_the_woven_text_again_changes_nothing(case: Case) -> None:
    once = only_text(case.weave())
    twice = only_text(case.weave(once))
    assert twice == once
    assert only_text(case.weave(twice)) == once


def test_other_patterns_in_between_leave_no_trace(case: Case) -> None:
    other = read("other.yaml", OTHER_PATTERNS)
    once = only_text(case.weave())
    between = only_text(case.weave(once, other))
    assert between == only_text(case.weave(patterns=other))
    assert only_text(case.weave(between)) == once


def test_unweave_gives_back_the_very_bytes(case: Case) -> None:
    woven = read(case.manifest.name, only_text(case.weave()).encode())
    assert unweave([woven])[0].text == case.text


def test_unweave_after_a_round_through_other_tools_means_the_same(case: Case) -> None:
    objects = [object for _, objects in case.weave().objects for object in objects]
    original = [document.object for document in read("o", case.text.encode()).documents]
    as_list = {"apiVersion": "v1", "kind": "List", "items": list(reversed(objects))}
    for text, is_list in (
        (yaml.safe_dump(as_list), True),
        (json.dumps(as_list), True),
        (yaml.safe_dump_all(objects, default_flow_style=True), False),
    ):
        (back,) = unweave([read("kubectl.yaml", text.encode())])
        found = [document.object for document in read("back.yaml", back.text.encode()).documents]
        if is_list:
            found = list(reversed(found[0]["items"]))
        assert without_nothing(found) == without_nothing(original)


def test_text_and_objects_say_the_same(case: Case) -> None:
    weaving = case.weave()
    read_again = [d.object for d in read("woven", only_text(weaving).encode()).documents]
    ((_, objects),) = weaving.objects
    assert read_again == objects
    workloads = [found.workload.object for found in weaving.bundle.workloads]
    assert workloads
    assert not weaving.bundle.patterns


def test_the_proof_finds_nothing_touched(case: Case) -> None:
    proofs = case.weave().proofs
    assert proofs
    for proof in proofs:
        assert proof.differences == []
        assert proof.containers


def test_kubernetes_would_accept_it(case: Case) -> None:
    known = {"v1", "apps/v1", "batch/v1"}
    for _, objects in case.weave().objects:
        for object in objects:
            items = object["items"] if object["kind"] == "List" else [object]
            for item in items:
                if item["apiVersion"] in known:
                    version = ".".join(map(str, case.options.kubernetes))
                    kubernetes_validate.validate(item, version, strict=True)


def test_helpers_accept_their_configuration(case: Case, tmp_path: Path) -> None:
    ((_, objects),) = case.weave().objects
    items = [item for object in objects for item in object.get("items", [object])]
    for data in (item["data"] for item in items if item["kind"] == "ConfigMap"):
        for name, text in data.items():
            if name.endswith(".json"):
                (tmp_path / name).write_text(text)
                check = [sys.executable, "-m", "podweave.helpers", "check", str(tmp_path / name)]
                subprocess.run(check, check=True)


def test_every_change_says_where_and_why(case: Case) -> None:
    lines = case.text.count("\n") + 1
    for change in case.weave().changes:
        assert change.file == case.manifest.name
        assert 1 <= change.line <= lines
        assert change.reason
        assert change.workload.split("/")[0] in case.text


def test_files_in_another_order_weave_the_same(case: Case) -> None:
    manifest = read(case.manifest.name, case.text.encode())
    weaving = weave(bundle([case.patterns, manifest]), case.options)
    assert only_text(weaving) == only_text(case.weave())


def test_manifest_and_patterns_in_one_file_weave_the_same() -> None:
    case = Case("cronjob")
    for both in (f"{case.patterns.text}---\n{case.text}", f"{case.text}---\n{case.patterns.text}"):
        weaving = weave(bundle([read("both.yaml", both.encode())]))
        assert only_text(weaving).removeprefix("---\n") == case.expected.read_text()


def without_nothing(value: Any) -> Any:
    """Other tools drop what is null or empty, and so does the API server."""
    if isinstance(value, dict):
        cleaned = {key: without_nothing(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return value
