"""`podweave review` and `podweave split` as people run them: a process, files, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.review.corpus import CORPUS

SINGLE = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"
    "spec:\n  containers: [{name: a, image: nginx}]\n"
)
SPLIT = (CORPUS / "wordpress-mysql.yaml").read_text()


def run(*arguments: str, stdin: str = "", cwd: Path | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from podweave.cli.main import main; main()", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    return done.returncode, done.stdout, done.stderr


def test_exit_codes_of_clean_findings_and_bad_input() -> None:
    assert run("review", "-", stdin=SINGLE % "ok")[0] == 0
    assert run("review", "-", stdin=SPLIT)[0] == 1
    assert run("review", "-", stdin=SPLIT + "---\nkind: [\n")[0] == 2
    assert run("review", "--exit-zero", "-", stdin=SPLIT + "---\nkind: [\n")[0] == 0
    assert run("review", "--fail-on", "never", "-", stdin=SPLIT)[0] == 0
    assert run("review", "--fail-on", "note", "-", stdin=SINGLE % "ok")[0] == 1
    assert run("review", "/does/not/exist.yaml")[0] == 2
    assert run("review", "--fail-on", "sometimes", "-")[0] == 2


def test_a_broken_document_hides_no_other() -> None:
    stream = "---\n".join([SINGLE % "first", "spec: {\n", SINGLE % "second", "just text\n"])
    code, out, err = run("review", "--json", "-", stdin=stream)
    assert code == 2
    objects = json.loads(out)
    assert [pod["name"] for pod in objects["pods"]] == ["first", "second"]
    assert [error["line"] for error in objects["errors"]] == [8, 15]
    assert err.startswith("-:8: ")


def test_lines_are_those_of_the_file_after_a_broken_document() -> None:
    stream = "a: [\n---\n" + SPLIT
    _, out, _ = run("review", "--json", "-", stdin=stream)
    _, plain, _ = run("review", "--json", "-", stdin=SPLIT)
    moved = json.loads(out)["pods"][0]["findings"]
    still = json.loads(plain)["pods"][0]["findings"]
    assert [each["line"] - 2 for each in moved] == [each["line"] for each in still]


def test_a_directory_is_walked_and_what_is_no_manifest_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "chart/.hidden").mkdir(parents=True)
    (tmp_path / "a.yaml").write_text(SINGLE % "a")
    (tmp_path / "chart/b.yml").write_text(SINGLE % "b")
    (tmp_path / "chart/values.yaml").write_text("replicas: 2\n")
    (tmp_path / "chart/.hidden/c.yaml").write_text(SINGLE % "c")
    (tmp_path / "notes.txt").write_text("no manifest")
    (tmp_path / "d.json").write_text(
        '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", '
        '"metadata": {"name": "d"}, "spec": {"containers": [{"name": "x"}]}}]}'
    )
    code, out, err = run("review", "--json", str(tmp_path))
    assert (code, err) == (0, "")
    assert [pod["name"] for pod in json.loads(out)["pods"]] == ["a", "d", "b"]


def test_a_service_in_another_file_counts(tmp_path: Path) -> None:
    deployment, service = SPLIT.split("---\n")[:2]
    (tmp_path / "deployment.yaml").write_text(deployment)
    (tmp_path / "service.yaml").write_text(service)
    _, out, _ = run("review", "--json", str(tmp_path))
    (pod,) = json.loads(out)["pods"]
    assert any("Service blog" in each for each in pod["containers"][0]["evidence"])


def test_settings_and_annotations_switch_rules_off(tmp_path: Path) -> None:
    file = tmp_path / "blog.yaml"
    file.write_text(SPLIT)
    settings = tmp_path / ".podweave.yaml"
    settings.write_text("review: {fail-on: error, levels: {independent-tiers: 'off'}}\n")
    assert run("review", str(file))[0] == 0
    settings.write_text(
        "review:\n  ignore:\n"
        "  - {rule: independent-tiers, reason: a demo, workload: default/blog}\n"
        "  - {rule: stateful-beside-scaling, reason: a demo}\n"
    )
    code, out, _ = run("review", "blog.yaml", cwd=tmp_path)
    assert code == 0
    assert "independent-tiers" not in out
    settings.write_text("review: {fail-on: maybe}\n")
    code, _, err = run("review", str(file))
    assert code == 2
    assert str(settings) in err
    settings.unlink()
    annotated = SPLIT.replace(
        "  name: blog\n",
        "  name: blog\n  annotations: {podweave.dev/ignore.independent-tiers: demo}\n",
        1,
    )
    _, out, _ = run("review", "--json", "-", stdin=annotated)
    rules = {each["rule"] for each in json.loads(out)["pods"][0]["findings"]}
    assert "independent-tiers" not in rules
    assert "helper-without-code-change" not in rules
    wordless = annotated.replace(": demo}", ': ""}')
    code, _, err = run("review", "-", stdin=wordless)
    assert code == 2
    assert "say why the rule is ignored" in err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "html"])
def test_every_form_comes_out(form: str) -> None:
    code, out, err = run("review", "-o", form, "-", stdin=SPLIT)
    assert (code, err) == (1, "")
    assert "wordpress" in out


def test_the_day_is_replayed_with_measured_use_and_given_loads(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples/monolith-pod"
    top = tmp_path / "top.txt"
    top.write_text(
        "POD                 NAME      CPU(cores)   MEMORY(bytes)\n"
        "store-7d9c8f-abcde  was       900m         1900Mi\n"
        "store-7d9c8f-abcde  database  700m         2900Mi\n"
    )
    loads = tmp_path / "loads.csv"
    loads.write_text("hour,was\n0,10\n6,20\n12,100\n18,40\n")
    _, out, _ = run(
        "review", "--json", "--simulate", "--usage", str(top), "--loads", str(loads), str(example)
    )
    cost = json.loads(out)["pods"][0]["cost"]
    assert cost["usage"]["was"]["peak_cores"] == 0.9
    assert cost["usage"]["mq"] == "unknown"
    day = cost["simulation"]
    assert day["together"]["core_hours"] > day["apart"]["core_hours"]
    assert "was: the built-in day 'office'" not in day["assumptions"]
    loads.write_text("hour,was\n0,ten\n")
    code, _, err = run("review", "--simulate", "--loads", str(loads), str(example))
    assert code == 2
    assert f"{loads}:2: 'ten' isn't a number" in err


class _Prometheus(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = {
            "status": "success",
            "data": {
                "resultType": "vector",
                "result": [
                    {
                        "metric": {"namespace": "default", "pod": "store-1-x", "container": "was"},
                        "value": [0, "1.25"],
                    }
                ],
            },
        }
        self.send_response(200 if "container_cpu_usage_seconds_total" in self.path else 400)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def prometheus() -> Iterator[str]:
    """A server that answers as Prometheus does."""
    server = HTTPServer(("127.0.0.1", 0), _Prometheus)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_prometheus_is_asked(prometheus: str) -> None:
    example = str(Path(__file__).parents[2] / "examples/monolith-pod")
    _, out, err = run("review", "--json", "--prometheus", prometheus, example)
    assert err == ""
    assert json.loads(out)["pods"][0]["cost"]["usage"]["was"]["peak_cores"] == 1.25
    code, _, err = run("review", "--prometheus", "http://127.0.0.1:1", example)
    assert code == 2
    assert "Prometheus doesn't answer" in err


def test_split_writes_files_and_never_over_others(tmp_path: Path) -> None:
    source = tmp_path / "blog.yaml"
    source.write_text(SPLIT)
    target = tmp_path / "out"
    code, out, _ = run("split", str(source), "-o", str(target))
    assert code == 0
    assert sorted(path.name for path in target.iterdir()) == [
        "blog-mysql.yaml", "blog-wordpress.yaml", "kustomization.yaml", "shared.yaml",
    ]  # fmt: skip
    assert "WORDPRESS_DB_HOST=blog-mysql:3306" in out
    assert run("review", str(target))[0] == 0
    code, _, err = run("split", str(source), "-o", str(target))
    assert code == 2
    assert "--force" in err
    assert run("split", str(source), "-o", str(target), "--force")[0] == 0
    (tmp_path / "one.yaml").write_text(SINGLE % "one")
    code, _, err = run("split", str(tmp_path / "one.yaml"), "-o", str(tmp_path / "none"))
    assert code == 1
    assert not (tmp_path / "none").exists()


def test_rules_are_listed() -> None:
    code, out, _ = run("review", "--rules")
    assert code == 0
    assert out.startswith("independent-tiers")


def test_what_a_cluster_lists_is_judged_once() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": "nginx"}]}}

    def one(kind: str, name: str, owner: tuple[str, str] | None = None) -> dict[str, object]:
        metadata: dict[str, object] = {"name": name, "namespace": "x"}
        if owner:
            metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1]}]
        spec = pod["spec"] if kind == "Pod" else {"template": pod}
        version = "v1" if kind == "Pod" else "apps/v1"
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    listing = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            one("Pod", "web-5d-x", ("ReplicaSet", "web-5d")),
            one("ReplicaSet", "web-5d", ("Deployment", "web")),
            one("Deployment", "web"),
            one("Pod", "agent-x", ("DaemonSet", "agent")),
        ],
    }
    _, out, _ = run("review", "--json", stdin=json.dumps(listing))
    assert [pod["name"] for pod in json.loads(out)["pods"]] == ["web", "agent-x"]
