"""Signs from relations: who is dialled, whose files are read, whose socket is used.

The direction decides. Who needs the other is its client; who is needed by one container alone, or
stands before or behind it, is there for it.
"""

from __future__ import annotations

import re
from typing import Final

from podweave.review.facts import PodFacts
from podweave.review.openness import is_metrics, is_open, only_configured, own_claim
from podweave.review.products import HELPERS
from podweave.review.relations import Dial, Relations
from podweave.review.standing import Standing

_FORWARDS: Final = re.compile(
    r"upstream|backend|forward|target|proxy|origin|--?server\b|argument -b "
)

_CLIENTS: Final = re.compile(
    r"\b(curl|wget|psql|mysql|mariadb|mongo|mongosh|redis-cli|rabbitmqadmin|etcdctl|cqlsh|mc|nc)\s"
)


_ENDS: Final = re.compile(r"quitquitquit|\b(curl|wget)\b[^\n;|&]{0,80}/(quit|shutdown|exit)\b")
"""A job that ends its helper, which wouldn't end by itself."""


def dialling(pod: PodFacts, relations: Relations, by_name: dict[str, Standing]) -> None:
    """Who reaches for whose port, and so who is there for whom."""
    layered = any(each.kind == "store" and each.score("tier") > 1 for each in by_name.values())
    far: dict[str, list[str]] = {}
    for remote in relations.remotes:
        far.setdefault(remote.container, []).append(remote.address)
    for dial in relations.dials:
        client, server = by_name[dial.client], by_name[dial.server]
        client_open = is_open(pod, client, relations)
        server_open = (
            is_open(pod, server, relations) and dial.port not in relations.loopback[server.name]
        )
        if server.kind == "store" and server.score("tier") > 1:
            _towards_store(client, server, dial, client_open)
            continue
        proxy = client.kind in {"web", "proxy", "gate", "mesh"} or (
            client.kind not in {"store", "exporter", "logs", "app"}
            and (dial.place == "config" or bool(_FORWARDS.search(dial.why)))
        )
        metrics_only = client.facts.ports and all(
            is_metrics(port.name, port.number) for port in client.facts.ports
        )
        if _ENDS.search(client.facts.script) and dial.place == "args":
            server.say("sidecar", 1.5, f"{client.name} tells it to end by its port {dial.port}")
        elif client.kind == "exporter" or (
            metrics_only and client.kind not in {"app", *HELPERS} and "reload" not in dial.why
        ):
            client.say("adapter", 1.6, f"reads {server.name}'s port {dial.port} ({dial.why})")
            server.say("app", 0.6, f"{client.name} reads its port {dial.port}")
        elif proxy and client_open:
            client.front = True
            pure = (
                client.kind in {"web", "proxy", *HELPERS}
                or (dial.place == "config" and client.kind is None)
                or only_configured(pod, client)
            )
            weight = (4.2 if pure else 1.8) / (2 if layered else 1)
            client.say(
                "sidecar", weight, f"stands before {server.name}'s port {dial.port} ({dial.why})"
            )
            server.say("app", 1.2, f"{client.name} stands before its port {dial.port}")
        elif dial.place == "args" and not (client_open and not server_open):
            # Apps are told by environment where their servers are; a command line that names a
            # port of the same Pod is how helpers are told whom they are for.
            client.say("sidecar", 1.6, f"works on {server.name}'s port {dial.port} ({dial.why})")
            server.say("app", 0.5, f"{client.name} works on its port {dial.port}")
        else:
            _asked(
                client,
                server,
                dial.why,
                dial.port,
                far.get(server.name, []),
                server_open,
                dial.place,
            )
    for name, addresses in far.items():
        each = by_name[name]
        dialled = any(dial.server == name for dial in relations.dials)
        if (
            each.kind in {"web", "proxy"}
            and not dialled
            and not each.front
            and not any(dial.client == name for dial in relations.dials)
            and not is_open(pod, each, relations)
        ):
            each.say("ambassador", 1.2, f"leads to {addresses[0]}, outside of the Pod")

    for each in by_name.values():
        ports = {probe.port for probe in each.facts.probes if probe.port}
        own = relations.listens[each.name]
        for name, other in by_name.items():
            if other is not each and ports and ports <= relations.listens[name] - own:
                each.say("app", 0.8, f"its health is asked through {name}'s port")
                other.say("sidecar", 0.8, f"answers {each.name}'s probes")


