"""The review against the labelled corpus, with and without names; misses are printed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.corpus import CORPUS, Label, judge, labels

LABELS = list(labels())


def fraction(right: int, of: int) -> float:
    return right / of if of else 1.0


def test_the_corpus_is_large_and_each_file_has_a_label() -> None:
    files = {path.stem for path in CORPUS.glob("*.yaml")} - {"labels"}
    assert files == {label.name for label in LABELS}
    assert len([label for label in LABELS if len(label.roles) > 1]) >= 60
    assert sum(label.verdict == "split" for label in LABELS) >= 20


@pytest.mark.parametrize("masked", [False, True], ids=["open", "masked"])
def test_verdicts_and_roles_are_those_of_the_labels(masked: bool) -> None:
    right = split = found = roles_right = roles = 0
    misses: list[str] = []
    for label in LABELS:
        pod = judge(label.name, masked=masked)
        right += pod["verdict"] == label.verdict
        if pod["verdict"] != label.verdict:
            misses.append(f"{label.name}: {pod['verdict']} {pod['groups']}, not {label.verdict}")
        if label.verdict == "split":
            split += 1
            found += pod["verdict"] == "split"
        for container in pod["containers"]:
            wanted = label.roles.get(container["name"])
            if wanted is None:
                continue
            roles += 1
            roles_right += container["role"] in wanted
            if container["role"] not in wanted:
                role = container["role"]
                misses.append(f"{label.name}: {container['name']} is {role}, not {wanted}")
    print(f"verdicts {right}/{len(LABELS)}, split recall {found}/{split}, ", end="")
    print(f"roles {roles_right}/{roles}")
    print("\n".join(misses))
    assert fraction(right, len(LABELS)) >= (0.80 if masked else 0.95)
    assert fraction(found, split) >= (0.80 if masked else 0.95)
    assert fraction(roles_right, roles) >= (0.80 if masked else 0.90)


@pytest.mark.parametrize(
    "label", [each for each in LABELS if each.groups], ids=lambda each: each.name
)
def test_groups_are_those_of_the_label(label: Label) -> None:
    pod: dict[str, Any] = judge(label.name)
    mains = set(label.roles)
    groups = {frozenset(group) & mains for group in pod["groups"]} - {frozenset()}
    assert groups in [{frozenset(group) for group in right} for right in label.groups]
