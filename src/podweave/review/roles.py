"""What each container is for, by weighing the signs.

Two questions, in this order. *Is it there for another container?* Helpers read their app's
files, dial its port, stand before its port or on its way out; they have no port, claim or
Service of their own. *If it isn't*, it is an application, or a tier that keeps data. Known
software is one sign among the others, so a container without name and image is still judged by
what it does.

Weights are in units of "a strong sign" = 2. They were set by hand on the reasoning beside each
and checked on `tests/corpus`, masked and unmasked.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from podweave.review.facts import ContainerFacts, MountFact, PodFacts
from podweave.review.products import HELPERS, Kind, Recognition, image_path, program, recognise
from podweave.review.relations import Dial, Relations

Role = Literal["app", "sidecar", "ambassador", "adapter", "init", "tier"]
Helper = Literal["sidecar", "ambassador", "adapter"]


class Sign(msgspec.Struct, frozen=True):
    """One reason to believe something of a container."""

    towards: Role
    weight: float
    text: str


class Standing(msgspec.Struct):
    """A container, what speaks for what, and what was concluded."""

    facts: ContainerFacts
    signs: list[Sign] = []
    kind: Kind | None = None
    """Of the software it is most likely to be."""
    product: str = ""
    role: Role = "app"
    confidence: float = 0.0
    front: bool = False
    """It stands before another container's port."""
    idle: bool = False
    """It only waits for somebody to run something in it."""
    worker: bool = False
    """It serves nobody and takes its work from elsewhere."""

    @property
    def name(self) -> str:
        return self.facts.name

    def say(self, towards: Role, weight: float, text: str) -> None:
        self.signs.append(Sign(towards, weight, text))

    def score(self, *roles: Role) -> float:
        return sum(sign.weight for sign in self.signs if sign.towards in roles)

    @property
    def helping(self) -> float:
        """How much speaks for a helper, of whatever pattern."""
        return self.score("sidecar", "ambassador", "adapter")

    @property
    def independent(self) -> float:
        return self.score("app", "tier")

    @property
    def helper_role(self) -> Helper:
        best: Helper = "sidecar"
        others: tuple[Helper, ...] = ("ambassador", "adapter")
        for role in others:
            if self.score(role) > self.score(best):
                best = role
        return best


