"""What is done with a container's root once it is whole: seal it where that is wanted, enter it."""

from __future__ import annotations

import os

import msgspec

from podweave.engines.local.setup.root_files import Root
from podweave.sandbox import mounts, paths
from podweave.sandbox.system_calls import SandboxError


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
