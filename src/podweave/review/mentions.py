"""Ports and addresses that a container's arguments, environment and configuration speak of.

Each reader adds what it finds: ports the container listens on (`own`; `local` are those on loopback
only), ports of its own Pod that it dials (`wanted`), addresses outside (`remotes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from podweave.review.addresses import LOCAL, SCHEME_PORTS, URL, companion_port, foreign, port_of
from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.products import by_image
from podweave.review.relations import Dial, Remote

_LISTEN_FLAG: Final = re.compile(
    r"(listen|bind|addr$|address$|http-port|https-port|^-*port$|^-p$|^-b$|web\.|serve|"
    r"telemetry|metrics|health|admin|secure-|insecure-|advertise|^-*http$|^-*grpc$|api-port)"
)
_DIAL_FLAG: Final = re.compile(
    r"(upstream|target|backend|remote|connect|redis|mysql|postgres|pg[-_.]|mongo|database|\bdb[-_.]|"
    r"url|uri|endpoint|scrape|webhook|server|host$|dest|forward|proxy-to|app-port|address-of|"
    r"reload|prometheus|es\.|kafka|rabbit|nginx|etcd|api-?server|source|csi-address|component)"
)
_OWN_FLAG: Final = re.compile(r"-{1,2}(http|metrics|health|healthz|debug|pprof)-endpoint")
_CONFIG_DIAL: Final = re.compile(
    r"(?:(?:proxy_pass|fastcgi_pass|uwsgi_pass|grpc_pass|scgi_pass)\s+\"?(?:\w+://)?|"
    r"\bserver\s+(?:[\w.-]+\s+)?|proxypass\s+\S+\s+(?:\w+://)?|setHandler\s+\"proxy:fcgi://|reverse_proxy\s+(?:\w+://)?)"
    r"((?:localhost|127\.0\.0\.1|[\w.-]+)):(\d{2,5})",
    re.IGNORECASE,
)
_ENVOY: Final = re.compile(
    r"address:\s*[\"']?([\w.:-]+)[\"']?\s*,?\s*port_value:\s*(\d+)", re.IGNORECASE
)
_CONFIG_LISTEN: Final = re.compile(
    r"^[ \t]*(?:listen|bind)[ \t]+(?:[\w.*\[\]:]{1,60}:)?(\d{2,5})\b", re.IGNORECASE | re.MULTILINE
)


def from_argv(
    each: ContainerFacts,
    own: set[int],
    local: set[int],
    wanted: list[Dial],
    remotes: list[Remote],
) -> None:
    for flag, value in _flags(each.argv):
        low = flag.lower()
        listening = bool(_OWN_FLAG.fullmatch(low)) or (
            bool(_LISTEN_FLAG.search(low)) and not _DIAL_FLAG.search(low)
        )
        if low.rstrip("-") == "" and len(value) > 200:
            listening = False
        for match in LOCAL.finditer(value.lower()):
            port = port_of(match, low)
            if not port:
                continue
            if listening:
                local.add(port)
            else:
                shown = f"{flag} {match.group(0)}".strip()
                wanted.append(Dial(each.name, "", port, f"argument {shown}"[:90], "args"))
        if listening:
            bare = re.fullmatch(r"(?:0\.0\.0\.0|\[::\]|\*)?:?(\d{2,5})", value)
            if bare and 0 < int(bare[1]) < 65536:
                own.add(int(bare[1]))
        else:
            for address in foreign(value.lower()):
                remotes.append(Remote(each.name, address, f"argument {flag} {address}".strip()))
    if instances := re.search(
        r"(?:^|[\s=])([\w-]+:[\w-]+:[\w-]+)(?:=tcp:(?:[\d.]+:)?(\d+))?", " ".join(each.argv)
    ):
        # PROJECT:REGION:INSTANCE of Cloud SQL
        if instances[1].count(":") == 2 and not instances[1].split(":")[-1].isdigit():
            remotes.append(Remote(each.name, instances[1], f"argument {instances[1]}"))
        if instances[2]:
            own.add(int(instances[2]))


def _flags(argv: list[str]) -> Iterator[tuple[str, str]]:
    """Arguments as (flag, value), whether written as one word or as two; of scripts too."""
    flag = ""
    words: list[str] = []
    for word in argv:
        if ("\n" in word or " " in word) and (" -" in word) and not word.startswith("-"):
            yield "", word
            words.extend(part.strip("\"';") for part in word.split()[:400])
        else:
            words.append(word)
    for word in words:
        if word.startswith("-") and len(word) < 300:
            name, equals, value = word.partition("=")
            if not equals and " " in word:
                name, _, value = word.partition(" ")
            if value:
                yield name, value
                flag = ""
            else:
                flag = name
        else:
            yield flag, word
            flag = ""


def from_env(
    each: ContainerFacts,
    own: set[int],
    wanted: list[Dial],
    remotes: list[Remote],
    pod: PodFacts,
) -> None:
    values = {env.name: env.value for env in each.env if env.value}
    # A Service that leads back into this very Pod, and a sibling's name, are the same wish.
    names: dict[str, int] = {}
    for service in pod.services:
        if isinstance(service.target, int):
            names.setdefault(service.service.lower(), service.target)
    siblings = {other.name.lower(): other for other in pod.running if other.name != each.name}
    for name, value in values.items():
        low = value.lower()
        upper = name.upper()
        listening = bool(
            re.search(r"(LISTEN|BIND|ADVERTISE|CORS|ALLOWED|ORIGIN|TRUSTED|NO_PROXY|POD_IP)", upper)
        )
        if upper in {"PORT", "SERVER_PORT", "HTTP_PORT", "APP_PORT", "LISTEN_PORT"}:
            if value.isdigit() and 0 < int(value) < 65536:
                own.add(int(value))
            continue
        if listening:
            continue
        for match in LOCAL.finditer(low):
            port = port_of(match, name.lower()) or companion_port(name, values)
            if port or _REACHES.search(upper):
                wanted.append(Dial(each.name, "", port, f"{name}={value[:60]}", "env"))
        host = low.rpartition("@")[2].split("://")[-1].split("/")[0]
        host, _, port_text = host.partition(":")
        first = host.split(".")[0]
        if first in names:
            port = int(port_text) if port_text.isdigit() else names[first]
            targets = [
                s.target for s in pod.services if s.service.lower() == first and s.port == port
            ]
            target = targets[0] if targets and isinstance(targets[0], int) else names[first]
            wanted.append(Dial(each.name, "", target, f"{name}={value[:60]}", "env"))
        elif host in siblings and re.search(r"(HOST|URL|URI|ADDR|SERVER|ENDPOINT|BROKER)", upper):
            ports = sorted(port.number for port in siblings[host].ports)
            product = by_image(siblings[host].image)
            port = (
                int(port_text)
                if port_text.isdigit()
                else (ports[0] if ports else (product.ports[0] if product and product.ports else 0))
            )
            if port:
                wanted.append(Dial(each.name, "", port, f"{name}={value[:60]}", "env"))
        else:
            for address in foreign(low):
                remotes.append(Remote(each.name, address, f"{name}={value[:60]}"))


_REACHES: Final = re.compile(
    r"(DB|DATABASE|SQL|PG|MONGO|REDIS|CACHE|QUEUE|BROKER|AGENT|PROXY|BACKEND|API|COLLECTOR|STATSD|"
    r"UPSTREAM|GATEWAY|SIDECAR)[A-Z0-9_]*_?(HOST|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT)"
)
"""Settings that name something the container calls, and not itself."""


def from_config(
    each: ContainerFacts, own: set[int], wanted: list[Dial], remotes: list[Remote]
) -> None:
    for key, content in each.config.items():
        for place, port in _configured(content):
            if place == "listen":
                own.add(port)
            elif place in {"localhost", "127.0.0.1", "::1"}:
                wanted.append(Dial(each.name, "", port, f"{key}: {place}:{port}", "config"))
            elif place not in {"0.0.0.0", "::"}:
                remotes.append(Remote(each.name, f"{place}:{port}", f"{key}: {place}:{port}"))


@lru_cache(1024)
def _configured(content: str) -> list[tuple[str, int]]:
    """(host or `listen`, port) pairs that a configuration file speaks of."""
    found = [("listen", int(match[1])) for match in _CONFIG_LISTEN.finditer(content)]
    for pattern in (_CONFIG_DIAL, _ENVOY):
        found += [(match[1].lower(), int(match[2])) for match in pattern.finditer(content)]
    for match in LOCAL.finditer(content.lower()):
        if match["port"]:
            found.append(("localhost", int(match["port"])))
        elif match["scheme"] in SCHEME_PORTS:
            found.append(("localhost", SCHEME_PORTS[match["scheme"]]))
    for match in URL.finditer(content.lower()):
        if match[1] not in {"localhost", "127.0.0.1"} and "." in match[1]:
            found.append((match[1], 0))
    return list(dict.fromkeys(found))
