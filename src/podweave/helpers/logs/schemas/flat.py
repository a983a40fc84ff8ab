"""The neutral names as they are, at the top of a flat object, for tools without a schema."""

from __future__ import annotations

from podweave.helpers.logs.fields import FIELDS
from podweave.helpers.logs.schemas.schema import SPREAD, Attributes, Field, Schema, Time
from podweave.helpers.logs.schemas.values import iso_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _itself(attributes: dict[str, Any]) -> dict[str, Any]:
    return attributes


FLAT = Schema(
    "flat",
    [
        ("time", Time(iso_seconds, ".", "Z")),
        *((name, Field(name)) for name in FIELDS if name != "time"),
        (SPREAD, Attributes(_itself)),
    ],
)