def _towards_store(client: Standing, server: Standing, dial: Dial, client_open: bool) -> None:
    """A client of a database in the same Pod: an app that could be elsewhere, or its attendant."""
    why = dial.why
    if client.kind in HELPERS:
        client.say(HELPERS[client.kind], 0.8, f"works for {server.name} ({why})")
    elif client_open:
        client.say("app", 0.6, f"is a client of {server.name} ({why})")
    elif (
        client.kind == "tool"
        or client.score("sidecar") >= 1.4
        or (dial.place == "args" and _CLIENTS.search(client.facts.script))
    ):
        client.say("sidecar", 0.9, f"attends to {server.name} ({why})")
    else:
        client.say("app", 0.9, f"is a client of {server.name} ({why})")


def _asked(
    client: Standing,
    server: Standing,
    why: str,
    port: int,
    far: list[str],
    server_open: bool,
    place: str,
) -> None:
    """`client` uses a port of `server`: is that a helper on its way out, or another tier?"""
    reason = f"{client.name} reaches for its port {port} ({why})"
    client.say("app", 0.5, f"uses {server.name}'s port {port} ({why})")
    if far and _leads_on(port, far):
        server.say("ambassador", 2.6, f"{reason}, and it leads on to {far[0]}")
    elif far and not server_open:
        server.say("ambassador", 1.6, f"{reason}, and it leads on to {far[0]}")
    elif place == "inferred":
        server.say("ambassador", 1.4, f"{reason}; it declares no port to anybody else")
    elif server.kind in {"web", "proxy"} and not server_open and not server.front:
        server.say("ambassador", 1.4, reason)
    elif server.kind in HELPERS:
        server.say(HELPERS[server.kind], 0.4, reason)
    elif server_open:
        server.say("app", 0.7, f"{reason} as any client could over the network")
    else:
        server.say("sidecar", 0.7, f"{reason}, and nobody else can")


_FAMILIES: Final = (
    {3306, 6446, 6447, 33060}, {5432, 6432, 5433}, {6379, 26379}, {27017, 27018},
    {80, 443, 8080, 8443, 8000}, {9200}, {5672, 5671}, {9092, 9093}, {11211, 5000}, {1521}, {1433},
)  # fmt: skip


def _leads_on(port: int, far: list[str]) -> bool:
    """Whether a far address speaks what is spoken on the near port: a way there, not a client."""
    for address in far:
        _, _, number = address.rpartition(":")
        if not number.isdigit():
            if address.count(":") == 2 or port in {80, 443, 8080, 8001, 9009}:
                return True
            continue
        if int(number) == port or any({port, int(number)} <= family for family in _FAMILIES):
            return True
    return False


def sharing(pod: PodFacts, relations: Relations, by_name: dict[str, Standing]) -> None:
    """Who reads whose files."""
    for share in relations.shares:
        first, second = by_name[share.first], by_name[share.second]
        if share.purpose == "socket" and _socket(pod, relations, first, second):
            continue
        if share.reader:
            reader, writer = (first, second) if share.reader == first.name else (second, first)
            if share.purpose == "log":
                reader.say(
                    "sidecar", 2.0, f"reads {writer.name}'s log files (volume {share.volume})"
                )
                writer.say("app", 0.8, f"{reader.name} reads its log files")
            elif not is_open(pod, reader, relations):
                reader.say("sidecar", 1.2, f"reads {writer.name}'s files (volume {share.volume})")
            elif not is_open(pod, writer, relations) and not reader.front:
                writer.say(
                    "sidecar",
                    1.2,
                    f"writes the files that {reader.name} serves (volume {share.volume})",
                )
                reader.say("app", 0.8, f"serves the files that {writer.name} writes")
            continue
        if share.kind == "host" and share.purpose in {"log", "socket"}:
            continue
        for one, other in ((first, second), (second, first)):
            if is_open(pod, one, relations):
                continue
            if not is_open(pod, other, relations) and not _lives_on(pod, one, other):
                continue
            weight = 1.2 if share.purpose == "log" else 0.9
            one.say(
                "sidecar",
                weight,
                f"works on the same files as {other.name} (volume {share.volume})",
            )


def _lives_on(pod: PodFacts, one: Standing, other: Standing) -> bool:
    """Whether all files of one are the other's too, which has more: probes, mounts, ports."""

    def files(each: Standing) -> set[str]:
        return {
            mount.volume
            for mount in each.facts.mounts
            if (volume := pod.volumes.get(mount.volume)) and volume.kind not in {"config", "secret"}
        }

    more = bool(files(other) - files(one)) or bool(other.facts.probes)
    return files(one) <= files(other) and more and not one.facts.probes


