"""Plain objects to facts, tolerantly: what has the wrong type is reported and left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Literal

from podweave.model.errors import InputError, Path
from podweave.model.quantities import parse_quantity
from podweave.review.facts import (
    Amounts,
    ContainerFacts,
    EnvFact,
    MountFact,
    PodFacts,
    PortFact,
    ProbeFact,
    VolumeFact,
)

MAX_CONTAINERS: Final = 200
MAX_TEXT: Final = 20_000
"""Of one value that is searched; a script longer than this shows its nature before."""


class UnreadableError(Exception):
    """The object can't be judged at all; the error says why."""

    def __init__(self, error: InputError) -> None:
        super().__init__(error.message)
        self.error: Final = error


class Observer:
    """Reads one workload; `errors` collects what had to be left out."""

    def __init__(self, file: str) -> None:
        self.file: Final = file
        self.errors: Final[list[InputError]] = []

    def pod(self, object: dict[str, Any], path: Path, at: Path) -> PodFacts:
        """The facts of the workload `object` at `path`, its Pod template at `at` below it."""
        pod_path = (*path, *at)
        template: Any = object
        for part in at:
            template = template.get(part) if isinstance(template, dict) else None
        template = self._mapping(template, pod_path)
        spec = template.get("spec")
        if not isinstance(spec, dict):
            raise UnreadableError(
                InputError("the Pod has no spec: a mapping with `containers`", path=pod_path)
            )
        metadata = self._mapping(object.get("metadata"), (*path, "metadata"))
        inner = self._mapping(template.get("metadata"), (*pod_path, "metadata"))
        spec_path = (*pod_path, "spec")
        outer = self._mapping(object.get("spec"), (*path, "spec")) if at else {}
        containers = self._containers(spec, spec_path)
        volumes = dict(self._volumes(spec, spec_path))
        for name, access in self._claim_templates(outer, (*path, "spec")):
            volumes[name] = VolumeFact(name, "template", name, access)
        overhead = self._amounts(spec.get("overhead"), (*spec_path, "overhead"))
        return PodFacts(
            file=self.file,
            kind=str(object.get("kind", "")),
            api_version=str(object.get("apiVersion", "")),
            namespace=text(metadata.get("namespace")) or text(inner.get("namespace")),
            name=text(metadata.get("name")) or text(metadata.get("generateName")),
            path=path,
            pod_path=pod_path,
            containers=containers,
            volumes=volumes,
            labels=self._texts(inner.get("labels"), (*pod_path, "metadata", "labels")),
            annotations={
                **self._texts(metadata.get("annotations"), (*path, "metadata", "annotations")),
                **self._texts(inner.get("annotations"), (*pod_path, "metadata", "annotations")),
            },
            replicas=self._number(outer.get("replicas"), (*path, "spec", "replicas")),
            restart_policy=text(spec.get("restartPolicy")),
            grace=self._number(
                spec.get("terminationGracePeriodSeconds"),
                (*spec_path, "terminationGracePeriodSeconds"),
            ),
            host_network=spec.get("hostNetwork") is True,
            share_processes=spec.get("shareProcessNamespace") is True,
            deadline=self._number(
                spec.get("activeDeadlineSeconds"), (*spec_path, "activeDeadlineSeconds")
            ),
            overhead=overhead,
        )

    def _containers(self, spec: dict[str, Any], path: Path) -> list[ContainerFacts]:
        found: list[ContainerFacts] = []
        names: set[str] = set()
        mains = spec.get("containers")
        if not isinstance(mains, list) or not mains:
            what = "are missing" if mains is None or mains == [] else "must be a list"
            raise UnreadableError(
                InputError(f"the Pod's containers {what}", path=(*path, "containers"))
            )
        for key in ("initContainers", "containers"):
            items = spec.get(key)
            if items is None:
                continue
            if not isinstance(items, list):
                raise UnreadableError(InputError("must be a list of containers", path=(*path, key)))
            if len(items) > MAX_CONTAINERS:
                raise UnreadableError(
                    InputError(
                        f"{len(items)} containers: a Pod with more than {MAX_CONTAINERS} isn't "
                        "judged",
                        path=(*path, key),
                    )
                )
            for index, item in enumerate(items):
                at = (*path, key, index)
                if not isinstance(item, dict):
                    raise UnreadableError(InputError("a container is a mapping", path=at))
                name = item.get("name")
                if not isinstance(name, str) or not name:
                    raise UnreadableError(InputError("the container has no name", path=at))
                if name in names:
                    raise UnreadableError(
                        InputError(
                            f"two containers are called {name!r}: each needs a name of its own",
                            path=(*at, "name"),
                        )
                    )
                names.add(name)
                found.append(self._container(item, name, at, len(found), key != "containers"))
        return found

    def _container(
        self, item: dict[str, Any], name: str, path: Path, position: int, init: bool
    ) -> ContainerFacts:
        command = self._words(item.get("command"), (*path, "command"))
        argv = command + self._words(item.get("args"), (*path, "args"))
        ports = list(self._ports(item, path))
        by_name = {port.name: port.number for port in ports if port.name}
        resources = self._mapping(item.get("resources"), (*path, "resources"))
        lifecycle = self._mapping(item.get("lifecycle"), (*path, "lifecycle"))
        pre_stop = lifecycle.get("preStop")
        security = self._mapping(item.get("securityContext"), (*path, "securityContext"))
        capabilities = self._mapping(
            security.get("capabilities"), (*path, "securityContext", "capabilities")
        )
        return ContainerFacts(
            name=name,
            path=path,
            position=position,
            image=text(item.get("image")),
            init=init,
            native=init and item.get("restartPolicy") == "Always",
            argv=argv,
            command=command,
            script=" ".join(argv)[:MAX_TEXT].lower(),
            env=list(self._env(item, path)),
            env_from=list(self._env_from(item, path)),
            ports=ports,
            mounts=list(self._mounts(item, path)),
            probes=list(self._probes(item, path, by_name)),
            requests=self._amounts(resources.get("requests"), (*path, "resources", "requests")),
            limits=self._amounts(resources.get("limits"), (*path, "resources", "limits")),
            pre_stop=pre_stop is not None,
            pre_stop_seconds=_sleeps(pre_stop),
            post_start=lifecycle.get("postStart") is not None,
            privileged=security.get("privileged") is True,
            capabilities=self._words(
                capabilities.get("add"), (*path, "securityContext", "capabilities", "add")
            ),
            user=self._number(security.get("runAsUser"), (*path, "securityContext", "runAsUser")),
            stdin=item.get("stdin") is True,
        )

    def _ports(self, item: dict[str, Any], path: Path) -> Iterator[PortFact]:
        for port, at in self._items(item, "ports", path):
            number = self._number(port.get("containerPort"), (*at, "containerPort"))
            if number is None or not 0 < number < 65536:
                if number is not None or port.get("containerPort") is None:
                    self._wrong("containerPort must be a number from 1 to 65535", at)
                continue
            host_port = self._number(port.get("hostPort"), (*at, "hostPort"))
            protocol = text(port.get("protocol")).upper() or "TCP"
            yield PortFact(number, text(port.get("name")).lower(), protocol, host_port or None)

    def _env(self, item: dict[str, Any], path: Path) -> Iterator[EnvFact]:
        for each, _ in self._items(item, "env", path):
            name = text(each.get("name"))
            if not name:
                continue
            source = each.get("valueFrom")
            if isinstance(source, dict):
                kind = next(iter(source), "")
                if kind == "secretKeyRef":
                    yield EnvFact(name, source="secret")
                elif kind == "configMapKeyRef":
                    yield EnvFact(name, source="config")
                else:
                    yield EnvFact(name, source="field")
            else:
                yield EnvFact(name, text(each.get("value"))[:MAX_TEXT])

    def _env_from(self, item: dict[str, Any], path: Path) -> Iterator[tuple[str, str]]:
        for each, _ in self._items(item, "envFrom", path):
            for kind in ("configMapRef", "secretRef"):
                if isinstance(ref := each.get(kind), dict):
                    yield kind, text(ref.get("name"))

    def _mounts(self, item: dict[str, Any], path: Path) -> Iterator[MountFact]:
        for each, _ in self._items(item, "volumeMounts", path):
            yield MountFact(
                text(each.get("name")),
                text(each.get("mountPath")),
                each.get("readOnly") is True,
                text(each.get("subPath")) or text(each.get("subPathExpr")),
            )

    def _probes(
        self, item: dict[str, Any], path: Path, by_name: dict[str, int]
    ) -> Iterator[ProbeFact]:
        kinds: tuple[Literal["startup", "readiness", "liveness"], ...] = (
            "startup",
            "readiness",
            "liveness",
        )
        for kind in kinds:
            key = f"{kind}Probe"
            probe = item.get(key)
            if not isinstance(probe, dict):
                if probe is not None:
                    self._wrong("a probe is a mapping", (*path, key))
                continue
            fact = ProbeFact(kind)
            for action in ("httpGet", "tcpSocket", "grpc"):
                if isinstance(how := probe.get(action), dict):
                    port = how.get("port")
                    if isinstance(port, int):
                        fact.port = port
                    elif isinstance(port, str):
                        fact.port = int(port) if port.isdigit() else by_name.get(port.lower())
            if isinstance(how := probe.get("exec"), dict):
                words = how.get("command")
                if isinstance(words, list):
                    fact.command = " ".join(map(text, words))[:MAX_TEXT].lower()
            yield fact

    def _volumes(self, spec: dict[str, Any], path: Path) -> Iterator[tuple[str, VolumeFact]]:
        for each, _ in self._items(spec, "volumes", path):
            name = text(each.get("name"))
            yield name, _volume(name, each)

    def _claim_templates(
        self, outer: dict[str, Any], path: Path
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        for each, at in self._items(outer, "volumeClaimTemplates", path):
            metadata = self._mapping(each.get("metadata"), (*at, "metadata"))
            spec = self._mapping(each.get("spec"), (*at, "spec"))
            modes = spec.get("accessModes")
            yield (
                text(metadata.get("name")),
                tuple(map(text, modes)) if isinstance(modes, list) else (),
            )

    def _amounts(self, value: Any, path: Path) -> Amounts:
        amounts = self._mapping(value, path)
        return Amounts(
            self._quantity(amounts.get("cpu"), (*path, "cpu")),
            self._quantity(amounts.get("memory"), (*path, "memory")),
        )

    def _quantity(self, value: Any, path: Path) -> float | None:
        if value is None:
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                amount = _quantity(value)
            except InputError as error:
                self._wrong(error.message, path)
                return None
            except OverflowError:
                self._wrong("larger than any machine", path)
                return None
            if amount >= 0:
                return amount
        self._wrong("not a quantity, as in 500m or 128Mi", path)
        return None

    def _items(self, of: dict[str, Any], key: str, path: Path) -> Iterator[tuple[Any, Path]]:
        items = of.get(key)
        if items is None:
            return
        if not isinstance(items, list):
            self._wrong("must be a list", (*path, key))
            return
        for index, item in enumerate(items[:10_000]):
            if isinstance(item, dict):
                yield item, (*path, key, index)
            elif item is not None:
                self._wrong("must be a mapping", (*path, key, index))

    def _mapping(self, value: Any, path: Path) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self._wrong("must be a mapping", path)
        return {}

    def _texts(self, value: Any, path: Path) -> dict[str, str]:
        return {str(key): text(each) for key, each in self._mapping(value, path).items()}

    def _words(self, value: Any, path: Path) -> list[str]:
        if value is None:
            return []
        if isinstance(value, str):
            self._wrong("must be a list of words", path)
            return [value]
        if not isinstance(value, list):
            self._wrong("must be a list of words", path)
            return []
        return [text(each)[:MAX_TEXT] for each in value[:10_000]]

    def _number(self, value: Any, path: Path) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and value.isdigit() and len(value) < 10:
            return int(value)
        self._wrong("expected a whole number", path)
        return None

    def _wrong(self, message: str, path: Path) -> None:
        self.errors.append(InputError(message, path=path))


@lru_cache(4096)
def _quantity(value: str | int | float) -> float:
    return float(parse_quantity(value))


def text(value: Any) -> str:
    """A scalar as text; nothing for null and for collections."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_DISKS: Final = (
    "nfs", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk", "azureFile", "cephfs",
    "cinder", "fc", "flexVolume", "flocker", "glusterfs", "iscsi", "photonPersistentDisk",
    "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume", "ephemeral",
)  # fmt: skip


def _volume(name: str, value: dict[str, Any]) -> VolumeFact:
    def part(key: str) -> dict[str, Any] | None:
        found = value.get(key)
        return found if isinstance(found, dict) else ({} if key in value else None)

    if (claim := part("persistentVolumeClaim")) is not None:
        return VolumeFact(name, "claim", text(claim.get("claimName")))
    if (config := part("configMap")) is not None:
        source = text(config.get("name"))
        return VolumeFact(name, "config", source, sources=[source])
    if (secret := part("secret")) is not None:
        return VolumeFact(name, "secret", text(secret.get("secretName")))
    if (host := part("hostPath")) is not None:
        return VolumeFact(name, "host", text(host.get("path")))
    if (projected := part("projected")) is not None:
        sources = projected.get("sources")
        names = [
            text(config.get("name"))
            for each in (sources if isinstance(sources, list) else [])
            if isinstance(each, dict) and isinstance(config := each.get("configMap"), dict)
        ]
        return VolumeFact(name, "config" if names else "secret", sources=names)
    if part("downwardAPI") is not None:
        return VolumeFact(name, "config")
    if (csi := part("csi")) is not None:
        driver = text(csi.get("driver"))
        secret_like = any(word in driver for word in ("secret", "cert", "spiffe", "vault"))
        return VolumeFact(name, "secret" if secret_like else "other", driver)
    for disk in _DISKS:
        if disk in value:
            return VolumeFact(name, "claim", disk)
    empty = part("emptyDir")
    if empty is not None or len(value) <= 1:
        # A volume without a source is an emptyDir, as the API server defaults it.
        memory = empty is not None and empty.get("medium") == "Memory"
        return VolumeFact(name, "memory" if memory else "scratch")
    return VolumeFact(name, "other", next(key for key in value if key != "name"))


def _sleeps(handler: Any) -> int:
    """Seconds that a preStop hook surely takes."""
    if not isinstance(handler, dict):
        return 0
    sleep = handler.get("sleep")
    if isinstance(sleep, dict) and isinstance(seconds := sleep.get("seconds"), int):
        return seconds
    execute = handler.get("exec")
    if isinstance(execute, dict) and isinstance(words := execute.get("command"), list):
        line = " ".join(map(text, words)).replace(";", " ").replace("&", " ").split()
        for word, after in itertools.pairwise(line):
            if word.strip("'\"").endswith("sleep") and after.strip("'\"").rstrip("s").isdigit():
                return int(after.strip("'\"").rstrip("s"))
    return 0
