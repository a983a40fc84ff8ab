"""What a manifest says about a Pod, in a shape that is easy to reason about.

Everything here was written by the user; nothing is concluded. `observation` fills it from plain
objects and keeps going over fields it can't read, because a review of nine tenths of a Pod is
worth more than none.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from podweave.model.errors import Path


class Facts(msgspec.Struct):
    """A struct of facts."""


class PortFact(Facts):
    number: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int | None = None


class EnvFact(Facts):
    name: str
    value: str = ""
    source: Literal["", "secret", "config", "field"] = ""
    """Where the value comes from when it isn't written here."""


class MountFact(Facts):
    volume: str
    path: str
    read_only: bool = False
    sub_path: str = ""


class ProbeFact(Facts):
    kind: Literal["startup", "readiness", "liveness"]
    port: int | None = None
    """Of http, tcp and grpc probes, names resolved."""
    command: str = ""
    """Of exec probes."""


class Amounts(msgspec.Struct, frozen=True):
    """Cores and bytes; None where nothing is said."""

    cpu: float | None = None
    memory: float | None = None


class ContainerFacts(Facts, kw_only=True):
    name: str
    path: Path
    """Of the container in its document."""
    position: int
    """Among all containers of the Pod: init containers first, as they start."""
    image: str = ""
    init: bool = False
    native: bool = False
    """An init container with restartPolicy Always: a native sidecar."""
    argv: list[str] = []
    command: list[str] = []
    script: str = ""
    """argv in one line, lower case."""
    env: list[EnvFact] = []
    env_from: list[tuple[str, str]] = []
    """(kind, name) of whole ConfigMaps and Secrets taken as environment."""
    ports: list[PortFact] = []
    mounts: list[MountFact] = []
    probes: list[ProbeFact] = []
    requests: Amounts = Amounts()
    limits: Amounts = Amounts()
    pre_stop: bool = False
    pre_stop_seconds: int = 0
    post_start: bool = False
    privileged: bool = False
    capabilities: list[str] = []
    user: int | None = None
    stdin: bool = False
    config: dict[str, str] = {}
    """Text of the ConfigMaps it mounts or takes as environment, as far as they were given."""


class VolumeFact(Facts):
    name: str
    kind: Literal["scratch", "memory", "claim", "template", "host", "config", "secret", "other"]
    """scratch and memory are emptyDir; template is a volumeClaimTemplate; claim also stands for
    disks named in place (nfs, awsElasticBlockStore, ...) and for generic ephemeral volumes."""
    source: str = ""
    """The claim's, ConfigMap's or Secret's name, or the host path."""
    access: tuple[str, ...] = ()
    """The claim's access modes, where it was given."""
    sources: list[str] = []
    """Names of ConfigMaps, projected ones included."""


class ServicePort(Facts):
    service: str
    port: int
    target: int | str
    name: str = ""
    headless: bool = False
    exposed: bool = False
    """NodePort, LoadBalancer, or behind an Ingress."""


class Scaler(Facts):
    """A HorizontalPodAutoscaler (or a KEDA ScaledObject) that targets the workload."""

    name: str
    minimum: int = 1
    maximum: int = 1
    resources: list[tuple[str, float | None]] = []
    """(cpu or memory, target utilisation as a share)."""
    container_resources: list[tuple[str, str]] = []
    """(container, resource) of ContainerResource metrics."""


class PodFacts(Facts, kw_only=True):
    file: str
    kind: str
    api_version: str = ""
    namespace: str = ""
    name: str = ""
    path: Path = ()
    """Of the workload in its document."""
    pod_path: Path = ()
    """Of the object with the Pod's metadata and spec."""
    containers: list[ContainerFacts] = []
    volumes: dict[str, VolumeFact] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    replicas: int | None = None
    restart_policy: str = ""
    grace: int | None = None
    host_network: bool = False
    share_processes: bool = False
    deadline: int | None = None
    scaler: Scaler | None = None
    services: list[ServicePort] = []
    overhead: Amounts = Amounts()

    @property
    def mains(self) -> list[ContainerFacts]:
        return [each for each in self.containers if not each.init]

    @property
    def running(self) -> list[ContainerFacts]:
        """What runs as long as the Pod: main containers and native sidecars."""
        return [each for each in self.containers if not each.init or each.native]

    @property
    def ends(self) -> bool:
        """Whether the Pod is meant to run to completion."""
        return self.kind in {"Job", "CronJob"} or (
            self.kind == "Pod" and self.restart_policy in {"Never", "OnFailure"}
        )

    @property
    def scales(self) -> bool:
        """Whether there are, or may be, several of these Pods."""
        return self.scaler is not None or (self.replicas or 1) > 1
