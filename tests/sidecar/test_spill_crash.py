"""kill -9 at any moment, with a store that comes and goes and a spill between: nothing is lost.

PODWEAVE_SPILL_CRASH_ROUNDS: how many kills.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sidecar.http_peer import Reply
from tests.sidecar.receiver import OK, receiving
from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until

ROUNDS = int(os.environ.get("PODWEAVE_SPILL_CRASH_ROUNDS", "12"))

WRITER = """\
import os, sys, time
path, stop = sys.argv[1:3]
number = 0
with open(path, "ab", buffering=0) as log:
    while not os.path.exists(stop):
        for _ in range(20):
            log.write(b"%d\\n" % number)
            number += 1
        time.sleep(0.01)
print(number)
"""


@pytest.mark.timeout(120 + 3 * ROUNDS)
def test_kill_9_with_a_store_that_comes_and_goes(tmp_path: Path) -> None:
    chance = random.Random(7)
    sidecar = Sidecar(tmp_path, spill={"directory": str(tmp_path / "volume"), "after": 0.1})
    up = True

    def answer(records: list[dict[str, Any]]) -> Reply:
        return OK if up and chance.random() < 0.8 else Reply(503)

    with receiving() as receiver:
        receiver.answer = answer
        sidecar.config["logs"][0]["stores"] = [receiver.store]
        stop = tmp_path / "stop"
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(sidecar.log / "a.log"), str(stop)],
            stdout=subprocess.PIPE,
        )
        spilled = 0
        for number in range(ROUNDS):
            up = number % 3 == 2
            sidecar.start()
            sidecar.live_for(chance.uniform(0.3, 1.2))
            assert sidecar.stop(signal.SIGKILL) == -signal.SIGKILL
            spilled += any((tmp_path / "volume").rglob("*.frames"))
        stop.touch()
        written = int(writer.communicate()[0])
        up = True
        sidecar.start()
        # All messages at every look would keep the receiver itself from its work.
        last = str(written - 1)
        wait_until(
            lambda: any(record["message"] == last for record in receiver.records[-50:]),
            60,
            "the last line",
        )
        assert sidecar.stop() == 0
        messages = [int(message) for message in receiver.messages()]
    firsts = list(dict.fromkeys(messages))
    assert firsts == list(range(written))
    assert spilled
    assert not list((tmp_path / "volume").rglob("*.frames"))
    print(f"{written} lines, {len(messages) - written} of them again, {spilled} kills with a spill")
