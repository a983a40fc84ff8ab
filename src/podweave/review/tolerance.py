"""Values of objects that may be anything: what has the wrong type is reported and left out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from podweave.model.errors import InputError, Path
from podweave.model.quantities import parse_quantity
from podweave.review.facts import Amounts

MAX_TEXT: Final = 20_000
"""Of one value that is searched; a script longer than this shows its nature before."""


class TolerantReader:
    """`errors` collects what had to be left out. A `path` says where the value stands."""

    def __init__(self) -> None:
        self.errors: Final[list[InputError]] = []

    def amounts(self, value: Any, path: Path) -> Amounts:
        amounts = self.mapping(value, path)
        return Amounts(
            self._quantity(amounts.get("cpu"), (*path, "cpu")),
            self._quantity(amounts.get("memory"), (*path, "memory")),
        )

    def _quantity(self, value: Any, path: Path) -> float | None:
        if value is None:
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                amount = _quantity(value)
            except InputError as error:
                self.wrong(error.message, path)
                return None
            except OverflowError:
                self.wrong("larger than any machine", path)
                return None
            if amount >= 0:
                return amount
        self.wrong("not a quantity, as in 500m or 128Mi", path)
        return None

    def items(self, of: dict[str, Any], key: str, path: Path) -> Iterator[tuple[Any, Path]]:
        items = of.get(key)
        if items is None:
            return
        if not isinstance(items, list):
            self.wrong("must be a list", (*path, key))
            return
        for index, item in enumerate(items[:10_000]):
            if isinstance(item, dict):
                yield item, (*path, key, index)
            elif item is not None:
                self.wrong("must be a mapping", (*path, key, index))

    def mapping(self, value: Any, path: Path) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong("must be a mapping", path)
        return {}

    def texts(self, value: Any, path: Path) -> dict[str, str]:
        return {str(key): text(each) for key, each in self.mapping(value, path).items()}

    def words(self, value: Any, path: Path) -> list[str]:
        if value is None:
            return []
        if isinstance(value, str):
            self.wrong("must be a list of words", path)
            return [value]
        if not isinstance(value, list):
            self.wrong("must be a list of words", path)
            return []
        return [text(each)[:MAX_TEXT] for each in value[:10_000]]

    def number(self, value: Any, path: Path) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and value.isdigit() and len(value) < 10:
            return int(value)
        self.wrong("expected a whole number", path)
        return None

    def wrong(self, message: str, path: Path) -> None:
        self.errors.append(InputError(message, path=path))


@lru_cache(4096)
def _quantity(value: str | int | float) -> float:
    return float(parse_quantity(value))


def text(value: Any) -> str:
    """A scalar as text; nothing for null and for collections."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
