"""The ambassador's configuration, as the weaver renders it.

    {"version": 1, "program": "ambassador", "name": "orders-db",
     "listen": [["127.0.0.1", 5432], ["::1", 5432]], "admin": ["127.0.0.1", 15901],
     "protocol": "postgres", "datapath": "auto", "profile": "dev",
     "profiles": {"dev": {"upstreams": [["dev-db.example", 5432, 1, 0]]}},
     "on_switch": {"existing": "keep", "grace": 30.0},
     "connect_timeout": 10.0, "login_timeout": 60.0, "drain": 30.0,
     "stops_with_application": false,
     "metrics": [["0.0.0.0", 9102], ["::", 9102]], "helper_ports": [9103]}

Without `datapath` it is the proxy: whoever starts an ambassador outside of a Pod, as for a
published port, must not have the machine's own connections redirected.

`admin` may be null. `stops_with_application` is true in a plain container, which is told to stop
together with the application; `helper_ports` are those of other helpers, which say nothing about
whether the application is still there. What a profile is made of is in `profile_settings`.
"""

from __future__ import annotations

from podweave.helpers import metrics_endpoint
from podweave.helpers.ambassador.policies import OnSwitch
from podweave.helpers.ambassador.profile_settings import read_profile
from podweave.helpers.configuration import ConfigurationError, Section, address, integer
from podweave.helpers.dialing.connector import address_family, is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.ambassador.profiles import Profile

PROTOCOLS = ("tcp", "http", "postgres", "mysql", "redis")
DATAPATHS = ("auto", "proxy", "kernel")
EXISTING = ("keep", "drain", "cut")
"""What a switch does to open connections."""

CONNECT_TIMEOUT = 10.0
LOGIN_TIMEOUT = 60.0
"""Of PostgreSQL (authentication_timeout), pgbouncer (client_login_timeout)."""
DRAIN = 30.0


class Settings:
    __slots__ = (
        "_profiles",
        "admin",
        "connect_timeout",
        "datapath",
        "drain",
        "helper_ports",
        "listen",
        "login_timeout",
        "metrics",
        "name",
        "on_switch",
        "profile",
        "profiles",
        "protocol",
        "stops_with_application",
    )

    def __init__(self, config: dict[str, Any]) -> None:
        """ConfigurationError says what is wrong, and where."""
        self._profiles = config.get("profiles")
        section = Section(config)
        self.name = section.begin("ambassador")
        self.listen = [_listen(value, path) for path, value in section.array("listen")]
        if not self.listen:
            raise ConfigurationError("listen", "must have an address at least")
        self.admin = _admin(section)
        self.metrics = metrics_endpoint.configure(section)
        self.protocol = section.text("protocol", among=PROTOCOLS)
        self.datapath = section.text("datapath", "proxy", among=DATAPATHS)
        profiles = section.sections("profiles")
        if not profiles:
            raise ConfigurationError("profiles", "must have a profile at least")
        self.profiles = {name: self._profile(name, inner) for name, inner in profiles.items()}
        self.profile = section.text("profile", among=tuple(self.profiles))
        self.connect_timeout = section.seconds("connect_timeout", CONNECT_TIMEOUT)
        self.login_timeout = section.seconds("login_timeout", LOGIN_TIMEOUT, least=0.1)
        self.drain = section.seconds("drain", DRAIN)
        self.on_switch = _on_switch(section)
        self.stops_with_application = section.boolean("stops_with_application")
        self.helper_ports: list[int] = []
        if "helper_ports" in section:
            ports = section.array("helper_ports")
            self.helper_ports = [integer(port, path, 1, 65535) for path, port in ports]
        section.end()

    def raw_profile(self, name: str) -> object:
        """A profile as it was written, to see whether it has changed. None: it isn't there."""
        return self._profiles.get(name) if isinstance(self._profiles, dict) else None

    def _profile(self, name: str, section: Section) -> Profile:
        path = section.at("upstreams")
        profile = read_profile(name, section, self.protocol)
        places = [(path, profile)]
        if profile.http is not None:
            groups = section.at("http.groups")
            places += [
                (f"{groups}.{key}.upstreams", each) for key, each in profile.http.groups.items()
            ]
        for place, each in places:
            for index, upstream in enumerate(each.upstreams):
                host, port = upstream.host, upstream.port
                if any(_reaches(host, port, listen) for listen in self.listen):
                    raise ConfigurationError(
                        f"{place}[{index}]",
                        f"port {port} of {host} is where the ambassador itself listens",
                    )
        return profile


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


def _on_switch(section: Section) -> OnSwitch:
    on_switch = OnSwitch()
    if (inner := section.optional("on_switch")) is not None:
        if "existing" in inner:
            on_switch.existing = inner.text("existing", among=EXISTING)
        on_switch.grace = inner.seconds("grace", on_switch.grace)
        inner.end()
    return on_switch
