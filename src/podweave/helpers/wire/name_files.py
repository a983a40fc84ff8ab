"""What /etc/resolv.conf and /etc/hosts say, without I/O: text in, settings out.

Lenient as the C library is: what is not understood is passed over, for these files are
written by others and a helper must come up whatever is in them.
"""

from __future__ import annotations

DEFAULT_TIMEOUT = 2.0
"""Seconds for one server. The C library's 5 would use up half of a usual dial."""

_SERVER_LIMIT = 3
_SEARCH_LIMIT = 32
_TIMEOUT_LIMIT = 30
_ATTEMPTS_LIMIT = 5
_NDOTS_LIMIT = 15


class ResolverSettings:
    """The parts of resolv.conf(5) that a stub resolver for addresses needs."""

    __slots__ = ("attempts", "ndots", "rotate", "search", "servers", "timeout")

    def __init__(self) -> None:
        self.servers: list[str] = []
        self.search: list[str] = []
        self.ndots = 1
        self.timeout = DEFAULT_TIMEOUT
        self.attempts = 2
        self.rotate = False

    def candidates(self, name: str) -> list[str]:
        """The full names to ask for, in order: where `name` has few dots, the search list first."""
        if name.endswith("."):
            return [name.removesuffix(".")]
        searched = [f"{name}.{domain}" for domain in self.search]
        return [name, *searched] if name.count(".") >= self.ndots else [*searched, name]


def parse_resolv_conf(text: str) -> ResolverSettings:
    settings = ResolverSettings()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0][0] in "#;":
            continue
        keyword, values = words[0], words[1:]
        if keyword == "nameserver":
            settings.servers.append(values[0])
        elif keyword in ("search", "domain"):
            domains = [value.strip(".") for value in values if value[0] not in "#;"]
            settings.search = [domain for domain in domains if domain][:_SEARCH_LIMIT]
        elif keyword == "options":
            for option in values:
                _set_option(settings, option)
    settings.servers = settings.servers[:_SERVER_LIMIT] or ["127.0.0.1"]
    return settings


def _set_option(settings: ResolverSettings, option: str) -> None:
    name, _, value = option.partition(":")
    if name == "rotate":
        settings.rotate = True
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        return
    if name == "ndots":
        settings.ndots = min(int(value), _NDOTS_LIMIT)
    elif name == "timeout":
        settings.timeout = float(min(max(int(value), 1), _TIMEOUT_LIMIT))
    elif name == "attempts":
        settings.attempts = min(max(int(value), 1), _ATTEMPTS_LIMIT)


def parse_hosts(text: str) -> dict[str, list[str]]:
    """The addresses of each name, in lower case, in the order of the file."""
    hosts: dict[str, list[str]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            addresses = hosts.setdefault(name.lower(), [])
            if address not in addresses:
                addresses.append(address)
    return hosts
