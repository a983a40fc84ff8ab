"""What stands around the Pods: Services, autoscalers, claims and ConfigMaps of the same input.

An object of the Pod's own file is certainly meant for it. One from another file counts too
(people keep a Service beside its Deployment), unless workloads of several files fit it: then
the files are most likely unrelated examples that happen to use the same labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from podweave.review.facts import PodFacts, Scaler, ServicePort
from podweave.review.tolerance import MAX_TEXT, text


class _Service(NamedTuple):
    file: str
    namespace: str
    name: str
    selector: dict[str, str]
    ports: list[ServicePort]


class _Target(NamedTuple):
    """An autoscaler and what it scales."""

    file: str
    namespace: str
    kind: str
    name: str
    scaler: Scaler


class Surroundings:
    """Collects objects that aren't workloads, then tells each Pod which of them are its own."""

    def __init__(self) -> None:
        self._services: Final[list[_Service]] = []
        self._index: dict[tuple[str, str, str], list[_Service]] = {}
        """By (namespace, key, value) of the rarest pair of the selector."""
        self._targets: Final[dict[tuple[str, str, str], list[_Target]]] = {}
        self._configs: Final[dict[tuple[str, str], list[tuple[str, dict[str, str]]]]] = {}
        self._claims: Final[dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]]] = {}
        self._exposed: Final[set[tuple[str, str]]] = set()
        """(namespace, Service) behind an Ingress or a route."""

    def add(self, file: str, object: dict[str, Any]) -> None:
        """Take in an object of any kind; most mean nothing here."""
        metadata = _mapping(object.get("metadata"))
        name, namespace = text(metadata.get("name")), text(metadata.get("namespace"))
        spec = _mapping(object.get("spec"))
        match object.get("kind"):
            case "Service" if isinstance(spec.get("selector"), dict):
                self._service(file, namespace, name, spec)
            case "HorizontalPodAutoscaler":
                self._autoscaler(file, namespace, name, spec, metadata)
            case "ScaledObject":
                self._scaled_object(file, namespace, name, spec)
            case "ConfigMap":
                data = _mapping(object.get("data"))
                texts = {str(key): text(value)[:MAX_TEXT] for key, value in data.items()}
                self._configs.setdefault((namespace, name), []).append((file, texts))
            case "PersistentVolumeClaim":
                modes = spec.get("accessModes")
                access = tuple(map(text, modes)) if isinstance(modes, list) else ()
                self._claims.setdefault((namespace, name), []).append((file, access))
            case "Ingress":
                for service in _backends(spec):
                    self._exposed.add((namespace, service))

    def _service(self, file: str, namespace: str, name: str, spec: dict[str, Any]) -> None:
        selector = {str(key): text(value) for key, value in spec["selector"].items()}
        if not selector:
            return
        ports = []
        listed = spec.get("ports")
        for port in listed if isinstance(listed, list) else []:
            if not isinstance(port, dict) or not isinstance(port.get("port"), int):
                continue
            target = port.get("targetPort")
            if isinstance(target, str) and target.isdigit():
                target = int(target)
            ports.append(
                ServicePort(
                    service=name,
                    port=port["port"],
                    target=target if isinstance(target, int | str) else port["port"],
                    name=text(port.get("name")).lower(),
                    headless=spec.get("clusterIP") == "None",
                    exposed=spec.get("type") in {"NodePort", "LoadBalancer"},
                )
            )
        self._services.append(_Service(file, namespace, name, selector, ports))

    def _autoscaler(
        self,
        file: str,
        namespace: str,
        name: str,
        spec: dict[str, Any],
        metadata: dict[str, Any],
    ) -> None:
        scaler = Scaler(
            name=name,
            minimum=_positive(spec.get("minReplicas"), 1),
            maximum=_positive(spec.get("maxReplicas"), 1),
        )
        metrics = spec.get("metrics")
        for metric in metrics if isinstance(metrics, list) else []:
            if not isinstance(metric, dict):
                continue
            if isinstance(how := metric.get("resource"), dict):
                target = _mapping(how.get("target"))
                share = target.get("averageUtilization", how.get("targetAverageUtilization"))
                scaler.resources.append((text(how.get("name")), _share(share)))
            if isinstance(how := metric.get("containerResource"), dict):
                scaler.container_resources.append(
                    (text(how.get("container")), text(how.get("name")))
                )
        if "targetCPUUtilizationPercentage" in spec:
            share = _share(spec["targetCPUUtilizationPercentage"])
            scaler.resources.append(("cpu", share))
        if not metrics and not scaler.resources:
            scaler.resources.append(("cpu", 0.8))  # the API server's own default
        self._target(file, namespace, _mapping(spec.get("scaleTargetRef")), scaler)

    def _scaled_object(self, file: str, namespace: str, name: str, spec: dict[str, Any]) -> None:
        scaler = Scaler(
            name=name,
            minimum=_positive(spec.get("minReplicaCount"), 0),
            maximum=_positive(spec.get("maxReplicaCount"), 100),
        )
        self._target(file, namespace, _mapping(spec.get("scaleTargetRef")), scaler)

    def _target(self, file: str, namespace: str, reference: dict[str, Any], scaler: Scaler) -> None:
        kind, target = text(reference.get("kind")) or "Deployment", text(reference.get("name"))
        found = _Target(file, namespace, kind, target, scaler)
        self._targets.setdefault((namespace, kind, target), []).append(found)

    def attach(self, pods: list[PodFacts]) -> None:
        """Give every Pod its Services, autoscaler, claims' modes and configuration texts."""
        self._index = _by_rarest_pair(self._services)
        files: dict[int, set[str]] = {}
        fitting: list[list[_Service]] = []
        for pod in pods:
            found = list(self._selecting(pod))
            fitting.append(found)
            for service in found:
                files.setdefault(id(service), set()).add(pod.file)
        named: dict[tuple[str, str, str], set[str]] = {}
        for pod in pods:
            named.setdefault((pod.namespace, pod.kind, pod.name), set()).add(pod.file)
        for pod, services in zip(pods, fitting, strict=True):
            own = [service for service in services if service.file == pod.file]
            chosen = own or [each for each in services if len(files[id(each)]) == 1]
            for service in chosen:
                exposed = (service.namespace, service.name) in self._exposed
                for port in service.ports:
                    port.exposed = port.exposed or exposed
                pod.services.extend(service.ports)
            key = (pod.namespace, pod.kind, pod.name)
            targets = self._targets.get(key, [])
            if targets:
                here = [each for each in targets if each.file == pod.file]
                if here or len(named[key]) == 1:
                    pod.scaler = (here or targets)[0].scaler
            self._claim_modes(pod)
            self._config_texts(pod)

    def _selecting(self, pod: PodFacts) -> Iterator[_Service]:
        labels = pod.labels
        for key, value in labels.items():
            for service in self._index.get((pod.namespace, key, value), ()):
                if all(labels.get(k) == v for k, v in service.selector.items()):
                    yield service

    def _claim_modes(self, pod: PodFacts) -> None:
        for volume in pod.volumes.values():
            if volume.kind == "claim" and not volume.access:
                found = self._claims.get((pod.namespace, volume.source), [])
                own = [access for file, access in found if file == pod.file]
                if own or len(found) == 1:
                    volume.access = own[0] if own else found[0][1]

    def _config_texts(self, pod: PodFacts) -> None:
        if not self._configs:
            return
        for container in pod.containers:
            wanted = [name for kind, name in container.env_from if kind == "configMapRef"]
            for mount in container.mounts:
                volume = pod.volumes.get(mount.volume)
                if volume is not None:
                    wanted.extend(volume.sources)
            for name in wanted:
                found = self._configs.get((pod.namespace, name), [])
                own = [data for file, data in found if file == pod.file]
                if own or len(found) == 1:
                    container.config = {**container.config, **(own[0] if own else found[0][1])}