_METRICS_NAME: Final = re.compile(r"metric|prom|exporter|stats|monitor")
_ADMIN_NAME: Final = re.compile(r"metric|prom|exporter|stats|monitor|health|admin|debug|pprof|live|ready|status|gossip|peer")  # fmt: skip  # noqa: E501
_WORKER: Final = re.compile(
    r"\b(celery|sidekiq|resque|rq worker|queue:(work|listen)|horizon|worker|consumer|consume|"
    r"scheduler|schedule:run|cron|crond|beat|delayed_job|jobs:work|dramatiq|bullmq|process-queue)\b"
)
_IDLE: Final = re.compile(
    r"^((/bin/)?(sh|bash|ash|cat)|sleep\s+(infinity|inf|\d+[smhd]?)|tail\s+-f\s+/dev/null|"
    r"(/bin/)?(sh|bash|ash)\s+-c\s+(sleep\s+(infinity|inf|\d+[smhd]?)|tail -f /dev/null|"
    r"while (true|:|\[ true \]);?\s*do\s+sleep\s+\d+;?\s*done|trap : term int; sleep infinity & wait)"  # noqa: E501
    r"[;\s]*)$"
)
_FOLLOWS_LOG: Final = re.compile(
    r"\btail\s+(-\w+\s+|--\S+\s+)*-?-?\w*[fF]|journalctl|logrotate|\bless\b"
)
_AGENT: Final = re.compile(r"\b(vault|consul|nomad|spire-agent|teleport|step)\s+agent\b")
_CLIENTS: Final = re.compile(
    r"\b(curl|wget|psql|mysql|mariadb|mongo|mongosh|redis-cli|rabbitmqadmin|etcdctl|cqlsh|mc|nc)\s"
)
_FETCHES: Final = re.compile(
    r"git\s+(pull|clone|fetch)|\brsync\b|aws s3|gsutil|\bwget\b|curl .*>|>\s*/\S*\.html|"
    r"inotifywait|kill\s+-?s?\s?-?hup|nginx -s reload|tee\s+/|date\s*>|echo .*>>?\s*/"
)
_BACKS_UP: Final = re.compile(
    r"mysqldump|pg_dump|mongodump|xtrabackup|rs\.initiate|replset|restic|backup|bgsave|\bbr restore|"  # noqa: E501
    r"mongorestore|sentinel|cluster meet|change master|pgbackrest"
)
_HELPER_NAMES: Final[tuple[tuple[str, Helper, float], ...]] = (
    (r"side-?car", "sidecar", 2.2),
    (r"ambassador", "ambassador", 2.6),
    (r"adapter|adaptor", "adapter", 2.6),
    (r"exporter|\bmetrics\b|prometheus-to|(^|-)stats$|jmx", "adapter", 1.8),
    (r"(^|[-_])logs?([-_]|$)|logger|logging|log-?tail|fluent|filebeat|tailer", "sidecar", 1.6),
    (r"reload|watch(er)?$|(^|-)sync|syncer|refresh|updater|puller|poller?$|fetcher|downloader|uploader|generator|content|cloner|loader", "sidecar", 1.4),  # noqa: E501
    (r"(sql|db|cloudsql|egress|outbound|api|kube(api)?|redis|pg)-?proxy|bouncer", "ambassador", 1.6),  # noqa: E501
    (r"(auth|oauth2?|rbac|tls|ssl|reverse|istio|linkerd|sso|https)-?proxy|terminator|envoy", "sidecar", 1.8),  # noqa: E501
    (r"(^|[-_])agent([-_]|$)|registrar|elector|probe|health|monitor|guard|helper|backup|cleanup|cleaner|janitor|rotate|renew|cert|vault|snapshotter|resizer|attacher|provisioner|initiator|init-|scraper|debug|sentinel|dind|docker|tracer|nanny|reaper|checker|discovery|resolver|config(?!-server)", "sidecar", 1.3),  # noqa: E501
    (r"(^|[-_])proxy([-_]|$)|gateway-agent", "sidecar", 0.7),
)  # fmt: skip
_HELPER_PATTERNS: Final = tuple((re.compile(p), role, w) for p, role, w in _HELPER_NAMES)
_APP_NAMES: Final = re.compile(
    r"(^|[-_/])(app|web|api|backend|back-?end|frontend|front-?end|server|service|svc|ui|site|website|was|main|core|worker|portal|client|admin|gateway|webapp|application|controller|manager|engine)\d*([-_]|$)"
)  # fmt: skip


def stand(pod: PodFacts, relations: Relations) -> list[Standing]:
    """Weigh the signs of every container and conclude its role."""
    standings = [Standing(each) for each in pod.containers]
    running = [each for each in standings if not each.facts.init or each.facts.native]
    for each in standings:
        seen = recognise(each.facts, pod)
        # An attendant often runs its server's image: sentinel is redis started in another way.
        seen.sort(key=lambda found: -found.weight - (found.product.kind == "guard"))
        if seen:
            each.kind, each.product = seen[0].product.kind, seen[0].product.name
        if each.facts.init and not each.facts.native:
            each.role, each.confidence = "init", 1.0
            each.signs = [Sign("init", 2, "an init container: it ends before the app starts")]
        else:
            _known(each, seen)
            _names(each)
            _behaviour(each)
            _openness(each, pod, relations)
            if each.facts.native:
                each.say("sidecar", 3, "a native sidecar: an init container that keeps running")
    by_name = {each.name: each for each in running}
    _dialling(pod, relations, by_name)
    _sharing(pod, relations, by_name)
    _weight_of_resources(running)
    _same_software(pod, running)
    _conclude(pod, running, relations)
    return standings


