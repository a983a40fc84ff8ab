"""TLS and credentials of a pattern: never a value, always the name of a Secret or ConfigMap.

What is named is mounted into the helper alone, and needn't exist: a Secret of stage isn't there
in dev. The helper says what is missing when it is needed.
"""

from __future__ import annotations

from typing import Literal

from podweave.model.pattern_parts import Strict


class CaReference(Strict):
    """A key of a Secret or ConfigMap with certificates in PEM."""

    name: str
    """metadata.name of the object, in the Pod's namespace."""
    key: str = "ca.crt"
    """The key in it: one certificate in PEM or several."""


class Ca(Strict):
    """Whom to trust: a key of one object."""

    secret_ref: CaReference | None = None
    """A Secret with the certificates."""
    config_map_ref: CaReference | None = None
    """A ConfigMap with the certificates."""


class SecretName(Strict):
    """A Secret as a whole."""

    name: str
    """metadata.name of the Secret, in the Pod's namespace."""


class Certificate(Strict):
    """A client's certificate and its private key."""

    secret_ref: SecretName
    """A Secret of type kubernetes.io/tls: the keys tls.crt and tls.key, in PEM."""


class Tls(Strict):
    """How the way to the upstream is encrypted."""

    mode: Literal["disable", "require", "verify-full"] = "verify-full"
    """`verify-full`: encrypted, and the certificate must be of a trusted CA and name the server.
    `require`: encrypted; the certificate must be of `ca` where that is given, and may have any
    name. `disable`: as without `tls`."""
    server_name: str = ""
    """The name to ask for (SNI) and to find in the certificate; default: the address's host."""
    ca: Ca | None = None
    """Whom to trust in place of the CAs that the helper's image trusts."""
    certificate: Certificate | None = None
    """What to show to a server that asks for a client's certificate."""


class CredentialsReference(Strict):
    """A Secret with a user's name and password, read anew at each dial."""

    name: str
    """metadata.name of the Secret, in the Pod's namespace."""
    username_key: str = "username"
    """The key with the user's name."""
    password_key: str = "password"
    """The key with the password."""


class Credentials(Strict):
    """As whom to log in."""

    secret_ref: CredentialsReference
    """The keys of a Secret, as of the type kubernetes.io/basic-auth."""
