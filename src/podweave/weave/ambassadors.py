"""The filter of the Ambassador pattern: a proxy on the Pod's loopback."""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.addresses import parse_listen
from podweave.model.ambassador_patterns import AmbassadorSpec, HealthCheck, Profile
from podweave.model.patterns import Ambassador
from podweave.weave.configuration import CONFIG_VERSION
from podweave.weave.drafts import Draft, Helper
from podweave.weave.helper_containers import complete, render, user_of
from podweave.weave.http_routes import render_http, render_upstreams
from podweave.weave.kernel_datapath import REFUSED, allow_kernel
from podweave.weave.profiles import choose_profile
from podweave.weave.scraping import rendered_metrics
from podweave.weave.secret_files import SecretFiles


def weave_ambassador(
    draft: Draft, found: FoundPattern, admin: int, helper_ports: list[int]
) -> None:
    """Add the ambassador to the draft; its admin endpoint listens on port `admin`.

    `helper_ports` are those of other helpers on the Pod's addresses.
    """
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
        secrets = SecretFiles(found)
        config = _config(name, spec, profile, admin, secrets) | rendered_metrics(found)
        if not draft.options.native_sidecars:
            config["stops_with_application"] = True
            if helper_ports:
                config["helper_ports"] = helper_ports
        mounts = secrets.mounts(draft)
        container = render(
            name,
            "ambassador",
            target,
            draft.options,
            user=user,
            mounts=mounts,
            env=[],
            metrics=spec.metrics,
        )
        upstreams = ", ".join(upstream.address for upstream in spec.profiles[profile].upstreams)
        does = f"takes {spec.listen} to {upstreams} (profile {profile}, {why})"
        if spec.datapath == "kernel":
            allow_kernel(draft, found, container)
            does += f"; it is root with NET_ADMIN and nothing else, {REFUSED}"
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


def _config(
    name: str, spec: AmbassadorSpec, profile: str, admin: int, secrets: SecretFiles
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "version": CONFIG_VERSION,
        "program": "ambassador",
        "name": name,
        "listen": [list(address) for address in parse_listen(spec.listen)],
        "admin": ["127.0.0.1", admin],
        "protocol": spec.protocol,
        "datapath": spec.datapath,
        "profile": profile,
        "profiles": {key: _profile(key, each, secrets) for key, each in spec.profiles.items()},
        "connect_timeout": float(spec.connect_timeout_seconds),
        "drain": float(spec.drain_seconds),
    }
    if spec.login_timeout_seconds != AmbassadorSpec().login_timeout_seconds:
        config["login_timeout"] = float(spec.login_timeout_seconds)
    if (on_switch := spec.on_switch) is not None:
        config["on_switch"] = {
            "existing": on_switch.existing,
            "grace": float(on_switch.grace_seconds),
        }
    return config


def _profile(name: str, profile: Profile, secrets: SecretFiles) -> dict[str, Any]:
    """A profile as the helper has it: what the pattern leaves open is left open here, too."""
    rendered: dict[str, Any] = {"upstreams": render_upstreams(profile.upstreams)}
    if profile.balance != "weighted":
        rendered["balance"] = "least_connections"
    if profile.health_check is not None:
        rendered["health_check"] = _health_check(profile.health_check)
    if (ejection := profile.ejection) is not None:
        rendered["ejection"] = {
            "failures": ejection.failures,
            "seconds": float(ejection.seconds),
        }
    if (limits := profile.limits) is not None:
        rendered["limits"] = {"connections": limits.connections, "waiting": limits.waiting}
    if profile.tls is not None:
        rendered["tls"] = secrets.tls(profile.tls, name)
    if profile.credentials is not None:
        rendered["credentials"] = secrets.credentials(profile.credentials, name)
    if profile.http is not None:
        rendered["http"] = render_http(profile.http)
    if profile.database != "":
        rendered["database"] = str(profile.database)
    return rendered


def _health_check(check: HealthCheck) -> dict[str, Any]:
    timeout = check.timeout_seconds or min(3, check.interval_seconds)
    rendered: dict[str, Any] = {
        "interval": float(check.interval_seconds),
        "timeout": float(timeout),
        "unhealthy_after": check.unhealthy_after,
        "healthy_after": check.healthy_after,
    }
    if (http := check.http) is not None:
        rendered["http"] = {"path": http.path}
        if http.host:
            rendered["http"]["host"] = http.host
        if http.port is not None:
            rendered["http"]["port"] = http.port
    return rendered
