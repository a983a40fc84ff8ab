"""Edits of manifests as text: what isn't edited stays as the user wrote it, byte for byte.

An edit is planned on the nodes of a document as a few replacements of spans, in `block_style`
or `flow_style`; `regions` leads the paths to the nodes. What comes out is read again and
compared with what the edits mean, so that no slip here can change a manifest unnoticed.

Removing what was inserted gives back the identical text. For that, an empty flow collection
stays in flow style, a block collection whose last entry is removed is left without a value,
as `key:`, and new lines go in between existing ones without touching those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from podweave.manifests import jsontext
from podweave.manifests.composing import Composed, ComposeError, Composer
from podweave.manifests.decoding import BOM
from podweave.manifests.documents import Source
from podweave.manifests.regions import UNSAFE, Region
from podweave.manifests.rendering import json_text, plain, render
from podweave.manifests.spans import before_break, line_start, newline_of
from podweave.manifests.steps import Edit, Insert, Remove, Replace
from podweave.model.errors import InputError

__all__ = ["Edit", "Insert", "Remove", "Replace", "edit", "same"]


def edit(source: Source, edits: Mapping[int, Sequence[Edit]], append: Sequence[Any] = ()) -> str:
    """The text of `source` after the edits, by index of document, and with documents appended.

    As in JSON Patch: the edits of a document come one after the other, and each path is meant
    in the document as the edits before left it. Raises InputError where the text can't be
    edited without touching something else: inside an alias, a merge key, an anchored value
    that is used elsewhere.
    """
    # Literal blocks take in comment lines that stand to the right after them. Rare enough to
    # find out by trying; without literal blocks, all that goes wrong is the user's business.
    for literals in (True, False):
        try:
            text, expected = _edited(source, edits, append, literals)
        except InputError:
            if literals:
                continue
            raise
        except (yaml.YAMLError, LookupError):
            continue
        if _reads_as(text, source, expected):
            return text
    if source.text and not source.text.endswith(("\n", "\r")):
        message = (
            "the file ends in the middle of a line, and its last value would change with what "
            "is added: end the file with a line break"
        )
    else:
        message = UNSAFE
    raise InputError(message, file=source.file)


def _edited(
    source: Source, edits: Mapping[int, Sequence[Edit]], append: Sequence[Any], literals: bool
) -> tuple[str, list[Any]]:
    parts: list[str] = []
    expected: list[Any] = []
    place = 0
    text = source.text
    for index, document in enumerate(source.documents):
        planned = edits.get(index, ())
        if not planned:
            expected.append(document.object)
            continue
        start, end = _region(source, index)
        parts.append(text[place:start])
        place = end
        if any(not step.path and isinstance(step, Remove) for step in planned):
            if end == len(text) and not text.endswith(("\n", "\r")):
                before = "".join(parts)
                parts = [before[: before_break(before, len(before))]]
            continue
        region = Region(document, text[start:end], literals, newline_of(text))
        for step in planned:
            region.apply(step)
        parts.append(region.text)
        expected.append(region.object)
    parts.append(text[place:])
    edited = "".join(parts)
    for value in append:
        value = plain(value)
        try:
            edited = _appended(source, edited, value, literals)
        except ValueError as error:
            message = f"the new document can't be written as JSON: {error}"
            raise InputError(message, file=source.file) from None
        expected.append(value)
    return edited, expected


def _region(source: Source, index: int) -> tuple[int, int]:
    """The lines of a document, with what follows up to the next one."""
    documents = source.documents
    start, end = documents[index].start, len(source.text)
    if index + 1 < len(documents):
        end = documents[index + 1].start
    if documents[index].format == "yaml":
        start = line_start(source.text, start)
        end = line_start(source.text, end) if end < len(source.text) else end
    return start, end


def _appended(source: Source, text: str, value: Any, literals: bool) -> str:
    """A file without a line break at its end gets none, which is also how removing knows it."""
    newline = newline_of(text)
    if any(document.format == "json" for document in source.documents):
        own_lines = "\n" in text.strip() and not text.lstrip().startswith(('{"', '["'))
        body = json_text(value, step=2 if own_lines else None)
    else:
        body = render(value, literals=literals).removesuffix("\n")
        if text.strip(BOM):
            body = f"---\n{body}"
    body = body.replace("\n", newline)
    if not text.strip(BOM) or text.endswith(("\n", "\r")):
        return text + body + newline
    return text + newline + body


def _reads_as(text: str, source: Source, expected: list[Any]) -> bool:
    composed: list[Composed]
    body = text.removeprefix(BOM)
    try:
        if any(document.format == "json" for document in source.documents):
            composed = jsontext.compose(body)
        else:
            composed = [found for found in Composer(body).documents() if not found.empty]
    except (yaml.YAMLError, ComposeError, ValueError):
        return False
    return same([found.object for found in composed], expected)


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal, of equal types, with NaN equal to itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))
