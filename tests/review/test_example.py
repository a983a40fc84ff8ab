"""Rows S4 and B4: the source document's own example, and exactly its conclusions, in numbers."""

from __future__ import annotations

from pathlib import Path

import yaml

from podweave.review.inventory import Inventory
from podweave.review.judge import Judgement
from podweave.review.review import Review, review
from podweave.review.simulation.day import simulate
from podweave.review.split.planning import plan
from podweave.review.split.writing import files

EXAMPLE = Path(__file__).parents[2] / "examples/monolith-pod/monolith.yaml"


def inventory() -> Inventory:
    found = Inventory()
    found.add("monolith.yaml", EXAMPLE.read_bytes())
    return found


def reviewed() -> Review:
    return review(inventory())


def judgement() -> Judgement:
    (one,) = reviewed().reviewed
    return one.judgement


def test_four_layers_are_four_pods() -> None:
    judged = judgement()
    assert judged.verdict == "split"
    assert judged.case.grouping.groups == [["web"], ["was"], ["database"], ["mq"]]
    roles = {each.name: each.role for each in judged.case.standings}
    assert roles == {"web": "app", "was": "app", "database": "tier", "mq": "tier"}


def test_the_conclusions_are_those_of_the_document() -> None:
    rules = {finding.rule for finding in judgement().findings}
    assert rules >= {
        "independent-tiers",  # one application in each Pod
        "opposed-profiles",  # each layer wants other resources
        "replica-tax",  # scaling one scales all, and wastes
        "stateful-beside-scaling",  # what can't scale may block scaling
        "rwo-claim-replicas",
        "autoscaler-masked",
        "autoscaler-on-mixed-pod",
    }
    assert "missing-requests" not in rules


def test_the_numbers_follow_from_the_requests() -> None:
    cost = judgement().cost
    assert cost["requests"] == {"cpu": 3.0, "memory": 10_871_635_968}
    assert cost["hot"] == "was"
    assert cost["tax"] == {"cpu": round(1 - 0.5 / 3, 4), "memory": round(1 - 2 / 10.125, 4)}
    hours = 100  # replica-hours beyond the first, of the built-in working day
    assert cost["waste"]["cpu"]["low"] == hours * 2.25
    assert cost["waste"]["cpu"]["high"] == hours * 2.5
    assert cost["waste"]["memory"]["low"] == hours * 8
    assert len(cost["blocked"]) == 4


def test_the_day_shows_masking_and_what_the_split_saves() -> None:
    day = simulate(judgement().case)
    assert day is not None
    assert day.together.saturated > 0
    assert day.enough.saturated == 0
    assert day.apart.core_hours < day.enough.core_hours
    assert max(day.apart.nodes) < max(day.enough.nodes)


def test_the_split_is_four_workloads_that_pass_the_review() -> None:
    found = inventory()
    (one,) = review(found).reviewed
    texts = files(plan(one, found.others))
    again = Inventory()
    kinds = {}
    for name, text in texts.items():
        again.add(name, text.encode())
        for document in yaml.safe_load_all(text):
            if document["kind"] in {"Deployment", "StatefulSet"}:
                kinds[document["metadata"]["name"]] = document["kind"]
    assert kinds == {
        "store-web": "Deployment",
        "store-was": "Deployment",
        "store-database": "StatefulSet",
        "store-mq": "StatefulSet",
    }
    result = review(again)
    assert [each.judgement.verdict for each in result.reviewed] == ["keep"] * 4
    assert not result.fails("error")
    assert "jdbc:postgresql://store-database:5432/store" in texts["store-was.yaml"]
    assert "value: store-mq" in texts["store-was.yaml"]
    assert "proxy_pass http://store-was:8080;" in texts["shared.yaml"]


def test_the_page_of_the_example_says_the_same_numbers() -> None:
    page = EXAMPLE.with_name("README.md").read_text()
    cost = judgement().cost
    assert f"{cost['tax']['cpu']:.0%}".replace("%", " %") in page
    assert f"{cost['tax']['memory']:.0%}".replace("%", " %") in page
    low, high = cost["waste"]["cpu"]["low"], cost["waste"]["cpu"]["high"]
    assert f"{low:g} to {high:g} core-hours" in page
