"""A container's root: this machine's files read-only, a private writable layer over them.

The layer is on a tmpfs that ends with the container. As root, one overlay covers `/` and one each
mount beneath it. In a user namespace the kernel refuses (EINVAL) an overlay over a directory
beneath which something is mounted, so there each top-level directory gets its own, and those with
mounts beneath them are descended into.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

import msgspec

from podweave.engines.local.setup.operations import Operation, Tmpfs
from podweave.sandbox import mounts, paths
from podweave.sandbox.system_calls import SandboxError

OWN = ("/dev", "/proc", "/run", "/sys")
"""What a container never has of the machine's. /run is the state of its running services."""

_NO_FILES = frozenset(
    [
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fuse.lxcfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "sysfs",
        "tracefs",
    ]
)
"""File systems that hold no files of the machine's; `overlay` is other containers' roots."""

_FOR_EVERYONE = ("/var/tmp",)
"""Beneath a layer; /tmp has one of its own."""

_MANY = 64
_TOO_MANY = 512
"""A directory with mounts beneath is descended into. With more entries than the first number
each is shown read-only instead of under a layer of its own; with more than the second, too many
to mount one by one, the directory is shown read-only as a whole."""


class Piece(msgspec.Struct, frozen=True):
    """A part of the machine's tree and how a container sees it."""

    kind: str
    """layer (overlay), bind (read-only), directory (new and empty), link."""
    path: str
    link: str = ""
    lower: tuple[str, ...] = ()
    recursive: bool = False
    """For bind: with the mounts beneath it, which can't be left out in a user namespace."""


def survey(
    table: list[mounts.Mount],
    *,
    in_user_namespace: bool,
    image: str | None = None,
    hidden: str | None = None,
) -> list[Piece]:
    """Look at this machine's tree: in which pieces a container's root is made of it.

    What is mounted beneath the directory `hidden` is the Pod's own, for no container to see.
    """
    if hidden is not None:
        table = [entry for entry in table if not entry.target.startswith(hidden + "/")]
    if in_user_namespace or image is not None:
        pieces = _descend("/", {entry.target for entry in table}, hidden or "")
        return pieces if image is None else with_image(pieces, image)
    pieces = [Piece("layer", "/")]
    for entry in sorted(mounts.visible(table), key=lambda entry: entry.target):
        target = entry.target
        if target == "/" or is_own(target) or entry.filesystem in _NO_FILES:
            continue
        if os.path.isdir(target):
            pieces.append(Piece("layer", target))
        elif os.path.isfile(target):
            pieces.append(Piece("bind", target))
    return pieces


def is_own(path: str) -> bool:
    return any(path == own or path.startswith(own + "/") for own in OWN)


def _descend(directory: str, targets: set[str], hidden: str) -> list[Piece]:
    pieces: list[Piece] = []
    try:
        with os.scandir(directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return pieces  # removed meanwhile
    crowded = len(found) > _MANY
    for entry in found:
        path = entry.path
        if path in OWN:
            continue
        if entry.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                pieces.append(Piece("link", path, link=os.readlink(path)))
        elif not entry.is_dir(follow_symlinks=False):
            if os.access(path, os.R_OK):
                pieces.append(Piece("bind", path))
        elif not os.access(path, os.R_OK | os.X_OK):
            # Root's home, lost+found: nothing in it could be read, but HOME is to be writable.
            pieces.append(Piece("directory", path))
        else:
            try:
                names = os.listdir(path)
            except OSError:
                continue  # removed meanwhile
            beneath = any(target.startswith(path + "/") for target in targets)
            if not names:
                pieces.append(Piece("directory", path))
            elif not beneath:
                pieces.append(Piece("bind" if crowded else "layer", path))
            elif len(names) > _TOO_MANY and not hidden.startswith(path + "/"):
                pieces.append(Piece("bind", path, recursive=True))
            else:
                pieces.append(Piece("directory", path))
                pieces += _descend(path, targets, hidden)
    return pieces


def with_image(pieces: list[Piece], image: str) -> list[Piece]:
    """Lay the files of the directory `image` over the pieces of `_descend`."""
    result = []
    for piece in pieces:
        over = image + piece.path
        if piece.kind in ("layer", "directory", "bind") and os.path.isdir(over):
            # Overlayfs refuses layers of which one is beneath the other.
            around = (image + "/").startswith(piece.path + "/")
            alone = piece.kind == "directory" or around
            lower = (over,) if alone else (over, piece.path)
            result.append(Piece("layer", piece.path, lower=lower))
        else:
            result.append(piece)
    known = {piece.path for piece in pieces}
    with os.scandir(image) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = "/" + entry.name
            if path in known or path in OWN:
                continue
            if entry.is_dir():
                result.append(Piece("layer", path, lower=(entry.path,)))
            elif entry.is_file():
                result.append(Piece("bind", path, link=entry.path))
    return result


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


class MakeWorkingDirectory(msgspec.Struct, frozen=True):
    root: str
    path: str

    def describe(self) -> str:
        return f"make sure that the working directory {self.path} is there"

    def run(self) -> None:
        os.close(paths.make_in_root(self.root, self.path, directory=True))


class SealRoot(msgspec.Struct, frozen=True):
    """readOnlyRootFilesystem: the root and its layers, not the volumes."""

    root: Root

    def describe(self) -> str:
        return "make the root read-only"

    def run(self) -> None:
        # Volumes mounted on it are mounts of their own and stay as they are.
        mounts.make_read_only(self.root.path)
        for piece in self.root.pieces:
            if piece.kind == "layer" and piece.path != "/":
                self._seal(self.root.path + piece.path)
        mounts.make_read_only(self.root.path + "/run")

    @staticmethod
    def _seal(target: str) -> None:
        try:
            mounts.make_read_only(target)
        except SandboxError:
            # Left out, or gone since with what it showed: nothing to write in.
            if target in {entry.target for entry in mounts.read_table()}:
                raise


class EnterRoot(msgspec.Struct, frozen=True):
    root: str

    def describe(self) -> str:
        return f"make {self.root} the root and let go of this machine's"

    def run(self) -> None:
        mounts.pivot_root(self.root)
