"""What keeps a folder from being shared: places a volume would hide, volumes nobody can write."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import Path
from podweave.model.pods import Container, Volume
from podweave.weave.drafts import pattern_error
from podweave.weave.helper_containers import NEEDED_FOLDERS, SYSTEM_FOLDERS
from podweave.weave.targets import Target, is_within

_KEEP_IMAGE = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root",
     "/run", "/sbin", "/srv", "/sys", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/var",
     "/var/lib", "/var/run")
)  # fmt: skip
"""Where an empty volume would hide files without which no image runs."""

_PROGRAM_SUFFIXES = (".dll", ".jar", ".js", ".mjs", ".php", ".pl", ".py", ".rb", ".sh", ".war")

_READ_ONLY_SOURCES = ("config_map", "secret", "downward_api", "projected")


def check_main_path(
    target: Target, pattern: FoundPattern, at: Path, index: int, folder: str
) -> None:
    """An empty volume must not hide what the main container runs."""
    container = target.pod.spec.containers[index]
    if folder in _KEEP_IMAGE:
        raise pattern_error(
            pattern,
            f"sharing {folder} would hide what the image has there, and {container.name} "
            "has no volume mounted at it: share a folder that holds nothing but the files, or "
            "mount a volume there",
            *at,
        )
    for key, program in _programs(container):
        if is_within(program, folder):
            where = target.place("spec", "containers", index, key)
            raise pattern_error(
                pattern,
                f"sharing {folder} would hide {program}, which {container.name} runs "
                f"({where}): let the files be in a folder of their own, or mount a volume there",
                *at,
            )


def _programs(container: Container) -> Iterator[tuple[str, str]]:
    """Absolute paths in command and args that are programs by all appearance."""
    words = [("command", word) for word in container.command or []]
    words += [("args", word) for word in container.args or []]
    for position, (key, word) in enumerate(words):
        path = posixpath.normpath(posixpath.join(container.working_dir or "/", word))
        if (position == 0 and "/" in word) or word.endswith(_PROGRAM_SUFFIXES):
            yield key, path


def check_helper_path(pattern: FoundPattern, at: Path, volume: str, mount_path: str) -> None:
    """A volume must not hide what the helper runs."""
    for taken in (*NEEDED_FOLDERS, *SYSTEM_FOLDERS):
        inside = taken in NEEDED_FOLDERS and is_within(mount_path, taken)
        if inside or is_within(taken, mount_path):
            raise pattern_error(
                pattern,
                f"the volume {volume} would be mounted at {mount_path} in the "
                f"helper, where its own {taken} is: mount it at another path in the container",
                *at,
            )


def read_only_source(volume: Volume) -> str | None:
    """The kind of a volume that can't be written to, or None."""
    for source in _READ_ONLY_SOURCES:
        if getattr(volume, source) is not None:
            head, *rest = source.split("_")
            return head + "".join("API" if part == "api" else part.title() for part in rest)
    claim = volume.persistent_volume_claim
    return "persistentVolumeClaim with readOnly" if claim is not None and claim.read_only else None
