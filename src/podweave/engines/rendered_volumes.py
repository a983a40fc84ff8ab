"""Volumes that hold what the manifests say: configMap, secret, downwardAPI and projected ones.

`render` is pure; the operation `RenderVolume` writes the files, wherever an engine has the volume.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from podweave.engines.environment import Facts, field_value, resource_value
from podweave.engines.errors import EngineError
from podweave.model.pods import (
    ConfigMapSource,
    Container,
    DownwardApiFile,
    DownwardApiSource,
    KeyToPath,
    ProjectedPart,
    SecretSource,
    Volume,
)

MOUNT_ERROR: Final = "FailedMount"
"""The reason that the kubelet gives for a volume that can't be had."""

_FILE_MODE: Final = 0o644


class RenderedFile(msgspec.Struct, frozen=True):
    path: str
    data: bytes
    mode: int


class Rendered(msgspec.Struct, frozen=True):
    files: tuple[RenderedFile, ...]
    notice: str = ""
    """What is left out, and why."""


def render(volume: Volume, facts: Facts) -> Rendered:
    """What the volume holds. Raises EngineError for what isn't there, and for a source that only
    a cluster has."""
    name = volume.name
    if volume.config_map is not None:
        source = volume.config_map
        return Rendered(tuple(_config_map(name, source, source.default_mode, facts)))
    if volume.secret is not None:
        secret = volume.secret
        return Rendered(tuple(_secret(name, secret, secret.default_mode, facts)))
    if volume.downward_api is not None:
        api = volume.downward_api
        return Rendered(tuple(_downward(name, api, api.default_mode, facts)))
    if volume.projected is None:
        raise EngineError(
            f"volume {name}: its source isn't one that this machine has; emptyDir, hostPath, "
            "configMap, secret, downwardAPI, projected and persistentVolumeClaim would do here, "
            "the kubernetes engine for others",
            reason=MOUNT_ERROR,
        )
    files: list[RenderedFile] = []
    notice = ""
    for part in volume.projected.sources or ():
        if part.service_account_token is not None:
            notice = (
                f"volume {name}: no service account token: there is no cluster behind this Pod "
                "to issue one"
            )
        files += _projected(name, part, volume.projected.default_mode, facts)
    return Rendered(tuple(files), notice)


def _projected(
    volume: str, part: ProjectedPart, mode: int | None, facts: Facts
) -> Iterator[RenderedFile]:
    if part.config_map is not None:
        yield from _config_map(volume, part.config_map, mode, facts)
    if part.secret is not None:
        yield from _secret(volume, part.secret, mode, facts)
    if part.downward_api is not None:
        yield from _downward(volume, part.downward_api, mode, facts)


def _config_map(
    volume: str, source: ConfigMapSource, mode: int | None, facts: Facts
) -> list[RenderedFile]:
    return _keys(volume, "configmap", source, mode, facts.config_map)


def _secret(
    volume: str, secret: SecretSource, mode: int | None, facts: Facts
) -> list[RenderedFile]:
    source = ConfigMapSource(
        # A volume calls it secretName, a projected source name.
        name=secret.secret_name or secret.name or "",
        items=secret.items,
        optional=secret.optional,
    )
    return _keys(volume, "secret", source, mode, facts.secret)


def _keys(
    volume: str,
    kind: str,
    source: ConfigMapSource,
    default_mode: int | None,
    find: Callable[[str], dict[str, bytes] | None],
) -> list[RenderedFile]:
    data = find(source.name)
    mode = _mode(default_mode)
    if data is None:
        if source.optional:
            return []
        raise EngineError(f'volume {volume}: {kind} "{source.name}" not found', reason=MOUNT_ERROR)
    if source.items is None:
        return [RenderedFile(key, value, mode) for key, value in sorted(data.items())]
    files = []
    for item in source.items:
        if item.key in data:
            path = _checked(volume, item)
            files.append(RenderedFile(path, data[item.key], _mode(item.mode, mode)))
        elif not source.optional:
            raise EngineError(
                f'volume {volume}: {kind} "{source.name}" references non-existent key: {item.key}',
                reason=MOUNT_ERROR,
            )
    return files


def _mode(mode: int | None, default: int = _FILE_MODE) -> int:
    return default if mode is None else mode


def _checked(volume: str, item: KeyToPath | DownwardApiFile) -> str:
    parts = item.path.split("/")
    if item.path.startswith("/") or ".." in parts or not item.path or parts[0].startswith(".."):
        raise EngineError(
            f"volume {volume}: path {item.path!r} must be relative and must not hold '..'",
            reason=MOUNT_ERROR,
        )
    return item.path


def _downward(
    volume: str, source: DownwardApiSource, default_mode: int | None, facts: Facts
) -> Iterator[RenderedFile]:
    mode = _mode(default_mode)
    for item in source.items or ():
        try:
            if item.field_ref is not None:
                text = field_value(item.field_ref.field_path, facts)
            elif item.resource_field_ref is not None:
                text = resource_value(item.resource_field_ref, Container(name=""), facts)
            else:
                text = ""
        except ValueError as error:
            raise EngineError(f"volume {volume}: {error}", reason=MOUNT_ERROR) from error
        yield RenderedFile(_checked(volume, item), text.encode(), _mode(item.mode, mode))


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
            _make_directories(f"{self.path}/{dated}", os.path.dirname(file.path))
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


def _make_directories(base: str, below: str) -> None:
    """Not by makedirs, which the umask of whoever called `up` would change."""
    path = base
    for name in below.split("/") if below else ():
        path = f"{path}/{name}"
        if not os.path.isdir(path):
            os.mkdir(path)
            os.chmod(path, 0o755)
