"""One container of a Pod as data: its identity, its command, its root and mounts."""

from __future__ import annotations

import os
import sys

import msgspec

from podweave.engines import environment
from podweave.engines.environment import CONFIG_ERROR, DEFAULT_PATH, Facts
from podweave.engines.errors import EngineError
from podweave.engines.local.setup import kernel_files
from podweave.engines.local.setup.machine_tree import Piece, is_own, survey
from podweave.engines.local.setup.operations import BindInRoot, Operation, WriteFile
from podweave.engines.local.setup.process_one import Command, Identity
from podweave.engines.local.setup.root_entry import EnterRoot, MakeWorkingDirectory, SealRoot
from podweave.engines.local.setup.root_files import MakeMountPoint, Root
from podweave.engines.local.setup.volumes import Place
from podweave.model.helper_places import ARCHIVE, BROKER, HELPERS_FOLDER
from podweave.model.pods import Container, PodSecurityContext, SecurityContext
from podweave.model.quantities import bytes_of
from podweave.sandbox import capabilities, mounts

NON_ROOT = 65532
"""The user `nonroot` of distroless images: runAsNonRoot without a runAsUser."""

_TERMINATION_LOG = "/dev/termination-log"


class PodFacts(msgspec.Struct, frozen=True):
    """What all containers of the Pod share, settled when the Pod was created."""

    facts: Facts
    directory: str
    in_user_namespace: bool
    hostname: str
    table: tuple[mounts.Mount, ...]
    """What is mounted in the namespace that the containers' own are copies of."""
    pieces: tuple[Piece, ...]
    places: dict[str, Place]
    hosts: bytes
    resolv_conf: bytes
    archive: str | None
    images: dict[str, str] = msgspec.field(default_factory=dict)
    broker: bool = False

    @property
    def shared_memory(self) -> str:
        return "/dev/shm" if self.facts.pod.spec.host_ipc else f"{self.directory}/private/shm"

    @property
    def own_processes(self) -> bool:
        """Whether each container has its own PID namespace."""
        spec = self.facts.pod.spec
        return not (spec.host_pid or spec.share_process_namespace)


class ContainerPlan(msgspec.Struct, frozen=True):
    operations: tuple[Operation, ...]
    command: Command


def plan_container(
    container: Container, shared: PodFacts, *, helper: bool, termination_log: str
) -> ContainerPlan:
    """The steps process one takes, in order, and what it then executes. Raises EngineError."""
    security = container.security_context or SecurityContext()
    identity = identity_of(container, shared)
    values = environment.environment(container, shared.facts)
    argv = environment.arguments(container, values)
    working_directory = container.working_dir or "/"
    root = _root(container, shared)
    mount_points = _mount_points(container, shared, values, helper, termination_log, root.path)
    root = root.with_room_for(
        [_clean(path) for path in [*(each.target for each in mount_points), working_directory]]
    )

    operations: list[Operation] = root.begin()
    operations += _own_files(root, shared)
    operations += _missing_mount_points(root, mount_points, working_directory)
    operations += root.assemble()
    operations += _kernel_files(root, shared, privileged=bool(security.privileged))
    operations += _bound_files(root, shared)
    operations += mount_points
    if container.working_dir:
        operations.append(MakeWorkingDirectory(root.path, working_directory))
    if security.read_only_root_filesystem:
        operations.append(SealRoot(root))
    operations.append(EnterRoot(root.path))

    command = Command(
        argv=tuple(argv),
        environment={**_given(shared, container, helper), **values},
        directory=working_directory,
        identity=identity,
    )
    return ContainerPlan(tuple(operations), command)


def identity_of(container: Container, shared: PodFacts) -> Identity:
    """Whom the container runs as. Raises EngineError for what the manifest itself forbids."""
    security = container.security_context or SecurityContext()
    pod = shared.facts.pod.spec.security_context or PodSecurityContext()
    non_root = _first(security.run_as_non_root, pod.run_as_non_root)
    user = _first(security.run_as_user, pod.run_as_user)
    group = _first(security.run_as_group, pod.run_as_group)
    if user == 0 and non_root:
        raise EngineError(
            f"container {container.name} has runAsNonRoot, and runAsUser 0 is root",
            reason=CONFIG_ERROR,
            container=container.name,
        )
    if user is None:
        user = NON_ROOT if non_root else 0
        group = user if group is None else group
    if security.privileged and shared.in_user_namespace:
        raise EngineError(
            f"container {container.name} is privileged: that needs podweave to be run by root",
            reason=CONFIG_ERROR,
            container=container.name,
        )
    try:
        wanted = security.capabilities
        allowed = capabilities.allowed(
            list((wanted and wanted.add) or ()), list((wanted and wanted.drop) or ())
        )
    except capabilities.UnknownCapabilityError as error:
        raise EngineError(
            f"container {container.name}: {error}", reason=CONFIG_ERROR, container=container.name
        ) from error
    groups = set(pod.supplemental_groups or ())
    if pod.fs_group is not None:
        groups.add(pod.fs_group)
    return Identity(
        user=user,
        group=_primary_group(user) if group is None else group,
        groups=tuple(sorted(groups)),
        capabilities=frozenset(capabilities.NAMES) if security.privileged else allowed,
        no_new_privileges=security.allow_privilege_escalation is False,
        nested=shared.in_user_namespace,
    )


def _first(own: bool | int | None, pod: bool | int | None) -> int | None:
    chosen = own if own is not None else pod
    return None if chosen is None else int(chosen)


