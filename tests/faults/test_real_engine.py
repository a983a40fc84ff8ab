"""The campaign with a real search engine behind the broken network: each line is stored once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import report
from tests.faults.ledgers import TIMEOUT, Behind
from tests.faults.schedule import KEEP_IDENTITY, Plan, carry_out
from tests.faults.weather import Weather
from tests.sidecar import real_peers

SEEDS = range(200, 203)


class Engine(Behind):
    kind = "elasticsearch"
    once = True
    # Whatever it answers, it has no order of its own.
    ordered = False

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(str(seed))
        self._url = url
        self._index = f"faults-{seed}"
        port = urlsplit(url).port
        assert port is not None
        self.weather = Weather(port, str(seed))

    def config(self) -> dict[str, Any]:
        # The first request makes the index, which takes its time.
        url = f"http://127.0.0.1:{self.weather.port}"
        return {"urls": [url], "index": self._index, "timeout": 5 * TIMEOUT}

    def stored(self) -> list[str]:
        assert real_peers.get(f"{self._url}/{self._index}/_refresh", "POST") is not None
        found = real_peers.get(f"{self._url}/{self._index}/_search?size=10000")
        return [hit["_source"]["message"] for hit in found["hits"]["hits"]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    name = next((each for each in ("opensearch", "elasticsearch") if real_peers.has(each)), None)
    if name is None:
        pytest.skip("needs $PODWEAVE_PEERS/opensearch or elasticsearch")
    with real_peers.search_engine(name, tmp_path_factory.mktemp("engine") / "said") as url:
        yield url


@pytest.mark.parametrize("seed", SEEDS)
def test_each_line_is_stored_once(tmp_path: Path, url: str, seed: int) -> None:
    plan = Plan(seed, ("elasticsearch",))
    plan.rotations = [KEEP_IDENTITY[number % 2] for number in range(3)]
    plan.names = [f"{name}={how}" for name, how in zip("abc", plan.rotations, strict=True)]
    print(plan)
    engine = Engine(url, seed)
    try:
        report(carry_out(plan, tmp_path, [engine]))
    finally:
        engine.close()