def _known(each: Standing, seen: list[Recognition]) -> None:
    """What the software is usually there for."""
    for recognition in seen[:2]:
        kind, sign = recognition.product.kind, recognition.sign
        name, weight = recognition.product.name, min(recognition.weight, 1.2)
        if recognition is not seen[0] and (recognition.weight < 0.6 or seen[0].by_image):
            continue
        if kind == "store" and each.kind == "guard":
            continue
        if kind == "store" and _client_only(each.facts, recognition):
            each.kind = "tool"
            each.say("sidecar", 1.2, f"runs a script with the tools of {name} ({sign})")
            continue
        if kind in HELPERS:
            each.say(HELPERS[kind], 3.4 * weight, f"known as {name} ({sign})")
        elif kind == "store":
            each.say("tier", 2.6 * weight, f"keeps data: {name} ({sign})")
        elif kind == "app":
            each.say("app", 2.2 * weight, f"an application of its own ({sign})")
        elif kind == "fastcgi":
            each.say("app", 1.5 * weight, f"runs the application's code: {name} ({sign})")
        elif kind == "web":
            each.say("app", 0.9 * weight, f"a web server ({sign})")
        elif kind == "proxy":
            each.say("sidecar", 1.2 * weight, f"a proxy ({sign})")


_FORWARDS: Final = re.compile(
    r"upstream|backend|forward|target|proxy|origin|--?server\b|argument -b "
)


def only_configured(pod: PodFacts, each: Standing) -> bool:
    """Whether all it is given is configuration and certificates: a program of somebody else's."""
    kinds = {
        volume.kind
        for mount in each.facts.mounts
        if (volume := pod.volumes.get(mount.volume)) is not None
    }
    return bool(kinds) and kinds <= {"config", "secret"}


def _client_only(facts: ContainerFacts, recognition: Recognition) -> bool:
    """Whether a server's image is used for its client: another program is started in it."""
    started = program(facts)
    if not started or (facts.ports and recognition.by_image and not _BACKS_UP.search(facts.script)):
        return False
    server = recognition.product.binary
    entry = re.search(
        rf"(^|[;&|\n]\s*|\b(exec|then|do|--)\s+)(\S*/)?(({server})(\s|$|;)|\S*entrypoint|\S*run\.sh)",
        facts.script,
    )
    return entry is None


def _names(each: Standing) -> None:
    """What people called it. A name is a claim, not a proof, so it counts little."""
    if each.facts.image and each.kind in HELPERS:
        return
    words = [each.facts.name.lower(), image_path(each.facts.image).rpartition("/")[2]]
    for pattern, role, weight in _HELPER_PATTERNS:
        if hit := next((word for word in words if word and pattern.search(word)), None):
            each.say(role, weight, f"is called {hit}")
            return
    if each.kind in {None, "tool"}:
        hit = next((word for word in words if word and _APP_NAMES.search(word)), None)
        if hit:
            each.say("app", 1.3, f"is called {hit}")


def _behaviour(each: Standing) -> None:
    """What its command line does."""
    facts = each.facts
    script = facts.script
    started = program(facts)
    if each.kind == "tool":
        each.say("sidecar", 0.4, "a general-purpose image, run with a script")
    if _IDLE.match(" ".join(script.split())):
        each.idle = True
        each.say("sidecar", 0.6, "only waits for somebody to run something in it")
    elif _AGENT.search(script):
        each.say("sidecar", 2.5, "runs as an agent for its Pod")
    elif each.kind not in {"store"}:
        shell = started in {"tail", "less", "while"} or each.kind == "tool" or "sh -c" in script
        if _FOLLOWS_LOG.search(script) and shell:
            each.say("sidecar", 2.0, "follows a log file")
        elif _BACKS_UP.search(script):
            each.say("sidecar", 1.6, "copies or arranges another container's data")
        elif _FETCHES.search(script) and shell and not facts.ports:
            each.say("sidecar", 1.4, "brings content or reloads configuration")
        elif _WORKER.search(script) and not facts.ports:
            each.worker = True
            each.say("app", 1.8, "a worker: takes its work from a queue or the clock")
        elif started and each.kind is None and len(started) > 2 and facts.command:
            each.say("app", 0.2, f"runs its own program {started}")
    if re.search(r"--?(upstream|proxy-upstream|upstream-address|upstreams?-?url)[= ]", script):
        each.say("sidecar", 1.5, "takes an upstream on its command line")


