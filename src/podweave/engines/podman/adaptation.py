"""The Pod that `podman kube play` gets in place of the woven one. Pure.

Podman knows a part of Kubernetes' Pod, and passes over much of the rest in silence. So what it
lacks is either said in words that it knows (environment, commands and rendered volumes are worked
out here, by the local engine's rules), or is refused, or is told in a notice.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from typing import Any, Final

import msgspec

from podweave.engines.engine import PodOrder
from podweave.engines.environment import CONFIG_ERROR, Facts, environment, expand
from podweave.engines.errors import EngineError
from podweave.engines.orders import WOVEN
from podweave.engines.publication import Publication
from podweave.engines.rendered_volumes import RenderedFile, render
from podweave.model.helper_places import CONFIG_FOLDER
from podweave.model.pods import Container, Pod, Volume

RECORD: Final = "podweave.dev/pod"
"""The label by which podweave knows its Pods, and where it keeps what Podman doesn't."""

HOST: Final = "host.podweave.internal"
PODMANS_HOST: Final = "host.containers.internal"
_THIS_MACHINE: Final = re.compile(rf"(?i:(?:(?<=^)|(?<=://)){re.escape(HOST)}\.?(?=[:/]|$))")
_ADDRESS_KEYS: Final = frozenset({"upstreams", "url", "urls", "address", "endpoint", "proxy"})
"""Of profiles and stores."""

SOUND_SINCE: Final = (4, 6)
"""Before, an init container was started again after its end unless the restartPolicy was Never,
a subPath was passed over, and an annotation could not be longer than a label's value."""

MAX_ANNOTATION: Final = 63

_ADDRESSES: Final = frozenset({"status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs"})


class PodRecord(msgspec.Struct, kw_only=True):
    """What the label says."""

    name: str
    namespace: str
    uid: str
    restart_policy: str
    grace: float
    owners: list[dict[str, str]]
    helpers: dict[str, str]
    containers: list[str]
    inits: list[str]
    volumes: list[str] = []
    """Podman's volumes that are the Pod's own."""
    claims: list[str] = []
    """Podman's volumes that outlive it."""
    ports: list[str] = []
    annotations: dict[str, str] = {}
    files: list[str] = []
    notices: list[str] = []


class NewVolume(msgspec.Struct, kw_only=True):
    """A volume of Podman's that podweave makes for a Pod."""

    memory: bool = False
    files: tuple[RenderedFile, ...] | None = None
    """What it holds; None: it is an emptyDir."""


class Adapted(msgspec.Struct, kw_only=True):
    name: str
    """The Pod's name in Podman, which has no namespaces."""
    record: PodRecord
    manifest: dict[str, Any]
    volumes: dict[str, NewVolume]
    """By Podman's name of it."""


def podman_name(namespace: str, name: str) -> str:
    """`_` is in no name of Kubernetes': nothing else gets that name."""
    return name if namespace == "default" else f"{namespace}_{name}"


def adapt(order: PodOrder, facts: Facts, version: tuple[int, int]) -> Adapted:
    """Raises EngineError for what Podman can't do."""
    return _Adaptation(order, facts, version).adapt()


