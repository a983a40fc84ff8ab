"""The state on a volume that outlives the Pod: who goes on where the last one was."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podweave.helpers.logs.delivery.origin import Origin
from tests.faults.disks import small_disk
from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until


class Shared(Sidecar):
    """One of several Pods that have the same logs and the same state."""

    def __init__(self, folder: Path, number: int) -> None:
        (folder / f"pod-{number}").mkdir()
        store = folder / "store"
        logs = [{"from": [f"{folder}/log/*.log"], "stores": [{"files": {"directory": str(store)}}]}]
        super().__init__(
            folder / f"pod-{number}",
            state=f"{folder}/volume/.podweave/{{namespace}}/deployment.orders/ship",
            state_lasts=True,
            logs=logs,
            drain=5.0,
        )
        self.identity = {
            "POD_NAMESPACE": "shop",
            "POD_NAME": f"orders-{number}",
            "POD_UID": f"uid-{number}",
            "NODE_NAME": "n1",
        }
        self.log = folder / "log"
        self.log.mkdir(exist_ok=True)
        self.store = store

    def messages(self) -> list[str]:
        """Of all Pods."""
        return [
            record["message"]
            for path in sorted(self.store.glob("shop/*/*.ndjson"))
            for record in map(json.loads, path.read_bytes().splitlines())
        ]

    def said_of(self, event: str) -> list[str]:
        return [
            str(each.get("message", "")) for each in self.events() if each["event.action"] == event
        ]


MakePod = Callable[[int], Shared]


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[MakePod]:
    made: list[Shared] = []

    def make(number: int) -> Shared:
        made.append(Shared(tmp_path, number))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_next_pod_goes_on_where_the_last_one_was(pod: MakePod) -> None:
    wanted: list[str] = []
    for number in range(3):
        each = pod(number)
        each.append("a.log", f"before {number}\n".encode())
        each.start()
        each.wait_for([*wanted, f"before {number}"], 30)
        each.append("a.log", f"last of {number}\n".encode())
        assert each.stop() == 0
        wanted += [f"before {number}", f"last of {number}"]
        assert each.messages() == wanted


def test_a_killed_pods_lines_are_not_lost(pod: MakePod) -> None:
    first, second = pod(1), pod(2)
    lines = [f"line {number}" for number in range(2000)]
    first.append("a.log", "".join(f"{line}\n" for line in lines[:1000]).encode())
    first.start()
    wait_until(first.messages, 30, "it ships")
    first.stop(signal.SIGKILL)
    first.append("a.log", "".join(f"{line}\n" for line in lines[1000:]).encode())
    second.start()
    wait_until(lambda: set(lines) <= set(second.messages()), 30, "all lines")
    assert second.stop() == 0


def test_another_pod_waits_until_the_one_that_reads_has_gone(pod: MakePod) -> None:
    first, second = pod(1), pod(2)
    first.append("a.log", b"one\n")
    first.start()
    wait_until(lambda: first.messages() == ["one"], 30, "the first ships")
    second.start()
    assert second.admin("/healthz") == "ok\n"  # so that the Pod's application starts
    assert second.metric("podweave_logs_standing_by") == 1
    assert first.metric("podweave_logs_standing_by") == 0
    (said,) = second.said_of("state.in_use")
    assert said.startswith("the Pod orders-1 on n1 uses this state and reads the files")
    first.append("a.log", b"two\n")
    wait_until(lambda: first.messages() == ["one", "two"], 30, "the first ships on, alone")
    assert first.stop() == 0
    wait_until(lambda: second.said_of("state.taken_over"), 30, "the second's turn")
    second.append("a.log", b"three\n")
    wait_until(lambda: len(second.messages()) == 3, 30, "the second ships")
    assert second.metric("podweave_logs_standing_by") == 0
    assert second.stop() == 0
    assert sorted(second.messages()) == ["one", "three", "two"]


def test_a_waiting_pod_takes_over_from_one_that_is_killed(pod: MakePod) -> None:
    first, second = pod(1), pod(2)
    first.start()
    assert first.admin("/healthz") == "ok\n"
    second.start()
    wait_until(lambda: second.said_of("state.in_use"), 30, "the second waits")
    first.stop(signal.SIGKILL)
    second.append("a.log", b"one\n")
    wait_until(lambda: second.messages() == ["one"], 30, "the second ships")
    assert second.stop() == 0


def test_a_pod_that_only_waited_ends_well(pod: MakePod) -> None:
    first, second = pod(1), pod(2)
    first.start()
    assert first.admin("/healthz") == "ok\n"
    second.start()
    wait_until(lambda: second.said_of("state.in_use"), 30, "the second waits")
    assert second.stop() == 0
    assert second.said_of("sidecar.stood_by") == [
        "the Pod orders-1 on n1 reads the files, what was written last as well"
    ]
    assert first.stop() == 0


def test_what_a_pod_could_not_deliver_is_left_to_the_next(pod: MakePod) -> None:
    first, second = pod(1), pod(2)
    first.config["drain"] = 0.5
    first.store.write_text("in the way of the store's directory")
    first.append("a.log", b"one\ntwo\n")
    first.start()
    first.admin("/healthz")
    assert first.stop() == 0
    (said,) = first.said_of("sidecar.left_to_the_next_pod")
    assert "the next Pod that mounts it goes on there" in said
    first.store.unlink()
    second.start()
    wait_until(lambda: second.messages() == ["one", "two"], 30, "the second ships")
    assert second.stop() == 0


def test_a_state_that_cannot_be_used_keeps_no_line_back(pod: MakePod, tmp_path: Path) -> None:
    (tmp_path / "volume").write_text("in the way")
    each = pod(1)
    each.append("a.log", b"one\n")
    each.start()
    wait_until(lambda: each.messages() == ["one"], 30, "it ships all the same")
    (said,) = each.said_of("state.unusable")
    assert said.startswith("Not a directory: what is reached may not outlive this Pod")
    wait_until(lambda: each.metric("podweave_logs_checkpoint_writable") == 0, 30, "word of it")
    each.stop()


def test_a_full_volume_keeps_no_line_back(pod: MakePod, tmp_path: Path) -> None:
    each = pod(1)
    with small_disk(tmp_path / "volume", "64k") as disk:
        (disk.place / "filled").write_bytes(b"x" * disk.free_bytes())
        each.append("a.log", b"one\n")
        each.start()
        wait_until(lambda: each.messages() == ["one"], 30, "it ships all the same")
        assert each.said_of("state.unusable")
        (disk.place / "filled").unlink()
        wait_until(lambda: each.metric("podweave_logs_checkpoint_writable") == 1, 30, "saved")
        assert each.stop() == 0
    assert each.messages() == ["one"]


def test_ids_are_the_states_and_stay_over_pods() -> None:
    def origin(uid: str, ids: str) -> Origin:
        return Origin({"namespace": "shop", "pod": {"name": uid, "uid": uid}}, ids=ids)

    assert origin("a", "s").id_prefix("1-2-3") == origin("b", "s").id_prefix("1-2-3")
    assert origin("a", "s").id_prefix("1-2-3") != origin("a", "t").id_prefix("1-2-3")
    assert origin("a", "").id_prefix("1-2-3") != origin("b", "").id_prefix("1-2-3")
