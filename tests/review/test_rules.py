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