_SOCKET_SERVER: Final = re.compile(
    r"(--?(endpoint|socket|socket[_-]file|listen|bind|grpc-socket|uds|csi[_-]endpoint)|listen|bind)"
    r"[= ]+(unix:)?/{0,3}\S{1,200}\.sock"
)

_SOCKET_CLIENT: Final = re.compile(
    r"--?[\w.-]{0,40}(csi-?address|db[_-]socket|upstream|connect|socket-path|host|server|agent)[\w-]{0,40}"
    r"[= ]+(unix:)?/{0,3}\S{1,200}\.sock"
)


def _socket(pod: PodFacts, relations: Relations, first: Standing, second: Standing) -> bool:
    """Who serves a Unix socket is what the others are there for, or stand before."""
    for server, client in ((first, second), (second, first)):
        if not _SOCKET_SERVER.search(server.facts.script):
            continue
        if _SOCKET_SERVER.search(client.facts.script):
            continue
        if _SOCKET_CLIENT.search(client.facts.script):
            weight = 1.4
        elif is_open(pod, client, relations) and not is_open(pod, server, relations):
            weight = 2.4
            client.front = True
        else:
            continue
        client.say("sidecar", weight, f"talks to the Unix socket of {server.name}")
        server.say("app", weight, f"{client.name} talks to its Unix socket")
        return True
    return False


def same_software(pod: PodFacts, running: list[Standing]) -> None:
    """The same image twice: one solution's processes, or one app that works in two ways."""
    seen: dict[str, Standing] = {}
    for each in running:
        image = each.facts.image
        first = seen.setdefault(image, each) if image else each
        if (
            first is not each
            and each.kind == "store" == first.kind
            and first.facts.ports
            and not each.facts.ports
            and not own_claim(pod, each)
        ):
            each.say("sidecar", 3.2, f"runs {first.name}'s image without its ports and its data")
        if first is each or each.kind in {"tool", "store", *HELPERS}:
            continue
        if each.facts.argv != first.facts.argv and not each.facts.ports and pod.kind != "DaemonSet":
            each.say("app", 0.3, f"runs {first.name}'s image in another way")


def untied(pod: PodFacts, relations: Relations, running: list[Standing]) -> None:
    """A helper has to be told whom it helps; who is told nothing is there for itself."""
    if len(running) < 2 or pod.ends:
        return
    tied = {name for share in relations.shares for name in (share.first, share.second)}
    tied |= {name for dial in relations.dials for name in (dial.client, dial.server)}
    tied |= {dial.client for dial in relations.unanswered}
    for each in running:
        facts = each.facts
        told = facts.argv or facts.mounts or facts.env or facts.env_from or facts.capabilities
        if told or facts.native or facts.privileged or each.name in tied or each.helping > 0.5:
            continue
        each.say("app", 0.8, "nothing leads from it to another container: no address, no file")


_PROXY_CONFIG: Final = re.compile(
    r"nginx\.conf|/etc/nginx/(conf\.d|templates|sites)|default\.conf|haproxy|caddyfile|httpd|apache",
    re.IGNORECASE,
)


def before_the_only_other(pod: PodFacts, relations: Relations, running: list[Standing]) -> None:
    """A web server with a configuration and nothing to serve stands before its one neighbour.

    Its configuration is often in another file, or made by a command: what it is given tells.
    """
    mains = [each for each in running if not each.facts.native]
    if len(mains) != 2:
        return
    for each, other in (mains, mains[::-1]):
        if (
            each.kind not in {"web", "proxy"}
            or each.front
            or each.facts.config
            or not only_configured(pod, each)
            or not any(_PROXY_CONFIG.search(mount.path) for mount in each.facts.mounts)
            or other.kind in {"web", "proxy", "store", "tool", *HELPERS}
            or relations.between(each.name, other.name)
            or any(
                (dial.client, dial.server) == (other.name, each.name) for dial in relations.dials
            )
            or (
                other.facts.ports
                and all(is_metrics(port.name, port.number) for port in other.facts.ports)
            )
            or pod.services  # they tell more surely who is reached through whom
        ):
            continue
        each.front = True
        each.say("sidecar", 2.8, f"is given a configuration and no content: before {other.name}")
        other.say("app", 0.8, f"{each.name} has nothing else to stand before")
