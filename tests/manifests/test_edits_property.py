"""Edits in any YAML: what comes out reads as meant, and removing gives back every byte."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from podweave.manifests.composing import copy
from podweave.manifests.edits import Insert, Remove, Replace, edit, same
from podweave.manifests.reading import read
from podweave.manifests.rendering import flow, render
from podweave.model.errors import Path
from tests.manifests.yaml_writing import Writer, keys, values

HEAD = ("apiVersion", "kind")
mappings = st.dictionaries(keys, values, min_size=1, max_size=4)
slow = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)


def paths(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    found = [(path, value)]
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += paths(item, (*path, index))
    return found


def new_keys(parent: dict[str, Any]) -> st.SearchStrategy[str]:
    return keys.filter(lambda key: key not in parent)


@st.composite
def documents(draw: Any) -> tuple[str, dict[str, Any]]:
    value = {"apiVersion": "v1", "kind": "X", **draw(mappings)}
    return Writer(Random(draw(st.integers(0, 2**32)))).document(value), value


@slow
@given(documents())
def test_what_the_writer_writes_is_read(document: tuple[str, dict[str, Any]]) -> None:
    text, value = document
    assert same(read("f", text.encode()).documents[0].object, value)


@slow
@given(documents(), st.data())
def test_removing_what_was_inserted_gives_back_the_text(
    document: tuple[str, dict[str, Any]], data: Any
) -> None:
    text, value = document
    source = read("f.yaml", text.encode())
    parents = [(path, item) for path, item in paths(value) if isinstance(item, dict | list)]
    path, parent = data.draw(st.sampled_from(parents))
    last = (
        data.draw(st.integers(0, len(parent)))
        if isinstance(parent, list)
        else data.draw(new_keys(parent))
    )
    inserted = data.draw(values)
    edited = edit(source, {0: [Insert((*path, last), inserted)]})
    again = read("f.yaml", edited.encode())
    found: Any = again.documents[0].object
    for part in (*path, last):
        found = found[part]
    assert same(found, inserted)
    assert edit(again, {0: [Remove((*path, last))]}) == text


@slow
@given(documents(), st.data())
def test_many_inserts_are_taken_back_in_reverse_order(
    document: tuple[str, dict[str, Any]], data: Any
) -> None:
    text, value = document
    source = read("f.yaml", text.encode())
    now: Any = copy(value)
    inserts: list[Insert] = []
    for _ in range(data.draw(st.integers(2, 5))):
        parents = [(path, item) for path, item in paths(now) if isinstance(item, dict | list)]
        path, parent = data.draw(st.sampled_from(parents))
        inserted = data.draw(values)
        if isinstance(parent, list):
            place = data.draw(st.integers(0, len(parent)))
            parent.insert(place, copy(inserted))
            inserts.append(Insert((*path, place), inserted))
        else:
            key = data.draw(new_keys(parent))
            parent[key] = copy(inserted)
            inserts.append(Insert((*path, key), inserted))
    again = read("f.yaml", edit(source, {0: inserts}).encode())
    assert same(again.documents[0].object, now)
    assert edit(again, {0: [Remove(step.path) for step in reversed(inserts)]}) == text


@slow
@given(st.lists(documents(), min_size=2, max_size=3), st.data())
def test_edits_of_one_document_leave_the_others_alone(
    several: list[tuple[str, dict[str, Any]]], data: Any
) -> None:
    assume(all(text.endswith(("\n", "\r\n")) for text, _ in several))
    text = "---\n".join("" if text.startswith("%") else text for text, _ in several)
    source = read("f.yaml", text.encode())
    assume(source.documents)
    index = data.draw(st.integers(0, len(source.documents) - 1))
    edited = edit(source, {index: [Insert(("new",), data.draw(values))]})
    again = read("f.yaml", edited.encode())
    for before, after in zip(source.documents, again.documents, strict=True):
        if before.index != index:
            assert before.object == after.object
    assert edit(again, {index: [Remove(("new",))]}) == text


@slow
@given(documents(), st.data())
def test_a_replaced_value_reads_as_the_new_one(
    document: tuple[str, dict[str, Any]], data: Any
) -> None:
    text, value = document
    source = read("f.yaml", text.encode())
    path, _ = data.draw(
        st.sampled_from([found for found in paths(value) if found[0] and found[0][0] not in HEAD])
    )
    new = data.draw(values)
    edited = edit(source, {0: [Replace(path, new)]})
    expected: Any = copy(value)
    parent = expected
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = new
    assert same(read("f.yaml", edited.encode()).documents[0].object, expected)


@slow
@given(documents(), mappings)
def test_an_appended_document_can_be_taken_off_again(
    document: tuple[str, dict[str, Any]], added: dict[str, Any]
) -> None:
    text, value = document
    source = read("f.yaml", text.encode())
    added = {"apiVersion": "v1", "kind": "ConfigMap", **added}
    edited = edit(source, {}, [added])
    again = read("f.yaml", edited.encode())
    assert same([found.object for found in again.documents], [value, added])
    assert edit(again, {1: [Remove(())]}) == text


@slow
@given(values)
def test_rendered_values_read_back(value: Any) -> None:
    head = "apiVersion: v1\nkind: X\n"
    for text, wrapped in (
        (head + render({"v": value}), value),
        (head + render({"v": value}, sequence_indent=2), value),
        (head + render({"v": value}, literals=False), value),
        (f"{head}v: {flow(value)}\n", value),
        (f"{head}v: {flow([value, {'k': value}])}\n", [value, {"k": value}]),
    ):
        assert same(read("f", text.encode()).documents[0].object["v"], wrapped)