def _openness(each: Standing, pod: PodFacts, relations: Relations) -> None:
    """Ports, Services, claims: what it offers beyond its Pod."""
    facts = each.facts
    listens = relations.listens[facts.name]
    local = relations.loopback[facts.name]
    targeted = services_of(pod, facts, listens)
    serving = [service for service in targeted if not _ADMIN_NAME.search(service.name)]
    declared = [port for port in facts.ports if not _admin(port.name, port.number)]
    metrics = [port for port in facts.ports if _metrics(port.name, port.number)]
    if serving:
        names = ", ".join(sorted({service.service for service in serving}))
        each.say("app", 1.6, f"the Service {names} leads to its port")
    elif pod.services and declared:
        each.say("sidecar", 0.9, "no Service leads to its ports, though the Pod has one")
    if declared:
        number = ", ".join(str(port.number) for port in declared[:3])
        each.say("app", 0.9, f"offers port {number}")
        if any(port.host_port for port in declared):
            each.say("app", 0.4, "has a hostPort")
    elif metrics and not serving:
        each.say("adapter", 1.3, f"offers nothing but metrics (port {metrics[0].number})")
    elif not listens and not serving:
        each.say("sidecar", 0.5, "offers no port")
    tls = any(
        re.search(r"cert|tls|ssl|pki", mount.path)
        and (volume := pod.volumes.get(mount.volume)) is not None
        and volume.kind == "secret"
        for mount in facts.mounts
    )
    if tls and only_configured(pod, each) and len({*map(_source, facts.mounts)}) > 1:
        each.say("sidecar", 1.6, "is given a certificate and a configuration, and nothing else")
    if local and local >= listens:
        weight = 3.6 if each.kind == "store" else 1.8
        each.say("sidecar", weight, "listens on loopback only: only its own Pod can reach it")
    for probe in facts.probes:
        if probe.kind == "readiness" and declared:
            each.say("app", 0.4, "has a readiness probe of its own")
    for mount in facts.mounts:
        volume = pod.volumes.get(mount.volume)
        if volume and volume.kind in {"claim", "template"}:
            others = [
                other.name
                for other in pod.running
                if other.name != facts.name
                and any(
                    _same_part(m.sub_path, mount.sub_path) and m.volume == mount.volume
                    for m in other.mounts
                )
            ]
            if not others and not mount.read_only:
                each.say(
                    "tier",
                    1.2,
                    f"keeps data of its own on the claim {volume.source or volume.name}",
                )


def _source(mount: MountFact) -> str:
    return mount.volume


def services_of(pod: PodFacts, facts: ContainerFacts, listens: set[int]) -> list:  # type: ignore[type-arg]
    """The Pod's Service ports that lead to this container."""
    names = {port.name for port in facts.ports if port.name}
    declared = {port.number for port in facts.ports}
    owner: dict[int, int] = {}
    for each in pod.running:
        for port in each.ports:
            owner.setdefault(port.number, each.position)
    return [
        service
        for service in pod.services
        if (
            service.target in names
            if isinstance(service.target, str)
            else service.target in declared
            or (service.target in listens and service.target not in owner)
        )
    ]


