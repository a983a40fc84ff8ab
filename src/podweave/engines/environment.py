"""A container's environment, command and arguments, with the kubelet's rules. Pure.

envFrom first, then env over it in its order; `$(NAME)` sees what was defined before it; values
that come by valueFrom aren't expanded; nothing of this machine's environment leaks in.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from podweave.engines.errors import EngineError
from podweave.model.pods import (
    ConfigMap,
    Container,
    EnvFromRef,
    EnvSource,
    EnvVar,
    KeySelector,
    Pod,
    ResourceFieldRef,
    Secret,
)
from podweave.model.quantities import cpu_of, parse_quantity

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONFIG_ERROR: Final = "CreateContainerConfigError"

_SUBSCRIPT: Final = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")


class Facts(msgspec.Struct, frozen=True):
    """What fieldRef and resourceFieldRef may ask about a Pod that is going to run."""

    pod: Pod
    namespace: str
    node_name: str
    pod_ip: str
    host_ip: str
    machine_cpus: int = 1
    machine_memory: int = 0
    config_maps: Mapping[tuple[str, str], ConfigMap] = msgspec.field(default_factory=dict)
    secrets: Mapping[tuple[str, str], Secret] = msgspec.field(default_factory=dict)

    def config_map(self, name: str) -> dict[str, bytes] | None:
        found = self.config_maps.get((self.namespace, name))
        return None if found is None else config_map_data(found)

    def config_map_text(self, name: str) -> dict[str, bytes] | None:
        """A ConfigMap for variables: its binaryData goes into volumes only."""
        found = self.config_maps.get((self.namespace, name))
        return None if found is None else _encoded(found.data)

    def secret(self, name: str) -> dict[str, bytes] | None:
        found = self.secrets.get((self.namespace, name))
        return None if found is None else secret_data(found)


def config_map_data(config_map: ConfigMap) -> dict[str, bytes]:
    data = {key: base64.b64decode(text) for key, text in (config_map.binary_data or {}).items()}
    return {**data, **_encoded(config_map.data)}


def secret_data(secret: Secret) -> dict[str, bytes]:
    data = {key: base64.b64decode(text) for key, text in (secret.data or {}).items()}
    return {**data, **_encoded(secret.string_data)}


def _encoded(values: Mapping[str, str] | None) -> dict[str, bytes]:
    return {key: text.encode() for key, text in (values or {}).items()}


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """Replace `$(NAME)`. `$$` is one `$`; an unknown name stays as it is written."""
    result: list[str] = []
    start = cursor = 0
    while cursor < len(text) - 1:
        if text[cursor] != "$":
            cursor += 1
            continue
        result.append(text[start:cursor])
        following = text[cursor + 1]
        end = text.find(")", cursor + 2) if following == "(" else -1
        if end >= 0:
            name = text[cursor + 2 : end]
            value = lookup(name)
            result.append(f"$({name})" if value is None else value)
            cursor = end + 1
        else:
            # `$$` gives `$`; any other character stands for itself behind its `$`.
            result.append("$" if following == "$" else "$" + following)
            cursor += 2
        start = cursor
    return "".join(result) + text[start:]


def environment(container: Container, facts: Facts) -> dict[str, str]:
    """What the manifest gives the container. Raises EngineError, naming key and object."""
    result: dict[str, str] = {}
    for source in container.env_from or ():
        for key, value in _bulk(source.config_map_ref, source.secret_ref, container, facts).items():
            name = (source.prefix or "") + key
            if _is_variable_name(name):
                result[name] = value.decode("utf-8", "surrogateescape")
    for variable in container.env or ():
        found = _value(variable, container, facts, result)
        if found is not None:
            result[variable.name] = found
    for name, text in result.items():
        if "\0" in text:
            raise EngineError(
                f"the variable {name} holds a NUL byte, and no process can be given one",
                reason=CONFIG_ERROR,
                container=container.name,
            )
    return result


def _is_variable_name(name: str) -> bool:
    """Printable ASCII without `=`; the kubelet leaves other keys out."""
    return bool(name) and all(" " <= char <= "~" and char != "=" for char in name)


def _bulk(
    config_map: EnvFromRef | None, secret: EnvFromRef | None, container: Container, facts: Facts
) -> dict[str, bytes]:
    data: dict[str, bytes] = {}
    for reference, kind, find in (
        (config_map, "configmap", facts.config_map_text),
        (secret, "secret", facts.secret),
    ):
        if reference is None:
            continue
        found = find(reference.name)
        if found is None and not reference.optional:
            raise _missing(kind, reference.name, container)
        data.update(found or {})
    return data


def _value(
    variable: EnvVar, container: Container, facts: Facts, before: Mapping[str, str]
) -> str | None:
    if variable.value:
        return expand(variable.value, before.get)
    source = variable.value_from
    if source is None:
        return ""
    if source.config_map_key_ref is not None:
        return _key(source.config_map_key_ref, "configmap", facts.config_map_text, container, facts)
    if source.secret_key_ref is not None:
        return _key(source.secret_key_ref, "secret", facts.secret, container, facts)
    return _reference(source, container, facts)


def _key(
    selector: KeySelector,
    kind: str,
    find: Callable[[str], dict[str, bytes] | None],
    container: Container,
    facts: Facts,
) -> str | None:
    data = find(selector.name)
    if data is not None and selector.key in data:
        return data[selector.key].decode("utf-8", "surrogateescape")
    if selector.optional:
        return None
    if data is None:
        raise _missing(kind, selector.name, container)
    title = "ConfigMap" if kind == "configmap" else "Secret"
    raise EngineError(
        f"couldn't find key {selector.key} in {title} {facts.namespace}/{selector.name}",
        reason=CONFIG_ERROR,
        container=container.name,
    )


def _missing(kind: str, name: str, container: Container) -> EngineError:
    return EngineError(f'{kind} "{name}" not found', reason=CONFIG_ERROR, container=container.name)


def _reference(source: EnvSource, container: Container, facts: Facts) -> str:
    try:
        if source.field_ref is not None:
            return field_value(source.field_ref.field_path, facts)
        if source.resource_field_ref is not None:
            return resource_value(source.resource_field_ref, container, facts)
    except ValueError as error:
        raise EngineError(str(error), reason=CONFIG_ERROR, container=container.name) from error
    return ""


def field_value(path: str, facts: Facts) -> str:
    """A fieldRef's value. Raises ValueError for a path that isn't one."""
    metadata, spec = facts.pod.metadata, facts.pod.spec
    labels, annotations = metadata.labels or {}, metadata.annotations or {}
    match = _SUBSCRIPT.fullmatch(path)
    if match:
        return (labels if match[1] == "labels" else annotations).get(match[2], "")
    values = {
        "metadata.name": metadata.name or "",
        "metadata.namespace": facts.namespace,
        "metadata.uid": metadata.uid or "",
        "metadata.labels": _format_map(labels),
        "metadata.annotations": _format_map(annotations),
        "spec.nodeName": facts.node_name,
        "spec.serviceAccountName": spec.service_account_name or "default",
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
    }
    if path not in values:
        raise ValueError(f"fieldPath {path} is not one of {', '.join(sorted(values))}")
    return values[path]


def _format_map(values: Mapping[str, str]) -> str:
    """As the downward API writes labels into a file: one `key="quoted value"` a line."""
    return "\n".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sorted(values.items())
    )


def resource_value(reference: ResourceFieldRef, container: Container, facts: Facts) -> str:
    """A resourceFieldRef's value, rounded up to whole divisors. Raises ValueError."""
    kind, _, name = reference.resource.partition(".")
    if kind not in ("limits", "requests") or name not in ("cpu", "memory", "ephemeral-storage"):
        raise ValueError(f"resource {reference.resource} is not limits.cpu, requests.memory, …")
    everyone = [*(facts.pod.spec.init_containers or ()), *facts.pod.spec.containers]
    wanted = reference.container_name or container.name
    owner = next((one for one in everyone if one.name == wanted), None)
    if owner is None:
        raise ValueError(f"resourceFieldRef names the container {wanted}, which isn't in the Pod")
    resources = owner.resources
    limits = (resources.limits if resources else None) or {}
    requests = (resources.requests if resources else None) or {}
    quantity = limits.get(name) if kind == "limits" else requests.get(name, limits.get(name))
    if quantity is not None:
        amount = cpu_of(quantity) if name == "cpu" else parse_quantity(quantity)
    elif kind == "requests":
        amount = parse_quantity(0)
    else:
        # No limit: what the node could give.
        machine = {"cpu": facts.machine_cpus, "memory": facts.machine_memory}
        amount = parse_quantity(machine.get(name, 0))
    divisor = parse_quantity(reference.divisor or "1") or parse_quantity(1)
    return str(math.ceil(amount / divisor))


def arguments(container: Container, values: Mapping[str, str]) -> list[str]:
    """The command line, `$(NAME)` replaced. Raises EngineError when there is no command."""
    if not container.command:
        what = "args but no command" if container.args else "no command"
        raise EngineError(
            f"container {container.name} has {what}: its image's entrypoint isn't known without "
            "pulling; the podman or kubernetes engine would do",
            reason=CONFIG_ERROR,
            container=container.name,
        )
    words = [expand(part, values.get) for part in [*container.command, *(container.args or ())]]
    if any("\0" in word for word in words):
        raise EngineError(
            "the command holds a NUL byte, and no process can be given one",
            reason=CONFIG_ERROR,
            container=container.name,
        )
    return words
