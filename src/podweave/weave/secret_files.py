"""Secrets and ConfigMaps that a helper reads: one projected volume a helper, mounted in it alone.

Each is optional: a Secret of stage needn't exist in dev, and a Pod must not wait for it. Nothing
of their content is ever in a manifest that is woven.
"""

from __future__ import annotations

import hashlib
from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.helper_places import SECRETS_FOLDER
from podweave.model.secret_references import Credentials, Tls
from podweave.weave.drafts import Draft, NewVolume

_VOLUME = "podweave-secrets-"
_MAX_NAME = 63


class SecretFiles:
    """Collects what one helper is to read; `mounts` then adds the volume."""

    def __init__(self, found: FoundPattern) -> None:
        self._found = found
        self._name = found.pattern.metadata.name
        self._sources: list[dict[str, Any]] = []
        self._said: list[str] = []

    def tls(self, tls: Tls, folder: str) -> dict[str, str]:
        """`tls` as helpers have it: paths of files, which are put under `folder`."""
        rendered: dict[str, str] = {"mode": tls.mode}
        if tls.server_name:
            rendered["server_name"] = tls.server_name
        if tls.ca is not None:
            is_secret = tls.ca.secret_ref is not None
            reference = tls.ca.secret_ref or tls.ca.config_map_ref
            assert reference is not None
            rendered |= self._files(
                "secret" if is_secret else "configMap",
                reference.name,
                f"{folder}/ca",
                {"ca": (reference.key, "ca.crt")},
            )
        if tls.certificate is not None:
            rendered |= self._files(
                "secret",
                tls.certificate.secret_ref.name,
                f"{folder}/certificate",
                {"certificate": ("tls.crt", "tls.crt"), "key": ("tls.key", "tls.key")},
            )
        return rendered

    def credentials(self, credentials: Credentials, folder: str) -> dict[str, str]:
        """`credentials` as helpers have them: paths of files, which are put under `folder`."""
        reference = credentials.secret_ref
        return self._files(
            "secret",
            reference.name,
            f"{folder}/credentials",
            {
                "username": (reference.username_key, "username"),
                "password": (reference.password_key, "password"),
            },
        )

    def key(self, name: str, key: str, folder: str, what: str) -> str:
        """The path of one key of a Secret, put under `folder` as `what`."""
        return self._files("secret", name, f"{folder}/{what}", {what: (key, what)})[what]

    def mounts(self, draft: Draft) -> list[dict[str, Any]]:
        """The mount for the helper's container, and the volume in the draft; none where nothing
        is referred to."""
        if not self._sources:
            return []
        volume = _volume_name(self._name)
        draft.add_volume(
            volume,
            NewVolume(
                {"projected": {"sources": self._sources}},
                self._found,
                f"the Secrets and ConfigMaps of {self._name}",
                f"the pattern refers to {', '.join(self._said)}; read-only, in that helper alone, "
                "and none of them must exist for the Pod to start",
            ),
        )
        return [{"name": volume, "mountPath": f"{SECRETS_FOLDER}/{self._name}", "readOnly": True}]

    def _files(
        self, kind: str, name: str, folder: str, files: dict[str, tuple[str, str]]
    ) -> dict[str, str]:
        """Put keys of an object into files under `folder`; the files' paths by what they are."""
        items = [{"key": key, "path": f"{folder}/{file}"} for key, file in files.values()]
        self._sources.append({kind: {"name": name, "items": items, "optional": True}})
        title = "Secret" if kind == "secret" else "ConfigMap"
        self._said.append(f"{title} {name} ({folder.replace('/', ': ', 1)})")
        return {
            what: f"{SECRETS_FOLDER}/{self._name}/{folder}/{file}"
            for what, (_, file) in files.items()
        }


def _volume_name(helper: str) -> str:
    name = f"{_VOLUME}{helper}"
    if len(name) <= _MAX_NAME:
        return name
    short = hashlib.sha256(helper.encode()).hexdigest()[:8]
    return f"{name[: _MAX_NAME - 9].rstrip('-')}-{short}"
