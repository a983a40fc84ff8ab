"""What is wrong in references to Secrets, and no type can say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from podweave.model.addresses import host_problem
from podweave.model.errors import InputError, Path
from podweave.model.names import dns_subdomain_problem
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
        at = (*path, "ca")
        if tls.mode == "require":
            yield InputError(
                "`mode: require` trusts whoever answers: with a CA of your own, verify-full",
                path=at,
            )
        yield from _ca(tls.ca, at)
    if tls.certificate is not None:
        place = (*path, "certificate", "secretRef", "name")
        if problem := dns_subdomain_problem(tls.certificate.secret_ref.name):
            yield InputError(problem, path=place)


def check_credentials(credentials: Credentials, path: Path) -> Iterator[InputError]:
    """All that is wrong in `credentials` at `path`."""
    reference = credentials.secret_ref
    at = (*path, "secretRef")
    if problem := dns_subdomain_problem(reference.name):
        yield InputError(problem, path=(*at, "name"))
    for key, value in (
        ("usernameKey", reference.username_key),
        ("passwordKey", reference.password_key),
    ):
        if problem := data_key_problem(value):
            yield InputError(problem, path=(*at, key))
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
        if problem := dns_subdomain_problem(reference.name):
            yield InputError(problem, path=(*path, key, "name"))
        if problem := data_key_problem(reference.key):
            yield InputError(problem, path=(*path, key, "key"))


def data_key_problem(key: str) -> str | None:
    """What keeps `key` from being a key in a Secret's or ConfigMap's data; or None."""
    if not _KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
        return f"{key[:80]!r} isn't the key of such an object: letters, digits, `-`, `_` and `.`"
    return None
