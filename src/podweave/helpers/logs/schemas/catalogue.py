"""Which schemas there are, and where; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.schemas.schema import Schema

NAMES = ("ecs", "otel", "splunk", "gelf", "flat")


def load(name: str) -> Schema:
    """The schema of that name, one of NAMES."""
    schema: Schema = getattr(import_module(f"{__package__}.{name}"), name.upper())
    return schema
