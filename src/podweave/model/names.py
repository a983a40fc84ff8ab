"""The names Kubernetes allows, and HTTP's: what is wrong with one, in words."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

_LABEL_RULE: Final = (
    "lower-case letters, digits and `-`, beginning and ending with a letter or digit"
)


def dns_label_problem(name: str) -> str | None:
    """What keeps `name` from being an RFC 1123 label (names of containers, volumes); or None."""
    if not name:
        return "the name is empty"
    if len(name) > 63:
        return f"{name!r} has {len(name)} characters, and 63 are allowed"
    if not _LABEL.fullmatch(name):
        return f"{name!r} isn't a valid name: {_LABEL_RULE}"
    return None


def dns_subdomain_problem(name: str) -> str | None:
    """What keeps `name` from being an RFC 1123 subdomain (names of most objects); or None."""
    if not name:
        return "the name is empty"
    if len(name) > 253:
        return f"{name[:40]!r}... has {len(name)} characters, and 253 are allowed"
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return f"{name!r} isn't a valid name: {_LABEL_RULE}; `.` between such parts"
    return None


def label_key_problem(key: str) -> str | None:
    """What keeps `key` from being the key of a label or annotation; or None."""
    prefix, slash, name = key.rpartition("/")
    if slash and (dns_subdomain_problem(prefix) is not None):
        return f"the prefix of {key!r} isn't a DNS name"
    if len(name) > 63 or not _QUALIFIED.fullmatch(name):
        return (
            f"{key!r} isn't a valid key: at most 63 letters, digits, `-`, `_` and `.`, "
            "beginning and ending with a letter or digit"
        )
    return None


def label_value_problem(value: str) -> str | None:
    """What keeps `value` from being the value of a label; or None."""
    if value and (len(value) > 63 or not _QUALIFIED.fullmatch(value)):
        return (
            f"{value[:80]!r} isn't a valid label: at most 63 letters, digits, `-`, `_` and `.`, "
            "beginning and ending with a letter or digit"
        )
    return None


def is_token(text: str) -> bool:
    """Whether it can be a method or the name of a header field (RFC 9110, section 5.6.2)."""
    return bool(_TOKEN.fullmatch(text))
