"""Volumes: where each is kept, what is rendered into it, and what a mount of it becomes.

A disk emptyDir is a directory of the Pod's; everything rendered (configMap, secret, downwardAPI,
projected) and memory emptyDirs are on tmpfs in the agent's mount namespace, seen by the Pod alone
and gone with it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable

import msgspec

from podweave.engines.environment import Facts, field_value, resource_value
from podweave.engines.errors import EngineError
from podweave.engines.local.setup.operations import MakeDirectory, Operation, Tmpfs
from podweave.model.pods import (
    ConfigMapSource,
    Container,
    DownwardApiFile,
    HostPathSource,
    KeyToPath,
    ProjectedPart,
    Volume,
)
from podweave.model.quantities import bytes_of
from podweave.sandbox import mounts

_FILE_MODE = 0o644
_MOUNT_ERROR = "FailedMount"

_KINDS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a Unix socket"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


class RenderedFile(msgspec.Struct, frozen=True):
    path: str
    data: bytes
    mode: int


class Place(msgspec.Struct, frozen=True):
    """Where a volume is on this machine's side, or in the agent's mount namespace."""

    path: str
    read_only: bool = False
    writable_sub_paths: bool = True
    """Whether a missing subPath is made, as the kubelet does, or an error."""


class VolumePlan(msgspec.Struct, frozen=True):
    """A volume's place and the steps to it: outside by the supervisor, inside by the agent."""

    place: Place
    outside: tuple[Operation, ...] = ()
    inside: tuple[Operation, ...] = ()
    notice: str = ""


class Places(msgspec.Struct, frozen=True):
    """The directories that volumes are made in."""

    disk: str
    private: str
    claims: str


def plan_volume(volume: Volume, places: Places, facts: Facts, group: int | None) -> VolumePlan:
    """How a volume is made. `group` is fsGroup where it can be given, else None.

    Raises EngineError for what can't be had here.
    """
    disk, private = f"{places.disk}/{volume.name}", f"{places.private}/volumes/{volume.name}"
    if volume.empty_dir is not None:
        if volume.empty_dir.medium in ("Memory", "HugePages"):
            limit = volume.empty_dir.size_limit
            size = None if limit is None else bytes_of(limit)
            flags = mounts.NODEV
            return VolumePlan(
                Place(private),
                inside=(
                    Tmpfs(private, mode=0o777, size=size, flags=flags),
                    *_grouped(private, group),
                ),
            )
        return VolumePlan(Place(disk), outside=(MakeDirectory(disk, 0o777), *_grouped(disk, group)))
    if volume.host_path is not None:
        return VolumePlan(
            Place(volume.host_path.path), outside=(CheckHostPath(volume.name, volume.host_path),)
        )
    if volume.persistent_volume_claim is not None:
        claim = volume.persistent_volume_claim
        path = f"{places.claims}/{facts.namespace}/{claim.claim_name}"
        return VolumePlan(
            Place(path, read_only=bool(claim.read_only)),
            outside=(KeepDirectory(path), *_grouped(path, group)),
        )
    rendered = _rendered(volume, facts)
    if rendered is None:
        raise EngineError(
            f"volume {volume.name}: its source isn't one that this machine has; emptyDir, "
            "hostPath, configMap, secret, downwardAPI, projected and persistentVolumeClaim "
            "would do here, the kubernetes engine for others",
            reason=_MOUNT_ERROR,
        )
    files, notice = rendered
    return VolumePlan(
        Place(private, read_only=True, writable_sub_paths=False),
        inside=(RenderVolume(private, tuple(files), group),),
        notice=notice,
    )


def _grouped(path: str, group: int | None) -> tuple[Operation, ...]:
    return () if group is None else (GiveToGroup(path, group),)


def _rendered(volume: Volume, facts: Facts) -> tuple[list[RenderedFile], str] | None:
    if volume.config_map is not None:
        return _config_map(
            volume.name, volume.config_map, volume.config_map.default_mode, facts
        ), ""
    if volume.secret is not None:
        secret = volume.secret
        source = ConfigMapSource(
            name=secret.secret_name or secret.name or "",
            items=secret.items,
            optional=secret.optional,
        )
        files = _keys(volume.name, "secret", source, secret.default_mode, facts.secret)
        return files, ""
    if volume.downward_api is not None:
        api = volume.downward_api
        return _downward(volume.name, api.items or [], api.default_mode, facts), ""
    if volume.projected is None:
        return None
    files, notice = [], ""
    for part in volume.projected.sources or ():
        if part.service_account_token is not None:
            notice = (
                f"volume {volume.name}: no service account token: there is no cluster behind "
                "this Pod to issue one"
            )
        files += _projected(volume.name, part, volume.projected.default_mode, facts)
    return files, notice


def _projected(
    name: str, part: ProjectedPart, mode: int | None, facts: Facts
) -> list[RenderedFile]:
    files: list[RenderedFile] = []
    if part.config_map is not None:
        files += _config_map(name, part.config_map, mode, facts)
    if part.secret is not None:
        source = ConfigMapSource(
            name=part.secret.name or part.secret.secret_name or "",
            items=part.secret.items,
            optional=part.secret.optional,
        )
        files += _keys(name, "secret", source, mode, facts.secret)
    if part.downward_api is not None:
        files += _downward(name, part.downward_api.items or [], mode, facts)
    return files


def _config_map(
    name: str, source: ConfigMapSource, mode: int | None, facts: Facts
) -> list[RenderedFile]:
    return _keys(name, "configmap", source, mode, facts.config_map)


