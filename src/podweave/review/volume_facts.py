"""What kind of volume a source is, as far as the review cares."""

from __future__ import annotations

from typing import Any, Final

from podweave.review.facts import VolumeFact
from podweave.review.tolerance import text

_DISKS: Final = (
    "nfs", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk", "azureFile", "cephfs",
    "cinder", "fc", "flexVolume", "flocker", "glusterfs", "iscsi", "photonPersistentDisk",
    "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume", "ephemeral",
)  # fmt: skip


def volume_fact(name: str, value: dict[str, Any]) -> VolumeFact:
    def part(key: str) -> dict[str, Any] | None:
        found = value.get(key)
        return found if isinstance(found, dict) else ({} if key in value else None)

    if (claim := part("persistentVolumeClaim")) is not None:
        return VolumeFact(name, "claim", text(claim.get("claimName")))
    if (config := part("configMap")) is not None:
        source = text(config.get("name"))
        return VolumeFact(name, "config", source, sources=[source])
    if (secret := part("secret")) is not None:
        return VolumeFact(name, "secret", text(secret.get("secretName")))
    if (host := part("hostPath")) is not None:
        return VolumeFact(name, "host", text(host.get("path")))
    if (projected := part("projected")) is not None:
        sources = projected.get("sources")
        names = [
            text(config.get("name"))
            for each in (sources if isinstance(sources, list) else [])
            if isinstance(each, dict) and isinstance(config := each.get("configMap"), dict)
        ]
        return VolumeFact(name, "config" if names else "secret", sources=names)
    if part("downwardAPI") is not None:
        return VolumeFact(name, "config")
    if (csi := part("csi")) is not None:
        driver = text(csi.get("driver"))
        secret_like = any(word in driver for word in ("secret", "cert", "spiffe", "vault"))
        return VolumeFact(name, "secret" if secret_like else "other", driver)
    for disk in _DISKS:
        if disk in value:
            return VolumeFact(name, "claim", disk)
    empty = part("emptyDir")
    if empty is not None or len(value) <= 1:
        # A volume without a source is an emptyDir, as the API server defaults it.
        memory = empty is not None and empty.get("medium") == "Memory"
        return VolumeFact(name, "memory" if memory else "scratch")
    return VolumeFact(name, "other", next(key for key in value if key != "name"))
