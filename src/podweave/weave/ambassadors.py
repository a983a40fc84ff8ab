"""The filter of the Ambassador pattern: a proxy on the Pod's loopback."""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.addresses import parse_address, parse_listen
from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.model.patterns import Ambassador
from podweave.weave.drafts import Draft, Helper
from podweave.weave.helper_containers import complete, render, user_of
from podweave.weave.profiles import choose_profile

CONFIG_VERSION = 1


def weave_ambassador(draft: Draft, found: FoundPattern, admin: int) -> None:
    """Add the ambassador to the draft; its admin endpoint listens on port `admin`."""
    pattern = found.pattern
    assert isinstance(pattern, Ambassador)
    target, spec, name = draft.target, pattern.spec, pattern.metadata.name
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
