"""The split of every Pod of the corpus: valid, read by kustomize, and content with itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputError
from podweave.review.inventory import Inventory
from podweave.review.review import Reviewed, review
from podweave.review.split.planning import plan
from podweave.review.split.writing import files
from podweave.weave import Options, weave
from tests.review.corpus import CORPUS, labels

SPLITS = [label.name for label in labels() if label.verdict == "split"]


def split(
    text: str, *, keep_localhost: bool = False
) -> tuple[dict[str, str], list[str], list[str]]:
    """The files of the first Pod to split, the report, and what is left to decide."""
    inventory = Inventory()
    inventory.add("in.yaml", text.encode())
    result = review(inventory)
    assert result.errors == []
    one: Reviewed = next(each for each in result.reviewed if each.judgement.verdict == "split")
    planned = plan(one, inventory.others, keep_localhost=keep_localhost)
    return files(planned), planned.report, planned.open


def documents(texts: dict[str, str]) -> list[dict[str, Any]]:
    return [
        document
        for name, text in texts.items()
        if name not in {"kustomization.yaml", "ambassadors.yaml"}
        for document in yaml.safe_load_all(text)
    ]


def corpus_split(name: str, **options: bool) -> tuple[dict[str, str], list[str], list[str]]:
    return split((CORPUS / f"{name}.yaml").read_text(), **options)


@pytest.mark.parametrize("name", SPLITS)
def test_every_object_is_valid_for_kubernetes(name: str) -> None:
    texts, _, _ = corpus_split(name)
    checked = documents(texts)
    assert checked
    for document in checked:
        kubernetes_validate.validate(document, "1.31", strict=True)


@pytest.mark.parametrize("name", SPLITS)
def test_the_result_passes_the_review(name: str) -> None:
    texts, _, _ = corpus_split(name)
    inventory = Inventory()
    for file, text in texts.items():
        inventory.add(file, text.encode())
    result = review(inventory)
    errors: list[InputError] = result.errors
    assert errors == []
    assert len(result.reviewed) > 1
    assert [each.judgement.verdict for each in result.reviewed] == ["keep"] * len(result.reviewed)
    worst = [
        finding
        for each in result.reviewed
        for finding in each.judgement.findings
        if finding.level == "error"
    ]
    assert worst == []


@pytest.mark.parametrize("name", SPLITS)
def test_no_container_and_no_other_object_is_lost(name: str) -> None:
    source = (CORPUS / f"{name}.yaml").read_text()
    texts, _, _ = split(source)

    def containers(document: dict[str, Any]) -> set[str]:
        if document["kind"] == "List":
            return {each for item in document["items"] for each in containers(item)}
        spec = document.get("spec", {})
        spec = spec.get("template", {}).get("spec", spec)
        return {
            each["name"] for key in ("initContainers", "containers") for each in spec.get(key) or []
        }

    before = [each for document in yaml.safe_load_all(source) for each in containers(document)]
    after = [each for document in documents(texts) for each in containers(document)]
    assert sorted(after) == sorted(before)


@pytest.mark.parametrize("name", SPLITS)
def test_kustomize_reads_it(name: str, tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        # kubectl comes from Kubernetes' own repositories, not from the distribution's.
        kustomization = yaml.safe_load(corpus_split(name)[0]["kustomization.yaml"])
        assert set(kustomization["resources"]) <= set(corpus_split(name)[0])
        return
    texts, _, _ = corpus_split(name)
    for file, text in texts.items():
        (tmp_path / file).write_text(text)
    done = subprocess.run(
        [kubectl, "kustomize", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list(yaml.safe_load_all(done.stdout))) == len(documents(texts))


def test_localhost_becomes_the_service_of_the_other_tier() -> None:
    texts, report, _ = corpus_split("wordpress-mysql")
    assert "value: blog-mysql:3306" in texts["blog-wordpress.yaml"]
    assert any("WORDPRESS_DB_HOST=blog-mysql:3306" in line for line in report)
    mysql = list(yaml.safe_load_all(texts["blog-mysql.yaml"]))
    service = next(each for each in mysql if each["kind"] == "Service")
    assert service["metadata"]["name"] == "blog-mysql"
    assert [port["port"] for port in service["spec"]["ports"]] == [3306]


def test_a_host_whose_port_stands_in_another_setting_is_rewritten_too() -> None:
    texts, _, _ = corpus_split("flask-redis-counter")
    (flask,) = (each for each in documents(texts) if each["metadata"]["name"] == "counter-flask")
    env = {e["name"]: e["value"] for e in flask["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env == {"REDIS_HOST": "counter-redis", "REDIS_PORT": "6379"}


def test_localhost_can_be_kept_by_an_ambassador() -> None:
    texts, report, _ = corpus_split("wordpress-mysql", keep_localhost=True)
    assert "127.0.0.1:3306" in texts["blog-wordpress.yaml"]
    (ambassador,) = yaml.safe_load_all(texts["ambassadors.yaml"])
    assert ambassador["spec"]["listen"] == "localhost:3306"
    upstreams = ambassador["spec"]["profiles"]["split"]["upstreams"]
    assert upstreams == [{"address": "blog-mysql:3306"}]
    assert "ambassadors.yaml" not in yaml.safe_load(texts["kustomization.yaml"])["resources"]
    assert any("podweave weave" in line for line in report)


@pytest.mark.parametrize("name", ["four-tiers", "mean-stack-pod", "celery-web-worker-redis"])
def test_kept_localhost_weaves(name: str) -> None:
    texts, _, _ = corpus_split(name, keep_localhost=True)
    sources = [
        read(file, text.encode()) for file, text in texts.items() if file != "kustomization.yaml"
    ]
    woven = weave(bundle(sources), Options())
    assert woven.changes
    inventory = Inventory()
    for source in woven.sources:
        inventory.add(source.file, source.text.encode())
    result = review(inventory)
    assert {each.judgement.verdict for each in result.reviewed} == {"keep"}
    roles = {s.role for each in result.reviewed for s in each.judgement.case.standings}
    assert "ambassador" in roles


def test_a_service_of_two_tiers_is_divided() -> None:
    texts, _, _ = corpus_split("prometheus-grafana-one-pod")
    services = [each for each in documents(texts) if each["kind"] == "Service"]
    components = {
        each["metadata"]["name"]: each["spec"]["selector"]["app.kubernetes.io/component"]
        for each in services
    }
    assert components == {"monitoring": "prometheus", "monitoring-grafana": "grafana"}


def test_the_autoscaler_goes_to_the_tier_that_can_be_copied() -> None:
    texts, _, left = corpus_split("hpa-mixed")
    scalers = [each for each in documents(texts) if each["kind"] == "HorizontalPodAutoscaler"]
    assert [each["spec"]["scaleTargetRef"]["name"] for each in scalers] == ["search-api"]
    assert "# podweave: minReplicas and maxReplicas were chosen" in texts["search-api.yaml"]
    assert any("set them for api alone" in line for line in left)


def test_a_claim_that_two_tiers_mount_is_left_to_a_person() -> None:
    texts, _, left = corpus_split("one-claim-two-subpaths")
    assert any("also mounted by" in line for line in left)
    assert "# podweave: the claim lamp-site" in texts["lamp-mysql.yaml"]


def test_new_names_of_claims_are_pointed_out() -> None:
    texts, _, left = corpus_split("quiz-api-mongo-statefulset")
    assert any("db-data-quiz-N today and db-data-quiz-mongo-N" in line for line in left)
    mongo = next(iter(yaml.safe_load_all(texts["quiz-mongo.yaml"])))
    assert mongo["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "db-data"
    api = next(iter(yaml.safe_load_all(texts["quiz-quiz-api.yaml"])))
    assert "volumeClaimTemplates" not in api["spec"]


def test_two_workloads_of_one_name_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    manifest = (Path(__file__).parents[2] / "examples/monolith-pod/monolith.yaml").read_text()
    for namespace in ("one", "two"):
        text = manifest.replace("  name: store\n", f"  name: store\n  namespace: {namespace}\n", 1)
        (tmp_path / f"{namespace}.yaml").write_text(text)
    output = tmp_path / "out"
    result = subprocess.run(
        [sys.executable, "-m", "podweave", "split", "one.yaml", "two.yaml", "-o", str(output)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "two workloads to split are called store" in result.stderr
    assert not output.exists()