def _keys(
    volume: str,
    kind: str,
    source: ConfigMapSource,
    default_mode: int | None,
    find: Callable[[str], dict[str, bytes] | None],
) -> list[RenderedFile]:
    data = find(source.name)
    mode = _FILE_MODE if default_mode is None else default_mode
    if data is None:
        if source.optional:
            return []
        raise EngineError(f'volume {volume}: {kind} "{source.name}" not found', reason=_MOUNT_ERROR)
    if source.items is None:
        return [RenderedFile(key, value, mode) for key, value in sorted(data.items())]
    files = []
    for item in source.items:
        if item.key in data:
            files.append(
                RenderedFile(_checked(volume, item), data[item.key], _mode(item.mode, mode))
            )
        elif not source.optional:
            raise EngineError(
                f'volume {volume}: {kind} "{source.name}" references non-existent key: {item.key}',
                reason=_MOUNT_ERROR,
            )
    return files


def _mode(mode: int | None, default: int) -> int:
    return default if mode is None else mode


def _checked(volume: str, item: KeyToPath | DownwardApiFile) -> str:
    parts = item.path.split("/")
    if item.path.startswith("/") or ".." in parts or not item.path or parts[0].startswith(".."):
        raise EngineError(
            f"volume {volume}: path {item.path!r} must be relative and must not hold '..'",
            reason=_MOUNT_ERROR,
        )
    return item.path


def _downward(
    volume: str, items: list[DownwardApiFile], default_mode: int | None, facts: Facts
) -> list[RenderedFile]:
    mode = _FILE_MODE if default_mode is None else default_mode
    files = []
    for item in items:
        try:
            if item.field_ref is not None:
                text = field_value(item.field_ref.field_path, facts)
            elif item.resource_field_ref is not None:
                text = resource_value(item.resource_field_ref, Container(name=""), facts)
            else:
                text = ""
        except ValueError as error:
            raise EngineError(f"volume {volume}: {error}", reason=_MOUNT_ERROR) from error
        files.append(RenderedFile(_checked(volume, item), text.encode(), _mode(item.mode, mode)))
    return files


class RenderVolume(msgspec.Struct, frozen=True):
    """Write files as the kubelet does: into a dated directory that `..data` points to, so that
    programs that watch for the swap of that link find what they expect."""

    path: str
    files: tuple[RenderedFile, ...]
    group: int | None = None

    def describe(self) -> str:
        names = ", ".join(file.path for file in self.files) or "nothing"
        return f"write {names} to {self.path}"

    def run(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        dated = time.strftime("..%Y_%m_%d_%H_%M_%S.", time.gmtime()) + str(time.time_ns() % 10**10)
        os.mkdir(f"{self.path}/{dated}")
        os.chmod(f"{self.path}/{dated}", 0o755)
        for file in self.files:
            full = f"{self.path}/{dated}/{file.path}"
            os.makedirs(os.path.dirname(full), exist_ok=True)
            descriptor = os.open(full, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                written = 0
                while written < len(file.data):
                    written += os.write(descriptor, file.data[written:])
                mode = file.mode
                if self.group is not None:
                    os.fchown(descriptor, -1, self.group)
                    mode |= 0o440
                os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)
        os.symlink(dated, f"{self.path}/..data")
        for name in sorted({file.path.split("/")[0] for file in self.files}):
            os.symlink(f"..data/{name}", f"{self.path}/{name}")


class GiveToGroup(msgspec.Struct, frozen=True):
    """fsGroup: the group owns what is and what will be in the volume."""

    path: str
    group: int

    def describe(self) -> str:
        return f"give {self.path} to group {self.group}"

    def run(self) -> None:
        for directory, directories, files in os.walk(self.path):
            for name in [".", *files] if directories or files else ["."]:
                full = os.path.normpath(os.path.join(directory, name))
                mode = os.lstat(full).st_mode
                if stat.S_ISLNK(mode):
                    continue
                os.chown(full, -1, self.group)
                wanted = 0o2770 if stat.S_ISDIR(mode) else 0o660
                os.chmod(full, stat.S_IMODE(mode) | wanted)


class KeepDirectory(msgspec.Struct, frozen=True):
    """A claim's directory: made once, kept when the Pod ends."""

    path: str

    def describe(self) -> str:
        return f"make sure that {self.path} is there"

    def run(self) -> None:
        if not os.path.isdir(self.path):
            os.makedirs(self.path)
            os.chmod(self.path, 0o777)


class CheckHostPath(msgspec.Struct, frozen=True):
    """hostPath: what its type wants is there, or is made."""

    volume: str
    source: HostPathSource

    def describe(self) -> str:
        kind = self.source.type
        return f"check that {self.source.path} is there" + (f", a {kind}" if kind else "")

    def run(self) -> None:
        path, kind = self.source.path, self.source.type or ""
        if kind == "DirectoryOrCreate":
            os.makedirs(path, exist_ok=True)
            kind = "Directory"
        elif kind == "FileOrCreate":
            if not os.path.lexists(path):
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
            kind = "File"
        elif kind == "":
            # Not checked; a container runtime makes a directory of what isn't there.
            if not os.path.lexists(path):
                os.makedirs(path, exist_ok=True)
            return
        if kind not in _KINDS:
            raise EngineError(
                f"volume {self.volume}: hostPath type {kind!r} is not one of '', "
                f"DirectoryOrCreate, FileOrCreate, {', '.join(_KINDS)}",
                reason=_MOUNT_ERROR,
            )
        check, words = _KINDS[kind]
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise EngineError(
                f"volume {self.volume}: hostPath {path}: {error.strerror}", reason=_MOUNT_ERROR
            ) from error
        if not check(mode):
            raise EngineError(
                f"volume {self.volume}: hostPath {path} is not {words}", reason=_MOUNT_ERROR
            )
