"""A format as it is chosen in a configuration: by its name, `auto`, or as one of the user's own."""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.formats.own import catalogue as own_formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AUTO = "auto"


def layouts_of(value: Any, path: str) -> tuple[Any, ...] | None:
    """The layouts of the format at `path`; None for all formats, recognised by themselves."""
    if isinstance(value, dict):
        return _own(value, path)
    if value == AUTO:
        return None
    if isinstance(value, str):
        try:
            return catalogue.load(value).layouts
        except KeyError:
            pass
    known = ", ".join((AUTO, *catalogue.NAMES))
    raise ConfigurationError(path, f"is {value!r}; must be one of {known}, or an object of one key")


def _own(value: dict[str, Any], path: str) -> tuple[Any, ...]:
    if len(value) != 1:
        raise ConfigurationError(path, "must be an object of one key")
    ((key, inner),) = value.items()
    if key not in own_formats.KEYS:
        known = ", ".join(own_formats.KEYS)
        raise ConfigurationError(path, f"has the key {key!r}; must be one of {known}")
    try:
        return own_formats.load(key, inner).layouts
    except ValueError as error:
        raise ConfigurationError(f"{path}.{key}", str(error)) from None
