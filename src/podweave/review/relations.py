"""Who talks to whom: listening ports, dialled ports, shared volumes.

Directions matter more than contacts. An edge goes from the one that needs to the one that is
needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.products import by_image, recognise

Purpose = Literal["data", "log", "socket", "scratch"]


class Dial(NamedTuple):
    """A container reaches for a port of its own Pod."""

    client: str
    server: str
    port: int
    why: str
    """Where that is written: `env DB_HOST=localhost`."""
    place: Literal["env", "args", "config", "probe", "inferred"]


class Share(NamedTuple):
    """Two containers mount the same part of the same volume."""

    volume: str
    kind: str
    first: str
    second: str
    purpose: Purpose
    reader: str
    """The one that mounts it read-only while the other writes; else empty."""
    paths: tuple[str, str]


class Remote(NamedTuple):
    """A container is given an address outside of the Pod."""

    container: str
    address: str
    why: str


class Relations(NamedTuple):
    listens: dict[str, set[int]]
    """Declared, configured or usual ports by container."""
    loopback: dict[str, set[int]]
    """Those it offers to its own Pod only."""
    dials: list[Dial]
    unanswered: list[Dial]
    """Dials of ports that nobody is known to listen on; `server` is empty."""
    shares: list[Share]
    remotes: list[Remote]

    def between(self, first: str, second: str) -> list[Share]:
        pair = {first, second}
        return [each for each in self.shares if {each.first, each.second} == pair]


# Repetitions are bounded throughout: a setting may be 20,000 characters of anything.
_LOCAL: Final = re.compile(
    r"(?:(?<![a-z0-9+.])(?P<scheme>[a-z][a-z0-9+.]{0,20}):(?://)?(?:[^\s/@\"']{0,100}@)?)?"
    r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\])(?![\w-])(?:\]?[:,#](?P<port>\d{1,5})\b)?"
)
_SCHEME_PORTS: Final = {
    "mysql": 3306, "mariadb": 3306, "postgres": 5432, "postgresql": 5432, "redis": 6379,
    "mongodb": 27017, "amqp": 5672, "http": 80, "https": 443, "memcached": 11211, "nats": 4222,
    "jdbc:mysql": 3306, "jdbc:postgresql": 5432, "jdbc:mariadb": 3306,
}  # fmt: skip
_NAME_PORTS: Final = (
    ("mysql", 3306), ("maria", 3306), ("wordpress_db", 3306), ("postgres", 5432), ("pg", 5432),
    ("redis", 6379), ("mongo", 27017), ("rabbit", 5672), ("amqp", 5672), ("memcache", 11211),
    ("elastic", 9200), ("kafka", 9092), ("mq", 5672), ("cassandra", 9042), ("couch", 5984),
    ("influx", 8086), ("solr", 8983), ("nats", 4222), ("zookeeper", 2181), ("etcd", 2379),
    ("neo4j", 7687), ("ldap", 389),
)  # fmt: skip
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
_ADDRESS: Final = re.compile(
    r"(?:^|[\s=@/\"',])((?:[a-z0-9-]{1,63}\.){0,9}[a-z][a-z0-9-]{1,62}|\d{1,3}(?:\.\d{1,3}){3})"
    r":(\d{2,5})\b"
)
_URL: Final = re.compile(
    r"\b(?:https?|tcp|grpc|redis|mysql|postgres(?:ql)?|mongodb|amqp|tls)://"
    r"(?:[^\s/@\"']{0,100}@)?([a-z0-9][\w.-]{0,200})"
)
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
_SOCKET: Final = re.compile(r"(?<![\w./-])(/[\w./-]{1,200}\.sock(?:et)?)\b")
_LOGGY: Final = re.compile(r"(^|[/_.-])logs?([/_.-]|$)|log", re.IGNORECASE)


def relate(pod: PodFacts) -> Relations:
    """All relations between the containers that run while the Pod does."""
    running = pod.running
    listens: dict[str, set[int]] = {}
    loopback: dict[str, set[int]] = {}
    dialled: dict[str, list[Dial]] = {}
    remotes: list[Remote] = []
    for each in running:
        own = {port.number for port in each.ports}
        local: set[int] = set()
        wanted: list[Dial] = []
        _from_argv(each, own, local, wanted, remotes)
        _from_env(each, own, wanted, remotes, pod)
        _from_config(each, own, wanted, remotes)
        declared = {port.number for port in each.ports}
        seen = recognise(each, pod)
        if seen and seen[0].product.kind == "store" and seen[0].product.ports:
            # A Pod made by hand may list all its ports at the first container.
            usual = seen[0].product.ports
            if not declared & set(usual) and not own & set(usual):
                own.add(usual[0])
        # `-b 127.0.0.1:3000` is an address to listen on or one to dial, as programs please: beside
        # a container that declares the port it is one to dial.
        others = {port.number for other in running if other is not each for port in other.ports}
        for port in (local - declared) & others:
            local.discard(port)
            wanted.append(Dial(each.name, "", port, f"argument -b 127.0.0.1:{port}", "args"))
        own |= local
        if not declared and not local and (product := by_image(each.image)) and product.ports:
            own.add(product.ports[0])
        if not own and (product := by_image(each.image)) and product.kind == "web":
            own.add(80)
        listens[each.name] = own
        loopback[each.name] = local
        dialled[each.name] = wanted
    dials, unanswered = _answer(running, listens, dialled)
    return Relations(listens, loopback, dials, unanswered, list(_shares(pod, running)), remotes)


def _answer(
    running: list[ContainerFacts],
    listens: dict[str, set[int]],
    dialled: dict[str, list[Dial]],
) -> tuple[list[Dial], list[Dial]]:
    """Give each dial its server."""
    dials: list[Dial] = []
    unanswered: list[Dial] = []
    for each in running:
        seen: set[tuple[str, int]] = set()
        for dial in dialled[each.name]:
            if dial.port in listens[each.name] and dial.place != "env":
                continue
            servers = [
                other.name
                for other in running
                if other.name != each.name and dial.port in listens[other.name]
            ]
            if not servers and dial.port in listens[each.name]:
                continue
            if not servers:
                # Somebody has to listen there; where only one declares nothing, it is that one.
                silent = [
                    other.name
                    for other in running
                    if other.name != each.name and not (dial.port and listens[other.name])
                ]
                if len(silent) == 1:
                    servers = silent
                    if dial.place != "config":
                        dial = dial._replace(place="inferred")
                else:
                    unanswered.append(dial)
                    continue
            for server in servers:
                if (server, dial.port) not in seen:
                    seen.add((server, dial.port))
                    dials.append(dial._replace(server=server))
    return dials, unanswered


def _from_argv(
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
        for match in _LOCAL.finditer(value.lower()):
            port = _port(match, low)
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
            for address in _foreign(value.lower()):
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


def _from_env(
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
        for match in _LOCAL.finditer(low):
            port = _port(match, name.lower()) or companion_port(name, values)
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
            for address in _foreign(low):
                remotes.append(Remote(each.name, address, f"{name}={value[:60]}"))


_REACHES: Final = re.compile(
    r"(DB|DATABASE|SQL|PG|MONGO|REDIS|CACHE|QUEUE|BROKER|AGENT|PROXY|BACKEND|API|COLLECTOR|STATSD|"
    r"UPSTREAM|GATEWAY|SIDECAR)[A-Z0-9_]*_?(HOST|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT)"
)
"""Settings that name something the container calls, and not itself."""


def _from_config(
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
    for match in _LOCAL.finditer(content.lower()):
        if match["port"]:
            found.append(("localhost", int(match["port"])))
        elif match["scheme"] in _SCHEME_PORTS:
            found.append(("localhost", _SCHEME_PORTS[match["scheme"]]))
    for match in _URL.finditer(content.lower()):
        if match[1] not in {"localhost", "127.0.0.1"} and "." in match[1]:
            found.append((match[1], 0))
    return list(dict.fromkeys(found))


def _port(match: re.Match[str], name: str) -> int:
    """The port of a localhost address: written, or usual for its scheme or setting."""
    if match["port"]:
        return int(match["port"]) if int(match["port"]) < 65536 else 0
    return usual_port(match["scheme"] or "", name)


def usual_port(scheme: str, name: str) -> int:
    """The port that a scheme, or a setting of that name, means when it says none."""
    if scheme in _SCHEME_PORTS:
        return _SCHEME_PORTS[scheme]
    for word, port in _NAME_PORTS:
        if word in name:
            return port
    return 0


def companion_port(name: str, values: dict[str, str]) -> int:
    """The port in DB_PORT beside DB_HOST."""
    for ending in ("_HOST", "_HOSTNAME", "_SERVER", "_ADDR", "_ADDRESS", "HOST"):
        if name.upper().endswith(ending):
            port = values.get(name[: -len(ending)] + ("_PORT" if "_" in ending else "PORT"), "")
            if port.isdigit():
                return int(port)
    return 0


def _foreign(value: str) -> Iterator[str]:
    """Addresses that lie outside of the Pod."""
    for match in _ADDRESS.finditer(value):
        if match[1] not in {"127.0.0.1", "0.0.0.0", "localhost"}:
            yield f"{match[1]}:{match[2]}"
    for match in _URL.finditer(value):
        if match[1] not in {"localhost", "127.0.0.1", "0.0.0.0"}:
            yield match[1]


def _shares(pod: PodFacts, running: list[ContainerFacts]) -> Iterator[Share]:
    """Pairs of containers that see the same files."""
    for index, first in enumerate(running):
        for second in running[index + 1 :]:
            seen: set[str] = set()
            for left in first.mounts:
                volume = pod.volumes.get(left.volume)
                if volume is None or volume.kind in {"config", "secret"} or left.volume in seen:
                    continue
                for right in second.mounts:
                    if right.volume == left.volume and _overlap(left.sub_path, right.sub_path):
                        seen.add(left.volume)
                        reader = ""
                        if left.read_only != right.read_only:
                            reader = first.name if left.read_only else second.name
                        purpose = _purpose(first, second, left.volume, (left.path, right.path))
                        yield Share(
                            left.volume, volume.kind, first.name, second.name, purpose, reader,
                            (left.path, right.path),
                        )  # fmt: skip
                        break


def _overlap(first: str, second: str) -> bool:
    if not first or not second:
        return True
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")


def _purpose(
    first: ContainerFacts, second: ContainerFacts, volume: str, paths: tuple[str, str]
) -> Purpose:
    sockets = {path for each in (first, second) for path in _SOCKET.findall(each.script)}
    for each in (first, second):
        for env in each.env:
            sockets.update(_SOCKET.findall(env.value))
    if any(socket.startswith(path.rstrip("/") + "/") for socket in sockets for path in paths):
        return "socket"
    joined = " ".join(paths)
    if re.search(r"sock|/run/|/csi\b|kubelet/plugins", f"{joined} {volume}"):
        return "socket"
    if _LOGGY.search(joined) or (_LOGGY.search(volume) and "blog" not in volume):
        return "log"
    if all(re.fullmatch(r"/(var/)?tmp/?", path) for path in paths):
        return "scratch"
    return "data"