class _Adaptation:
    def __init__(self, order: PodOrder, facts: Facts, version: tuple[int, int]) -> None:
        self.order = order
        self.facts = facts
        self.version = version
        self.pod: Pod = order.pod
        self.name = podman_name(facts.namespace, order.pod.metadata.name or "")
        self.notices: list[str] = []
        self.volumes: dict[str, NewVolume] = {}
        self.claims: list[str] = []

    def adapt(self) -> Adapted:
        """The whole Pod."""
        self._refuse()
        self._tell()
        spec: dict[str, Any] = copy.deepcopy(self.order.template.get("spec") or {})
        typed = self.pod.spec
        inits = typed.init_containers or []
        for raw, container in zip(spec.get("initContainers") or [], inits, strict=True):
            self._container(raw, container)
        for raw, container in zip(spec["containers"], typed.containers, strict=True):
            self._container(raw, container)
        spec["volumes"] = self._volumes(spec.get("volumes") or [])
        if not typed.host_network:
            spec["hostname"] = typed.hostname or self.pod.metadata.name
        ports = self._publish(spec["containers"])
        metadata = self.pod.metadata
        grace = typed.termination_grace_period_seconds
        record = PodRecord(
            name=metadata.name or "",
            namespace=self.facts.namespace,
            uid=metadata.uid or "",
            restart_policy=typed.restart_policy or "Always",
            grace=30.0 if grace is None else float(grace),
            owners=self.order.owners,
            helpers=self.order.helpers,
            containers=[each.name for each in [*inits, *typed.containers]],
            inits=[each.name for each in inits],
            volumes=list(self.volumes),
            claims=self.claims,
            ports=ports,
            annotations=metadata.annotations or {},
            files=self.order.files,
            notices=self.notices,
        )
        labels = {**(metadata.labels or {}), RECORD: msgspec.json.encode(record).decode()}
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name,
                "labels": labels,
                "annotations": self._annotations(),
            },
            "spec": spec,
        }
        return Adapted(name=self.name, record=record, manifest=manifest, volumes=self.volumes)

    def _annotations(self) -> dict[str, str]:
        """Older versions refuse long values, which Podman has no use for."""
        longest = MAX_ANNOTATION if self.version < SOUND_SINCE else sys.maxsize
        given = self.pod.metadata.annotations or {}
        return {key: value for key, value in given.items() if len(value) <= longest}

    def _refuse(self) -> None:
        if self.order.images:
            raise EngineError("--image is for the local engine: Podman has the images themselves")
        inits = self.pod.spec.init_containers or []
        for init in inits:
            if init.restart_policy != "Always":
                continue
            if init.name in self._woven():
                raise EngineError(
                    "Podman has no native sidecars, and the manifest is woven with them: take "
                    "`podweave unweave` and give the patterns again, or weave it with "
                    "`--kubernetes 1.28`",
                    container=init.name,
                )
            raise EngineError(
                "Podman has no native sidecars: it waits for the end of every init container, "
                "and one with restartPolicy Always has none",
                container=init.name,
            )
        if self.version >= SOUND_SINCE:
            return
        older = ".".join(map(str, self.version))
        newer = ".".join(map(str, SOUND_SINCE))
        if inits and self.pod.spec.restart_policy != "Never":
            raise EngineError(
                f"Podman {older} starts init containers again and again unless the Pod's "
                f"restartPolicy is Never; {newer} and later don't",
                container=inits[0].name,
            )
        for container in [*inits, *self.pod.spec.containers]:
            if any(each.sub_path or each.sub_path_expr for each in container.volume_mounts or ()):
                raise EngineError(
                    f"Podman {older} passes over the subPath of a volume mount and mounts the "
                    f"whole volume; {newer} and later don't",
                    container=container.name,
                )

    def _tell(self) -> None:
        """What Podman passes over, or does in its own way."""
        spec = self.pod.spec
        if self.order.backoff is not None:
            self.notices.append("--backoff has no effect: Podman restarts containers at once")
        if spec.active_deadline_seconds is not None:
            self.notices.append("Podman knows no activeDeadlineSeconds: the Pod isn't ended by it")
        for container in spec.containers:
            if container.lifecycle is not None:
                self.notices.append(f"container {container.name}: Podman runs no lifecycle hooks")
            for probe, what in (
                (container.startup_probe, "startupProbe"),
                (container.readiness_probe, "readinessProbe"),
            ):
                if probe is not None and probe.exec is None:
                    self.notices.append(
                        f"container {container.name}: its {what} isn't asked, which takes exec "
                        "with Podman: it counts as ready once it runs"
                    )
        if spec.security_context is not None and spec.security_context.fs_group is not None:
            self.notices.append("Podman knows no fsGroup: emptyDirs are open to all users instead")
        if self.order.helpers and spec.init_containers:
            self.notices.append("init containers run before the helpers, and without them")

    def _container(self, raw: dict[str, Any], container: Container) -> None:
        variables = environment(self._without_addresses(container), self.facts)
        for name, value in variables.items():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise EngineError(
                    f"the value of {name} is not UTF-8 text, and Podman takes nothing else",
                    reason=CONFIG_ERROR,
                    container=container.name,
                ) from None
        raw["env"] = [{"name": name, "value": value} for name, value in variables.items()]
        raw.pop("envFrom", None)
        for key in ("command", "args"):
            if raw.get(key):
                raw[key] = [expand(part, variables.get) for part in raw[key]]
        for mount in raw.get("volumeMounts") or []:
            if expression := mount.pop("subPathExpr", None):
                mount["subPath"] = expand(expression, variables.get)
        if container.name in self.order.helpers:
            # Asked by podweave itself: Podman runs its argv through a shell, or not at all.
            raw.pop("startupProbe", None)

    def _without_addresses(self, container: Container) -> Container:
        """Podman gives a Pod its address when it starts; the environment is fixed before."""
        kept = []
        for variable in container.env or ():
            source = variable.value_from
            path = source.field_ref.field_path if source and source.field_ref else None
            if path not in _ADDRESSES:
                kept.append(variable)
            elif container.name not in self._woven():
                raise EngineError(
                    f"{variable.name} comes from {path}, which isn't known yet when Podman fixes "
                    "a container's environment: the local engine would do",
                    reason=CONFIG_ERROR,
                    container=container.name,
                )
        return msgspec.structs.replace(container, env=kept)

    def _woven(self) -> dict[str, str]:
        """All woven containers, those of the user's own among them."""
        annotation = (self.pod.metadata.annotations or {}).get(WOVEN)
        found: dict[str, str] = json.loads(annotation)["helpers"] if annotation else {}
        return found

    def _volumes(self, raw: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """hostPath as it is; all others are volumes of Podman's: claims, or made by podweave.

        Not left to Podman, which names a volume by nothing but the name in the manifest: two Pods
        with an emptyDir `data` each would share it.
        """
        raw_by_name = {each["name"]: each for each in raw}
        result = []
        for volume in self.pod.spec.volumes or ():
            if volume.host_path is not None:
                result.append(raw_by_name[volume.name])
                continue
            if volume.persistent_volume_claim is not None:
                source = volume.persistent_volume_claim
                name = podman_name(self.facts.namespace, source.claim_name)
                if name not in self.claims:
                    self.claims.append(name)
            else:
                name = f"podweave_{self.name}_{volume.name}"
                self.volumes[name] = self._made(volume)
            claim = {"claimName": name}
            result.append({"name": volume.name, "persistentVolumeClaim": claim})
        return result

    def _made(self, volume: Volume) -> NewVolume:
        if volume.empty_dir is not None:
            return NewVolume(memory=volume.empty_dir.medium == "Memory")
        rendered = render(volume, self.facts)
        if rendered.notice:
            self.notices.append(rendered.notice)
        files = rendered.files
        if volume.name in self._configurations():
            files = tuple(self._configuration(file) for file in files)
        return NewVolume(files=files)

    def _configurations(self) -> set[str]:
        """The volumes that hold the helpers' configuration."""
        return {
            mount.name
            for container in self.pod.spec.containers
            if container.name in self.order.helpers
            for mount in container.volume_mounts or ()
            if mount.mount_path == CONFIG_FOLDER
        }

    def _configuration(self, file: RenderedFile) -> RenderedFile:
        data = with_podmans_host(file.data)
        if data is not file.data:
            self.notices.append(
                f"{file.path.removesuffix('.json')}: {HOST} is {PODMANS_HOST} with Podman; a "
                "server there that listens on 127.0.0.1 alone isn't reached"
            )
        return msgspec.structs.replace(file, data=data)

    def _publish(self, containers: list[dict[str, Any]]) -> list[str]:
        """Set --publish over the manifest's hostPorts; say which ports lead into the Pod.

        A port that is only declared is left out: Podman 4 would open it on the machine, to the
        network, and no second Pod could have it.
        """
        if self.pod.spec.host_network:
            return []
        given = {inner for _, _, inner in self.order.publish}
        for container in containers:
            _number_ports(container)
            kept = [
                each
                for each in container.get("ports") or []
                if each.get("hostPort")
                and not (each.get("containerPort") in given and each.get("protocol") != "UDP")
            ]
            if container.get("ports"):
                container["ports"] = kept
        containers[0]["ports"] = [
            *(containers[0].get("ports") or []),
            *(
                {"containerPort": inner, "hostPort": outer, "hostIP": address, "protocol": "TCP"}
                for address, outer, inner in self.order.publish
            ),
        ]
        return [
            str(Publication(each.get("hostIP") or "0.0.0.0", each["hostPort"], inner))
            for container in containers
            for each in container.get("ports") or []
            if each.get("hostPort") and (inner := each["containerPort"])
        ]


def _number_ports(container: dict[str, Any]) -> None:
    """Ports of probes by number: their names would go with the declarations, and Podman 4.3 takes
    a name for port 0."""
    numbers = {
        each["name"]: each.get("containerPort")
        for each in container.get("ports") or []
        if each.get("name")
    }
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for action in ("httpGet", "tcpSocket"):
            asked = (container.get(probe) or {}).get(action)
            if asked and asked.get("port") in numbers:
                asked["port"] = numbers[asked["port"]]


def with_podmans_host(configuration: bytes) -> bytes:
    """A helper's configuration in which this machine has the name that Podman gives it."""
    config = json.loads(configuration)
    if not isinstance(config, dict):
        return configuration
    changed = config | {
        key: _with_podmans_host(config[key]) for key in ("profiles", "logs") if key in config
    }
    if changed == config:
        return configuration
    return json.dumps(changed, separators=(",", ":")).encode()


def _with_podmans_host(part: Any, addresses: bool = False) -> Any:
    """`addresses`: strings in it are addresses or URLs, which no other string is taken for."""
    if isinstance(part, dict):
        return {key: _with_podmans_host(part[key], key in _ADDRESS_KEYS) for key in part}
    if isinstance(part, list):
        return [_with_podmans_host(each, addresses) for each in part]
    if addresses and isinstance(part, str):
        return _THIS_MACHINE.sub(PODMANS_HOST, part)
    return part
