"""A helper's configuration: flat JSON that the weaver rendered, checked strictly.

A program reads its keys through a Section, which says where it is when a value is wrong:
`FILE: profiles.dev.upstreams[0]: what is wrong`. An unknown key is an error, so that a helper
older than its configuration says so instead of doing half of it.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

VERSION = 1
SIZE_LIMIT = 1 << 20


class ConfigurationError(Exception):
    """The configuration is wrong: exit code 2. `path` is where in it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


def read(file: str) -> dict[str, Any]:
    """Read a configuration file. ConfigurationError for what is not a JSON object."""
    try:
        with open(file, "rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigurationError("", f"cannot be read: {error.strerror}") from error
    if len(data) > SIZE_LIMIT:
        raise ConfigurationError("", f"is longer than {SIZE_LIMIT} bytes")
    try:
        config = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("", f"is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ConfigurationError("", f"must be a JSON object, not {_kind(config)}")
    return config


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return result


class Section:
    """A JSON object of the configuration. Take every key, then call `end()`."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise ConfigurationError(path, f"must be an object, not {_kind(value)}")
        self.path = path
        self._values: dict[str, Any] = dict(value)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        """The keys that are not taken yet."""
        return iter(self._values)

    def at(self, key: str | int) -> str:
        if isinstance(key, int):
            return f"{self.path}[{key}]"
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str) -> Any:
        if key not in self._values:
            raise ConfigurationError(self.path, f"lacks the key {key!r}")
        return self._values.pop(key)

    def text(
        self,
        key: str,
        default: str | None = None,
        *,
        among: Sequence[str] = (),
        empty: bool = False,
    ) -> str:
        """`default`: where it is left out; without one it must be there. `empty`: may be ""."""
        if default is not None and key not in self._values:
            return default
        value = self.take(key)
        if not isinstance(value, str) or not (value or empty):
            raise ConfigurationError(self.at(key), f"must be a string, not {_kind(value)}")
        if among and value not in among:
            known = ", ".join(among)
            raise ConfigurationError(self.at(key), f"is {value!r}; must be one of {known}")
        return value

    def integer(self, key: str, least: int, most: int, default: int | None = None) -> int:
        if default is not None and key not in self._values:
            return default
        return integer(self.take(key), self.at(key), least, most)

    def boolean(self, key: str, default: bool = False) -> bool:
        value = self._values.pop(key, default)
        if not isinstance(value, bool):
            raise ConfigurationError(self.at(key), f"must be true or false, not {_kind(value)}")
        return value

    def seconds(self, key: str, default: float, most: float = 86400.0, least: float = 0.0) -> float:
        value = self._values.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(self.at(key), f"must be seconds, not {_kind(value)}")
        if not least <= value <= most:
            message = f"is {value:g}; must be between {least:g} and {most:g} seconds"
            raise ConfigurationError(self.at(key), message)
        return float(value)

    def array(self, key: str) -> list[tuple[str, Any]]:
        """The elements, each with its path."""
        value = self.take(key)
        if not isinstance(value, list):
            raise ConfigurationError(self.at(key), f"must be an array, not {_kind(value)}")
        return [(f"{self.at(key)}[{index}]", element) for index, element in enumerate(value)]

    def section(self, key: str) -> Section:
        """An object, to be taken apart in turn."""
        return Section(self.take(key), self.at(key))

    def optional(self, key: str) -> Section | None:
        """An object that may be left out."""
        return self.section(key) if key in self else None

    def texts(self, key: str) -> dict[str, str]:
        """An object of strings; {} where it is left out."""
        section = self.optional(key)
        if section is None:
            return {}
        return {name: section.text(name, empty=True) for name in list(section)}

    def sections(self, key: str) -> dict[str, Section]:
        """An object of objects."""
        value = self.take(key)
        if not isinstance(value, dict):
            raise ConfigurationError(self.at(key), f"must be an object, not {_kind(value)}")
        path = self.at(key)
        return {name: Section(inner, f"{path}.{name}") for name, inner in value.items()}

    def address(self, key: str) -> tuple[str, int]:
        return address(self.take(key), self.at(key))

    def begin(self, program: str) -> str:
        """Check what every helper's configuration begins with; returns the helper's name."""
        self.integer("version", VERSION, VERSION)
        self.text("program", among=[program])
        return self.text("name")

    def rest(self) -> dict[str, Any]:
        """What has not been taken yet; taken with this."""
        values, self._values = self._values, {}
        return values

    def end(self) -> None:
        if self._values:
            raise ConfigurationError(self.at(next(iter(self._values))), "is not a known key")


def integer(value: Any, path: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(path, f"must be an integer, not {_kind(value)}")
    if not least <= value <= most:
        wanted = f"must be {least}" if least == most else f"must be between {least} and {most}"
        raise ConfigurationError(path, f"is {value}; {wanted}")
    return value


def address(value: Any, path: str, least_port: int = 0) -> tuple[str, int]:
    """["HOST", PORT]. Port 0, where it is allowed, lets the kernel choose."""
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigurationError(path, 'must be an address ["HOST", PORT]')
    host, port = value
    if not isinstance(host, str) or not host:
        raise ConfigurationError(f"{path}[0]", f"must be a host, not {_kind(host)}")
    return host, integer(port, f"{path}[1]", least_port, 65535)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if value == "":
        return "an empty string"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)