def _admin(name: str, number: int) -> bool:
    return bool(name and _ADMIN_NAME.search(name)) or _metrics(name, number)


def _metrics(name: str, number: int) -> bool:
    if name:
        return bool(_METRICS_NAME.search(name))
    return 9100 <= number <= 9999 and number not in {9200, 9300, 9411, 9443, 9600, 9876}


def _same_part(first: str, second: str) -> bool:
    return not first or not second or first == second


def _dialling(pod: PodFacts, relations: Relations, by_name: dict[str, Standing]) -> None:
    """Who reaches for whose port, and so who is there for whom."""
    layered = any(each.kind == "store" and each.score("tier") > 1 for each in by_name.values())
    far: dict[str, list[str]] = {}
    for remote in relations.remotes:
        far.setdefault(remote.container, []).append(remote.address)
    for dial in relations.dials:
        client, server = by_name[dial.client], by_name[dial.server]
        client_open = _open(pod, client, relations)
        server_open = (
            _open(pod, server, relations) and dial.port not in relations.loopback[server.name]
        )
        if server.kind == "store" and server.score("tier") > 1:
            _towards_store(client, server, dial, client_open)
            continue
        proxy = client.kind in {"web", "proxy", "gate", "mesh"} or (
            client.kind not in {"store", "exporter", "logs"}
            and (dial.place == "config" or bool(_FORWARDS.search(dial.why)))
        )
        metrics_only = client.facts.ports and all(
            _metrics(port.name, port.number) for port in client.facts.ports
        )
        if client.kind == "exporter" or (metrics_only and client.kind not in HELPERS):
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
            and not _open(pod, each, relations)
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


def _open(pod: PodFacts, each: Standing, relations: Relations) -> bool:
    """Whether it offers something beyond its Pod."""
    facts = each.facts
    if any(not _admin(port.name, port.number) for port in facts.ports):
        if not pod.services:
            return True
        return (
            bool(services_of(pod, facts, relations.listens[facts.name])) or len(pod.services) == 0
        )
    return bool(services_of(pod, facts, relations.listens[facts.name])) or (
        each.kind in {"web", "proxy"} and not facts.ports and bool(relations.listens[facts.name])
    )


def _sharing(pod: PodFacts, relations: Relations, by_name: dict[str, Standing]) -> None:
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
            elif not _open(pod, reader, relations):
                reader.say("sidecar", 1.2, f"reads {writer.name}'s files (volume {share.volume})")
            elif not _open(pod, writer, relations) and not reader.front:
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
            if _open(pod, one, relations):
                continue
            if not _open(pod, other, relations) and not _lives_on(pod, one, other):
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
        elif _open(pod, client, relations) and not _open(pod, server, relations):
            weight = 2.4
            client.front = True
        else:
            continue
        client.say("sidecar", weight, f"talks to the Unix socket of {server.name}")
        server.say("app", weight, f"{client.name} talks to its Unix socket")
        return True
    return False


def _weight_of_resources(running: list[Standing]) -> None:
    """A helper asks for little beside its app."""
    asked = [(each, each.facts.requests.memory or each.facts.limits.memory) for each in running]
    known = [(each, amount) for each, amount in asked if amount]
    most = max((amount for _, amount in known), default=0.0)
    for each, amount in asked:
        if amount and most and amount <= most / 4:
            each.say(
                "sidecar", 0.4, "asks for a quarter of the biggest container's memory, or less"
            )
        elif amount and all(other is each or amount >= 1.5 * much for other, much in known):
            weight = 0.6 if len(known) > 1 else 0.0
            if weight:
                each.say("app", weight, "asks for far more memory than any other container")


def _same_software(pod: PodFacts, running: list[Standing]) -> None:
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
            and not _own_claim(pod, each)
        ):
            each.say("sidecar", 3.2, f"runs {first.name}'s image without its ports and its data")
        if first is each or each.kind in {"tool", "store", *HELPERS}:
            continue
        if each.facts.argv != first.facts.argv and not each.facts.ports and pod.kind != "DaemonSet":
            each.say("app", 0.3, f"runs {first.name}'s image in another way")


