"""YAML events to plain objects, in one pass and within bounds.

The fast road: no node is built and no position kept. Where a position is needed, for an error
or an edit, `nodes` reads the one document again. libyaml gives the events; this loop does what
a constructor does, with limits on depth, nodes and what aliases expand to, so that a small
text can't become a huge object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from podweave.manifests.scalars import resolve

MAX_DEPTH: Final = 200
MAX_NODES: Final = 2_000_000
MAX_ALIASED: Final = 200_000

_TAG: Final = "tag:yaml.org,2002:"


class ComposeError(Exception):
    """A document that is YAML but can't become an object. `index` is a place in the text."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.message: Final = message
        self.index: Final = index


class DuplicateKeyError(ComposeError):
    """A mapping has a key twice; `nodes` finds where, in the document that starts at `index`."""


class Composed(NamedTuple):
    """One document: its object and where it starts and ends in the text."""

    object: Any
    start: int
    end: int
    empty: bool
    """Nothing but white space, comments and markers."""


class _Merge:
    """The plain scalar `<<`: a merge key where it is a key, else the string."""


_MERGE: Final = _Merge()


class Composer:
    """Composes the documents of one text."""

    def __init__(self, text: str) -> None:
        # Any: the stubs call every mark of an event optional, and libyaml gives them all.
        self._next_event: Callable[[], Any] = CParser(text).get_event
        self._nodes = 0
        self._aliased = 0
        self._duplicates = False
        self._plain: dict[str, Any] = {"<<": _MERGE}
        """Values of the plain scalars seen: manifests say the same words again and again."""

    def documents(self) -> list[Composed]:
        """All documents. Raises ComposeError, or yaml.YAMLError for what isn't YAML."""
        composed = []
        next_event = self._next_event
        event: Any
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is DocumentStartEvent:
                start = event.start_mark.index
                value, empty, end = self._document()
                if self._duplicates:
                    # Only now, so that the search for the places meets no other error.
                    raise DuplicateKeyError("a key twice in one mapping", start)
                composed.append(Composed(value, start, end, empty))
        return composed

    def _document(self) -> tuple[Any, bool, int]:
        next_event = self._next_event
        plain = self._plain
        anchors: dict[str, tuple[Any, int]] = {}
        stack: list[tuple[list[Any], str | None, int]] = []
        top: list[Any] = []
        items = top
        anchor: str | None = None
        began = 0
        empty = True
        count = self._nodes
        while True:
            event = next_event()
            kind = type(event)
            count += 1
            if kind is ScalarEvent:
                text = event.value
                if event.implicit[0]:
                    try:
                        value = plain[text]
                    except KeyError:
                        value = plain[text] = resolve(text)
                elif event.tag is None or event.implicit[1]:
                    value = text
                else:
                    value = _tagged(event)
                items.append(value)
                if event.anchor is not None:
                    anchors[event.anchor] = (value, 1)
                if items is top and event.start_mark.index == event.end_mark.index:
                    continue
                empty = False
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = (
                    self._mapping(items, event)
                    if kind is MappingEndEvent
                    else ["<<" if item is _MERGE else item for item in items]
                    if _MERGE in items
                    else items
                )
                if anchor is not None:
                    anchors[anchor] = (node, count - began)
                items, anchor, began = stack.pop()
                items.append(node)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                empty = False
                stack.append((items, anchor, began))
                if len(stack) > MAX_DEPTH:
                    raise ComposeError(
                        f"nested deeper than {MAX_DEPTH} levels", event.start_mark.index
                    )
                items = []
                anchor = event.anchor
                began = count
                if anchor is not None:
                    anchors.pop(anchor, None)
            elif kind is AliasEvent:
                empty = False
                if event.anchor not in anchors:
                    raise ComposeError(
                        f"the alias *{event.anchor[:60]} has no anchor of that name before it",
                        event.start_mark.index,
                    )
                value, size = anchors[event.anchor]
                count += size
                self._aliased += size
                if self._aliased > MAX_ALIASED:
                    raise ComposeError(
                        f"the aliases expand to more than {MAX_ALIASED} values: "
                        "write out what is meant",
                        event.start_mark.index,
                    )
                items.append(copy(value))
            else:
                assert kind is DocumentEndEvent
                self._nodes = count
                value = top[0]
                return "<<" if value is _MERGE else value, empty, event.end_mark.index
            if count > MAX_NODES:
                raise ComposeError(
                    f"more than {MAX_NODES} values in one file: split it", event.start_mark.index
                )

    def _mapping(self, items: list[Any], event: Any) -> dict[str, Any]:
        keys = items[::2]
        values = items[1::2]
        merges = _MERGE in keys
        if _MERGE in values:
            values = ["<<" if value is _MERGE else value for value in values]
        for position, key in enumerate(keys):
            if type(key) is not str and key is not _MERGE:
                keys[position] = _key(key, event)
        mapping = dict(zip(keys, values, strict=True))
        if len(mapping) != len(keys):
            self._duplicates = True
        return _merged(mapping, event) if merges else mapping


def copy(value: Any) -> Any:
    """Copy an object down to its leaves: what an alias stands for may be changed on its own."""
    if type(value) is dict:
        return {key: copy(item) for key, item in value.items()}
    if type(value) is list:
        return [copy(item) for item in value]
    return value


def _key(key: Any, event: Any) -> str:
    """Kubernetes' tools turn keys that are numbers and booleans into strings."""
    if key is True or key is False:
        return "true" if key else "false"
    if isinstance(key, int | float):
        return f"{key:g}" if isinstance(key, float) else str(key)
    what = {dict: "a mapping", list: "a list", type(None): "null"}[type(key)]
    raise ComposeError(
        f"a key of the mapping that ends here is {what}: keys are strings", event.start_mark.index
    )


def _merged(mapping: dict[Any, Any], event: Any) -> dict[str, Any]:
    """Resolve `<<`: the mapping's own keys win, then the earlier of the merged mappings."""
    source = mapping.pop(_MERGE)
    sources = source if isinstance(source, list) else [source]
    for source in sources:
        if not isinstance(source, dict):
            raise ComposeError("`<<` merges a mapping, or a list of them", event.start_mark.index)
        for key, value in source.items():
            mapping.setdefault(key, value)
    return mapping


def _tagged(event: Any) -> Any:
    """The value of a scalar with a tag written out; unknown tags count for nothing."""
    tag = event.tag
    text = event.value
    if not tag.startswith(_TAG):
        return text
    name = tag[len(_TAG) :]
    if name == "binary":
        import base64

        try:
            return base64.b64decode(text, validate=False).decode()
        except ValueError:
            raise ComposeError(
                "!!binary that isn't base64 of UTF-8 text", event.start_mark.index
            ) from None
    if name not in {"int", "float", "bool", "null"}:
        return text
    value = resolve(text)
    if name == "float" and type(value) is int:
        value = float(value)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}[name]
    if type(value) is not wanted:
        raise ComposeError(f"{text[:60]!r} isn't of the type !!{name}", event.start_mark.index)
    return value
