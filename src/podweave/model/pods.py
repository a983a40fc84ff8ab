"""The Pod types: what podweave reads of a Kubernetes Pod, in Python's spelling.

A view for reading, not for writing: fields that are not named here are ignored by the decoder
and survive because manifests are edited as text, never rendered from these structs. Names and
meanings are those of the Kubernetes API reference, core/v1.
"""

from __future__ import annotations

from typing import Any, Literal, dataclass_transform

import msgspec

Port = int | str
"""IntOrString: a number, or the name of a container port."""

Quantity = str | int | float
"""resource.Quantity as written: `500m`, `128Mi`, 2. See quantities.py."""


# Said again for type checkers: they don't inherit `frozen=True` from a base class.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Base(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A Kubernetes struct: camelCase outside, unknown fields ignored, absent and null alike."""


class ObjectMeta(Base):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class KeySelector(Base):
    """configMapKeyRef and secretKeyRef."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class FieldRef(Base):
    field_path: str
    api_version: str | None = None


class ResourceFieldRef(Base):
    resource: str
    container_name: str | None = None
    divisor: Quantity | None = None


class EnvSource(Base):
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None


class EnvVar(Base):
    name: str
    value: str | None = None
    value_from: EnvSource | None = None


class EnvFromRef(Base):
    name: str = ""
    optional: bool | None = None


class EnvFrom(Base):
    prefix: str | None = None
    config_map_ref: EnvFromRef | None = None
    secret_ref: EnvFromRef | None = None


class ContainerPort(Base):
    container_port: int
    name: str | None = None
    host_port: int | None = None
    host_ip: str | None = msgspec.field(default=None, name="hostIP")
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None


class VolumeMount(Base):
    name: str
    mount_path: str
    read_only: bool | None = None
    sub_path: str | None = None
    sub_path_expr: str | None = None
    mount_propagation: str | None = None


class ExecAction(Base):
    command: list[str] | None = None


class HttpHeader(Base):
    name: str
    value: str = ""


class HttpGetAction(Base):
    port: Port
    path: str | None = None
    host: str | None = None
    scheme: str | None = None
    http_headers: list[HttpHeader] | None = None


class TcpSocketAction(Base):
    port: Port
    host: str | None = None


class GrpcAction(Base):
    port: int
    service: str | None = None


class SleepAction(Base):
    seconds: int


class Probe(Base):
    """Times in seconds; defaults as the API server sets them."""

    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    timeout_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None
    termination_grace_period_seconds: int | None = None


class LifecycleHandler(Base):
    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Base):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None


class Resources(Base):
    requests: dict[str, Quantity] | None = None
    limits: dict[str, Quantity] | None = None


class Capabilities(Base):
    add: list[str] | None = None
    drop: list[str] | None = None


class SeccompProfile(Base):
    type: str
    localhost_profile: str | None = None


class SecurityContext(Base):
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: SeccompProfile | None = None


class Sysctl(Base):
    name: str
    value: str


class PodSecurityContext(Base):
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    fs_group: int | None = None
    supplemental_groups: list[int] | None = None
    seccomp_profile: SeccompProfile | None = None
    sysctls: list[Sysctl] | None = None


class Container(Base):
    name: str
    image: str | None = None
    image_pull_policy: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    working_dir: str | None = None
    env: list[EnvVar] | None = None
    env_from: list[EnvFrom] | None = None
    ports: list[ContainerPort] | None = None
    volume_mounts: list[VolumeMount] | None = None
    resources: Resources | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    termination_message_path: str | None = None
    termination_message_policy: str | None = None
    stdin: bool | None = None
    tty: bool | None = None


class KeyToPath(Base):
    key: str
    path: str
    mode: int | None = None


class EmptyDirSource(Base):
    medium: str | None = None
    size_limit: Quantity | None = None


class HostPathSource(Base):
    path: str
    type: str | None = None


class ConfigMapSource(Base):
    """configMap as a volume or as a projected source; `secret` volumes call it secretName."""

    name: str = ""
    items: list[KeyToPath] | None = None
    default_mode: int | None = None
    optional: bool | None = None


class SecretSource(Base):
    secret_name: str | None = None
    name: str | None = None
    items: list[KeyToPath] | None = None
    default_mode: int | None = None
    optional: bool | None = None


class DownwardApiFile(Base):
    path: str
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None
    mode: int | None = None


class DownwardApiSource(Base):
    items: list[DownwardApiFile] | None = None
    default_mode: int | None = None


class ServiceAccountTokenSource(Base):
    path: str
    audience: str | None = None
    expiration_seconds: int | None = None


class ProjectedPart(Base):
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None
    downward_api: DownwardApiSource | None = msgspec.field(default=None, name="downwardAPI")
    service_account_token: ServiceAccountTokenSource | None = None


class ProjectedSource(Base):
    sources: list[ProjectedPart] | None = None
    default_mode: int | None = None


class ClaimSource(Base):
    claim_name: str
    read_only: bool | None = None


class Volume(Base):
    """One source each; a source that is not named here is known by its absence from all of them."""

    name: str
    empty_dir: EmptyDirSource | None = None
    host_path: HostPathSource | None = None
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None
    downward_api: DownwardApiSource | None = msgspec.field(default=None, name="downwardAPI")
    projected: ProjectedSource | None = None
    persistent_volume_claim: ClaimSource | None = None


class HostAlias(Base):
    ip: str
    hostnames: list[str] | None = None


class PodSpec(Base):
    containers: list[Container]
    init_containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    hostname: str | None = None
    subdomain: str | None = None
    host_network: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    share_process_namespace: bool | None = None
    host_aliases: list[HostAlias] | None = None
    security_context: PodSecurityContext | None = None
    service_account_name: str | None = None
    node_name: str | None = None
    overhead: dict[str, Quantity] | None = None


class Pod(Base, kw_only=True):
    """A Pod as an engine runs it: from a Pod document, or made from a workload's template."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec


class ConfigMap(Base):
    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] | None = None
    binary_data: dict[str, str] | None = None


class Secret(Base):
    """`data` is base64; `string_data` wins over it, as in the API server."""

    metadata: ObjectMeta = ObjectMeta()
    type: str | None = None
    data: dict[str, str] | None = None
    string_data: dict[str, str] | None = None


class LabelSelectorRequirement(Base):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] | None = None


class LabelSelector(Base):
    match_labels: dict[str, str] | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class PodTemplate(Base, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec


class Workload(Base, kw_only=True):
    """A workload document of any kind, seen through its Pod template (see workloads.py)."""

    kind: str
    metadata: ObjectMeta
    template: PodTemplate
    replicas: int | None = None
    object: dict[str, Any]
    """The whole document as read, unknown fields included."""
