"""The state of log helpers on a volume: what would not outlive the Pod is refused."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputErrors
from podweave.weave import weave

WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: orders}}
spec:
  serviceName: orders
  selector: {{matchLabels: {{app: orders}}}}
  template:
    metadata: {{labels: {{app: orders}}}}
    spec:
      containers:
      - name: app
        image: app:1
        env:
        - name: POD_NAME
          valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
        - name: POD_UID
          valueFrom: {{fieldRef: {{fieldPath: metadata.uid}}}}
        - {{name: TEAM, value: shop}}
        volumeMounts:
        - {{name: logs, mountPath: /var/log/orders{more}}}
        - {{name: scratch, mountPath: /var/log/scratch}}
      volumes:
      - {{name: logs, persistentVolumeClaim: {{claimName: logs}}}}
      - {{name: scratch, emptyDir: {{}}}}
      - {{name: brief, ephemeral: {{volumeClaimTemplate: {{spec: {{}}}}}}}}
      - {{name: fixed, persistentVolumeClaim: {{claimName: logs, readOnly: true}}}}
      - {{name: nfs, nfs: {{server: a, path: /b, readOnly: true}}}}
      - {{name: settings, configMap: {{name: settings}}}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadOnlyMany]}}
"""

SIDECAR = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata: {{name: ship}}
spec:
  state: {state}
  logs:
  - from: {paths}
    store: {{syslog: {{address: "log:601"}}}}
"""

ADAPTER = """\
---
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata: {{name: norm}}
spec:
  {state}
  logs: [{{from: [/var/log/orders/a.log]}}]
