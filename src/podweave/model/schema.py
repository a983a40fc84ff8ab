"""The JSON Schema of the pattern resources, for editors and, later, the CRDs.

Made from the types, so that it can't fall behind them; the docstring under a field is what an
editor shows. What only the rules know, as far as a schema can say it, is added here.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from podweave.model import adapter_rules, ambassador_rules, http_rules, log_reading, store_rules
from podweave.model.log_formats import AUTO, LOG_FORMAT_ALIASES, LOG_FORMATS
from podweave.model.own_formats import OWN_FORMATS
from podweave.model.pattern_parts import (
    API_VERSION,
    METRICS_BOUNDS,
    Selector,
    SelectorRequirement,
    Strict,
)
from podweave.model.pattern_rules import SIDECAR_BOUNDS
from podweave.model.patterns import PATTERN_TYPES
from podweave.model.stores import KINDS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ID: Final = "https://podweave.dev/schemas/v1alpha1.json"


_ADDED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("PatternMeta", "name"): {"pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
    ("Upstream", "address"): {"pattern": "^(\\[[^\\]]+\\]|[^:\\s/]+):[0-9]{1,5}$"},
    ("Profile", "upstreams"): {"minItems": 1},
    ("AmbassadorSpec", "listen"): {"examples": ["localhost:5432"]},
    ("AmbassadorSpec", "profiles"): {"minProperties": 1},
    ("AdapterLogs", "from"): {"minItems": 1, "items": {"type": "string", "pattern": "^/"}},
    ("AdapterLogs", "format"): {
        "anyOf": [
            {"enum": [AUTO, *LOG_FORMATS, *LOG_FORMAT_ALIASES]},
            {
                "type": "object",
                "properties": {key: {} for key in OWN_FORMATS},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ]
    },
    ("AdapterLogs", "timeZone"): {"examples": ["Asia/Seoul", "+09:00"]},
    ("RateLimit", "events"): {"minimum": 1},
    ("SidecarLogs", "from"): {"minItems": 1},
    ("SidecarLogs", "encoding"): {"enum": list(log_reading.ENCODINGS)},
    ("AdapterLogs", "encoding"): {"enum": list(log_reading.ENCODINGS)},
    ("SidecarLogs", "stores"): {"minItems": 1},
    ("FilesStore", "directory"): {"pattern": "^/"},
    ("ElasticsearchStore", "urls"): {"minItems": 1},
    ("HttpCheck", "path"): {"pattern": "^/"},
    **{
        place: {"minimum": least, "maximum": most}
        for bounds in (
            ambassador_rules.BOUNDS,
            http_rules.BOUNDS,
            adapter_rules.BOUNDS,
            log_reading.BOUNDS,
            store_rules.BOUNDS,
            SIDECAR_BOUNDS,
            METRICS_BOUNDS,
        )
        for place, (least, most) in bounds.items()
    },
}
"""(type, key) -> what the rules ask of it beyond its type."""

_EITHER: Final[dict[str, list[dict[str, Any]]]] = {
    "AmbassadorSpec": [{"required": ["listen", "profiles"]}, {"required": ["container"]}],
    "AdapterSpec": [{"required": ["logs"]}, {"required": ["container"]}],
    "SidecarSpec": [{"required": ["logs"]}, {"required": ["container"]}],
    "SidecarLogs": [{"required": ["from"]}, {"required": ["listen"]}],
    "Store": [{"required": [kind]} for kind in KINDS],
    "ElasticsearchStore": [{"required": ["index"]}, {"required": ["dataStream"]}],
    "Ca": [{"required": ["secretRef"]}, {"required": ["configMapRef"]}],
}
"""A helper of podweave's, or a container of the user's own."""


def schema() -> dict[str, Any]:
    """One schema for the three kinds."""
    kinds = list(PATTERN_TYPES.values())
    references, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    types = {each.__name__: each for each in _types()}
    for name, definition in definitions.items():
        if definition.get("type") != "object":
            continue
        type = types[name]
        documented = _documented(type)
        keys = {field.encode_name: field.name for field in msgspec.structs.fields(type)}
        for key, property in definition["properties"].items():
            text = documented.get(keys[key])
            if text:
                property["description"] = text
            property.update(_ADDED.get((name, key), {}))
            if property.get("default", ...) in (None, {}, ""):
                del property["default"]
        if type in kinds:
            # Here they may not be left out, as they may where Python makes an object.
            definition["required"] = ["apiVersion", "kind", *definition["required"]]
        if name in _EITHER:
            definition["anyOf"] = _EITHER[name]
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": f"Patterns of {API_VERSION}",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "oneOf": list(references),
        "$defs": definitions,
    }


def _types() -> Iterator[type]:
    """The structs that patterns are made of."""
    yield from (Selector, SelectorRequirement)
    kinds: list[type] = [Strict]
    while kinds:
        found: list[type] = kinds.pop().__subclasses__()
        yield from found
        kinds += found


def _documented(type: type) -> dict[str, str]:
    """The strings under the fields of a type and its bases, as one line each."""
    texts: dict[str, str] = {}
    for base in reversed(type.__mro__):
        if not base.__module__.startswith(f"{__package__}."):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, below in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                texts[statement.target.id] = " ".join(below.value.value.split())
    return texts
