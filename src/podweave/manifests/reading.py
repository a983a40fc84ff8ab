"""The bytes of a file to its documents."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

from podweave.manifests import jsontext
from podweave.manifests.composing import Composed, ComposeError, Composer, DuplicateKeyError
from podweave.manifests.decoding import BOM, decode
from podweave.manifests.documents import Document, Format, Source, line_of
from podweave.manifests.nodes import Node, Tree, is_merge, json_tree, key_text, yaml_tree
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.suggestions import nearest

MAX_ERRORS: Final = 50
"""A file with more wrong documents is something else altogether."""


def read(file: str, data: bytes) -> Source:
    """Read YAML or JSON, one or many documents; a List stays one document.

    Empty documents are left out. Raises InputErrors with all that is wrong; bounded in time and
    memory whatever the bytes are.
    """
    try:
        text, encoding = decode(file, data)
        composed, format = _compose(file, text)
    except InputError as error:
        raise InputErrors([error]) from None
    documents: list[Document] = []
    errors = []
    for found in composed:
        if found.empty:
            continue
        document = Document(
            file,
            len(documents),
            found.object,
            text=text,
            start=found.start,
            end=found.end,
            format=format,
        )
        wrong = _shape(found.object)
        if wrong:
            errors.append(document.error(*wrong))
            if len(errors) == MAX_ERRORS:
                break
        documents.append(document)
    if errors:
        raise InputErrors(errors)
    return Source(file, text, documents, encoding)


def _compose(file: str, text: str) -> tuple[list[Composed], Format]:
    offset = 1 if text.startswith(BOM) else 0
    body = text[offset:]
    as_json: json.JSONDecodeError | None = None
    format: Format = "yaml"
    try:
        if jsontext.looks_like_json(body):
            try:
                format = "json"
                return _moved(jsontext.compose(body), offset), format
            except json.JSONDecodeError as error:
                as_json = error
                format = "yaml"
        return _moved(Composer(body).documents(), offset), format
    except yaml.YAMLError as error:
        if as_json is not None and (file.endswith(".json") or '"' in body[:200]):
            raise InputError(f"not JSON: {as_json.msg}", file=file, line=as_json.lineno) from None
        raise _syntax(file, body, error) from None
    except DuplicateKeyError as error:
        raise _duplicate(file, body, format, error) from None
    except ComposeError as error:
        raise InputError(error.message, file=file, line=line_of(body, error.index)) from None


def _moved(composed: list[Composed], offset: int) -> list[Composed]:
    if not offset:
        return composed
    return [
        found._replace(start=found.start + offset, end=found.end + offset) for found in composed
    ]


_KEYS: Final = frozenset(("apiVersion", "kind", "metadata", "spec", "status", "data", "items"))


def _shape(object: Any) -> tuple[str] | tuple[str, Path] | None:
    """What keeps an object from being a Kubernetes object."""
    if not isinstance(object, dict):
        what = {list: "a list", str: "text", type(None): "null"}.get(type(object), "a number")
        advice = (
            "; several objects are documents with a line `---` between them, or the items of a "
            "`kind: List`"
            if isinstance(object, list)
            else ""
        )
        return (
            f"this document is {what}, and a manifest is a mapping with apiVersion, kind and "
            f"metadata{advice}",
        )
    for key, example in (("apiVersion", "v1, apps/v1"), ("kind", "Pod, Deployment")):
        value = object.get(key)
        if value is None:
            near = nearest(key, object) if key not in object else None
            if near is not None and near not in _KEYS:
                return (f"unknown key {near!r}: did you mean {key!r}?", (near,))
            return (f"{key} is missing: every manifest says it (for example {example})",)
        if not isinstance(value, str) or not value:
            return (f"{key} must be a string (for example {example})", (key,))
    return None


_SENTENCES = (
    ("found character that cannot start any token", "a character that can't stand here"),
    ("mapping values are not allowed in this context", "a `:` where no key is possible: check "
     "the indentation of this line, or put the value in quotes"),
    ("did not find expected key", "the line doesn't belong to the mapping before it: check its "
     "indentation"),
    ("did not find expected '-' indicator", "the line doesn't belong to the list before it: "
     "check its indentation, or begin it with `- `"),
    ("could not find expected ':'", "a key without `: ` after it"),
    ("found unexpected end of stream", "a quote that is opened here is never closed"),
    ("did not find expected ',' or '}'", "a `{` is never closed, or a comma is missing"),
    ("did not find expected ',' or ']'", "a `[` is never closed, or a comma is missing"),
    ("did not find expected <document start>", "this line doesn't belong to the document before "
     "it: check its indentation, or put `---` before it"),
    ("block sequence entries are not allowed", "a `- ` where no list is possible: put the list "
     "on the lines below its key"),
    ("did not find expected node content", "a value is missing or can't stand here"),
    ("found undefined tag handle", "an unknown tag (`!...`)"),
    ("found unknown escape character", "an unknown escape in a double-quoted string: use single "
     "quotes for backslashes"),
    ("did not find expected comment or line break", "something follows `|` or `>` on its line"),
)  # fmt: skip


def _syntax(file: str, text: str, error: yaml.YAMLError) -> InputError:
    if not isinstance(error, yaml.MarkedYAMLError):
        return InputError(f"not YAML: {error}", file=file)
    problem = error.problem or "cannot be read"
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark
    index = min(mark.index, len(text)) if mark else 0
    if opened and problem in ("found unexpected end of stream", "could not find expected ':'"):
        index = opened.index
    sentence = next((said for known, said in _SENTENCES if problem.startswith(known)), problem)
    line_start = max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1
    before = text[line_start:index]
    if text[index : index + 1] == "\t" or ("\t" in before and not before.strip()):
        sentence = "a tab where only spaces can stand: YAML is indented with spaces"
    elif sentence.startswith("a character") and index < len(text):
        sentence = f"`{text[index]}` can't begin a value: put the value in quotes"
    elif index >= len(text.rstrip()) and "flow" in (error.context or ""):
        sentence = "a `[` or `{` is never closed"
    if opened and mark and opened.line < mark.line and index != opened.index:
        sentence += f" (it began in line {line_of(text, opened.index)})"
    return InputError(f"not YAML: {sentence}", file=file, line=line_of(text, index))


def _duplicate(file: str, text: str, format: Format, error: DuplicateKeyError) -> InputError:
    """Find the keys that made the composer give up."""
    if format == "json":
        tree = json_tree(text, error.index)
    else:
        tree = yaml_tree(text, error.index, len(text))
    found = _first_duplicate(tree, tree.root, ())
    assert found is not None
    path, first, second = found
    return InputError(
        f"the key is there twice, first in line {line_of(text, first.start)}: "
        "only one of them can count",
        path=path,
        file=file,
        line=line_of(text, second.start),
    )


def _first_duplicate(tree: Tree, node: Node, path: Path) -> tuple[Path, Node, Node] | None:
    seen: dict[str | None, Node] = {}
    for key, value in node.entries:
        text = key_text(tree.resolve(key))
        if text in seen and text is not None:
            return (*path, text), seen[text], key
        seen[text if not is_merge(key) else "<<"] = key
        deeper = _first_duplicate(tree, value, (*path, text or ""))
        if deeper:
            return deeper
    for index, item in enumerate(node.items):
        deeper = _first_duplicate(tree, item, (*path, index))
        if deeper:
            return deeper
    return None