"""


class Wrong(NamedTuple):
    what: str
    state: str
    said: str
    paths: str = "[/var/log/orders/*.log]"
    kind: str = "Deployment"
    more: str = ""
    beside: str = ""


WRONG = [
    Wrong("no such volume", "{volume: log}", "no volume 'log': it has logs, scratch, brief"),
    Wrong("emptyDir", "{volume: scratch}", "volume of emptyDir, which ends with the Pod"),
    Wrong("ephemeral", "{volume: brief}", "volume of ephemeral, which ends with the Pod"),
    Wrong("read-only claim", "{volume: fixed}", "persistentVolumeClaim with readOnly"),
    Wrong("read-only share", "{volume: nfs}", "nfs with readOnly"),
    Wrong("configMap", "{volume: settings}", "a volume of configMap"),
    Wrong("emptyDir source", "{volume: {emptyDir: {}}}", "a volume of emptyDir ends with the Pod"),
    Wrong("claims that are read", "{volume: data}", "are ReadOnlyMany", kind="StatefulSet"),
    Wrong("no source", "{volume: {persistentVolumeClaim: {}}}", "claimName is missing"),
    Wrong("path above", "{volume: logs, path: ../x}", "'../x' must be a folder in the volume"),
    Wrong("absolute", "{volume: logs, path: /x}", "'/x' must be a folder in the volume"),
    Wrong("the root", "{volume: logs, path: .}", "name a folder in it"),
    Wrong("wildcard", "{volume: logs, path: 'a*'}", "without wildcards"),
    Wrong("no volume", "{path: a}", "spec.state: volume is missing"),
    Wrong(
        "logs that end",
        "{volume: logs}",
        "/var/log/scratch is on a volume of emptyDir, which ends with the Pod",
        paths="[/var/log/orders/*.log, /var/log/scratch/a.log]",
    ),
    Wrong(
        "logs that nothing is mounted for",
        "{volume: logs}",
        "/elsewhere is on a volume of emptyDir, which ends with the Pod",
        paths="[/elsewhere/a.log]",
    ),
    Wrong(
        "folders of Pods whose names change",
        "{volume: logs}",
        "each Pod of Deployment/orders has a folder of its own in logs",
        more=", subPathExpr: $(POD_NAME)",
    ),
    Wrong(
        "folders by uid",
        "{volume: logs}",
        "each Pod of StatefulSet/orders has a folder of its own in logs",
        kind="StatefulSet",
        more=", subPathExpr: $(POD_UID)",
    ),
    Wrong(
        "an adapter without",
        "{volume: logs}",
        "has its state on a volume: both have it there, or neither",
        paths="[{adapter: norm}]",
        beside=ADAPTER.format(state="selector:"),
    ),
    Wrong(
        "an adapter elsewhere",
        "{volume: logs}",
        "both need the same volume",
        paths="[{adapter: norm}]",
        beside=ADAPTER.format(state="state: {volume: {hostPath: {path: /var/state}}}"),
    ),
]


def woven(state: str, paths: str, kind: str, more: str, beside: str = "") -> str:
    manifest = WORKLOAD.format(kind=kind, more=more)
    patterns = SIDECAR.format(state=state, paths=paths) + beside
    sources = [read("app.yaml", manifest.encode()), read("ship.yaml", patterns.encode())]
    return weave(bundle(sources)).sources[0].text


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what)
def test_what_would_not_outlive_the_pod_is_refused(wrong: Wrong) -> None:
    with pytest.raises(InputErrors) as caught:
        woven(wrong.state, wrong.paths, wrong.kind, wrong.more, wrong.beside)
    assert wrong.said in str(caught.value)
    assert "ship.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "more", "directory"),
    [
        ("Deployment", "", "{namespace}/deployment.orders/ship"),
        ("Deployment", ", subPathExpr: $(TEAM)", "{namespace}/deployment.orders/ship"),
        ("StatefulSet", "", "{namespace}/statefulset.orders/ship"),
        ("StatefulSet", ", subPathExpr: $(POD_NAME)", "{namespace}/statefulset.orders/{pod}/ship"),
    ],
)
def test_pods_with_the_same_files_have_one_state(kind: str, more: str, directory: str) -> None:
    text = woven("{volume: logs}", "[/var/log/orders/*.log]", kind, more)
    assert f'"state": "/var/lib/podweave-volumes/state/.podweave/{directory}"' in text


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ("", "/var/log/orders/kept/state"),
        (", subPath: kept", "/var/log/orders/state"),
        (", subPath: kept/state/deeper", None),
        (", subPath: other", None),
    ],
)
def test_the_state_itself_is_not_read(more: str, seen: str | None) -> None:
    text = woven("{volume: logs, path: kept/state}", "[/var/log/orders/**/*]", "Deployment", more)
    assert (f'"exclude": ["{seen}"]' in text) == (seen is not None)
    assert ('"exclude"' in text) == (seen is not None)


@pytest.mark.parametrize(
    ("state", "paths", "advised"),
    [
        ("null", "[/var/log/orders/a.log]", True),
        ("{volume: logs}", "[/var/log/orders/a.log]", False),
        ("null", "[/var/log/scratch/a.log]", False),
        ("null", "[/elsewhere/a.log]", False),
    ],
)
def test_who_would_read_everything_again_is_told(state: str, paths: str, advised: bool) -> None:
    patterns = SIDECAR.format(state=state, paths=paths)
    manifest = WORKLOAD.format(kind="Deployment", more="")
    weaving = weave(bundle([read("a.yaml", manifest.encode()), read("p.yaml", patterns.encode())]))
    (reason,) = [change.reason for change in weaving.changes if "ship added" in change.what]
    assert ("`state: {volume: logs}` keeps it" in reason) is advised


def test_pipes_beside_it_are_refused() -> None:
    patterns = SIDECAR.format(state="{volume: logs}", paths="[/var/log/orders/a.log]")
    patterns += "    listen: [{pipe: /run/orders/app.fifo}]\n"
    sources = [
        read("app.yaml", WORKLOAD.format(kind="Deployment", more="").encode()),
        read("ship.yaml", patterns.encode()),
    ]
    with pytest.raises(InputErrors, match="beside `state` only files are followed"):
        weave(bundle(sources))
