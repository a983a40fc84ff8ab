"""What all the given files are together: workloads, patterns, configuration, and the rest."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeVar

from podweave.manifests.conversion import convert, listed
from podweave.manifests.documents import Document, Source
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.pattern_parts import API_VERSION, GROUP
from podweave.model.pattern_rules import check_pattern
from podweave.model.patterns import PATTERN_TYPES, Pattern
from podweave.model.pod_rules import check_workload
from podweave.model.pods import ConfigMap, ObjectMeta, PodTemplate, Secret, Workload
from podweave.model.suggestions import did_you_mean
from podweave.model.workloads import (
    WORKLOAD_KINDS,
    api_version_of,
    descend,
    template_path,
)

T = TypeVar("T")

DEFAULT_NAMESPACE: Final = "default"


class FoundWorkload(NamedTuple):
    """A workload and where it was found."""

    document: Document
    path: Path
    """Of the workload in the document: `()`, or `("items", 3)` in a List."""
    workload: Workload
    pod_path: Path
    """Of the object with the Pod's metadata and spec, from the top of the document."""


class FoundPattern(NamedTuple):
    """A pattern and where it was found."""

    document: Document
    path: Path
    pattern: Pattern


class FoundObject(NamedTuple):
    """An object of any other kind."""

    document: Document
    path: Path
    object: dict[str, Any]


class Bundle:
    """Everything that was given, sorted."""

    __slots__ = ("config_maps", "others", "patterns", "secrets", "sources", "workloads")

    def __init__(self, sources: list[Source]) -> None:
        self.sources: Final = sources
        self.workloads: Final[list[FoundWorkload]] = []
        self.patterns: Final[list[FoundPattern]] = []
        self.config_maps: Final[dict[tuple[str, str], ConfigMap]] = {}
        """By (namespace, name)."""
        self.secrets: Final[dict[tuple[str, str], Secret]] = {}
        self.others: Final[list[FoundObject]] = []


def bundle(sources: list[Source]) -> Bundle:
    """Sort and validate everything in the sources. Raises InputErrors with every error found."""
    sorter = _Sorter(sources)
    for source in sources:
        for document in source.documents:
            sorter.add(document, (), document.object, None)
    if sorter.errors:
        raise InputErrors(sorter.errors)
    return sorter.bundle


