"""`podweave weave`, `unweave` and `schema` as a user calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import yaml

from tests.weave.woven_cases import CASES, Case

LEGACY = CASES / "legacy-deployment"
MANIFEST = LEGACY / "manifest.yaml"
PATTERNS = LEGACY / "patterns.yaml"


def podweave(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "podweave", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        check=False,
        # A terminal that knows only ASCII must not change a manifest.
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"},
    )


def fails(*arguments: str | Path, says: Sequence[str], stdin: bytes = b"") -> None:
    done = podweave(*arguments, stdin=stdin)
    assert done.returncode == 2
    assert done.stdout == b""
    text = done.stderr.decode()
    assert "Traceback" not in text
    for part in says:
        assert part in text


def test_manifest_and_patterns_from_files() -> None:
    done = podweave("weave", PATTERNS, MANIFEST)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (LEGACY / "woven.yaml").read_bytes()


def test_manifest_from_standard_input_and_back() -> None:
    woven = podweave("weave", "-", PATTERNS, stdin=MANIFEST.read_bytes())
    assert woven.stdout == (LEGACY / "woven.yaml").read_bytes()
    assert podweave("unweave", "-", stdin=woven.stdout).stdout == MANIFEST.read_bytes()


def test_directory_is_read_with_all_beneath_it(tmp_path: Path) -> None:
    (tmp_path / "base/.git").mkdir(parents=True)
    (tmp_path / "base/app.yaml").write_bytes(MANIFEST.read_bytes())
    (tmp_path / "base/.git/broken.yaml").write_text("{")
    (tmp_path / "readme.md").write_text("{")
    (tmp_path / "patterns.yml").write_bytes(PATTERNS.read_bytes())
    done = podweave("weave", ".", "base/app.yaml", cwd=tmp_path)
    assert done.stdout == (LEGACY / "woven.yaml").read_bytes()


def test_several_files_become_one_stream_and_come_back(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_bytes(MANIFEST.read_bytes().rstrip(b"\n"))
    second.write_text("# only a service\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n")
    woven = podweave("weave", first, second, PATTERNS).stdout
    kinds = [document["kind"] for document in yaml.safe_load_all(woven)]
    assert kinds == ["Service", "Deployment", "ConfigMap", "Service"]
    back = podweave("unweave", "-", stdin=woven).stdout.decode()
    assert [d["kind"] for d in yaml.safe_load_all(back)] == ["Service", "Deployment", "Service"]
    assert "# The end." in back
    assert "# only a service" in back


def test_json_among_yaml_fits_into_the_stream(tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    services = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": n}} for n in "ab"]
    values.write_text("\n".join(json.dumps(service, indent="\t") for service in services))
    woven = podweave("weave", values, MANIFEST, PATTERNS).stdout
    assert list(yaml.safe_load_all(woven))[:2] == services
    back = podweave("unweave", "-", stdin=woven).stdout
    assert list(yaml.safe_load_all(back)) == services + list(
        yaml.safe_load_all(MANIFEST.read_bytes())
    )


def test_json_output_is_one_list() -> None:
    done = podweave("weave", "-o", "json", MANIFEST, PATTERNS)
    value = json.loads(done.stdout)
    assert value["kind"] == "List"
    assert value["items"] == list(yaml.safe_load_all((LEGACY / "woven.yaml").read_bytes()))


def test_diff_only_adds_lines() -> None:
    done = podweave("weave", "--output", "diff", MANIFEST, PATTERNS)
    lines = done.stdout.decode().splitlines()
    assert lines[0] == f"--- {MANIFEST} (given)"
    assert not [line for line in lines[2:] if line.startswith("-")]
    added = [line[1:] for line in lines[2:] if line.startswith("+")]
    assert "      - name: orders-db" in added


def test_explain_goes_to_stderr_and_ends_with_the_proof() -> None:
    done = podweave("weave", "--explain", MANIFEST, PATTERNS)
    assert done.stdout == (LEGACY / "woven.yaml").read_bytes()
    lines = done.stderr.decode().splitlines()
    changes = [line for line in lines if line.startswith(f"{MANIFEST}:")]
    assert len(changes) == 12
    assert lines[-1] == (
        "Deployment/orders: container orders: name, image, command, env, ports, resources, "
        "readinessProbe, livenessProbe, securityContext unchanged; 1 mount added at "
        "/var/log/orders"
    )


def test_proof_is_json() -> None:
    done = podweave("weave", "--prove", MANIFEST, PATTERNS)
    assert done.returncode == 0
    proof = json.loads(done.stdout)
    assert proof["untouched"] is True
    (workload,) = proof["workloads"]
    assert workload["workload"] == "Deployment/orders"
    assert [each["name"] for each in workload["containers"]] == ["migrate", "orders"]
    assert workload["containers"][1]["mountsAdded"] == ["/var/log/orders"]


def test_options_reach_the_weaver() -> None:
    case = Case("plain-containers")
    done = podweave(
        *("weave", "--kubernetes", "v1.28.3+k3s1", "--profile", "qa"),
        *("--helper-image", case.options.helper_image),
        *(case.manifest, case.folder / "patterns.yaml"),
    )
    assert done.stdout == case.expected.read_bytes()


def test_windows_lines_stay() -> None:
    case = Case("windows-lines")
    done = podweave("weave", case.manifest, case.folder / "patterns.yaml")
    assert done.stdout == case.expected.read_bytes()
    assert b"\n" not in done.stdout.replace(b"\r\n", b"")


def test_errors_leave_standard_output_empty(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    fails("weave", tmp_path / "missing.yaml", says=["missing.yaml: can't be read: No such file"])
    fails("weave", empty, says=["empty: no manifest in this directory", "*.yaml, *.yml or *.json"])
    fails("weave", MANIFEST, says=["manifest.yaml: no Ambassador, Adapter or Sidecar"])
    fails("weave", PATTERNS, says=["patterns.yaml:", "no workload among the files"])
    fails("weave", "-", PATTERNS, stdin=b"\x00\xff", says=["-:1: not text"])
    fails("weave", MANIFEST, PATTERNS, "--profile", "prod", says=["'prod'", "it has dev, qa"])
    fails("weave", MANIFEST, PATTERNS, "--kubernetes", "new", says=["'new' isn't a version"])
    fails("weave", says=["Missing argument 'FILE...'"])
    fails("unweave", tmp_path / "a", tmp_path / "b", says=["/a: can't be read", "/b: can't be"])


def test_several_broken_files_are_all_named(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("kind: [")
    fails("weave", tmp_path, says=["a.yaml:1: not YAML", "b.yaml:1: not YAML"])


def test_file_that_fails_while_it_is_read() -> None:
    # Reading a process's memory at address 0 fails, for root too.
    fails("weave", "/proc/self/mem", says=["/proc/self/mem: can't be read: Input/output error"])


def test_schema_accepts_the_patterns_and_refuses_others() -> None:
    schema = json.loads(podweave("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for case in CASES.iterdir():
        for document in yaml.safe_load_all((case / "patterns.yaml").read_bytes()):
            validator.validate(document)
            document["spec"]["unknown"] = 1
            assert not validator.is_valid(document)
