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
from podweave.helpers.dialing.tls import read_tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.dialing.tls import TlsOptions

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
        balance=section.text("balance", WEIGHTED, among=BALANCES),
        health_check=_health_check(section),
        ejection=_ejection(section),
        limits=_limits(section),
        tls=_tls(section),
        credentials=_credentials(section),
        database=section.text("database", ""),
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
        unhealthy_after=inner.integer("unhealthy_after", 1, 100, 3),
        healthy_after=inner.integer("healthy_after", 1, 100, 2),
    )
    if (http := inner.optional("http")) is not None:
        check.http = HttpCheck(
            http.text("path"),
            http.text("host", ""),
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
        inner.integer("failures", 0, 1000, plain.failures),
        inner.seconds("seconds", plain.seconds),
    )
    inner.end()
    return ejection


def _limits(section: Section) -> Limits | None:
    if (inner := section.optional("limits")) is None:
        return None
    limits = Limits(
        inner.integer("connections", 0, _MAX_CLIENTS, 0),
        inner.integer("waiting", 0, _MAX_CLIENTS, 0),
    )
    inner.end()
    return limits


def _tls(section: Section) -> TlsOptions | None:
    if (inner := section.optional("tls")) is None:
        return None
    tls = read_tls(inner)
    return tls if tls.enabled else None


def _credentials(section: Section) -> Credentials | None:
    if (inner := section.optional("credentials")) is None:
        return None
    files = Credentials(inner.text("username", ""), inner.text("password"))
    inner.end()
    return files
