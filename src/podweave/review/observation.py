"""Plain objects to facts, tolerantly: what has the wrong type is reported and left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final, Literal

from podweave.model.errors import InputError, Path
from podweave.review.facts import (
    ContainerFacts,
    EnvFact,
    MountFact,
    PodFacts,
    PortFact,
    ProbeFact,
    VolumeFact,
)
from podweave.review.tolerance import MAX_TEXT, TolerantReader, text
from podweave.review.volume_facts import volume_fact

MAX_CONTAINERS: Final = 200


class UnreadableError(Exception):
    """The object can't be judged at all; the error says why."""

    def __init__(self, error: InputError) -> None:
        super().__init__(error.message)
        self.error: Final = error


class Observer(TolerantReader):
    """Reads one workload; `errors` collects what had to be left out."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file: Final = file

    def pod(self, object: dict[str, Any], path: Path, at: Path) -> PodFacts:
        """The facts of the workload `object` at `path`, its Pod template at `at` below it."""
        pod_path = (*path, *at)
        template: Any = object
        for part in at:
            template = template.get(part) if isinstance(template, dict) else None
        template = self.mapping(template, pod_path)
        spec = template.get("spec")
        if not isinstance(spec, dict):
            raise UnreadableError(
                InputError("the Pod has no spec: a mapping with `containers`", path=pod_path)
            )
        metadata = self.mapping(object.get("metadata"), (*path, "metadata"))
        inner = self.mapping(template.get("metadata"), (*pod_path, "metadata"))
        spec_path = (*pod_path, "spec")
        outer = self.mapping(object.get("spec"), (*path, "spec")) if at else {}
        containers = self._containers(spec, spec_path)
        volumes = dict(self._volumes(spec, spec_path))
        for name, access in self._claim_templates(outer, (*path, "spec")):
            volumes[name] = VolumeFact(name, "template", name, access)
        overhead = self.amounts(spec.get("overhead"), (*spec_path, "overhead"))
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
            labels=self.texts(inner.get("labels"), (*pod_path, "metadata", "labels")),
            annotations={
                **self.texts(metadata.get("annotations"), (*path, "metadata", "annotations")),
                **self.texts(inner.get("annotations"), (*pod_path, "metadata", "annotations")),
            },
            replicas=self.number(outer.get("replicas"), (*path, "spec", "replicas")),
            restart_policy=text(spec.get("restartPolicy")),
            grace=self.number(
                spec.get("terminationGracePeriodSeconds"),
                (*spec_path, "terminationGracePeriodSeconds"),
            ),
            host_network=spec.get("hostNetwork") is True,
            share_processes=spec.get("shareProcessNamespace") is True,
            deadline=self.number(
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
        command = self.words(item.get("command"), (*path, "command"))
        argv = command + self.words(item.get("args"), (*path, "args"))
        ports = list(self._ports(item, path))
        by_name = {port.name: port.number for port in ports if port.name}
        resources = self.mapping(item.get("resources"), (*path, "resources"))
        lifecycle = self.mapping(item.get("lifecycle"), (*path, "lifecycle"))
        pre_stop = lifecycle.get("preStop")
        security = self.mapping(item.get("securityContext"), (*path, "securityContext"))
        capabilities = self.mapping(
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
            requests=self.amounts(resources.get("requests"), (*path, "resources", "requests")),
            limits=self.amounts(resources.get("limits"), (*path, "resources", "limits")),
            pre_stop=pre_stop is not None,
            pre_stop_seconds=_sleeps(pre_stop),
            post_start=lifecycle.get("postStart") is not None,
            privileged=security.get("privileged") is True,
            capabilities=self.words(
                capabilities.get("add"), (*path, "securityContext", "capabilities", "add")
            ),
            user=self.number(security.get("runAsUser"), (*path, "securityContext", "runAsUser")),
            stdin=item.get("stdin") is True,
        )

    def _ports(self, item: dict[str, Any], path: Path) -> Iterator[PortFact]:
        for port, at in self.items(item, "ports", path):
            number = self.number(port.get("containerPort"), (*at, "containerPort"))
            if number is None or not 0 < number < 65536:
                if number is not None or port.get("containerPort") is None:
                    self.wrong("containerPort must be a number from 1 to 65535", at)
                continue
            host_port = self.number(port.get("hostPort"), (*at, "hostPort"))
            protocol = text(port.get("protocol")).upper() or "TCP"
            yield PortFact(number, text(port.get("name")).lower(), protocol, host_port or None)

    def _env(self, item: dict[str, Any], path: Path) -> Iterator[EnvFact]:
        for each, _ in self.items(item, "env", path):
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
        for each, _ in self.items(item, "envFrom", path):
            for kind in ("configMapRef", "secretRef"):
                if isinstance(ref := each.get(kind), dict):
                    yield kind, text(ref.get("name"))

    def _mounts(self, item: dict[str, Any], path: Path) -> Iterator[MountFact]:
        for each, _ in self.items(item, "volumeMounts", path):
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
                    self.wrong("a probe is a mapping", (*path, key))
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
        for each, _ in self.items(spec, "volumes", path):
            name = text(each.get("name"))
            yield name, volume_fact(name, each)

    def _claim_templates(
        self, outer: dict[str, Any], path: Path
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        for each, at in self.items(outer, "volumeClaimTemplates", path):
            metadata = self.mapping(each.get("metadata"), (*at, "metadata"))
            spec = self.mapping(each.get("spec"), (*at, "spec"))
            modes = spec.get("accessModes")
            yield (
                text(metadata.get("name")),
                tuple(map(text, modes)) if isinstance(modes, list) else (),
            )


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
