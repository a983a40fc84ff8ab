"""Which containers belong together.

Containers that stand for themselves start in groups of their own. They are joined for one of the
three reasons that the rule "one Pod, one container" knows: the same lifecycle, tight coupling,
or helping without a change of code. A localhost address alone joins nobody: a Service name does
the same from another Pod.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from podweave.review.facts import PodFacts
from podweave.review.openness import only_configured, services_of
from podweave.review.products import image_path, program, usual_port_of
from podweave.review.relations import Relations, Share
from podweave.review.standing import Standing

Reason = Literal["lifecycle", "coupling", "helper"]


class Bond(msgspec.Struct, frozen=True):
    """Two containers that stay together, and why."""

    first: str
    second: str
    reason: Reason
    text: str


class Grouping(msgspec.Struct):
    groups: list[list[str]]
    bonds: list[Bond]
    collisions: list[tuple[int, str, list[str]]]
    """(port, protocol, containers) that would listen on one port."""


def group(pod: PodFacts, standings: list[Standing], relations: Relations) -> Grouping:
    """Join what belongs together, and put every helper and init container with whom it serves."""
    running = [each for each in standings if each.role != "init"]
    independent = [each for each in running if each.role in {"app", "tier"}]
    collisions = _collisions(pod)
    colliding = {name for _, _, names in collisions for name in names}
    # A Pod that holds its database too was built as a stack: there each layer counts.
    layered = any(each.kind == "store" for each in independent)
    bonds: list[Bond] = []
    joined = _Sets([each.name for each in standings])
    for index, first in enumerate(independent):
        for second in independent[index + 1 :]:
            if {first.name, second.name} <= colliding:
                continue
            bond = _bond(pod, first, second, relations, layered)
            if bond is not None:
                bonds.append(bond)
                joined.join(first.name, second.name)
    primary = _primary(independent, running)
    for each in running:
        if each.role in {"app", "tier"}:
            continue
        host, why = _host(each, independent, relations, primary)
        if host is not None and host is not each:
            bonds.append(Bond(each.name, host.name, "helper", why))
            joined.join(each.name, host.name)
    for each in standings:
        if each.role == "init":
            home = _home(pod, each, running, joined, primary)
            if home is not None:
                joined.join(each.name, home.name)
    return Grouping(joined.lists(), bonds, collisions)


def _primary(independent: list[Standing], running: list[Standing]) -> Standing | None:
    """The container that a stranger would call the Pod's application."""
    apps = [each for each in independent if each.role == "app"] or independent or running
    return apps[0] if apps else None


_INTERPRETERS: Final = frozenset(
    ("", "python", "python3", "node", "java", "ruby", "php", "bundle", "npm", "yarn", "dotnet",
     "perl", "sh", "bash", "poetry", "pipenv", "uv", "gunicorn", "rails", "rake", "php-fpm"),
)  # fmt: skip
"""Programs that say nothing of what is run."""


def _bond(
    pod: PodFacts, first: Standing, second: Standing, relations: Relations, layered: bool
) -> Bond | None:
    """Why two containers that stand for themselves would still share a Pod."""
    names = (first.name, second.name)
    if pod.ends and _finishes(pod, first, second):
        return Bond(*names, "lifecycle", "they run for the same job and end with it")
    if (first.idle or second.idle) and (pod.kind == "Pod" or (first.idle and second.idle)):
        return Bond(*names, "lifecycle", "one is driven by commands run inside the Pod")
    shares = relations.between(*names)
    stores = [each for each in (first, second) if each.kind == "store"]
    for share in shares:
        if (why := _tight(share, stores)) is not None:
            return Bond(*names, "coupling", why)
    for one, other in ((first, second), (second, first)):
        if (why := _through(pod, one, other, relations, layered)) is not None:
            return Bond(*names, "coupling", why)
    if {first.kind, second.kind} == {"web", "fastcgi"}:
        return Bond(
            *names, "coupling", "PHP-FPM speaks FastCGI to the one web server in front of it"
        )
    started = program(first.facts)
    same = first.facts.image == second.facts.image and bool(first.facts.image)
    if same and started == program(second.facts) and started not in _INTERPRETERS:
        return Bond(*names, "lifecycle", f"both run {started} of one image: one solution's parts")
    if pod.kind == "DaemonSet" and not _told_apart(first, second):
        return Bond(*names, "lifecycle", "both are parts of one agent that runs once on every node")
    if pod.share_processes and "PTRACE" in str(
        first.facts.capabilities + second.facts.capabilities
    ):
        return Bond(*names, "coupling", "one looks into the other's processes")
    return None


def _through(
    pod: PodFacts, one: Standing, other: Standing, relations: Relations, layered: bool
) -> str | None:
    """Whether `other` can only be reached through `one`, which makes them one unit."""
    if "store" in {one.kind, other.kind}:
        return None
    ports = {probe.port for probe in other.facts.probes if probe.port}
    if ports and ports <= relations.listens[one.name] - relations.listens[other.name]:
        return (
            f"{other.name}'s probes are answered by {one.name}: it can only be reached through it"
        )
    behind = (
        (one.kind in {"web", "proxy"} or only_configured(pod, one))
        and other.kind not in {"web", "proxy"}
        and bool(other.facts.ports)
        and bool(services_of(pod, one.facts, relations.listens[one.name]))
    )
    fronted = behind or any(
        dial.client == one.name and dial.server == other.name and dial.place in {"config", "args"}
        for dial in relations.dials
    )
    hidden = not services_of(pod, other.facts, relations.listens[other.name])
    if fronted and not layered and pod.services and hidden:
        return f"everything that reaches {other.name} comes through {one.name}"
    return None


