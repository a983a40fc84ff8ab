"""Finds a Pod's relations: what each container says, and who it can mean by it."""

from __future__ import annotations

from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.mentions import from_argv, from_config, from_env
from podweave.review.products import by_image, recognise
from podweave.review.relations import Dial, Relations, Remote
from podweave.review.shares import shares


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
        from_argv(each, own, local, wanted, remotes)
        from_env(each, own, wanted, remotes, pod)
        from_config(each, own, wanted, remotes)
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
    return Relations(listens, loopback, dials, unanswered, list(shares(pod, running)), remotes)


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