class _Sorter:
    def __init__(self, sources: list[Source]) -> None:
        self.bundle: Final = Bundle(sources)
        self.errors: Final[list[InputError]] = []
        self._names: Final[dict[tuple[str, str, str], tuple[Document, Path]]] = {}
        """(kind, namespace, name) -> where it was found first."""

    def add(self, document: Document, path: Path, object: Any, item_kind: str | None) -> None:
        """Sort in one object; `item_kind` is the kind of a typed list's items."""
        if not isinstance(object, dict):
            self._errors(document, [InputError("an item of a List is a mapping", path=path)])
            return
        kind = object.get("kind") or item_kind
        api_version = object.get("apiVersion")
        if item_kind and api_version is None:
            api_version = document.object.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(api_version, str):
            self._errors(
                document, [InputError("an item of a List has apiVersion and kind", path=path)]
            )
        elif api_version == GROUP or api_version.startswith(f"{GROUP}/"):
            self._pattern(document, path, object, api_version, kind)
        elif kind.endswith("List") and isinstance(object.get("items", []), list | None):
            for index, item in enumerate(object.get("items") or []):
                of = kind.removesuffix("List") or None
                self.add(document, (*path, "items", index), item, of)
        elif (template := template_path(api_version, kind)) is not None:
            self._workload(document, path, object, kind, template)
        elif api_version == "v1" and kind == "ConfigMap":
            config_map = self._convert(document, path, object, ConfigMap)
            if config_map and (key := self._named(document, path, kind, config_map.metadata)):
                self.bundle.config_maps[key] = config_map
        elif api_version == "v1" and kind == "Secret":
            secret = self._convert(document, path, object, Secret)
            if secret and (key := self._named(document, path, kind, secret.metadata)):
                self.bundle.secrets[key] = secret
        else:
            self._other(document, path, object, api_version, kind)

    def _errors(self, document: Document, errors: list[InputError]) -> None:
        self.errors.extend(document.error(error.message, error.path) for error in errors)

    def _convert(
        self, document: Document, path: Path, object: Any, type: type[T], *, nulls: bool = True
    ) -> T | None:
        converted = convert(object, type, path, nulls=nulls)
        if isinstance(converted, list):
            self._errors(document, converted)
            return None
        return converted

    def _named(
        self, document: Document, path: Path, kind: str, metadata: ObjectMeta
    ) -> tuple[str, str] | None:
        """The object's (namespace, name), unless it has no name or another has the same."""
        if not metadata.name:
            generated = " (generateName is for a cluster)" if metadata.generate_name else ""
            self._errors(
                document, [InputError(f"the name is missing{generated}", path=(*path, "metadata"))]
            )
            return None
        namespace = metadata.namespace or DEFAULT_NAMESPACE
        key = (kind, namespace, metadata.name)
        at = (*path, "metadata", "name")
        if key in self._names:
            document_before, at_before = self._names[key]
            before = f"{document_before.file} line {document_before.line(at_before)}"
            message = f"{kind} {namespace}/{metadata.name} is there twice, first in {before}: "
            self._errors(document, [InputError(f"{message}which one is meant?", path=at)])
            return None
        self._names[key] = (document, at)
        return namespace, metadata.name

    def _workload(
        self, document: Document, path: Path, object: dict[str, Any], kind: str, at: Path
    ) -> None:
        count = len(self.errors)
        template = self._template(document, path, object, at)
        if at:
            named = object.get("metadata") or {}
            metadata = self._convert(document, (*path, "metadata"), named, ObjectMeta)
        else:
            metadata = None if template is None else template.metadata
        replicas = descend(object, ("spec", "replicas")) if at else None
        if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int)):
            self._errors(
                document,
                [InputError("expected a whole number", path=(*path, "spec", "replicas"))],
            )
        if metadata is None or template is None or len(self.errors) > count:
            return
        workload = Workload(
            kind=kind, metadata=metadata, template=template, replicas=replicas, object=object
        )
        pod_path = (*path, *at)
        self._errors(document, check_workload(workload, path, pod_path))
        self._named(document, path, kind, metadata)
        self.bundle.workloads.append(FoundWorkload(document, path, workload, pod_path))

    def _template(
        self, document: Document, path: Path, object: dict[str, Any], at: Path
    ) -> PodTemplate | None:
        value: Any = object
        for depth, part in enumerate(at):
            value = value.get(part)
            if not isinstance(value, dict):
                place = (*path, *at[:depth])
                wrong = f"{part} is missing" if value is None else f"{part} must be a mapping"
                self._errors(document, [InputError(wrong, path=place)])
                return None
        return self._convert(document, (*path, *at), value, PodTemplate)

    def _pattern(
        self,
        document: Document,
        path: Path,
        object: dict[str, Any],
        api_version: str,
        kind: str,
    ) -> None:
        wrong = []
        if api_version != API_VERSION:
            message = f"this version of podweave knows {API_VERSION}, not {api_version}"
            wrong.append(InputError(message, path=(*path, "apiVersion")))
        if kind not in PATTERN_TYPES:
            hint = did_you_mean(kind, PATTERN_TYPES)
            message = f"the pattern kinds are {listed(PATTERN_TYPES)}, not {kind!r}{hint}"
            wrong.append(InputError(message, path=(*path, "kind")))
        if wrong:
            self._errors(document, wrong)
            return
        pattern = self._convert(document, path, object, PATTERN_TYPES[kind], nulls=False)
        if pattern is None:
            return
        self._errors(document, check_pattern(pattern, path))
        if self._named(document, path, kind, ObjectMeta(name=pattern.metadata.name)):
            self.bundle.patterns.append(FoundPattern(document, path, pattern))

    def _other(
        self,
        document: Document,
        path: Path,
        object: dict[str, Any],
        api_version: str,
        kind: str,
    ) -> None:
        if kind in WORKLOAD_KINDS and api_version in _FORMER_VERSIONS:
            message = f"Kubernetes no longer serves {kind} as {api_version}: it is "
            self._errors(
                document,
                [InputError(message + api_version_of(kind), path=(*path, "apiVersion"))],
            )
        elif kind in PATTERN_TYPES and "podweave" in api_version:
            message = f"a podweave {kind} has the apiVersion {API_VERSION}"
            self._errors(document, [InputError(message, path=(*path, "apiVersion"))])
        else:
            self.bundle.others.append(FoundObject(document, path, object))


_FORMER_VERSIONS: Final = frozenset(
    ("v1", "apps/v1", "apps/v1beta1", "apps/v1beta2", "batch/v1", "batch/v1beta1", "batch/v2alpha1")
) | {"extensions/v1beta1"}
"""Versions under which a workload kind once was, or is taken to be, served."""
