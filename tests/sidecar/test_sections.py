"""Whose progress is whose, when stores of a pattern change."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.delivery.sections import Known, own_names, sections_of
from tests.sidecar.receiver import receiving
from tests.sidecar.shipping import Sidecar
from tests.spilled import spilled
from tests.waiting import wait_until

HTTP, HTTPS = "http://es:9200/logs", "https://es:9200/logs"


def es(place: str, name: str = "") -> tuple[str, str, str]:
    return "elasticsearch", name, place


@pytest.mark.parametrize(
    ("stores", "saved", "names", "expected"),
    [
        pytest.param([es(HTTP)], [], None, [f"elasticsearch:{HTTP}#0"], id="the first start"),
        pytest.param(
            [es(HTTP)], [f"elasticsearch:{HTTP}#0"], {}, [f"elasticsearch:{HTTP}#0"], id="the same"
        ),
        pytest.param(
            [es(HTTPS)], [f"elasticsearch:{HTTP}#0"], {}, [f"elasticsearch:{HTTP}#0"], id="https"
        ),
        pytest.param(
            [es(HTTPS)],
            [f"elasticsearch:{HTTP}#0"],
            {f"elasticsearch:{HTTPS}#0": f"elasticsearch:{HTTP}#0"},
            [f"elasticsearch:{HTTP}#0"],
            id="https, the next start",
        ),
        pytest.param(
            [es(HTTPS), es(HTTPS)],
            [f"elasticsearch:{HTTP}#0", f"elasticsearch:{HTTP}#1"],
            None,
            [f"elasticsearch:{HTTP}#0", f"elasticsearch:{HTTP}#1"],
            id="https, two logs",
        ),
        pytest.param(
            [es("http://b:1/x"), es(HTTPS)],
            [f"elasticsearch:{HTTP}#0", "elasticsearch:http://a:1/x#0"],
            {},
            ["elasticsearch:http://b:1/x#0", f"elasticsearch:{HTTP}#0"],
            id="two have changed, one in its scheme alone",
        ),
        pytest.param(
            [es("http://b:1/x")],
            ["elasticsearch:http://a:1/x#0", "elasticsearch:http://c:1/x#0"],
            {},
            ["elasticsearch:http://b:1/x#0"],
            id="two became one",
        ),
        pytest.param(
            [es(HTTP), es(HTTPS)],
            [f"elasticsearch:{HTTP}#0"],
            {},
            [f"elasticsearch:{HTTP}#0", f"elasticsearch:{HTTPS}#0"],
            id="one more",
        ),
        pytest.param(
            [("loki", "", HTTP)], [f"elasticsearch:{HTTP}#0"], {}, [f"loki:{HTTP}#0"], id="a kind"
        ),
        pytest.param(
            [es(HTTPS, "main")],
            ["elasticsearch/main#0"],
            {},
            ["elasticsearch/main#0"],
            id="a name is what it is known by",
        ),
        pytest.param(
            [es(HTTP, "main")],
            [f"elasticsearch:{HTTP}#0"],
            None,
            [f"elasticsearch:{HTTP}#0"],
            id="a name in a checkpoint from before names",
        ),
        pytest.param(
            [es(HTTP, "again")],
            [f"elasticsearch:{HTTP}#0"],
            {},
            ["elasticsearch/again#0"],
            id="a new name begins anew",
        ),
        pytest.param(
            [es(HTTPS), es(HTTP)],
            [f"elasticsearch:{HTTP}#0"],
            {f"elasticsearch:{HTTPS}#0": f"elasticsearch:{HTTP}#0"},
            [f"elasticsearch:{HTTP}#0", f"elasticsearch:{HTTP}#0+"],
            id="the old one is back beside the one that took its place",
        ),
    ],
)
def test_sections(
    stores: list[tuple[str, str, str]],
    saved: list[str],
    names: dict[str, str] | None,
    expected: list[str],
) -> None:
    found = sections_of(stores, Known(saved, names))
    assert [found[name] for name in own_names(stores)[0]] == expected


places = st.sampled_from([HTTP, HTTPS, "http://a:1", "[::1]:514", "::1:514", "/var/log/store", ""])
some_stores = st.lists(
    st.tuples(st.sampled_from(["loki", "files"]), st.sampled_from(["", "", "x", "y"]), places),
    max_size=5,
)


@given(st.lists(some_stores, min_size=1, max_size=5))
def test_no_two_share_a_section_and_what_stays_keeps_its_own(
    patterns: list[list[tuple[str, str, str]]],
) -> None:
    names: dict[str, str] | None = None
    saved: list[str] = []
    for stores in patterns:
        found = sections_of(stores, Known(saved, names))
        assert len(set(found.values())) == len(stores)
        assert sections_of(stores, Known(list(found.values()), found)) == found
        for name in own_names(stores)[0]:
            if names is not None and name in names:
                assert found[name] == names[name]
        names, saved = found, list(found.values())


def shipping(folder: Path, *stores: dict[str, Any], **config: Any) -> Sidecar:
    return Sidecar(folder, logs=[{"from": [f"{folder}/log/*.log"], "stores": [*stores]}], **config)


def test_another_url_is_sent_only_what_is_new(tmp_path: Path) -> None:
    with receiving() as before, receiving() as after:
        sidecar = shipping(tmp_path, before.store)
        sidecar.append("a.log", b"one\n")
        sidecar.start()
        wait_until(lambda: before.messages() == ["one"], 10, "it is delivered")
        assert sidecar.stop() == 0
        sidecar.append("a.log", b"two\n")
        sidecar = shipping(tmp_path, after.store)
        sidecar.start()
        wait_until(lambda: after.messages() == ["two"], 10, "only what is new")
        assert sidecar.stop() == 0
        sidecar.append("a.log", b"three\n")
        sidecar.start()
        wait_until(lambda: after.messages() == ["two", "three"], 10, "again only what is new")
        assert sidecar.stop() == 0
        sidecar = shipping(tmp_path, {**after.store, "name": "again"})
        sidecar.start()
        every = ["two", "three", "one", "two", "three"]
        wait_until(lambda: after.messages() == every, 10, "another name is sent everything")
        assert sidecar.stop() == 0


def test_a_checkpoint_from_before_names_is_taken_over(tmp_path: Path) -> None:
    with receiving() as receiver:
        sidecar = shipping(tmp_path, receiver.store)
        sidecar.append("a.log", b"one\n")
        sidecar.start()
        wait_until(lambda: receiver.messages() == ["one"], 10, "it is delivered")
        assert sidecar.stop() == 0
        path = tmp_path / "state" / "checkpoint.json"
        saved = json.loads(path.read_text())
        assert saved.pop("names") == {}
        path.write_text(json.dumps(saved))
        sidecar = shipping(tmp_path, {**receiver.store, "name": "main"})
        sidecar.append("a.log", b"two\n")
        sidecar.start()
        wait_until(lambda: receiver.messages() == ["one", "two"], 10, "nothing comes twice")
        assert sidecar.stop() == 0
        assert json.loads(path.read_text())["names"] == {
            "http/main#0": f"http:{receiver.peer.url}/logs#0"
        }


@pytest.mark.parametrize("forgotten", [False, True])
def test_what_a_store_left_on_the_disk_goes_to_its_new_url(
    tmp_path: Path, *, forgotten: bool
) -> None:
    """Also in the next Pod, which has no checkpoint of the last one's."""
    spill = {"directory": str(tmp_path / "spill"), "after": 0.0}
    nowhere = {"http": {"url": "http://127.0.0.1:1/logs"}}
    with receiving() as receiver:
        sidecar = shipping(tmp_path, nowhere, spill=spill)
        sidecar.append("a.log", b"one\n")
        sidecar.start()
        wait_until(lambda: spilled(tmp_path / "spill"), 10, "it is on the disk")
        sidecar.append("a.log", b"two\n")
        assert sidecar.stop() == 0
        if forgotten:
            os.unlink(tmp_path / "state" / "checkpoint.json")
            os.unlink(sidecar.log / "a.log")
        sidecar = shipping(tmp_path, receiver.store, spill=spill)
        sidecar.start()
        wait_until(lambda: receiver.messages() == ["one", "two"], 10, "the spill is delivered")
        assert sidecar.stop() == 0
        assert not spilled(tmp_path / "spill")