def _finishes(pod: PodFacts, first: Standing, second: Standing) -> bool:
    """Whether two containers of a Pod that ends are there for the same work."""
    if pod.kind in {"Job", "CronJob"}:
        return True
    # People write restartPolicy Never on Pods with servers too; then it says nothing.
    return not (first.facts.ports and second.facts.ports)


def _tight(share: Share, stores: list[Standing]) -> str | None:
    """Why a shared volume makes two containers one, or None where it doesn't."""
    if share.purpose == "socket" and share.kind != "host":
        return f"they talk over a Unix socket in the volume {share.volume}"
    if share.purpose != "data" or share.kind == "host":
        return None
    if len(stores) == 2:
        return f"two servers work on the same data (volume {share.volume})"
    left, right = share.paths
    if stores and not _covers(left, right):
        # A disk shared for thrift: the database's directory and the app's are different places.
        return None
    return f"both work on the files of the volume {share.volume} ({left})"


_DATA: Final = re.compile(r"^/(data|var/lib|bitnami)|/data\b")


def _covers(left: str, right: str) -> bool:
    """Whether two mount paths mean the same directory of a store."""
    same = left.rstrip("/") == right.rstrip("/")
    return same or bool(_DATA.search(left) and _DATA.search(right))


def _told_apart(first: Standing, second: Standing) -> bool:
    """Two agents that were merely put on the same node: different software, both reachable."""
    if (
        first.facts.image
        and image_path(first.facts.image).split("/")[0]
        == image_path(second.facts.image).split("/")[0]
        and "/" in image_path(first.facts.image)
    ):
        return False
    return bool(first.facts.ports and second.facts.ports) or "store" in {first.kind, second.kind}


def _host(
    helper: Standing, independent: list[Standing], relations: Relations, primary: Standing | None
) -> tuple[Standing | None, str]:
    """Whom a helper serves: the strongest tie wins."""
    best: Standing | None = None
    most = 0.0
    why = ""
    for each in independent:
        weight = 0.0
        text = ""
        for dial in relations.dials:
            if dial.client == helper.name and dial.server == each.name:
                weight += 2
                text = f"{helper.name} works on {each.name}'s port {dial.port} ({dial.why})"
            elif dial.client == each.name and dial.server == helper.name:
                weight += 2
                text = f"{each.name} reaches for {helper.name}'s port {dial.port} ({dial.why})"
        for share in relations.between(helper.name, each.name):
            weight += 1.5 if share.reader == helper.name else 1.0
            text = text or f"they share the files of the volume {share.volume}"
        if _namesake(helper, each):
            weight += 0.6
        if weight > most:
            best, most, why = each, weight, text
    if best is not None:
        return best, why or f"{helper.name} is there for {best.name}"
    if primary is None:
        return None, ""
    return primary, f"{helper.name} is a helper, and {primary.name} is the Pod's application"


def _namesake(helper: Standing, app: Standing) -> bool:
    words = set(re.split(r"[-_/]", f"{helper.name}-{image_path(helper.facts.image)}".lower()))
    own = set(re.split(r"[-_/]", f"{app.name}-{image_path(app.facts.image)}".lower()))
    return bool((words & own) - {"exporter", "proxy", "sidecar", "", "app", "agent", "server"})


def _home(
    pod: PodFacts,
    init: Standing,
    running: list[Standing],
    joined: _Sets,
    primary: Standing | None,
) -> Standing | None:
    """The container an init container prepares something for."""
    best, most = primary, 0
    for each in running:
        common = {mount.volume for mount in init.facts.mounts} & {
            mount.volume for mount in each.facts.mounts
        }
        weight = 2 * len(common)
        if init.facts.image and image_path(init.facts.image) == image_path(each.facts.image):
            weight += 3
        if _namesake(init, each):
            weight += 1
        if weight > most:
            best, most = each, weight
    return best


def _collisions(pod: PodFacts) -> list[tuple[int, str, list[str]]]:
    """Ports that two containers want: the Pod has one address, so the second one fails."""
    owners: dict[tuple[int, str], list[str]] = {}
    for each in pod.running:
        wanted = [(port.number, port.protocol) for port in each.ports]
        if not wanted and not each.argv and not each.env and (usual := usual_port_of(each)):
            wanted = [(usual, "TCP")]
        for key in wanted:
            names = owners.setdefault(key, [])
            if each.name not in names:
                names.append(each.name)
    return [(port, protocol, names) for (port, protocol), names in owners.items() if len(names) > 1]


class _Sets:
    """Disjoint sets of names that remember the order they were given in."""

    def __init__(self, names: list[str]) -> None:
        self._of = {name: index for index, name in enumerate(names)}
        self._names = names

    def join(self, first: str, second: str) -> None:
        old, new = self._of[first], self._of[second]
        low, high = min(old, new), max(old, new)
        for name, of in self._of.items():
            if of == high:
                self._of[name] = low

    def lists(self) -> list[list[str]]:
        found: dict[int, list[str]] = {}
        for name in self._names:
            found.setdefault(self._of[name], []).append(name)
        return list(found.values())
