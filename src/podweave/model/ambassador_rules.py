"""What is wrong in an Ambassador and no type can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from podweave.model.addresses import Address, leads_to, parse_address, parse_listen
from podweave.model.ambassador_patterns import (
    AmbassadorSpec,
    HealthCheck,
    OnSwitch,
    Profile,
)
from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.http_patterns import HttpGroup
from podweave.model.http_rules import check_http
from podweave.model.names import label_value_problem
from podweave.model.own_containers import NOT_THE_HELPERS, check_beside
from podweave.model.secret_rules import check_credentials, check_tls
from podweave.model.suggestions import did_you_mean

MAX_SECONDS: Final = 3600
MAX_CLIENTS: Final = 1_000_000

BOUNDS: Final[Bounds] = {
    ("AmbassadorSpec", "connectTimeoutSeconds"): (1, MAX_SECONDS),
    ("AmbassadorSpec", "loginTimeoutSeconds"): (1, MAX_SECONDS),
    ("AmbassadorSpec", "drainSeconds"): (0, MAX_SECONDS),
    ("OnSwitch", "graceSeconds"): (0, MAX_SECONDS),
    ("Upstream", "weight"): (1, 1000),
    ("Upstream", "priority"): (0, 100),
    ("HealthCheck", "intervalSeconds"): (1, MAX_SECONDS),
    ("HealthCheck", "timeoutSeconds"): (1, 60),
    ("HealthCheck", "unhealthyAfter"): (1, 100),
    ("HealthCheck", "healthyAfter"): (1, 100),
    ("HttpCheck", "port"): (1, 65535),
    ("Ejection", "failures"): (0, 1000),
    ("Ejection", "seconds"): (1, MAX_SECONDS),
    ("ConnectionLimits", "connections"): (0, MAX_CLIENTS),
    ("ConnectionLimits", "waiting"): (0, MAX_CLIENTS),
}

LOGIN_PROTOCOLS: Final = ("postgres", "mysql", "redis")
"""Of these the ambassador knows the login, so that it can replace it."""

AWAITED_PROTOCOLS: Final = ("postgres", "mysql")
"""Of these a client has something to say before it is connected."""

_DATABASE_BYTES: Final = {"postgres": 63, "mysql": 256}
"""PostgreSQL: NAMEDATALEN less one; MySQL: 64 characters of up to 4 bytes."""


def check_ambassador(spec: AmbassadorSpec, path: Path) -> Iterator[InputError]:
    """All that is wrong in the spec at `path`."""
    listen: list[Address] = []
    if spec.listen:
        try:
            listen = parse_listen(spec.listen)
        except InputError as error:
            yield InputError(error.message, path=(*path, "listen"))
    if spec.container is not None:
        yield from check_beside(spec, ("listen", *NOT_THE_HELPERS), path)
        return
    if not spec.listen:
        yield InputError("listen is missing: localhost:PORT, where the app connects to", path=path)
    if not spec.profiles:
        yield InputError(
            "profiles is missing: at least one, as in "
            "`profiles: {dev: {upstreams: [{address: db.example:5432}]}}`",
            path=path,
        )
    for name, profile in spec.profiles.items():
        place = (*path, "profiles", name)
        if problem := label_value_problem(name) or (None if name else "a profile has a name"):
            yield InputError(problem, path=place)
        yield from _profile(profile, spec, listen, place)
    if spec.profiles:
        yield from _default_profile(spec, path)
    yield from _bounds(spec, path)
    waits = spec.protocol in AWAITED_PROTOCOLS
    if not waits and spec.login_timeout_seconds != AmbassadorSpec().login_timeout_seconds:
        known = " and ".join(AWAITED_PROTOCOLS)
        message = f"the protocol is {spec.protocol}: a login is waited for in {known} only"
        yield InputError(message, path=(*path, "loginTimeoutSeconds"))
    if spec.on_switch is not None:
        yield from _on_switch(spec.on_switch, (*path, "onSwitch"))
    if spec.datapath == "kernel":
        yield from _kernel(spec, path)


def _profile(
    profile: Profile, spec: AmbassadorSpec, listen: list[Address], path: Path
) -> Iterator[InputError]:
    yield from _upstreams(profile, listen, path)
    if profile.health_check is not None:
        yield from _health_check(profile.health_check, (*path, "healthCheck"))
    if profile.http is not None:
        at = (*path, "http")
        if spec.protocol != "http":
            message = f"the protocol is {spec.protocol}: with `protocol: http` requests are read"
            yield InputError(message, path=at)
        yield from check_http(profile.http, at)
        for name, group in profile.http.groups.items():
            yield from _upstreams(group, listen, (*at, "groups", name))
    for part, key in ((profile.ejection, "ejection"), (profile.limits, "limits")):
        if part is not None:
            yield from _bounds(part, (*path, key))
    if profile.tls is not None:
        yield from check_tls(profile.tls, (*path, "tls"))
    if profile.credentials is not None:
        at = (*path, "credentials")
        if spec.protocol not in LOGIN_PROTOCOLS:
            yield InputError(_not_of(spec.protocol, "a login"), path=at)
        else:
            yield from check_credentials(profile.credentials, at)
    if profile.database != "":
        at = (*path, "database")
        if spec.protocol not in LOGIN_PROTOCOLS:
            yield InputError(_not_of(spec.protocol, "a database"), path=at)
        elif problem := _database_problem(profile.database, spec.protocol):
            yield InputError(problem, path=at)


def _not_of(protocol: str, what: str) -> str:
    known = ", ".join(LOGIN_PROTOCOLS)
    return f"the protocol is {protocol}, and {what} can be replaced in {known} only"


def _database_problem(database: str | int, protocol: str) -> str | None:
    if protocol == "redis":
        if not str(database).isascii() or not str(database).isdigit() or int(database) > 65535:
            return f"{database!r} isn't the number of a Redis database, 0 to 65535"
        return None
    name = str(database)
    if "\0" in name or not name.strip():
        return f"{name!r} isn't the name of a database"
    if len(name.encode()) > (most := _DATABASE_BYTES[protocol]):
        return f"the name has {len(name.encode())} bytes, and {protocol} takes {most}"
    return None


def _upstreams(
    profile: Profile | HttpGroup, listen: list[Address], path: Path
) -> Iterator[InputError]:
    if not profile.upstreams:
        what = "profile" if isinstance(profile, Profile) else "group"
        yield InputError(f"a {what} has at least one upstream", path=(*path, "upstreams"))
    known: dict[tuple[str, int], int] = {}
    for index, upstream in enumerate(profile.upstreams):
        place = (*path, "upstreams", index)
        try:
            address = parse_address(upstream.address)
        except InputError as error:
            yield InputError(error.message, path=(*place, "address"))
        else:
            if any(leads_to(address, each) for each in listen):
                yield InputError(
                    f"{upstream.address} is where the ambassador itself listens: "
                    "it would connect to itself without end",
                    path=(*place, "address"),
                )
            first = known.setdefault((address.host.lower(), address.port), index)
            if first != index:
                yield InputError(
                    f"{upstream.address} is upstreams[{first}] already: give that one more weight",
                    path=(*place, "address"),
                )
        yield from _bounds(upstream, place)


def _health_check(check: HealthCheck, path: Path) -> Iterator[InputError]:
    yield from _bounds(check, path)
    if check.timeout_seconds is not None and check.timeout_seconds > check.interval_seconds:
        yield InputError(
            f"{check.timeout_seconds} is longer than intervalSeconds, {check.interval_seconds}: "
            "a check would begin before the last one has ended",
            path=(*path, "timeoutSeconds"),
        )
    if (http := check.http) is None:
        return
    at = (*path, "http")
    yield from _bounds(http, at)
    if not http.path.startswith("/") or not _is_visible(http.path):
        yield InputError(f"{http.path!r} isn't a path: as in /healthz", path=(*at, "path"))
    if http.host and not (_is_visible(http.host) and "/" not in http.host):
        yield InputError(f"{http.host!r} isn't a Host: as in db.example", path=(*at, "host"))


def _on_switch(on_switch: OnSwitch, path: Path) -> Iterator[InputError]:
    yield from _bounds(on_switch, path)
    if on_switch.existing != "drain" and on_switch.grace_seconds != OnSwitch().grace_seconds:
        yield InputError(
            f"only `existing: drain` has a grace time, and it is {on_switch.existing}",
            path=(*path, "graceSeconds"),
        )


def _kernel(spec: AmbassadorSpec, path: Path) -> Iterator[InputError]:
    at = (*path, "datapath")
    if spec.protocol != "tcp":
        yield InputError(
            f"kernel is for plain tcp, and the protocol is {spec.protocol}: take auto or proxy",
            path=at,
        )
        return
    for name, profile in spec.profiles.items():
        if profile.tls is not None and profile.tls.mode != "disable":
            yield InputError(
                f"kernel is for plain tcp, and the profile {name} has tls: take auto or proxy",
                path=at,
            )


def _default_profile(spec: AmbassadorSpec, path: Path) -> Iterator[InputError]:
    # Without one the Pod's label or the caller must choose: the weaver says so where neither does.
    if spec.profile is not None and spec.profile not in spec.profiles:
        names = ", ".join(spec.profiles)
        hint = did_you_mean(spec.profile, spec.profiles) or f"; there are {names}"
        yield InputError(f"no profile is called {spec.profile!r}{hint}", path=(*path, "profile"))


def _bounds(struct: msgspec.Struct, path: Path) -> Iterator[InputError]:
    """Numbers of one struct that are out of their bounds."""
    return check_bounds(struct, BOUNDS, path)


def _is_visible(text: str) -> bool:
    """Whether it can stand in the head of an HTTP request."""
    return all("!" <= char <= "~" for char in text)
