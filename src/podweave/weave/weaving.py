"""The whole: a bundle of manifests and patterns to woven manifests, and back.

An earlier weaving is taken out first, so that the result depends on the originals and the
patterns alone: weaving twice equals weaving once.
"""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import DEFAULT_NAMESPACE, Bundle, FoundWorkload
from podweave.manifests.conversion import convert
from podweave.manifests.documents import Document, Source
from podweave.manifests.edits import Edit, Insert, Remove
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.pods import PodTemplate
from podweave.model.selectors import matches
from podweave.model.workloads import descend
from podweave.weave.annotation import earlier
from podweave.weave.assembling import Assembled, assemble
from podweave.weave.changes import Change
from podweave.weave.configuration import config_map_name
from podweave.weave.drafting import draft
from podweave.weave.drafts import pattern_error
from podweave.weave.nulls import respelled
from podweave.weave.options import Options
from podweave.weave.plain_edits import apply_edits
from podweave.weave.removals import after_removal
from podweave.weave.results import Weaving, WovenSource, stripped_source
from podweave.weave.shapes import mapping
from podweave.weave.targets import Target
from podweave.weave.unweaving import Place, objects_of, unweaving


def weave(given: Bundle, options: Options | None = None) -> Weaving:
    """Weave the bundle's patterns into its workloads. Raises InputErrors with all that is wrong.

    Without patterns nothing is changed: what is woven already stays as it is.
    """
    options = options or Options()
    if not given.patterns:
        return Weaving(given.sources, {}, {}, {}, [])
    at_source = {
        id(document): at for at, source in enumerate(given.sources) for document in source.documents
    }
    strip = unweaving(given.sources)
    patterns = [
        ((at_source[id(found.document)], found.document.index), found.path)
        for found in given.patterns
    ]
    stripping = strip.by_document(patterns)
    return _Weaver(given, options, at_source, stripping).weave()


def unweave(sources: list[Source]) -> list[WovenSource]:
    """Give back the originals. Raises InputErrors."""
    taking = unweaving(sources)
    stripping = taking.by_document([])
    originals = []
    for at, source in enumerate(sources):
        original, kept = stripped_source(at, source, stripping)
        spans = []
        for new, old in enumerate(kept):
            removed = removed_paths(stripping.get((at, old), []))
            nulls = [
                (after_removal(path, removed), text)
                for path, text in taking.nulls.get((at, old), [])
            ]
            spans += respelled(original.documents[new], nulls)
        text = original.text
        for start, end, spelled in sorted(spans, reverse=True):
            text = text[:start] + spelled + text[end:]
        originals.append(WovenSource(source.file, text))
    return originals


def removed_paths(edits: list[Edit]) -> tuple[Path, ...]:
    return tuple(edit.path for edit in edits if isinstance(edit, Remove))


