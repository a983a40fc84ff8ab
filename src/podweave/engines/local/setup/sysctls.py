"""Which kernel parameters a Pod may set: those of its own namespaces, never the machine's."""

from __future__ import annotations

import re
from typing import Final

from podweave.engines.errors import EngineError
from podweave.model.pods import PodSpec

_NAME: Final = re.compile(r"[a-z0-9_-]+([./][A-Za-z0-9_-]+)+")
_IPC: Final = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_NET: Final = "net."
_REASON: Final = "SysctlForbidden"


def wanted(spec: PodSpec) -> list[tuple[str, str]]:
    """The Pod's sysctls as (dotted name, value). Raises EngineError for one it may not set."""
    security = spec.security_context
    result = []
    for one in (security.sysctls if security else None) or ():
        name = one.name.replace("/", ".")
        if not _NAME.fullmatch(one.name):
            raise EngineError(f"{one.name!r} isn't a sysctl's name", reason=_REASON)
        if name.startswith(_NET):
            own, what = not spec.host_network, "hostNetwork"
        elif name.startswith(_IPC):
            own, what = not spec.host_ipc, "hostIPC"
        else:
            raise EngineError(
                f"sysctl {one.name} isn't the Pod's own but the whole machine's: a Pod may set "
                "net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.*",
                reason=_REASON,
            )
        if not own:
            raise EngineError(
                f"sysctl {one.name} would be the machine's: the Pod has {what}", reason=_REASON
            )
        result.append((name, one.value))
    return result
