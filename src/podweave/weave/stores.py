"""Stores as a helper has them: flat names, bytes as numbers, secrets as paths of files."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from podweave.model.pattern_parts import Strict
from podweave.model.quantities import bytes_of
from podweave.model.secret_references import Credentials, Tls
from podweave.model.store_rules import QUANTITIES
from podweave.model.stores import AwsKeys, Store, Token, kind_of
from podweave.weave.secret_files import SecretFiles

_WOVEN = {("FilesStore", "volume")}
"""What is the weaver's business, not the helper's."""


def render_store(store: Store, secrets: SecretFiles, folder: str) -> dict[str, Any]:
    """One of a log entry's `stores`; its secrets are files under `folder`.

    What the pattern leaves open is left open here, too.
    """
    found = kind_of(store)
    assert found is not None, "the rules let only one kind through"
    kind, settings = found
    rendered: dict[str, Any] = {"name": store.name} if store.name else {}
    return rendered | {kind: _render(settings, secrets, folder)}


def _render(part: Strict, secrets: SecretFiles, folder: str) -> dict[str, Any]:
    name = type(part).__name__
    rendered: dict[str, Any] = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if (name, field.name) in _WOVEN or (not field.required and value == field.default):
            continue
        key = field.name.removesuffix("_seconds")
        if isinstance(value, Tls):
            rendered[key] = secrets.tls(value, folder)
        elif isinstance(value, Credentials):
            rendered[key] = secrets.credentials(value, folder)
        elif isinstance(value, Token):
            rendered[key] = secrets.key(value.secret_ref.name, value.secret_ref.key, folder, key)
        elif isinstance(value, AwsKeys):
            rendered[key] = _aws_keys(value, secrets, folder)
        elif isinstance(value, Strict):
            rendered[key] = _render(value, secrets, folder)
        elif (name, field.name) in QUANTITIES:
            rendered[key] = bytes_of(value)
        elif key != field.name:
            rendered[key] = float(value)
        elif field.name in ("framing",):
            rendered[key] = re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", value)
        else:
            rendered[key] = value
    return rendered


def _aws_keys(keys: AwsKeys, secrets: SecretFiles, folder: str) -> dict[str, str]:
    reference = keys.secret_ref
    return {
        what: secrets.key(reference.name, key, folder, what)
        for what, key in (
            ("access_key_id", reference.access_key_id_key),
            ("secret_access_key", reference.secret_access_key_key),
            ("session_token", reference.session_token_key),
        )
    }
