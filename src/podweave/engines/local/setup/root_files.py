"""A container's root: this machine's files read-only, a private writable layer over them.

The layer is on a tmpfs that ends with the container. `machine_tree` says of which pieces the root
is made, `root_entry` what is done with it once it is whole.
"""

from __future__ import annotations

import errno
import os
import stat

import msgspec

from podweave.engines.local.setup.machine_tree import Piece
from podweave.engines.local.setup.operations import Operation, Tmpfs
from podweave.sandbox import mounts
from podweave.sandbox.system_calls import SandboxError

_FOR_EVERYONE = ("/var/tmp",)
"""Beneath a layer; /tmp has one of its own."""


class Root(msgspec.Struct, frozen=True):
    """Where a container's root is being built, and of what."""

    scratch: str
    pieces: tuple[Piece, ...]
    in_user_namespace: bool
    size: int | None = None

    @property
    def path(self) -> str:
        return self.scratch + "/rootfs"

    def layer_of(self, path: str) -> int | None:
        """The index of the piece whose layer covers `path`."""
        best: int | None = None
        for index, piece in enumerate(self.pieces):
            prefix = piece.path.rstrip("/") + "/"
            if (path + "/").startswith(prefix) and (
                best is None or len(piece.path) >= len(self.pieces[best].path)
            ):
                best = index
        return best if best is not None and self.pieces[best].kind == "layer" else None

    def with_room_for(self, paths: list[str]) -> Root:
        """The same, but with a layer over each read-only directory in which one of `paths` is
        missing, for its mount point can't be made there."""
        missing = [path for path in paths if not os.path.lexists(path)]

        def with_room(piece: Piece) -> Piece:
            shown_alone = piece.kind == "bind" and not piece.recursive and not piece.link
            wanted = any(path.startswith(piece.path + "/") for path in missing)
            if shown_alone and wanted and os.path.isdir(piece.path):
                return Piece("layer", piece.path)
            return piece

        return msgspec.structs.replace(self, pieces=tuple(map(with_room, self.pieces)))

    def upper(self, index: int) -> str:
        return f"{self.scratch}/layers/{index}/upper"

    def upper_path(self, path: str) -> str | None:
        """Where to put a file ahead of the mounts so that it shows at `path`."""
        index = self.layer_of(path)
        if index is None:
            return None
        below = os.path.relpath(path, self.pieces[index].path)
        return f"{self.upper(index)}/{below}"

    def begin(self) -> list[Operation]:
        """The tmpfs of the private layer. Files put into it afterwards are over the machine's."""
        return [Tmpfs(self.scratch, mode=0o755, size=self.size, flags=mounts.NODEV)]

    def assemble(self) -> list[Operation]:
        """All of the root but the Pod's own: pieces, /run, /dev, /proc and /sys."""
        operations: list[Operation] = [StartRoot(self.path)]
        for index, piece in enumerate(self.pieces):
            operations.append(PlacePiece(self, index, piece))
        operations.append(OwnRun(self.path, self.in_user_namespace))
        return operations


class StartRoot(msgspec.Struct, frozen=True):
    path: str

    def describe(self) -> str:
        return f"make the root {self.path}"

    def run(self) -> None:
        os.mkdir(self.path)
        # pivot_root wants a mount point.
        mounts.bind(self.path, self.path)


