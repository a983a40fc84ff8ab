"""The kinds of stores. A kind's module is imported when one is configured: memory is imports."""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.configuration import Section
    from podweave.helpers.logs.stores.interface import Context, Store

KINDS = (
    "elasticsearch",
    "files",
    "forward",
    "gelf",
    "http",
    "loki",
    "otlp",
    "s3",
    "splunk",
    "stdout",
    "syslog",
)


class StoreSettings:
    """A store that is configured and not open yet. `name` is what it is called in metrics,
    `given` whether the configuration says so. One without a name is known by its `place`, whatever
    else of the configuration changes."""

    __slots__ = ("_module", "given", "kind", "name", "place", "settings")

    def __init__(self, kind: str, name: str, module: Any, settings: Any) -> None:
        self.kind = kind
        self.name = name or kind
        self.given = bool(name)
        self.place = f"{kind}:{settings.place}"
        self.settings = settings
        self._module = module

    def open(self, context: Context) -> Store:
        store: Store = self._module.make(self.settings, context)
        return store


def configure(section: Section) -> StoreSettings:
    """{"KIND": {…}}, and beside it perhaps the name of the store."""
    name = section.text("name") if "name" in section else ""
    found = [kind for kind in KINDS if kind in section]
    if len(found) != 1:
        known = ", ".join(KINDS)
        raise ConfigurationError(section.path, f"must have exactly one of {known}")
    (kind,) = found
    inner = section.section(kind)
    section.end()
    try:
        # As importlib.import_module does, which is one more module to load.
        module = __import__(f"podweave.helpers.logs.stores.{kind}", fromlist=["make"])
    except ModuleNotFoundError as error:
        raise ConfigurationError(inner.path, f"needs {error.name}, which isn't here") from error
    settings = module.configure(inner)
    inner.end()
    return StoreSettings(kind, name, module, settings)
