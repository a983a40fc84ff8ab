"""A Pod's own volumes: made before the Pod, filled from outside, removed after it."""

from __future__ import annotations

import os

from podweave.engines.errors import EngineError
from podweave.engines.podman.adaptation import NewVolume
from podweave.engines.podman.program import PodmanProgram
from podweave.engines.rendered_volumes import RenderVolume

OWNER = "podweave.dev/volume-of"
CLAIM = "podweave.dev/claim"


def creation(name: str, volume: NewVolume, pod: str) -> list[str]:
    """The arguments of podman that make it."""
    if volume.memory:
        options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=mode=1777"]
    else:
        # An owner that is named is kept. Otherwise the first container that mounts the volume
        # gives it the owner and mode of what its image has at that place.
        options = ["--opt", "o=uid=0,gid=0"]
    return ["volume", "create", "--label", f"{OWNER}={pod}", *options, name]


def make(podman: PodmanProgram, name: str, volume: NewVolume, pod: str) -> None:
    """Nothing of an earlier Pod's stays in it."""
    remove(podman, [name])
    podman.run(*creation(name, volume, pod))
    if volume.memory:
        return
    (made,) = podman.objects("volume", "inspect", name)
    path = made["Mountpoint"]
    try:
        if volume.files is None:
            os.chmod(path, 0o777)
        else:
            RenderVolume(path, volume.files).run()
            os.chmod(path, 0o755)
    except OSError as error:
        raise EngineError(
            f"volume {name}: {path}: {error.strerror}; podweave has to run as the user whose "
            "Podman it is, on the same machine"
        ) from error


def make_claim(podman: PodmanProgram, name: str) -> None:
    """A claim is there already, or it is made and stays."""
    if not podman.succeeds("volume", "exists", name):
        podman.run("volume", "create", "--label", f"{CLAIM}={name}", name)


def remove(podman: PodmanProgram, names: list[str]) -> None:
    """Those that are there."""
    for name in names:
        if podman.succeeds("volume", "exists", name):
            podman.run("volume", "rm", name)


def claims(podman: PodmanProgram) -> list[str]:
    """All that podweave has made."""
    found = podman.objects("volume", "ls", "--filter", f"label={CLAIM}", "--format", "json")
    return [str(each["Name"]) for each in found]
