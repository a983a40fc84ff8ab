"""The configuration of one profile, as the weaver renders it.

    {"upstreams": [["db.example", 5432, 3, 0]], "balance": "weighted",
     "health_check": {"interval": 10.0, "timeout": 3.0, "unhealthy_after": 3, "healthy_after": 2,
                      "http": {"path": "/healthz", "host": "db.example", "port": 8080}},
     "ejection": {"failures": 5, "seconds": 30.0}, "limits": {"connections": 0, "waiting": 0},
     "tls": {"mode": "verify-full", "server_name": "db.example", "ca": "/…/ca.crt",
             "certificate": "/…/tls.crt", "key": "/…/tls.key"},
     "credentials": {"username": "/…/username", "password": "/…/password"},
     "database": "orders_stage"}

All but `upstreams` may be left out, and so may the third and fourth element of an upstream: its
weight, 1, and its priority, 0.
"""

from __future__ import annotations

from podweave.helpers.ambassador.policies import Ejection, HealthCheck, HttpCheck, Limits
from podweave.helpers.ambassador.profiles import BALANCES, WEIGHTED, Profile, Upstream
from podweave.helpers.ambassador.sessions.credentials import Credentials
from podweave.helpers.configuration import ConfigurationError, address, integer
from podweave.helpers.dialing.tls import MODES, TlsOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section

LOGIN_PROTOCOLS = ("postgres", "mysql", "redis")

_MAX_WEIGHT = 1000
_MAX_PRIORITY = 100
_MAX_CLIENTS = 1_000_000


def read_profile(name: str, section: Section, protocol: str) -> Profile:
    """ConfigurationError says what is wrong, and where."""
    upstreams = [_upstream(value, path) for path, value in section.array("upstreams")]
    if not upstreams:
        raise ConfigurationError(section.at("upstreams"), "must have an upstream at least")
    profile = Profile(
        name,
        upstreams,
        balance=section.text("balance", among=BALANCES) if "balance" in section else WEIGHTED,
        health_check=_health_check(section),
        ejection=_ejection(section),
        limits=_limits(section),
        tls=_tls(section),
        credentials=_credentials(section),
        database=section.text("database") if "database" in section else "",
    )
    for key, value in (("credentials", profile.credentials), ("database", profile.database)):
        if value and protocol not in LOGIN_PROTOCOLS:
            known = ", ".join(LOGIN_PROTOCOLS)
            message = f"is for {known}; the protocol is {protocol}"
            raise ConfigurationError(section.at(key), message)
    if "http" in section:
        if protocol != "http":
            raise ConfigurationError(section.at("http"), f"the protocol is {protocol}, not http")
        from podweave.helpers.ambassador.http.settings import read_http

        profile.http = read_http(section.section("http"), name, _upstream)
        for group in profile.http.groups.values():
            group.tls, group.limits = profile.tls, profile.limits
            group.health_check, group.ejection = profile.health_check, profile.ejection
    section.end()
    return profile


def _upstream(value: Any, path: str) -> Upstream:
    if not isinstance(value, list) or not 2 <= len(value) <= 4:
        raise ConfigurationError(path, 'must be an upstream ["HOST", PORT, WEIGHT, PRIORITY]')
    host, port = address(value[:2], path, least_port=1)
    weight = integer(value[2], f"{path}[2]", 1, _MAX_WEIGHT) if len(value) > 2 else 1
    priority = integer(value[3], f"{path}[3]", 0, _MAX_PRIORITY) if len(value) > 3 else 0
    return Upstream(host, port, weight, priority)


def _health_check(section: Section) -> HealthCheck | None:
    if (inner := section.optional("health_check")) is None:
        return None
    check = HealthCheck(
        interval=inner.seconds("interval", 10.0, least=0.05),
        timeout=inner.seconds("timeout", 3.0, least=0.05),
        unhealthy_after=_count(inner, "unhealthy_after", 3, 1, 100),
        healthy_after=_count(inner, "healthy_after", 2, 1, 100),
    )
    if (http := inner.optional("http")) is not None:
        check.http = HttpCheck(
            http.text("path"),
            http.text("host") if "host" in http else "",
            http.integer("port", 1, 65535) if "port" in http else 0,
        )
        for key, value in (("path", check.http.path), ("host", check.http.host)):
            if not all("!" <= char <= "~" for char in value):
                raise ConfigurationError(http.at(key), "has a character that HTTP doesn't allow")
        if not check.http.path.startswith("/"):
            raise ConfigurationError(http.at("path"), "must begin with /")
        http.end()
    inner.end()
    return check


def _ejection(section: Section) -> Ejection | None:
    if (inner := section.optional("ejection")) is None:
        return None
    plain = Ejection()
    ejection = Ejection(
        _count(inner, "failures", plain.failures, 0, 1000),
        inner.seconds("seconds", plain.seconds),
    )
    inner.end()
    return ejection


def _limits(section: Section) -> Limits | None:
    if (inner := section.optional("limits")) is None:
        return None
    limits = Limits(
        _count(inner, "connections", 0, 0, _MAX_CLIENTS),
        _count(inner, "waiting", 0, 0, _MAX_CLIENTS),
    )
    inner.end()
    return limits


def _tls(section: Section) -> TlsOptions | None:
    if (inner := section.optional("tls")) is None:
        return None
    tls = TlsOptions(inner.text("mode", among=MODES))
    for key in ("server_name", "ca", "certificate", "key"):
        if key in inner:
            setattr(tls, key, inner.text(key))
    if bool(tls.certificate) != bool(tls.key):
        raise ConfigurationError(inner.path, "must have both certificate and key, or neither")
    inner.end()
    return tls if tls.enabled else None


def _credentials(section: Section) -> Credentials | None:
    if (inner := section.optional("credentials")) is None:
        return None
    files = Credentials(
        inner.text("username") if "username" in inner else "", inner.text("password")
    )
    inner.end()
    return files


def _count(section: Section, key: str, default: int, least: int, most: int) -> int:
    return section.integer(key, least, most) if key in section else default
