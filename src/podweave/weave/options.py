"""What the caller may choose about weaving, with the defaults."""

from __future__ import annotations

import msgspec

from podweave import __version__

HELPER_IMAGE = f"ghcr.io/podweave/podweave-helpers:{__version__}"

NATIVE_SIDECARS_SINCE = (1, 29)
"""An init container with restartPolicy Always is on by default since this version. An older API
server drops the field, and the Pod then hangs on an init container that never ends."""


class Options(msgspec.Struct, frozen=True):
    kubernetes: tuple[int, int] = (1, 33)
    """The oldest version among the target's API server and kubelets."""
    helper_image: str = HELPER_IMAGE
    profile: str | None = None
    """For every ambassador; goes before the Pod's label and the pattern's default."""

    @property
    def native_sidecars(self) -> bool:
        return self.kubernetes >= NATIVE_SIDECARS_SINCE

    @property
    def why_plain(self) -> str:
        """Why helpers are plain containers, where they are."""
        version = ".".join(map(str, self.kubernetes))
        return f"a plain container, since Kubernetes {version} has no native sidecars by default"
