"""Two things that want the same name or place are an error that names both, before any output."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputErrors
from podweave.weave import Options, weave
from tests.weave.woven_cases import only_text, weave_text

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
  - name: main
    image: main:1
"""

AMBASSADOR = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata:
  name: db
spec:
  listen: localhost:5432
  profiles: {dev: {upstreams: [{address: "db:5432"}]}}
"""

ADAPTER = """\
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata:
  name: logs
spec:
  logs:
  - from: [/var/log/app/app.log]
"""

SIDECAR = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata:
  name: ship
spec:
  logs:
  - from: [{adapter: logs}]
    store: {files: {directory: /var/log/store}}
"""

OWN = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata:
  name: own
spec:
  container:
    image: own:1
    volumeMounts:
    - {name: %s, mountPath: %s}
  logs:
  - from: [/var/log/app/app.log]
"""


class Collision(NamedTuple):
    what: str
    manifest: str
    patterns: str
    says: list[str]
    options: Options = Options()


def mount(volume: str, path: str, more: str = "") -> str:
    return f"    volumeMounts:\n    - {{name: {volume}, mountPath: {path}{more}}}\n"


def volume(name: str, source: str) -> str:
    return f"  volumes:\n  - name: {name}\n    {source}\n"


COLLISIONS = [
    Collision(
        "a containerPort where the ambassador listens",
        POD + "    ports:\n    - {containerPort: 80}\n    - {containerPort: 5432}\n",
        AMBASSADOR,
        ["patterns.yaml:6: spec.listen: port 5432", "main", "Pod/app", "pod.yaml:11"],
    ),
    Collision(
        "a port that a probe of the app asks",
        POD + "    livenessProbe: {tcpSocket: {port: 5432}}\n",
        AMBASSADOR,
        ["patterns.yaml:6: spec.listen: port 5432", "livenessProbe of main", "pod.yaml:9"],
    ),
    Collision(
        "a port of a container of the user's own",
        POD,
        AMBASSADOR
        + "---\n"
        + OWN.replace("    image", "    ports: [{containerPort: 5432}]\n    image") % ("a", "/a"),
        ["patterns.yaml:6: spec.listen: port 5432", "Sidecar own (patterns.yaml:15)"],
    ),
    Collision(
        "a Pod of another system",
        POD.replace("  containers", "  os: {name: windows}\n  containers"),
        AMBASSADOR,
        ["pod.yaml:6: spec.os.name", "not on windows", "Ambassador db (patterns.yaml:1)"],
    ),
    Collision(
        "two ambassadors on one port",
        POD,
        AMBASSADOR + "---\n" + AMBASSADOR.replace("name: db", "name: db2"),
        ["patterns.yaml:14: spec.listen", "port 5432", "Ambassador db (patterns.yaml:6)"],
    ),
    Collision(
        "a containerPort where the metrics are to be",
        POD + "    ports:\n    - {name: metrics, containerPort: 9102}\n",
        ADAPTER.replace("spec:\n", "spec:\n  metrics: {port: 9102}\n"),
        ["patterns.yaml:6: spec.metrics.port: port 9102", "main in Pod/app (pod.yaml:10)"],
    ),
    Collision(
        "metrics of two helpers on one port",
        POD,
        AMBASSADOR.replace("spec:\n", "spec:\n  metrics: {port: 9102}\n")
        + "---\n"
        + ADAPTER.replace("spec:\n", "spec:\n  metrics: {port: 9102}\n"),
        ["patterns.yaml:15: spec.metrics.port", "Ambassador db (patterns.yaml:6)"],
    ),
    Collision(
        "metrics where the same helper listens for the app",
        POD,
        AMBASSADOR.replace("spec:\n", "spec:\n  metrics: {port: 5432}\n"),
        ["patterns.yaml:6: spec.metrics.port", "Ambassador db (patterns.yaml:7)"],
    ),
    Collision(
        "hostNetwork with an ambassador",
        POD.replace("spec:\n", "spec:\n  hostNetwork: true\n"),
        AMBASSADOR,
        ["patterns.yaml:6: spec.listen", "hostNetwork (pod.yaml:6)"],
    ),
    Collision(
        "a container named like the helper",
        POD + "  - name: db\n    image: db:1\n",
        AMBASSADOR,
        ["patterns.yaml:4: metadata.name", "container named db", "pod.yaml:9"],
    ),
    Collision(
        "an init container named like the helper",
        POD + "  initContainers:\n  - {name: logs, image: x}\n",
        ADAPTER,
        ["patterns.yaml:4: metadata.name", "pod.yaml:10"],
    ),
    Collision(
        "two patterns of one name",
        POD,
        AMBASSADOR + "---\n" + ADAPTER.replace("name: logs", "name: db"),
        ["db", "patterns.yaml:4", "patterns.yaml:12"],
    ),
    Collision(
        "a volume named like the configuration's",
        POD + volume("podweave-config", "emptyDir: {}"),
        AMBASSADOR,
        ["patterns.yaml:1", "volume podweave-config", "pod.yaml:10"],
    ),
    Collision(
        "a volume named like the log folder's",
        POD + volume("podweave-var-log-app", "emptyDir: {}"),
        ADAPTER,
        ["patterns.yaml:1", "volume podweave-var-log-app", "pod.yaml:10"],
    ),
    Collision(
        "logs in a folder that is mounted read-only",
        POD + mount("data", "/var/log", ", readOnly: true") + volume("data", "emptyDir: {}"),
        ADAPTER,
        ["patterns.yaml:7: spec.logs[0].from", "data at /var/log (pod.yaml:10)", "read-only"],
    ),
    Collision(
        "logs in a configMap volume",
        POD + mount("data", "/var/log/app") + volume("data", "configMap: {name: c}"),
        ADAPTER,
        ["patterns.yaml:7", "pod.yaml:10", "configMap"],
    ),
    Collision(
        "logs in a secret volume",
        POD + mount("data", "/var/log/app") + volume("data", "secret: {secretName: c}"),
        ADAPTER,
        ["patterns.yaml:7", "pod.yaml:10", "secret"],
    ),
    Collision(
        "logs in a projected volume",
        POD + mount("data", "/var/log/app") + volume("data", "projected: {sources: []}"),
        ADAPTER,
        ["patterns.yaml:7", "pod.yaml:10", "projected"],
    ),
    Collision(
        "logs in a downwardAPI volume",
        POD + mount("data", "/var/log/app") + volume("data", "downwardAPI: {items: []}"),
        ADAPTER,
        ["patterns.yaml:7", "pod.yaml:10", "downwardAPI"],
    ),
    Collision(
        "logs in a claim that is read-only",
        POD
        + mount("data", "/var/log/app")
        + volume("data", "persistentVolumeClaim: {claimName: c, readOnly: true}"),
        ADAPTER,
        ["patterns.yaml:7", "pod.yaml:10", "readOnly"],
    ),
    Collision(
        "a volume that would hide the helper's program",
        POD + mount("data", "/opt") + volume("data", "emptyDir: {}"),
        ADAPTER.replace("/var/log/app/app.log", "/opt/app/logs/app.log"),
        ["patterns.yaml:7", "/opt", "/opt/podweave"],
    ),
    Collision(
        "a new volume that would hide what the image needs",
        POD,
        ADAPTER.replace("/var/log/app/app.log", "/etc/app.log"),
        ["patterns.yaml:7", "sharing /etc would hide"],
    ),
    Collision(
        "a new volume that would hide the command",
        POD + "    command: [/app/bin/app]\n",
        ADAPTER.replace("/var/log/app/app.log", "/app/app.log"),
        ["patterns.yaml:7", "/app/bin/app", "pod.yaml:9"],
    ),
    Collision(
        "a new volume that would hide the program of an interpreter",
        POD + "    workingDir: /app\n    command: [python3]\n    args: [-u, main.py]\n",
        ADAPTER.replace("/var/log/app/app.log", "/app/app.log"),
        ["patterns.yaml:7", "/app/main.py", "pod.yaml:11"],
    ),
    Collision(
        "a ConfigMap of the same name",
        POD + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-podweave}\n",
        AMBASSADOR,
        ["ConfigMap app-podweave", "pod.yaml:10", "pod.yaml:1"],
    ),
    Collision(
        "a Job before native sidecars",
        POD.replace("  containers", "  restartPolicy: Never\n  containers"),
        AMBASSADOR,
        ["pod.yaml:6: spec.restartPolicy", "1.28", "1.29", "patterns.yaml:1"],
        Options(kubernetes=(1, 28)),
    ),
    Collision(
        "a selector that matches nothing",
        POD.replace("metadata:\n", "metadata:\n  labels: {app: web}\n"),
        AMBASSADOR.replace("spec:\n", "spec:\n  selector: {matchLabels: {app: wbe}}\n"),
        ["patterns.yaml:6: spec.selector", "app=web"],
    ),
    Collision(
        "a container that isn't there",
        POD,
        ADAPTER + "    target: mian\n",
        ["patterns.yaml:8: spec.logs[0].target", "'mian'", "it has main"],
    ),
    Collision(
        "an adapter that isn't there",
        POD,
        SIDECAR,
        ["patterns.yaml:7: spec.logs[0].from", "no Adapter 'logs'", "none"],
    ),
    Collision(
        "an adapter of another name",
        POD,
        SIDECAR + "---\n" + ADAPTER.replace("name: logs", "name: log"),
        ["patterns.yaml:7", "no Adapter 'logs'", "there is log"],
    ),
    Collision(
        "an adapter that two sidecars want",
        POD,
        "---\n".join((SIDECAR, SIDECAR.replace("name: ship", "name: ship2"), ADAPTER)),
        ["patterns.yaml:16", "already shipped by Sidecar ship (patterns.yaml:1)"],
    ),
    Collision(
        "an adapter whose container has another user",
        POD + "  - {name: two, image: x, securityContext: {runAsUser: 12}}\n",
        SIDECAR.replace("    store", "    target: main\n    store")
        + "---\n"
        + ADAPTER
        + "    target: two\n",
        ["patterns.yaml:7", "12", "65532", "Adapter logs (patterns.yaml:11)"],
    ),
    Collision(
        "an adapter of the user's own",
        POD,
        SIDECAR + "---\n" + ADAPTER.replace("spec:\n", "spec:\n  container: {image: x}\n"),
        ["patterns.yaml:7", "Adapter logs", "container of your own"],
    ),
    Collision(
        "a volume that a container of the user's own mounts and isn't there",
        POD,
        OWN % ("missing", "/x"),
        ["patterns.yaml:9: spec.container.volumeMounts[0].name", "'missing'", "pod.yaml:5"],
    ),
    Collision(
        "a mount path in a container of the user's own",
        POD + volume("data", "emptyDir: {}"),
        OWN % ("data", "/var/log/app"),
        ["patterns.yaml:9", "/var/log/app", "podweave-var-log-app"],
    ),
    Collision(
        "two containers' folders at one path in one helper",
        POD + "  - {name: two, image: x}\n",
        ADAPTER + "  - from: [/var/log/app/b.log]\n    target: two\n",
        ["patterns.yaml:8: spec.logs[1].from", "two volumes at /var/log/app"],
    ),
    Collision(
        "a subPathExpr with a variable nobody knows",
        POD
        + "    volumeMounts:\n    - {name: data, mountPath: /var/log, subPathExpr: $(X)}\n"
        + volume("data", "emptyDir: {}"),
        ADAPTER,
        ["patterns.yaml:7", "$(X)"],
    ),
    Collision(
        "a profile nobody knows, asked for",
        POD,
        AMBASSADOR,
        ["patterns.yaml:7: spec.profiles", "'prod'", "it has dev"],
        Options(profile="prod"),
    ),
    Collision(
        "a profile nobody knows, on the Pod",
        POD.replace("metadata:\n", "metadata:\n  labels: {podweave.dev/profile: prod}\n"),
        AMBASSADOR,
        ["pod.yaml:4: metadata.labels", "'prod'", "it has dev"],
    ),
]


@pytest.mark.parametrize("collision", COLLISIONS, ids=lambda collision: collision.what)
def test_collision_names_both_sides(collision: Collision) -> None:
    sources = [
        read("pod.yaml", collision.manifest.encode()),
        read("patterns.yaml", collision.patterns.encode()),
    ]
    given = bundle(sources)
    with pytest.raises(InputErrors) as caught:
        weave(given, collision.options)
    text = str(caught.value)
    for part in collision.says:
        assert part in text


def test_all_errors_come_at_once() -> None:
    manifest = POD + "    ports: [{containerPort: 5432}]\n---\n" + POD.replace("app", "other")
    broken = manifest.replace("name: other\n", "name: other\n  labels: {podweave.dev/profile: x}\n")
    with pytest.raises(InputErrors) as caught:
        weave_text("pod.yaml", broken, read("patterns.yaml", AMBASSADOR.encode()))
    assert len(caught.value.errors) == 2


def test_line_of_an_error_is_that_of_the_woven_file_given() -> None:
    woven = only_text(weave_text("pod.yaml", POD, read("patterns.yaml", AMBASSADOR.encode())))
    taken = woven.replace(
        "    image: main:1\n", "    image: main:1\n    ports: [{containerPort: 9}]\n"
    )
    other = AMBASSADOR.replace(":5432\n", ":9\n")
    with pytest.raises(InputErrors) as caught:
        weave_text("pod.yaml", taken, read("patterns.yaml", other.encode()))
    line = next(i for i, text in enumerate(taken.splitlines(), 1) if "containerPort" in text)
    assert f"pod.yaml:{line}" in str(caught.value)


def test_port_of_another_protocol_is_no_collision() -> None:
    manifest = POD + "    ports: [{containerPort: 5432, protocol: UDP}]\n"
    assert weave_text("pod.yaml", manifest, read("patterns.yaml", AMBASSADOR.encode())).changes


def test_annotations_too_large_for_an_api_server() -> None:
    large = f"metadata:\n  annotations: {{big: {'x' * 262_000}}}\n"
    with pytest.raises(InputErrors, match=r"pod\.yaml:4: metadata\.annotations: .* 262144"):
        weave_text(
            "pod.yaml",
            POD.replace("metadata:\n", large),
            read("patterns.yaml", AMBASSADOR.encode()),
        )
