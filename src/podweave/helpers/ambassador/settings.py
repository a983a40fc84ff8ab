"""The ambassador's configuration, as the weaver renders it.

    {"version": 1, "program": "ambassador", "name": "orders-db",
     "listen": [["127.0.0.1", 5432], ["::1", 5432]], "admin": ["127.0.0.1", 15901],
     "protocol": "postgres", "profile": "dev",
     "profiles": {"dev": {"upstreams": [["dev-db.example", 5432, 1]]}},
     "connect_timeout": 10.0, "drain": 30.0}

`admin` may be null. A third element of an upstream is its weight, 1 when it is left out.
"""

from __future__ import annotations

from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.configuration import ConfigurationError, Section, address, integer
from podweave.helpers.dialing.connector import address_family, is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROTOCOLS = ("tcp", "http", "postgres", "mysql", "redis")
"""Every one of them is relayed as it is by this version."""

CONNECT_TIMEOUT = 10.0
DRAIN = 30.0
_MAX_WEIGHT = 1000


class Settings:
    __slots__ = (
        "admin",
        "connect_timeout",
        "drain",
        "listen",
        "name",
        "profile",
        "profiles",
        "protocol",
    )

    def __init__(self, config: dict[str, Any]) -> None:
        """ConfigurationError says what is wrong, and where."""
        section = Section(config)
        self.name = section.begin("ambassador")
        self.listen = [_listen(value, path) for path, value in section.array("listen")]
        if not self.listen:
            raise ConfigurationError("listen", "must have an address at least")
        self.admin = _admin(section)
        self.protocol = section.text("protocol", among=PROTOCOLS)
        profiles = section.sections("profiles")
        if not profiles:
            raise ConfigurationError("profiles", "must have a profile at least")
        self.profiles = {name: self._profile(name, inner) for name, inner in profiles.items()}
        self.profile = section.text("profile", among=tuple(self.profiles))
        self.connect_timeout = section.seconds("connect_timeout", CONNECT_TIMEOUT)
        self.drain = section.seconds("drain", DRAIN)
        section.end()

    def _profile(self, name: str, section: Section) -> Profile:
        upstreams = [self._upstream(value, path) for path, value in section.array("upstreams")]
        if not upstreams:
            raise ConfigurationError(section.at("upstreams"), "must have an upstream at least")
        section.end()
        return Profile(name, upstreams)

    def _upstream(self, value: Any, path: str) -> Upstream:
        if not isinstance(value, list) or len(value) not in (2, 3):
            raise ConfigurationError(path, 'must be an upstream ["HOST", PORT, WEIGHT]')
        host, port = address(value[:2], path, least_port=1)
        weight = integer(value[2], f"{path}[2]", 1, _MAX_WEIGHT) if len(value) == 3 else 1
        if any(_reaches(host, port, listen) for listen in self.listen):
            raise ConfigurationError(
                path, f"port {port} of {host} is where the ambassador itself listens"
            )
        return Upstream(host, port, weight)


def _reaches(host: str, port: int, listen: tuple[str, int]) -> bool:
    """Whether dialling `host` ends at the ambassador's own listener: a circle without end."""
    listen_host, listen_port = listen
    if port != listen_port:
        return False
    if host == listen_host:
        return True
    by_name = address_family(host) is None
    everywhere = listen_host in ("0.0.0.0", "::")
    return is_loopback(host) and (everywhere or (by_name and is_loopback(listen_host)))


def _listen(value: Any, path: str) -> tuple[str, int]:
    host, port = address(value, path)
    if address_family(host) is None:
        raise ConfigurationError(f"{path}[0]", f"is {host!r}; must be an IP address")
    return host, port


def _admin(section: Section) -> tuple[str, int] | None:
    value = section.take("admin")
    return None if value is None else _listen(value, "admin")
