"""What is wrong in references to Secrets, and no type can say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from podweave.model.addresses import host_problem
from podweave.model.errors import InputError, Path
from podweave.model.names import dns_subdomain_problem
from podweave.model.pattern_parts import Strict
from podweave.model.secret_references import Ca, Credentials, Tls

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")


def check_tls(tls: Tls, path: Path) -> Iterator[InputError]:
    """All that is wrong in a `tls` at `path`."""
    if tls.mode == "disable":
        for key, value in (
            ("serverName", tls.server_name),
            ("ca", tls.ca),
            ("certificate", tls.certificate),
        ):
            if value:
                yield InputError("means nothing beside `mode: disable`", path=(*path, key))
        return
    if tls.server_name and (problem := host_problem(tls.server_name)):
        yield InputError(problem, path=(*path, "serverName"))
    if tls.ca is not None:
        yield from _ca(tls.ca, (*path, "ca"))
    if tls.certificate is not None:
        at = (*path, "certificate", "secretRef")
        yield from check_reference(tls.certificate.secret_ref, at)


def check_credentials(credentials: Credentials, path: Path) -> Iterator[InputError]:
    """All that is wrong in `credentials` at `path`."""
    reference = credentials.secret_ref
    at = (*path, "secretRef")
    yield from check_reference(reference, at)
    if reference.username_key == reference.password_key:
        yield InputError(
            f"{reference.password_key!r} is the key of the user's name, too",
            path=(*at, "passwordKey"),
        )


def _ca(ca: Ca, path: Path) -> Iterator[InputError]:
    references = {"secretRef": ca.secret_ref, "configMapRef": ca.config_map_ref}
    stated = {key: reference for key, reference in references.items() if reference is not None}
    if len(stated) != 1:
        yield InputError("either secretRef or configMapRef", path=path)
    for key, reference in stated.items():
        yield from check_reference(reference, (*path, key))


def check_reference(reference: Strict, path: Path) -> Iterator[InputError]:
    """The `name` of an object, and keys of its data: all that a reference at `path` has."""
    for field in msgspec.structs.fields(reference):
        value = getattr(reference, field.name)
        rule = dns_subdomain_problem if field.name == "name" else _data_key_problem
        if problem := rule(value):
            yield InputError(problem, path=(*path, field.encode_name))


def _data_key_problem(key: str) -> str | None:
    """What keeps `key` from being a key in a Secret's or ConfigMap's data; or None."""
    if not _KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
        return f"{key[:80]!r} isn't the key of such an object: letters, digits, `-`, `_` and `.`"
    return None
