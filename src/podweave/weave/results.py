"""What came of weaving: objects for an engine, texts for a user, changes and proof for both."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from podweave.manifests.bundle import Bundle, bundle
from podweave.manifests.documents import Document, Source
from podweave.manifests.edits import Edit, Remove, edit
from podweave.manifests.reading import read
from podweave.weave.changes import Change
from podweave.weave.plain_edits import apply_edits
from podweave.weave.proof import Proof, prove
from podweave.weave.unweaving import Place


class WovenSource(NamedTuple):
    file: str
    text: str


class Weaving:
    """What came of weaving. Texts and the woven bundle are made when first asked for: running a
    Pod needs no text, and printing one needs no bundle."""

    def __init__(
        self,
        sources: list[Source],
        stripping: dict[Place, list[Edit]],
        adding: dict[Place, list[Edit]],
        appended: dict[int, list[Any]],
        changes: list[Change],
    ) -> None:
        self._sources = sources
        self._stripping = stripping
        self._adding = adding
        self._appended = appended
        self.changes = changes

    @cached_property
    def objects(self) -> list[tuple[str, list[Any]]]:
        """Of each file the woven documents, as plain objects."""
        return [
            (source.file, [object for _, object in self._documents(at)])
            for at, source in enumerate(self._sources)
            if not self._only_patterns(at)
        ]

    @cached_property
    def bundle(self) -> Bundle:
        """The woven manifests as an engine takes them."""
        sources = []
        for at, source in enumerate(self._sources):
            if self._only_patterns(at):
                continue
            documents = []
            for index, (origin, object) in enumerate(self._documents(at)):
                documents.append(
                    Document(
                        source.file,
                        index,
                        object,
                        text=source.text,
                        start=origin.start,
                        end=origin.end,
                        format=origin.format,
                    )
                )
            sources.append(Source(source.file, source.text, documents, source.encoding))
        return bundle(sources)

    @cached_property
    def sources(self) -> list[WovenSource]:
        """The woven text of every file that holds more than patterns."""
        woven = []
        for at, source in enumerate(self._sources):
            if self._only_patterns(at):
                continue
            stripped, kept = stripped_source(at, source, self._stripping)
            adding = {
                new: self._adding[at, old]
                for new, old in enumerate(kept)
                if (at, old) in self._adding
            }
            appended = self._appended.get(at, [])
            text = edit(stripped, adding, appended) if adding or appended else stripped.text
            woven.append(WovenSource(source.file, text))
        return woven

    @cached_property
    def proofs(self) -> list[Proof]:
        """That the texts leave the application as it was: read again, and compared with the
        texts without any weaving."""
        originals = [
            stripped_source(at, source, self._stripping)[0]
            for at, source in enumerate(self._sources)
        ]
        woven = [read(source.file, source.text.encode()) for source in self.sources]
        return prove(bundle(originals), bundle(woven))

    def _only_patterns(self, at: int) -> bool:
        documents = self._sources[at].documents
        return bool(documents) and all(
            Remove(()) in self._stripping.get((at, document.index), []) for document in documents
        )

    def _documents(self, at: int) -> list[tuple[Document, Any]]:
        documents = []
        for document in self._sources[at].documents:
            place = (at, document.index)
            if Remove(()) in self._stripping.get(place, []):
                continue
            edits = [*self._stripping.get(place, []), *self._adding.get(place, [])]
            object = apply_edits(document.object, edits) if edits else document.object
            documents.append((document, object))
        last = self._sources[at].documents[-1:]
        documents.extend((last[0], object) for object in self._appended.get(at, []))
        return documents


def stripped_source(
    at: int, source: Source, stripping: dict[Place, list[Edit]]
) -> tuple[Source, list[int]]:
    """A source without an earlier weaving and without patterns, and which documents are left."""
    edits = {index: each for (where, index), each in stripping.items() if where == at}
    kept = [d.index for d in source.documents if Remove(()) not in edits.get(d.index, [])]
    if not edits:
        return source, kept

    text = edit(source, edits)
    return read(source.file, text.encode(source.encoding)), kept
