"""The filter of the Ambassador pattern: a proxy on the Pod's loopback."""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.addresses import parse_address, parse_listen
from podweave.model.errors import InputError
from podweave.model.patterns import Ambassador, AmbassadorSpec
from podweave.weave.drafts import Draft, Helper, pattern_error, place
from podweave.weave.helper_containers import complete, render, user_of
from podweave.weave.profiles import choose_profile
from podweave.weave.targets import Target

CONFIG_VERSION = 1


def weave_ambassador(draft: Draft, found: FoundPattern, admin: int) -> None:
    """Add the ambassador to the draft; its admin endpoint listens on port `admin`."""
    pattern = found.pattern
    assert isinstance(pattern, Ambassador)
    target, spec, name = draft.target, pattern.spec, pattern.metadata.name
    if error := port_collision(target, found, spec):
        raise error
    main = target.pod.spec.containers[0]
    user = user_of(target, main)
    config = None
    if spec.container is not None:
        container = complete(
            spec.container, name, target, draft.options, user=user, mounts=[], env=[]
        )
        does = f"a container of your own, {container['image']}"
    else:
        profile, why = choose_profile(found, spec, target, draft.options)
        container = render(name, "ambassador", target, draft.options, user=user, mounts=[], env=[])
        config = _config(name, spec, profile, admin)
        upstreams = ", ".join(upstream.address for upstream in spec.profiles[profile].upstreams)
        does = f"takes {spec.listen} to {upstreams} (profile {profile}, {why})"
    start = (
        "it starts ahead of the application's own init containers, which may need it too"
        if draft.options.native_sidecars
        else f"{draft.options.why_plain}: it starts together with the application, and init "
        "containers run without it"
    )
    draft.helpers.append(
        Helper(
            "ambassador",
            found,
            container,
            config,
            f"{does}; {start}",
        )
    )


def port_of(spec: AmbassadorSpec) -> int | None:
    """None where a container of the user's own doesn't say."""
    return parse_address(spec.listen).port if spec.listen else None


def port_collision(target: Target, found: FoundPattern, spec: AmbassadorSpec) -> InputError | None:
    """What else in the Pod listens where the ambassador would."""
    port = port_of(spec)
    if port is None:
        return None
    if target.pod.spec.host_network:
        return pattern_error(
            found,
            f"{spec.listen} would be a port of the whole node, because {target.label} has "
            f"hostNetwork ({target.place('spec', 'hostNetwork')}): an ambassador needs a Pod "
            "with a network of its own",
            "spec",
            "listen",
        )
    for group, index, container in target.containers():
        for at, declared in enumerate(container.ports or []):
            if declared.container_port == port and declared.protocol in (None, "TCP"):
                where = target.place("spec", group, index, "ports", at)
                return pattern_error(
                    found,
                    f"port {port} is also the containerPort of {container.name} in "
                    f"{target.label} ({where}): they share one network, and only one can listen",
                    "spec",
                    "listen",
                )
    return None


def listen_collisions(ambassadors: list[FoundPattern]) -> list[InputError]:
    """Ambassadors of one Pod that want the same port."""
    errors = []
    taken: dict[int, FoundPattern] = {}
    for found in ambassadors:
        assert isinstance(found.pattern, Ambassador)
        port = port_of(found.pattern.spec)
        if port is None:
            continue
        other = taken.setdefault(port, found)
        if other is not found:
            errors.append(
                pattern_error(
                    found,
                    f"{found.pattern.spec.listen} is taken in the same Pod by "
                    f"{place(other, 'spec', 'listen')}: give one of them another port, or a "
                    "selector of its own",
                    "spec",
                    "listen",
                )
            )
    return errors


def _config(name: str, spec: AmbassadorSpec, profile: str, admin: int) -> dict[str, Any]:
    return {
        "version": CONFIG_VERSION,
        "program": "ambassador",
        "name": name,
        "listen": [list(address) for address in parse_listen(spec.listen)],
        "admin": ["127.0.0.1", admin],
        "protocol": spec.protocol,
        "profile": profile,
        "profiles": {
            key: {
                "upstreams": [
                    [*parse_address(upstream.address), upstream.weight]
                    for upstream in each.upstreams
                ]
            }
            for key, each in spec.profiles.items()
        },
        "connect_timeout": float(spec.connect_timeout_seconds),
        "drain": float(spec.drain_seconds),
    }
