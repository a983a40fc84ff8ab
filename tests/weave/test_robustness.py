"""Whatever stands in a manifest or a pattern: an error with its place, never a traceback."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors
from podweave.weave import unweave, weave
from tests.weave.woven_cases import NAMES, Case

STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "/",
    [],
    {},
    [None],
    {"a": None},
    [[]],
    ["x"],
    [{}],
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found += places(item, (*path, key))
    return found


def spoiled(objects: list[Any], random: Random) -> str:
    """One value somewhere is another one, gone, or there twice."""
    objects = copy.deepcopy(objects)
    *parents, last = random.choice(places(objects))
    holder: Any = objects
    for part in parents:
        holder = holder[part]
    change = random.randrange(4)
    if change == 0:
        del holder[last]
    elif change == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[last] = copy.deepcopy(random.choice(STRANGE))
    return "\n---\n".join(json.dumps(each) for each in objects)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_spoiled_manifest_or_pattern(name: str, seed: int) -> None:
    random = Random(seed)
    case = Case(name)
    manifest = [document.object for document in read("m", case.text.encode()).documents]
    patterns = [document.object for document in case.patterns.documents]
    woven = case.weave().objects[0][1]
    which = random.randrange(3)
    if which == 0:
        texts = [spoiled(manifest, random), case.patterns.text]
    elif which == 1:
        texts = [case.text, spoiled(patterns, random)]
    else:
        texts = [spoiled(woven, random), case.patterns.text]
    # What was wrong is an InputError; anything else is a fault of ours and fails the test.
    with suppress(InputError, InputErrors):
        sources = [read(f"{at}.yaml", text.encode()) for at, text in enumerate(texts)]
        for source in unweave(sources[:1]):
            read("again", source.text.encode())
        weaving = weave(bundle(sources), case.options)
        assert weaving.objects
        assert all(proof.differences == [] for proof in weaving.proofs)