def _by_rarest_pair(services: list[_Service]) -> dict[tuple[str, str, str], list[_Service]]:
    """Services by the pair that tells most: thousands may share `managed-by: Helm`."""
    counts = Counter(
        (each.namespace, key, value) for each in services for key, value in each.selector.items()
    )
    index: dict[tuple[str, str, str], list[_Service]] = {}
    for each in services:
        pairs = ((each.namespace, key, value) for key, value in each.selector.items())
        index.setdefault(min(pairs, key=counts.__getitem__), []).append(each)
    return index


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _positive(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _share(percent: Any) -> float | None:
    if isinstance(percent, int | float) and not isinstance(percent, bool) and percent > 0:
        return percent / 100
    return None


def _backends(spec: dict[str, Any]) -> Iterator[str]:
    """Names of the Services an Ingress leads to, in both of its API versions."""
    places = [spec.get("defaultBackend"), spec.get("backend")]
    rules = spec.get("rules")
    for rule in rules if isinstance(rules, list) else []:
        paths = _mapping(_mapping(rule).get("http")).get("paths")
        for path in paths if isinstance(paths, list) else []:
            places.append(_mapping(path).get("backend"))
    for place in places:
        backend = _mapping(place)
        name = text(_mapping(backend.get("service")).get("name")) or text(
            backend.get("serviceName")
        )
        if name:
            yield name
