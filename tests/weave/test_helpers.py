"""What the woven helpers are like: locked in, in order, with the right profile and folders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputErrors
from podweave.weave import Options, Weaving, weave
from podweave.weave.annotation import KEY, decode
from tests.weave.woven_cases import NAMES, Case

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: app
  labels: {app: app%s}
spec:
  containers:
  - name: main
    image: main:1
"""

AMBASSADOR = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {name: db}
spec:
  listen: localhost:5432
  %s
  profiles:
    dev: {upstreams: [{address: "dev:1"}]}
    qa: {upstreams: [{address: "qa:1"}]}
"""


def woven(manifest: str, *patterns: str, options: Options | None = None) -> Weaving:
    sources = [read("pod.yaml", manifest.encode())]
    sources += [read(f"patterns{at}.yaml", text.encode()) for at, text in enumerate(patterns)]
    return weave(bundle(sources), options)


def adapter(name: str, *paths: str, more: str = "") -> str:
    return (
        f"apiVersion: podweave.dev/v1alpha1\nkind: Adapter\nmetadata: {{name: {name}}}\n"
        f"spec:\n  logs:\n  - from: {list(paths)}\n{more}"
    )


def sidecar(name: str, source: str, directory: str = "/var/log/store", more: str = "") -> str:
    return (
        f"apiVersion: podweave.dev/v1alpha1\nkind: Sidecar\nmetadata: {{name: {name}}}\n"
        f"spec:\n  logs:\n  - from: [{source}]\n"
        f"    store: {{files: {{directory: {directory}{more}}}}}\n"
    )


def spec(weaving: Weaving) -> dict[str, Any]:
    found: dict[str, Any] = weaving.objects[0][1][0]["spec"]
    return found


def helpers(weaving: Weaving) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in spec(weaving)["initContainers"]}


def config(weaving: Weaving, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(weaving.objects[0][1][-1]["data"][f"{name}.json"])
    return found


@pytest.mark.parametrize(
    ("asked", "label", "default", "chosen"),
    [
        ("qa", "dev", "dev", "qa"),
        (None, "qa", "dev", "qa"),
        (None, None, "qa", "qa"),
        ("dev", "qa", "qa", "dev"),
    ],
)
def test_profile_asked_for_goes_before_label_before_default(
    asked: str | None, label: str | None, default: str, chosen: str
) -> None:
    manifest = POD % (f", podweave.dev/profile: {label}" if label else "")
    weaving = woven(manifest, AMBASSADOR % f"profile: {default}", options=Options(profile=asked))
    assert config(weaving, "db")["profile"] == chosen


def test_without_a_default_the_label_or_the_caller_must_choose() -> None:
    labelled = woven(POD % ", podweave.dev/profile: qa", AMBASSADOR % "protocol: tcp")
    assert config(labelled, "db")["profile"] == "qa"
    asked = woven(POD % "", AMBASSADOR % "protocol: tcp", options=Options(profile="dev"))
    assert config(asked, "db")["profile"] == "dev"
    with pytest.raises(InputErrors, match=r"which of its profiles to start with \(dev, qa\)"):
        woven(POD % "", AMBASSADOR % "protocol: tcp")


def test_the_kernel_datapath_asks_for_what_it_needs_and_says_so() -> None:
    weaving = Case("kernel-datapath").weave()
    woven_helpers = helpers(weaving)
    assert list(woven_helpers) == ["podweave-network", "cache", "queue", "migrate"]
    for name in ("cache", "queue"):
        security = woven_helpers[name]["securityContext"]
        assert security["runAsUser"] == 0
        assert security["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
        assert security["allowPrivilegeEscalation"] is False
    assert "restartPolicy" not in woven_helpers["podweave-network"]
    told = [change for change in weaving.changes if "restricted" in change.reason]
    assert [change.what.split(" (")[0] for change in told] == [
        "init container podweave-network added",
        "native sidecar cache added",
        "native sidecar queue added",
    ]


def test_a_container_of_the_name_is_a_collision() -> None:
    manifest = POD % ""
    manifest = manifest.replace("name: main", "name: podweave-network", 1)
    with pytest.raises(InputErrors, match="`datapath: kernel` adds one"):
        woven(manifest, AMBASSADOR % "datapath: kernel\n  profile: dev")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("kernel-")])
def test_helpers_pass_the_restricted_standard_and_quotas(name: str) -> None:
    seen = 0
    for found in Case(name).weave().bundle.workloads:
        template = found.workload.template
        annotations = template.metadata.annotations or {}
        if KEY not in annotations:
            continue
        kinds = decode(annotations[KEY]).helpers
        containers = [*(template.spec.init_containers or []), *template.spec.containers]
        for container in containers:
            if container.name not in kinds:
                continue
            seen += 1
            context = container.security_context
            assert context is not None
            assert context.run_as_non_root is True
            assert context.run_as_user
            assert context.allow_privilege_escalation is False
            assert context.capabilities is not None
            assert context.capabilities.drop == ["ALL"]
            assert context.seccomp_profile is not None
            assert context.seccomp_profile.type == "RuntimeDefault"
            assert container.resources is not None
            assert {"cpu", "memory"} <= set(container.resources.requests or ())
            if kinds[container.name] != "container":
                assert context.read_only_root_filesystem is True
                assert {"cpu", "memory"} <= set(container.resources.limits or ())
                assert container.startup_probe is not None
    assert seen


def test_order_is_ambassadors_shippers_adapters_then_the_apps_own() -> None:
    manifest = POD % "" + "  initContainers:\n  - {name: own, image: own:1}\n"
    weaving = woven(
        manifest,
        adapter("a", "/logs/*.log"),
        sidecar("s", "{adapter: a}"),
        AMBASSADOR % "profile: dev",
    )
    assert list(helpers(weaving)) == ["db", "s", "a", "own"]
    kinds = decode(weaving.objects[0][1][0]["metadata"]["annotations"][KEY]).helpers
    assert kinds == {"db": "ambassador", "s": "sidecar", "a": "adapter"}


def test_what_is_shipped_goes_to_the_spool_instead_of_stdout() -> None:
    weaving = woven(POD % "", adapter("a", "/logs/x.log"), sidecar("s", "{adapter: a}"))
    assert config(weaving, "a")["logs"][0]["to"] == [{"spool": "/var/lib/podweave/spool/a"}]
    assert config(weaving, "s")["logs"][0]["spool"] == "/var/lib/podweave/spool/a"


def test_file_and_spool_both_get_it() -> None:
    to_file = adapter("a", "/logs/x.log", more="    to: /out/x.ndjson\n")
    weaving = woven(POD % "", to_file, sidecar("s", "{adapter: a}"))
    assert config(weaving, "a")["logs"][0]["to"] == [
        {"path": "/out/x.ndjson"},
        {"spool": "/var/lib/podweave/spool/a"},
    ]
    mounts = {each["mountPath"]: each for each in helpers(weaving)["a"]["volumeMounts"]}
    assert "readOnly" not in mounts["/out"]
    assert mounts["/logs"]["readOnly"] is True


def test_shipper_runs_as_the_adapter_it_takes_from_does() -> None:
    manifest = POD % "" + "  - {name: two, image: x, securityContext: {runAsUser: 12}}\n"
    patterns = [adapter("a", "/logs/x.log", more="    target: two\n"), sidecar("s", "{adapter: a}")]
    users = [
        helper["securityContext"]["runAsUser"]
        for helper in helpers(woven(manifest, *patterns)).values()
    ]
    assert users == [12, 12]


def test_several_patterns_share_one_volume_for_a_folder() -> None:
    weaving = woven(
        POD % "",
        adapter("a", "/logs/a.log"),
        adapter("b", "/logs/b.log"),
        sidecar("s", "/logs/c.log"),
    )
    (mount,) = spec(weaving)["containers"][0]["volumeMounts"]
    assert mount == {"name": "podweave-logs", "mountPath": "/logs"}
    for helper in helpers(weaving).values():
        assert {**mount, "readOnly": True} in helper["volumeMounts"]


def test_store_in_the_shared_folder_needs_no_other_volume() -> None:
    weaving = woven(POD % "", sidecar("s", "/logs/c.log", "/logs/store"))
    names = [each["name"] for each in spec(weaving)["volumes"]]
    assert names == ["podweave-config", "podweave-logs", "podweave-pod", "podweave-state"]
    assert {"name": "podweave-logs", "mountPath": "/logs"} in helpers(weaving)["s"]["volumeMounts"]


def test_sidecars_with_one_claim_share_the_volume() -> None:
    claim = ", volume: {persistentVolumeClaim: {claimName: c}}"
    weaving = woven(
        POD % "",
        sidecar("s", "/logs/c.log", "/store", claim),
        sidecar("t", "/logs/d.log", "/store", claim),
    )
    claims = [each for each in spec(weaving)["volumes"] if "persistentVolumeClaim" in each]
    assert [each["name"] for each in claims] == ["podweave-store-s"]


def test_one_path_in_two_containers_is_two_volumes() -> None:
    manifest = POD % "" + "  - {name: two, image: x}\n"
    weaving = woven(
        manifest,
        adapter("a", "/logs/a.log"),
        adapter("b", "/logs/b.log", more="    target: two\n"),
    )
    one, two = (each["volumeMounts"][0] for each in spec(weaving)["containers"])
    assert one["mountPath"] == two["mountPath"] == "/logs"
    assert one["name"] != two["name"]


def test_folders_that_would_have_one_name_have_two() -> None:
    weaving = woven(POD % "", adapter("a", "/var/log-x/a.log", "/var/log/x/a.log"))
    mounts = spec(weaving)["containers"][0]["volumeMounts"]
    assert len({each["name"] for each in mounts}) == 2


def test_long_folder_names_stay_valid_volume_names() -> None:
    weaving = woven(POD % "", adapter("a", f"/{'long/' * 30}a.log", f"/{'long/' * 31}a.log"))
    for volume in spec(weaving)["volumes"]:
        assert len(volume["name"]) <= 63


@pytest.mark.parametrize("folder", ["/usr/local/tomcat/logs", "/usr/lib/unifi/logs", "/opt/x/logs"])
def test_logs_beneath_system_folders_are_shared(folder: str) -> None:
    weaving = woven(POD % "", adapter("a", f"{folder}/*.log"))
    assert spec(weaving)["containers"][0]["volumeMounts"][0]["mountPath"] == folder


def test_helpers_on_the_nodes_network_take_ports_of_their_own() -> None:
    ports = set()
    for name in ("one", "two"):
        manifest = (POD % "").replace("name: app", f"name: {name}")
        manifest = manifest.replace("spec:\n", "spec:\n  hostNetwork: true\n")
        ports.add(config(woven(manifest, adapter("a", "/logs/a.log")), "a")["admin"][1])
    assert len(ports) == 2


def test_explanation_says_as_whom_files_are_read() -> None:
    def reasons(manifest: str) -> str:
        return "\n".join(change.reason for change in woven(manifest, adapter("a", "/x/y")).changes)

    assert "it runs as user 65532, because the manifest names no user but" in reasons(POD % "")
    named = POD % "" + "    securityContext: {runAsUser: 9}\n"
    assert "it runs as user 9, as main does" in reasons(named)


def test_a_sidecar_has_no_more_time_for_its_end_than_the_pod() -> None:
    manifest = POD % "" + "  terminationGracePeriodSeconds: %d\n"
    longer = sidecar("ship", "/x/y") + "  drainSeconds: 40\n"
    assert config(woven(manifest % 41, longer), "ship")["drain"] == 40
    with pytest.raises(InputErrors, match=r"spec\.drainSeconds: the Pod is killed 40 s after"):
        woven(manifest % 40, longer)
    with pytest.raises(InputErrors, match="the Pod is killed 30 s after"):
        woven(POD % "", longer)


def test_guaranteed_pod_stays_guaranteed() -> None:
    manifest = POD % "" + "    resources: {limits: {cpu: 1, memory: 1Gi}}\n"
    container = helpers(woven(manifest, AMBASSADOR % "profile: dev"))["db"]
    assert container["resources"]["requests"] == container["resources"]["limits"]


def test_another_configuration_is_another_hash() -> None:
    hashes = {
        decode(
            woven(POD % "", AMBASSADOR % f"drainSeconds: {drain}\n  profile: dev").objects[0][1][0][
                "metadata"
            ]["annotations"][KEY]
        ).hash
        for drain in (1, 2, 2)
    }
    assert len(hashes) == 2


def test_secrets_are_mounted_in_their_ambassador_alone_and_that_is_told() -> None:
    pattern = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {name: db}
spec:
  listen: localhost:5432
  protocol: postgres
  profiles:
    stage:
      upstreams: [{address: "db:5432"}]
      tls: {ca: {configMapRef: {name: company-ca}}}
      credentials: {secretRef: {name: login}}
"""
    other = "apiVersion: podweave.dev/v1alpha1\nkind: Ambassador\nmetadata: {name: cache}\n"
    other += "spec: {listen: 'localhost:6379', profiles: {dev: {upstreams: [{address: 'c:1'}]}}}\n"
    weaving = woven(POD % "", pattern, other)
    ((_, objects),) = weaving.objects
    spec = objects[0]["spec"]
    place = "/etc/podweave-secrets/db"
    mounts = {
        container["name"]: [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        for container in [*spec["initContainers"], *spec["containers"]]
    }
    assert place in mounts["db"]
    assert place not in mounts["cache"]
    assert mounts["main"] == []
    (told,) = [change for change in weaving.changes if "podweave-secrets-db" in change.what]
    assert "projected volume podweave-secrets-db added" in told.what
    assert "ConfigMap company-ca (stage: ca), Secret login (stage: credentials)" in told.reason
    assert "none of them must exist" in told.reason
    (volume,) = [each for each in spec["volumes"] if "projected" in each]
    for source in volume["projected"]["sources"]:
        (part,) = source.values()
        assert part["optional"] is True
    config = objects[1]["data"]["db.json"]
    assert json.loads(config)["profiles"]["stage"]["credentials"] == {
        "username": f"{place}/stage/credentials/username",
        "password": f"{place}/stage/credentials/password",
    }


def test_two_long_names_have_volumes_of_their_own() -> None:
    def pattern(name: str, port: int) -> str:
        return (
            f"apiVersion: podweave.dev/v1alpha1\nkind: Ambassador\nmetadata: {{name: {name}}}\n"
            f"spec:\n  listen: localhost:{port}\n  protocol: redis\n  profiles:\n    dev:\n"
            f"      upstreams: [{{address: 'c:1'}}]\n"
            f"      credentials: {{secretRef: {{name: s{port}}}}}\n"
        )

    long = "a" * 60
    weaving = woven(POD % "", pattern(f"{long}-b", 1000), pattern(f"{long}-c", 1001))
    ((_, objects),) = weaving.objects
    names = [each["name"] for each in objects[0]["spec"]["volumes"] if "projected" in each]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)
