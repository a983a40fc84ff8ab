"""Plain objects to the model's structs, or every error in them, each with its path and in words.

msgspec converts, and stops at the first error, which it says for programmers and without the
keys of a map. So where it fails, the object is walked again beside the type, and a sentence is
written for everything that doesn't fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from podweave.model.errors import InputError, Path
from podweave.model.suggestions import did_you_mean

if TYPE_CHECKING:
    from msgspec import inspect

T = TypeVar("T")

_MAX_ERRORS: Final = 100


def convert(value: Any, type: type[T], path: Path, *, nulls: bool) -> T | list[InputError]:
    """Convert `value`, which stands at `path`, to a struct, or give all errors.

    `nulls`: a key with the value null counts as absent, as in Kubernetes' objects.
    """
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        reason = str(error)
    if nulls:
        value = _without_nulls(value)
        try:
            return msgspec.convert(value, type)
        except msgspec.ValidationError as error:
            reason = str(error)
    from msgspec import inspect

    errors: list[InputError] = []
    _Walk(inspect, errors).check(value, inspect.type_info(type), path)
    return errors or [InputError(reason, path=path)]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


class _Walk:
    """Collects what in a value doesn't fit a type."""

    def __init__(self, inspect: Any, errors: list[InputError]) -> None:
        # Handed over, since msgspec.inspect is worth importing only where there are errors.
        self._inspect: Final = inspect
        self._errors: Final = errors

    def _add(self, message: str, path: Path) -> None:
        if len(self._errors) < _MAX_ERRORS:
            self._errors.append(InputError(message, path=path))

    def check(self, value: Any, type: inspect.Type, path: Path) -> None:
        """Add an error for everything in `value` that doesn't fit `type`."""
        types = self._inspect
        options = type.types if isinstance(type, types.UnionType) else (type,)
        for option in options:
            if isinstance(option, types.AnyType):
                return
            if isinstance(option, types.StructType) and isinstance(value, dict):
                self._struct(value, option, path)
                return
            if isinstance(option, types.DictType) and isinstance(value, dict):
                for key, item in value.items():
                    self.check(item, option.value_type, (*path, key))
                return
            if isinstance(option, types.ListType) and isinstance(value, list):
                for index, item in enumerate(value):
                    self.check(item, option.item_type, (*path, index))
                return
            if self._fits(value, option):
                return
        literals = [
            str(choice)
            for option in options
            if isinstance(option, types.LiteralType)
            for choice in option.values
        ]
        if literals and isinstance(value, str):
            self._add(
                f"{value!r} isn't one of {listed(literals)}{did_you_mean(value, literals)}", path
            )
        else:
            self._add(self._mismatch(value, options), path)

    def _fits(self, value: Any, option: inspect.Type) -> bool:
        types = self._inspect
        if isinstance(option, types.LiteralType):
            return value in option.values
        if isinstance(option, types.BoolType):
            return isinstance(value, bool)
        if isinstance(value, bool):
            return False
        return (
            (isinstance(option, types.StrType) and isinstance(value, str))
            or (isinstance(option, types.IntType) and isinstance(value, int))
            or (isinstance(option, types.FloatType) and isinstance(value, int | float))
            or (isinstance(option, types.NoneType) and value is None)
        )

    def _struct(self, value: dict[str, Any], type: inspect.StructType, path: Path) -> None:
        known = {field.encode_name: field for field in type.fields}
        for key, item in value.items():
            if key in known:
                self.check(item, known[key].type, (*path, key))
            elif type.forbid_unknown_fields:
                hint = did_you_mean(key, known) or f"; known are {listed(known)}"
                self._add(f"unknown key{hint}", (*path, key))
        for name, field in known.items():
            if field.required and name not in value:
                self._add(f"{name} is missing", path)

    def _mismatch(self, value: Any, options: tuple[inspect.Type, ...]) -> str:
        types = self._inspect
        names = {
            types.StructType: "a mapping",
            types.DictType: "a mapping",
            types.ListType: "a list",
            types.StrType: "a string",
            types.LiteralType: "a string",
            types.IntType: "a whole number",
            types.FloatType: "a number",
            types.BoolType: "true or false",
        }
        wanted = list(dict.fromkeys(names[t] for t in map(_class, options) if t in names))
        message = f"expected {listed(wanted, 'or')}, got {_described(value)}"
        if "a string" in wanted and isinstance(value, bool):
            words = "y, yes, on" if value else "n, no, off"
            message += f" ({words} mean that too): put it in quotes"
        elif "a string" in wanted and isinstance(value, int | float):
            message += ": put it in quotes"
        elif "a whole number" in wanted and isinstance(value, str) and value.isdecimal():
            message += ": leave out the quotes"
        elif "a list" in wanted:
            message += ": begin each item with `- `"
        return message


def _class(value: Any) -> type:
    return type(value)


def _described(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the string {value[:60]!r}"
    return f"the number {value}"[:80]


def listed(words: Any, joint: str = "and") -> str:
    """`a, b and c`."""
    words = list(words)
    return f" {joint} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