def _own_claim(pod: PodFacts, each: Standing) -> bool:
    return any(
        (volume := pod.volumes.get(mount.volume)) is not None
        and volume.kind in {"claim", "template"}
        for mount in each.facts.mounts
    )


def _conclude(pod: PodFacts, running: list[Standing], relations: Relations) -> None:
    """Roles from the scales; somebody in a Pod is always the one the others are for."""
    default = pod.annotations.get("kubectl.kubernetes.io/default-container")
    mains = [each for each in running if not each.facts.native]
    for each in mains:
        if each.name == default:
            each.say("app", 1.5, "is the Pod's default container")
    if mains:
        mains[0].say("app", 0.6, "is the first container")
    for each in running:
        margin = each.independent - each.helping
        if margin > 0 and not each.facts.native:
            tier = each.kind == "store" and each.score("tier") > 0
            each.role = "tier" if tier else "app"
        else:
            each.role = each.helper_role
        each.confidence = _confidence(margin, each)
    independent = [each for each in mains if each.role in {"app", "tier"}]
    if not independent and mains:
        chosen = max(
            mains,
            key=lambda each: (
                _main_rank(each),
                round(each.independent - each.helping),
                -each.facts.position,
            ),
        )
        if chosen.facts.image:
            # Processes of one solution: the first one is its main process.
            chosen = next(each for each in mains if each.facts.image == chosen.facts.image)
        chosen.role = "app"
        chosen.confidence = min(chosen.confidence, 0.7)
        chosen.say("app", 0.1, "the others are there for it, or it for nobody")
        independent = [chosen, *_other_agents(chosen, mains, relations)]
    if len(independent) == 1 and independent[0].role == "tier":
        # Alone with its helpers it is the Pod's application, whatever it keeps.
        independent[0].role = "app"


def _other_agents(chosen: Standing, mains: list[Standing], relations: Relations) -> list[Standing]:
    """Node agents put side by side: of other software, with ports of their own, and unrelated."""
    found = []
    for each in mains:
        if each is chosen or {each.kind, chosen.kind} != {"logs", "exporter"}:
            continue
        pair = {each.name, chosen.name}
        related = any({dial.client, dial.server} == pair for dial in relations.dials) or any(
            share.kind != "host" for share in relations.between(*pair)
        )
        words = set(re.split(r"[-_/]", f"{each.name}/{image_path(each.facts.image)}"))
        other = set(re.split(r"[-_/]", f"{chosen.name}/{image_path(chosen.facts.image)}"))
        if each.facts.ports and not related and not words & other - {"exporter", "agent", "prom"}:
            each.role, each.confidence = "app", min(each.confidence, 0.6)
            each.say("app", 0.1, f"has nothing to do with {chosen.name}")
            found.append(each)
    return found


_RANKS: Final[dict[Kind, int]] = {
    "storage": 0, "sync": 0, "gate": 1, "guard": 1, "mesh": 1, "secrets": 1, "logs": 2,
    "policy": 2, "build": 3, "daemon": 1, "tunnel": 2, "outbound": 1, "exporter": 3, "tool": 2,
}  # fmt: skip
"""Among helpers alone, which kind is likelier to be what the others are for."""


def _main_rank(each: Standing) -> int:
    return _RANKS.get(each.kind, 4) if each.kind else 4


def _confidence(margin: float, each: Standing) -> float:
    """From a coin's toss to near certainty; a container that says nothing about itself gets low."""
    strength = abs(margin)
    told = min(1.0, 0.4 + 0.15 * len(each.signs))
    return round(min(0.98, 0.5 + 0.48 * (strength / (strength + 1.2))) * (0.6 + 0.4 * told), 2)
