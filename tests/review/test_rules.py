"""Every rule: its page's bad example has the finding, its good one hasn't, the page says what the
catalogue says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from podweave.review.inventory import Inventory
from podweave.review.review import Review, review
from podweave.review.rules.catalogue import RULES, Rule

PAGES = Path(__file__).parents[2] / "docs/review/rules"


def reviewed(text: str) -> Review:
    inventory = Inventory()
    inventory.add("example.yaml", text.encode())
    result = review(inventory)
    assert result.errors == []
    return result


def rules_of(text: str) -> dict[str, int]:
    """Rule -> line of its first finding."""
    found: dict[str, int] = {}
    for each in reviewed(text).reviewed:
        for finding in each.judgement.findings:
            found.setdefault(finding.rule, finding.line)
    return found


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_and_examples(rule: Rule) -> None:
    page = (PAGES / f"{rule.id}.md").read_text()
    assert page.startswith(f"# {rule.id}\n\n{rule.title}. Family: {rule.family}. ")
    assert f"Level: {rule.level}." in page
    assert rule.source in page
    bad, good = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found = rules_of(bad)
    assert rule.id in found, sorted(found)
    assert 0 < found[rule.id] <= bad.count("\n")
    assert rule.id not in rules_of(good)


def test_the_metrics_ports_of_woven_helpers_are_no_findings() -> None:
    """They are no ports that traffic comes to, and make no helper an application."""
    cases = Path(__file__).parents[1] / "weave" / "cases"
    for name in ("metrics", "metrics-several"):
        before = rules_of((cases / name / "manifest.yaml").read_text())
        woven = (cases / name / "woven.yaml").read_text()
        told = {"helper-without-code-change", "what-would-change"}
        assert set(rules_of(woven)) - told == set(before)
        for each in reviewed(woven).reviewed:
            roles = {one.facts.name: one.role for one in each.judgement.case.standings}
            helpers = {"orders-db": "ambassador", "search": "ambassador", "logs": "adapter"}
            helpers["ship"] = "sidecar"
            assert {role for name, role in roles.items() if name not in helpers} == {"app"}
            assert all(roles.get(name, role) == role for name, role in helpers.items())
