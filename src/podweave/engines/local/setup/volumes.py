"""Volumes: where each is kept, and what a mount of it becomes.

A disk emptyDir is a directory of the Pod's; everything rendered (configMap, secret, downwardAPI,
projected) and memory emptyDirs are on tmpfs in the agent's mount namespace, seen by the Pod alone
and gone with it.
"""

from __future__ import annotations

import os
import stat

import msgspec

from podweave.engines.environment import Facts
from podweave.engines.errors import EngineError
from podweave.engines.local.setup.operations import MakeDirectory, Operation, Tmpfs
from podweave.engines.rendered_volumes import MOUNT_ERROR, RenderVolume, render
from podweave.model.pods import HostPathSource, Volume
from podweave.model.quantities import bytes_of
from podweave.sandbox import mounts

_KINDS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a Unix socket"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


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
    rendered = render(volume, facts)
    return VolumePlan(
        Place(private, read_only=True, writable_sub_paths=False),
        inside=(RenderVolume(private, rendered.files, group),),
        notice=rendered.notice,
    )


def _grouped(path: str, group: int | None) -> tuple[Operation, ...]:
    return () if group is None else (GiveToGroup(path, group),)


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
                reason=MOUNT_ERROR,
            )
        check, words = _KINDS[kind]
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise EngineError(
                f"volume {self.volume}: hostPath {path}: {error.strerror}", reason=MOUNT_ERROR
            ) from error
        if not check(mode):
            raise EngineError(
                f"volume {self.volume}: hostPath {path} is not {words}", reason=MOUNT_ERROR
            )
