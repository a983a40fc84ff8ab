"""One Pod template and its patterns to a draft of what is added: the order of the filters."""

from __future__ import annotations

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import InputError, InputErrors
from podweave.model.helper_places import STATE_FOLDER
from podweave.model.patterns import Adapter, Ambassador, Sidecar
from podweave.weave.adapters import weave_adapter
from podweave.weave.ambassadors import weave_ambassador
from podweave.weave.collisions import (
    collisions,
    name_collisions,
    plain_container_errors,
    platform_errors,
)
from podweave.weave.drafts import Draft, NewVolume
from podweave.weave.helper_containers import CONFIG_VOLUME, STATE_VOLUME
from podweave.weave.lasting_states import Logs, lasting_states
from podweave.weave.log_entries import entries
from podweave.weave.log_folders import share
from podweave.weave.options import Options
from podweave.weave.ports import admin_ports, port_errors
from podweave.weave.scraping import annotate, metrics_ports
from podweave.weave.sidecars import adapter_errors, weave_sidecar
from podweave.weave.targets import Target


def draft(
    target: Target,
    patterns: list[FoundPattern],
    everywhere: list[FoundPattern],
    options: Options,
    config_map: str,
) -> Draft:
    """Plan the weaving of `patterns` into one template; `everywhere` are all patterns given.

    Raises InputErrors with all that stands in the way.
    """
    made = Draft(target, options)
    ambassadors = [found for found in patterns if isinstance(found.pattern, Ambassador)]
    errors = name_collisions(target, patterns)
    errors += plain_container_errors(target, patterns, options)
    errors += port_errors(target, patterns)
    errors += platform_errors(target, patterns)
    if errors:
        raise InputErrors(errors)
    adapters, sidecars = _logs(target, patterns)
    errors += adapter_errors(sidecars, adapters, everywhere, made)
    if errors:
        raise InputErrors(errors)

    ports = admin_ports(target, patterns)
    for found in ambassadors:
        try:
            others = [port for other, port in metrics_ports(patterns) if other is not found]
            weave_ambassador(made, found, next(ports), others)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    by_name = [*sidecars.values(), *adapters.values()]
    shares = share(made, [f for _, group in by_name for entry in group for f in entry.folders])
    states = lasting_states(made, sidecars, adapters, shares)
    shipped = {a for _, group in sidecars.values() for entry in group for a in entry.adapters}
    try:
        for found, group in sidecars.values():
            weave_sidecar(made, found, group, shares, next(ports), states)
        for name, (found, group) in adapters.items():
            weave_adapter(made, found, group, shares, next(ports), states, spooled=name in shipped)
    except InputError as error:
        raise InputErrors([error]) from None
    annotate(made, patterns)
    _common_volumes(made, config_map)
    if errors := collisions(made):
        raise InputErrors(errors)
    return made


def _logs(target: Target, patterns: list[FoundPattern]) -> tuple[Logs, Logs]:
    adapters: Logs = {}
    sidecars: Logs = {}
    errors = []
    for found in patterns:
        name = found.pattern.metadata.name
        try:
            if isinstance(found.pattern, Adapter):
                adapters[name] = found, entries(target, found)
            elif isinstance(found.pattern, Sidecar):
                sidecars[name] = found, entries(target, found)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    for _, group in sidecars.values():
        for at, entry in enumerate(group):
            if entry.adapters and not entry.paths and not entry.targeted:
                source = adapters.get(entry.adapters[0])
                if source is not None and source[1]:
                    group[at] = msgspec.structs.replace(entry, index=source[1][0].index)
    return adapters, sidecars


def _common_volumes(made: Draft, config_map: str) -> None:
    if made.config():
        made.config_map = config_map
        made.volumes = {
            CONFIG_VOLUME: NewVolume(
                {"configMap": {"name": config_map}},
                None,
                "the helpers' configuration",
                "mounted in helpers only",
            ),
            **made.volumes,
        }
    if any(
        mount["name"] == STATE_VOLUME and mount["mountPath"] == STATE_FOLDER
        for helper in made.helpers
        for mount in helper.container.get("volumeMounts") or []
    ):
        made.add_volume(
            STATE_VOLUME,
            NewVolume(
                {"emptyDir": {}},
                None,
                "how far the log helpers have come",
                "so that a restarted helper neither loses nor repeats lines",
            ),
        )
