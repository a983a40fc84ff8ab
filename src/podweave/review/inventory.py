"""Texts to Pods: every workload in the given files, and an error for each document that is none.

A broken document doesn't hide the others. When a file can't be read as a whole it is cut at its
`---` lines and each part is read by itself.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import yaml

from podweave.manifests.documents import Document
from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.workloads import descend
from podweave.review.facts import PodFacts
from podweave.review.observation import Observer, UnreadableError
from podweave.review.surroundings import Surroundings

MAX_BYTES: Final = 128 * 1024 * 1024


def line_in(document: Document, path: Path) -> int:
    """As Document.line; quick for the thousandth document of a stream too, where counting the
    lines before each finding would make the whole quadratic."""
    return bisect_left(_line_ends(document.text), document.tree.place(path)) + 1


@lru_cache(2)
def _line_ends(text: str) -> list[int]:
    return [match.start() for match in re.finditer("\n", text)]


class Found(NamedTuple):
    """A workload that can be judged, and its place."""

    facts: PodFacts
    document: Document
    skipped_lines: int
    """Lines of the file before the part in which the document was read."""
    object: dict[str, Any]
    """The workload itself."""

    def line(self, path: Path) -> int:
        """The line in the file of the value at `path`."""
        return line_in(self.document, path) + self.skipped_lines


class Placed(NamedTuple):
    """An object that is no workload, and its place."""

    file: str
    object: dict[str, Any]


class Inventory:
    """All workloads of the input, with what stands around them."""

    def __init__(self) -> None:
        self.found: Final[list[Found]] = []
        self.others: Final[list[Placed]] = []
        self.errors: Final[list[InputError]] = []
        self._surroundings: Final = Surroundings()

    def add(self, file: str, data: bytes, *, guess: bool = False) -> None:
        """Read one file. With `guess` it was found in a directory: what is no manifest at all
        (a values.yaml, a pipeline) is passed over in silence."""
        if len(data) > MAX_BYTES:
            limit = MAX_BYTES // 1024**2
            self.errors.append(InputError(f"larger than {limit} MiB: split the file", file=file))
            return
        for document, skipped in self._documents(file, data, guess):
            self._object(document, skipped, document.object, (), guess)

    def finish(self) -> None:
        """Relate Pods and surroundings, once everything was added."""
        self._drop_owned()
        self._surroundings.attach([each.facts for each in self.found])

    def _drop_owned(self) -> None:
        """A cluster lists a Deployment, its ReplicaSets and their Pods: one of them is enough."""
        known = {(each.facts.namespace, each.facts.kind, each.facts.name) for each in self.found}
        self.found[:] = [
            each
            for each in self.found
            if not any(
                (each.facts.namespace, owner.get("kind"), owner.get("name")) in known
                for owner in _owners(each.object)
            )
        ]

    def _documents(self, file: str, data: bytes, guess: bool) -> Iterator[tuple[Document, int]]:
        try:
            for document in read(file, data).documents:
                yield document, 0
            return
        except InputErrors as errors:
            whole = errors
        for skipped, part in _parts(data):
            if len(part) == len(data):
                broken = whole
            else:
                try:
                    for document in read(file, part).documents:
                        yield document, skipped
                    continue
                except InputErrors:
                    pass
                try:
                    # Once more with the lines before it, so that each line named is the file's.
                    read(file, b"\n" * skipped + part)
                except InputErrors as errors:
                    broken = errors
            if guess and _no_manifest(part):
                continue
            hint = _HINT if _TEMPLATE.search(part) else ""
            self.errors.extend(
                InputError(each.message + hint, path=each.path, file=each.file, line=each.line)
                for each in broken.errors
            )
            if any(_TWICE in error.message for error in broken.errors):
                lenient = _last_wins(file, part)
                if lenient is not None:
                    yield lenient, skipped

    def _object(
        self, document: Document, skipped: int, object: Any, path: Path, guess: bool
    ) -> None:
        if not isinstance(object, dict):
            self._error(document, skipped, InputError("an item of a list is a mapping", path=path))
            return
        kind = object.get("kind")
        for key in ("items", "objects"):
            # kubectl's List and typed lists; OpenShift's Template keeps its own in `objects`.
            items = object.get(key)
            listing = isinstance(kind, str) and (kind.endswith("List") or kind == "Template")
            if listing and isinstance(items, list):
                inner = str(kind).removesuffix("List")
                for index, item in enumerate(items):
                    if isinstance(item, dict) and "kind" not in item and inner:
                        item = {"kind": inner, **item}
                    self._object(document, skipped, item, (*path, key, index), guess)
                return
        at = _template(object)
        if at is None:
            self.others.append(Placed(document.file, object))
            self._surroundings.add(document.file, object)
            return
        observer = Observer(document.file)
        try:
            facts = observer.pod(object, path, at)
        except UnreadableError as unreadable:
            self._error(document, skipped, unreadable.error)
        else:
            self.found.append(Found(facts, document, skipped, object))
        for error in observer.errors:
            self._error(document, skipped, error)

    def _error(self, document: Document, skipped: int, error: InputError) -> None:
        error.file = document.file
        error.line = line_in(document, error.path) + skipped
        self.errors.append(error)


def _owners(object: dict[str, Any]) -> list[dict[str, Any]]:
    owners = descend(object, ("metadata", "ownerReferences"))
    return [each for each in owners if isinstance(each, dict)] if isinstance(owners, list) else []


_HINT: Final = " (a template? give what `helm template` makes of it)"
_TEMPLATE: Final = re.compile(rb"\{\{-?\s*[\w.(\"/$]")
_MARKER: Final = re.compile(rb"^---(?=[ \t\r\n]|$)", re.MULTILINE)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A stream's documents as text, each with the number of lines before it."""
    starts = [0, *(match.start() for match in _MARKER.finditer(data)), len(data)]
    lines = 0
    for start, end in itertools.pairwise(starts):
        part = data[start:end]
        if part.strip():
            yield lines, part
        lines += part.count(b"\n")


_TWICE: Final = "the key is there twice"
_MAX_LENIENT: Final = 1024 * 1024


def _last_wins(file: str, part: bytes) -> Document | None:
    """A document with a doubled key, as most readers take it: reported, and judged all the same."""
    if len(part) > _MAX_LENIENT:
        return None
    try:
        text = part.decode()
        object = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if not isinstance(object, dict):
        return None
    start = len(text) - len(text.removeprefix("---").lstrip())
    return Document(file, 0, object, text=text, start=start, end=len(text), format="yaml")


def _no_manifest(data: bytes) -> bool:
    """Whether a part shows none of the signs of a Kubernetes object."""
    return not re.search(rb"^\s*\"?(apiVersion|kind)\"?:", data, re.MULTILINE)


_TEMPLATES: Final[dict[str, Path]] = {
    "Pod": (),
    "ReplicationController": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
}
"""Whatever the apiVersion: a review has an opinion on yesterday's extensions/v1beta1 too."""


def _template(object: dict[str, Any]) -> Path | None:
    """Where the object keeps its Pod template; also of custom kinds that are built alike."""
    kind = object.get("kind")
    api_version = object.get("apiVersion")
    if isinstance(kind, str) and kind in _TEMPLATES:
        core = isinstance(api_version, str) and (
            "/" not in api_version or api_version.split("/")[0] in {"apps", "batch", "extensions"}
        )
        if core:
            return _TEMPLATES[kind]
    for at in (("spec", "template"), ("spec", "jobTemplate", "spec", "template")):
        containers = descend(object, (*at, "spec", "containers"))
        if isinstance(containers, list):
            return at
    return None