def _primary_group(user: int) -> int:
    """As the container runtimes: the group /etc/passwd gives the user, else root's."""
    try:
        with open("/etc/passwd", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.split(":")
                if len(fields) > 3 and fields[2] == str(user):
                    return int(fields[3])
    except (OSError, ValueError):
        pass
    return 0


def _root(container: Container, shared: PodFacts) -> Root:
    pieces = list(shared.pieces)
    image = shared.images.get(container.image or "")
    if image is not None:
        if not os.path.isdir(image):
            raise EngineError(
                f"container {container.name}: {image}, given for the image {container.image}, "
                "is not a directory",
                reason=CONFIG_ERROR,
                container=container.name,
            )
        pieces = survey(
            list(shared.table),
            in_user_namespace=shared.in_user_namespace,
            image=os.path.abspath(image),
            hidden=shared.directory,
        )
    limits = (container.resources and container.resources.limits) or {}
    storage = limits.get("ephemeral-storage")
    return Root(
        scratch=f"{shared.directory}/root",
        pieces=tuple(pieces),
        in_user_namespace=shared.in_user_namespace,
        size=None if storage is None else bytes_of(storage),
    )


def _etc(shared: PodFacts) -> dict[str, bytes]:
    return {
        "/etc/hosts": shared.hosts,
        "/etc/hostname": shared.hostname.encode() + b"\n",
        "/etc/resolv.conf": shared.resolv_conf,
    }


def _own_files(root: Root, shared: PodFacts) -> list[Operation]:
    """Files that differ from the machine's, put into the layer: a copy for each container."""
    operations: list[Operation] = []
    for path, data in _etc(shared).items():
        upper = root.upper_path(path)
        if upper is not None:
            operations.append(WriteFile(upper, data))
    return operations


def _bound_files(root: Root, shared: PodFacts) -> list[Operation]:
    """The same where no layer covers /etc."""
    operations: list[Operation] = []
    for path, data in _etc(shared).items():
        if root.upper_path(path) is None:
            source = f"{root.scratch}/etc/{os.path.basename(path)}"
            operations += [WriteFile(source, data), BindInRoot(root.path, source, path)]
    return operations


def _kernel_files(root: Root, shared: PodFacts, *, privileged: bool) -> list[Operation]:
    in_user_namespace = shared.in_user_namespace
    proc: Operation = kernel_files.OwnProc(root.path, in_user_namespace, privileged)
    if shared.facts.pod.spec.host_pid:
        proc = kernel_files.MachineProc(root.path)
    return [
        proc,
        kernel_files.OwnDevices(
            root.path, shared.shared_memory, in_user_namespace, all_devices=privileged
        ),
        kernel_files.OwnSys(root.path, writable=privileged),
    ]


def _mount_points(
    container: Container,
    shared: PodFacts,
    values: dict[str, str],
    helper: bool,
    termination_log: str,
    root: str,
) -> list[BindInRoot]:
    """Volumes and what else is mounted, parents first."""
    result = [
        BindInRoot(
            root,
            termination_log,
            container.termination_message_path or _TERMINATION_LOG,
        )
    ]
    for mount in container.volume_mounts or ():
        place = shared.places.get(mount.name)
        if place is None:
            raise EngineError(
                f"container {container.name} mounts the volume {mount.name}, "
                "which the Pod doesn't have",
                reason=CONFIG_ERROR,
                container=container.name,
            )
        sub_path = mount.sub_path or ""
        if mount.sub_path_expr:
            sub_path = environment.expand(mount.sub_path_expr, values.get)
        result.append(
            BindInRoot(
                root,
                place.path,
                mount.mount_path,
                read_only=bool(mount.read_only) or place.read_only,
                sub_path=sub_path,
                make_sub_path=place.writable_sub_paths,
            )
        )
    if helper:
        result += _helper_mounts(shared, root)
    return sorted(result, key=lambda one: one.target.rstrip("/").count("/"))


def _helper_mounts(shared: PodFacts, root: str) -> list[BindInRoot]:
    result = []
    if shared.archive is not None:
        result.append(BindInRoot(root, shared.archive, ARCHIVE, read_only=True))
    if not _python_is_the_systems():
        result.append(BindInRoot(root, sys.base_prefix, f"{HELPERS_FOLDER}/python", read_only=True))
    if shared.broker:
        result.append(BindInRoot(root, f"{shared.directory}/broker.sock", BROKER))
    return result


def _python_is_the_systems() -> bool:
    """… or ours is one that this user, having changed since it was started, can't read."""
    ours = sys.base_prefix
    return ours in ("/usr", "/usr/local") or not os.access(ours, os.R_OK | os.X_OK)


def _missing_mount_points(
    root: Root, wanted: list[BindInRoot], working_directory: str
) -> list[Operation]:
    operations: list[Operation] = []
    sources = [
        (one.target, f"{one.source}/{one.sub_path}" if one.sub_path else one.source)
        for one in wanted
    ]
    for path, source in [*sources, (working_directory, "/")]:
        clean = _clean(path)
        index = root.layer_of(clean)
        if index is None or is_own(clean) or os.path.lexists(clean):
            continue
        lower = root.pieces[index].path
        below = os.path.relpath(clean, lower)
        operations.append(MakeMountPoint(root.upper(index), lower, below, source))
    return operations


def _clean(path: str) -> str:
    return os.path.normpath("/" + path.strip("/"))


def _given(shared: PodFacts, container: Container, helper: bool) -> dict[str, str]:
    """What the runtime, not the manifest, puts into the environment."""
    values = {"PATH": DEFAULT_PATH, "HOSTNAME": shared.hostname}
    if container.tty:
        values["TERM"] = "xterm"
    if helper:
        if not _python_is_the_systems():
            values["PATH"] = f"{HELPERS_FOLDER}/python/bin:{DEFAULT_PATH}"
            values["LD_LIBRARY_PATH"] = f"{HELPERS_FOLDER}/python/lib"
        if shared.broker:
            values["PODWEAVE_BROKER"] = BROKER
    return values