class _Weaver:
    def __init__(
        self,
        given: Bundle,
        options: Options,
        at_source: dict[int, int],
        stripping: dict[Place, list[Edit]],
    ) -> None:
        self.given = given
        self.options = options
        self.at_source = at_source
        self.stripping = stripping
        self.stripped: dict[Place, Any] = {}
        self.adding: dict[Place, list[Edit]] = {}
        self.appended: dict[int, list[Any]] = {}
        self.in_list: dict[tuple[Place, Path], int] = {}
        self.changes: list[Change] = []
        self.errors: list[InputError] = []

    def weave(self) -> Weaving:
        """Every workload in turn."""
        self.errors += self._unmatched()
        theirs = self._config_maps()
        taken: set[tuple[str | None, str]] = set()
        for found in self.given.workloads:
            labels = found.workload.template.metadata.labels
            patterns = [
                each for each in self.given.patterns if matches(each.pattern.spec.selector, labels)
            ]
            if not patterns:
                continue
            target = self._target(found)
            name = config_map_name(target, taken)
            taken.add((target.namespace, name))
            try:
                made = assemble(draft(target, patterns, self.given.patterns, self.options, name))
                if made.config_map is not None and (
                    other := theirs.get((target.namespace or DEFAULT_NAMESPACE, name))
                ):
                    raise pattern_error(
                        patterns[0],
                        f"weaving {target.label} ({target.place()}) adds a ConfigMap {name}, and "
                        f"there is one of that name already ({other}): rename that one",
                    )
            except InputErrors as wrong:
                self.errors += wrong.errors
            except InputError as error:
                self.errors.append(error)
            else:
                self._take(found, made)
        if self.errors:
            raise InputErrors(self.errors)
        return Weaving(self.given.sources, self.stripping, self.adding, self.appended, self.changes)

    def _place(self, document: Document) -> Place:
        return self.at_source[id(document)], document.index

    def _target(self, found: FoundWorkload) -> Target:
        place = self._place(found.document)
        stripping = self.stripping.get(place, [])
        removed = removed_paths(stripping)
        metadata = found.workload.metadata
        path = found.pod_path
        object, template = found.workload.object, found.workload.template
        document = self._object(found.document)
        nulls: dict[str, str] = {}
        if stripping:
            before = earlier(descend(found.document.object, path))
            nulls = before.nulls if before is not None else {}
            path = after_removal(path, removed)
            object = descend(document, after_removal(found.path, removed))
            converted = convert(descend(document, path), PodTemplate, path, nulls=True)
            if isinstance(converted, list):
                raise InputErrors(converted)
            template = converted
        return Target(
            found.document,
            found.workload.kind,
            metadata.name or metadata.generate_name or "",
            metadata.namespace,
            object,
            path,
            descend(document, path),
            template,
            removed,
            nulls,
        )

    def _object(self, document: Document) -> Any:
        """The document without an earlier weaving."""
        place = self._place(document)
        if place not in self.stripping:
            return document.object
        if place not in self.stripped:
            self.stripped[place] = apply_edits(document.object, self.stripping[place])
        return self.stripped[place]

    def _take(self, found: FoundWorkload, made: Assembled) -> None:
        place = self._place(found.document)
        self.adding.setdefault(place, []).extend(made.edits)
        self.changes += made.changes
        if made.config_map is None:
            return
        if found.path == ():
            self.appended.setdefault(place[0], []).append(made.config_map)
            return
        # In a List the ConfigMap is a further item: such a file is often one JSON value.
        items = found.path[:-1]
        removed = removed_paths(self.stripping.get(place, []))
        parent = after_removal(items, removed)
        count = len(descend(self._object(found.document), parent))
        added = self.in_list.get((place, parent), 0)
        self.in_list[place, parent] = added + 1
        self.adding[place].append(Insert((*parent, count + added), made.config_map))

    def _config_maps(self) -> dict[tuple[str, str], str]:
        """The ConfigMaps that aren't podweave's, and where they are."""
        places: dict[tuple[str, str], str] = {}
        for at, source in enumerate(self.given.sources):
            for document in source.documents:
                dropped = self.stripping.get((at, document.index), [])
                for found in objects_of(document):
                    if found.object.get("kind") != "ConfigMap" or Remove(found.path) in dropped:
                        continue
                    metadata = mapping(found.object.get("metadata"))
                    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
                    key = str(namespace), str(metadata.get("name"))
                    places[key] = f"{source.file}:{document.line(found.path)}"
        return places

    def _unmatched(self) -> list[InputError]:
        """Patterns that would be woven nowhere: a typing error, or a forgotten file."""
        errors = []
        for found in self.given.patterns:
            if not self.given.workloads:
                message = "there is no workload among the files to weave it into"
                errors.append(pattern_error(found, message))
            elif not any(
                matches(found.pattern.spec.selector, w.workload.template.metadata.labels)
                for w in self.given.workloads
            ):
                message = f"it matches no workload: {_labels(self.given.workloads)}"
                errors.append(pattern_error(found, message, "spec", "selector"))
        return errors


def _labels(workloads: list[FoundWorkload]) -> str:
    """What a selector could match."""
    described = []
    for found in workloads[:3]:
        labels = found.workload.template.metadata.labels or {}
        pairs = ", ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"
        described.append(
            f"the Pod of {found.workload.kind}/{found.workload.metadata.name} has {pairs}"
        )
    more = f", and {len(workloads) - 3} more" if len(workloads) > 3 else ""
    return "; ".join(described) + more