class PlacePiece(msgspec.Struct, frozen=True):
    root: Root
    index: int
    piece: Piece

    def describe(self) -> str:
        piece = self.piece
        if piece.kind == "layer":
            return f"lay a private writable layer over {' over '.join(self._lower())}"
        if piece.kind == "bind":
            return f"show {piece.path} read-only"
        if piece.kind == "link":
            return f"link {piece.path} to {piece.link}"
        return f"make an empty {piece.path}"

    def _lower(self) -> tuple[str, ...]:
        return self.piece.lower or (self.piece.link or self.piece.path,)

    def run(self) -> None:
        if not self._is_there():
            return
        try:
            self._place()
        except OSError as error:
            # Between the look at the machine's tree and this moment it goes on changing: a
            # container of another engine stops, and its mounts and their directories with it.
            if error.errno != errno.ENOENT or self._is_there():
                raise

    def _is_there(self) -> bool:
        """Whether the machine still has what the piece shows; temporary files come and go."""
        return self.piece.kind == "link" or all(os.path.lexists(path) for path in self._lower())

    def _place(self) -> None:
        piece = self.piece
        target = self.root.path if piece.path == "/" else self.root.path + piece.path
        if piece.kind == "link":
            os.symlink(piece.link, target)
        elif piece.kind == "directory":
            os.makedirs(target, exist_ok=True)
            mode = stat.S_IMODE(os.stat(piece.path).st_mode)
            os.chmod(target, mode | 0o700)
        elif piece.kind == "bind":
            self._bind(piece.link or piece.path, target, piece.recursive)
        else:
            self._layer(target)

    def _layer(self, target: str) -> None:
        upper = self.root.upper(self.index)
        work = os.path.dirname(upper) + "/work"
        os.makedirs(upper, exist_ok=True)
        os.mkdir(work)
        copy_attributes(self._lower()[-1], upper)
        if self.root.in_user_namespace:
            self._let_write(upper)
        os.makedirs(target, exist_ok=True)
        try:
            mounts.overlay(
                list(self._lower()),
                upper,
                work,
                target,
                in_user_namespace=self.root.in_user_namespace,
            )
        except SandboxError:
            # A file system that overlayfs doesn't take as a lower layer (FAT, some network and
            # FUSE ones), or one more mount beneath: better read-only than not at all.
            if self.piece.path == "/" or len(self._lower()) > 1:
                raise
            self._bind(self.piece.path, target, recursive=True)

    def _let_write(self, upper: str) -> None:
        """Directories for everyone to write in. They are root's, whom this user namespace lacks:
        overlayfs couldn't copy them up, and every write in them would fail with EOVERFLOW."""
        for path in _FOR_EVERYONE:
            parent, name = os.path.split(path)
            if parent == self.piece.path and os.path.isdir(path) and not os.path.islink(path):
                os.makedirs(f"{upper}/{name}", exist_ok=True)
                copy_attributes(path, f"{upper}/{name}")

    @staticmethod
    def _bind(source: str, target: str, recursive: bool) -> None:
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        elif not os.path.lexists(target):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        mounts.bind(source, target, recursive=recursive, read_only=True)


class MakeMountPoint(msgspec.Struct, frozen=True):
    """A missing mount point, made in the private layer before it is mounted: in a user namespace
    the machine's directories belong to nobody, so none could be made in them afterwards."""

    upper: str
    lower: str
    below: str
    source: str
    """What will be mounted there: a directory or a file."""

    def describe(self) -> str:
        return f"make the mount point {os.path.join(self.lower, self.below)}"

    def run(self) -> None:
        parts = self.below.split("/")
        seen = self.lower
        for part in parts:
            seen = os.path.join(seen, part)
            if os.path.islink(seen):
                return  # resolved inside the root when it is mounted
            if not os.path.lexists(seen):
                break
        else:
            return
        lower, upper = self.lower, self.upper
        is_directory = os.path.isdir(self.source)
        os.makedirs(upper, exist_ok=True)
        for index, part in enumerate(parts):
            lower, upper = os.path.join(lower, part), os.path.join(upper, part)
            if index == len(parts) - 1 and os.path.exists(self.source) and not is_directory:
                os.close(os.open(upper, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
            elif not os.path.isdir(upper):
                os.mkdir(upper)
                copy_attributes(lower, upper)


def copy_attributes(source: str, target: str) -> None:
    """Mode and, as far as allowed, owner of a directory; 0755 where there is no `source`."""
    try:
        found = os.stat(source)
    except OSError:
        os.chmod(target, 0o755)
        return
    if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, 0):
        try:
            os.chown(target, found.st_uid, found.st_gid)
        except OSError:
            pass  # an id that this user namespace doesn't have
    os.chmod(target, stat.S_IMODE(found.st_mode))


class OwnRun(msgspec.Struct, frozen=True):
    """An empty /run with the directories that this machine's programs expect in it."""

    root: str
    in_user_namespace: bool

    def describe(self) -> str:
        return "mount an own /run"

    def run(self) -> None:
        target = self.root + "/run"
        os.makedirs(target, exist_ok=True)
        mounts.tmpfs(target, mode=0o755, flags=mounts.NODEV | mounts.NOSUID)
        try:
            with os.scandir("/run") as entries:
                found = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return
        for path in found:
            os.mkdir(self.root + path)
            copy_attributes(path, self.root + path)
