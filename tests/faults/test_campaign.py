"""kill -9 at any moment, while logs rotate and stores fail in every way: nothing is lost.

PODWEAVE_FAULT_ROUNDS: how many lives of a sidecar, some for each schedule.
PODWEAVE_FAULT_SEED: the schedule of this seed alone; a schedule that fails says its seed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.conftest import report
from tests.faults.schedule import KILLS, Plan, carry_out

ROUNDS = int(os.environ.get("PODWEAVE_FAULT_ROUNDS", "25"))
SEED = os.environ.get("PODWEAVE_FAULT_SEED")
SEEDS = range(-(-ROUNDS // KILLS)) if SEED is None else [int(SEED)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_arrives_in_order(tmp_path: Path, seed: int) -> None:
    plan = Plan(seed)
    print(plan)
    report(carry_out(plan, tmp_path))
