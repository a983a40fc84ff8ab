"""The queue on disk: what a store that is down can't take, in order, through crashes and Pods."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podweave.helpers.logs.delivery.spill_room import SpillRoom
from podweave.helpers.logs.stores.interface import DELIVERED, failed
from tests.sidecar.delivering import Delivering, delivering

__all__ = ["delivering"]

DOWN = failed("connection refused")


@pytest.fixture
def spilling(tmp_path: Path) -> Delivering:
    return Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True)


def go_down(made: Delivering) -> None:
    made.store.always = DOWN
    made.append("first")
    made.turns(30)
    assert made.delivery.failing()


def recover(made: Delivering) -> None:
    made.store.always = DELIVERED
    made.turns(60)
    assert not made.delivery.failing()


def lines(first: int, last: int) -> list[str]:
    return [f"line {number:04d}" for number in range(first, last)]


def stored(made: Delivering) -> list[str]:
    return [line.decode() for line in made.store.stored]


def test_nothing_is_spilled_while_the_store_works(spilling: Delivering) -> None:
    spilling.store.always = DELIVERED
    spilling.append(*lines(0, 100))
    spilling.turns(30)
    assert not (spilling.folder / "spill").exists()
    spilling.close()


def test_a_store_that_is_down_lets_the_source_go_on(spilling: Delivering) -> None:
    go_down(spilling)
    spilling.append(*lines(0, 100))
    spilling.turns(3)
    # All of it is safe, so the application may truncate its file.
    assert spilling.offset() == 6 + 1000
    assert spilling.delivery.overflow.size > 1000
    (spilling.folder / "a.log").write_text("")
    spilling.turns(2)
    spilling.append(*lines(100, 120))
    spilling.turns(3)
    recover(spilling)
    spilling.append(*lines(120, 130))
    spilling.turns(10)
    assert stored(spilling) == ["first", *lines(0, 130)]
    assert spilling.delivery.overflow.size == 0
    spilling.close()
    assert not list((spilling.folder / "spill").rglob("*.frames"))


def test_a_short_failure_spills_nothing(spilling: Delivering) -> None:
    spilling.store.always = DOWN
    spilling.append("first")
    spilling.turns(8)
    assert not (spilling.folder / "spill").exists()
    recover(spilling)
    assert stored(spilling) == ["first"]
    spilling.close()


def test_a_store_that_says_nothing_is_taken_for_down(spilling: Delivering) -> None:
    spilling.append("first")
    spilling.turns()
    spilling.append(*lines(0, 10))
    spilling.turns(30)
    assert spilling.delivery.overflow.size > 100
    spilling.store.answer(failed("timeout"))
    recover(spilling)
    assert stored(spilling) == ["first", *lines(0, 10)]
    spilling.close()


def test_what_is_on_disk_survives_a_kill(spilling: Delivering) -> None:
    go_down(spilling)
    spilling.append(*lines(0, 100))
    spilling.turns(3)
    entries = spilling.tail.entries()
    # kill -9: nothing is closed. The lock goes with the process, here with its descriptor.
    overflow = spilling.delivery.overflow
    assert overflow._own is not None
    os.close(overflow._own._lock)
    spilling.store.under_way.clear()
    spilling.delivery = spilling.start(entries)
    recover(spilling)
    assert stored(spilling) == ["first", *lines(0, 100)]
    spilling.close()


def test_a_place_in_a_queue_of_before_is_none_in_the_next(spilling: Delivering) -> None:
    """Killed after the last of a queue was delivered, before the queue was removed."""
    go_down(spilling)
    spilling.append(*lines(0, 10))
    spilling.turns(3)
    position = spilling.folder / "spill" / "shop" / "5f1c" / "ship"
    (position,) = (each / "position.json" for each in position.iterdir())
    recover(spilling)
    spilling.delivery.close()
    position.parent.mkdir(parents=True)
    position.write_text('{"segment": 1, "offset": 200}')
    spilling.delivery = spilling.start(spilling.tail.entries())
    spilling.store.always = DOWN
    spilling.append(*lines(10, 40))
    spilling.turns(60)
    entries = spilling.tail.entries()
    own = spilling.delivery.overflow._own
    assert own is not None
    assert own.size > 200
    os.close(own._lock)
    spilling.delivery = spilling.start(entries)
    recover(spilling)
    assert stored(spilling) == ["first", *lines(0, 40)]
    assert not spilling.events()[-1]["event.action"].startswith("spill.damaged")
    spilling.close()


def test_a_segment_that_nothing_came_into_is_nothing_to_deliver(tmp_path: Path) -> None:
    """Killed between its making and the first record, in its own life and in a Pod's of before."""
    first = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True)
    go_down(first)
    first.delivery.close()
    entries = first.tail.entries()
    (segment,) = (first.folder / "spill").rglob("*.frames")
    (segment.parent / "0000000000000009.frames").touch()
    first.delivery = first.start(entries)
    recover(first)
    assert stored(first) == ["first"]
    assert first.delivery.overflow.empty
    first.delivery.close()
    assert not list((first.folder / "spill").rglob("*.frames"))
    segment.parent.mkdir(parents=True)
    segment.touch()
    first.delivery = first.start(entries)
    first.delivery.finish()
    first.turns(60)
    assert first.delivery.finished
    first.delivery.close()
    assert not segment.exists()
    segment.parent.mkdir(parents=True, exist_ok=True)
    segment.touch()
    second = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True, uid="77aa")
    assert second.delivery.overflow.next_feed() is None
    assert not segment.exists()
    first.loop.close()
    second.close()


@pytest.mark.parametrize("killed", [False, True])
def test_what_fits_does_not_overtake_what_does_not(tmp_path: Path, *, killed: bool) -> None:
    """Some of what waits found room on the disk, a longer part didn't, and then comes little."""
    made = Delivering(tmp_path, bytes=10_000, records=2, spill=1400, durable=True)
    made.store.always = DOWN
    long = ["a" * 50, "b" * 50, "c" * 50, "d" * 50, "e" * 600, "f" * 600]
    made.append(*long)
    made.turns(40)
    made.append("g")
    made.turns(40)
    assert made.delivery.overflow.size > 0
    assert made.delivery.overflow.failures > 0
    if killed:
        entries = made.tail.entries()
        own = made.delivery.overflow._own
        assert own is not None
        os.close(own._lock)
        made.delivery = made.start(entries)
    recover(made)
    assert list(dict.fromkeys(stored(made))) == [*long, "g"]
    made.close()


def test_half_a_frame_is_passed_over(spilling: Delivering) -> None:
    go_down(spilling)
    spilling.append(*lines(0, 10))
    spilling.turns(3)
    spilling.delivery.close()
    (segment,) = (spilling.folder / "spill").rglob("*.frames")
    with segment.open("ab") as file:
        file.write(b'{"size":100,"crc":0}\nhalf')
    entries = spilling.tail.entries()
    spilling.delivery = spilling.start(entries)
    recover(spilling)
    spilling.append(*lines(10, 12))
    spilling.turns(10)
    assert stored(spilling) == ["first", *lines(0, 12)]
    assert "spill.torn" in [event["event.action"] for event in spilling.events()]
    spilling.close()


def test_a_full_spill_stops_reading_and_loses_nothing(tmp_path: Path) -> None:
    made = Delivering(tmp_path, bytes=1000, spill=20_000, durable=True)
    go_down(made)
    everything = lines(0, 5000)
    made.append(*everything)
    made.turns(100)
    assert made.delivery.overflow.size <= 20_000
    assert made.offset() < 50_000
    assert "spill.failed" in [event["event.action"] for event in made.events()]
    made.store.always = DELIVERED
    made.turns(400)
    assert stored(made) == ["first", *everything]
    made.close()


def test_at_the_end_of_the_pod_all_of_it_goes_to_disk(spilling: Delivering) -> None:
    spilling.append(*lines(0, 50))
    spilling.turns()
    spilling.delivery.finish()
    spilling.turns(3)
    assert not spilling.delivery.finished
    spilling.delivery.give_up()
    spilling.turns(20)
    assert spilling.delivery.finished
    assert spilling.delivery.left_on_disk
    assert spilling.offset() == 500
    spilling.close()


def test_one_failure_at_the_end_leaves_nothing_to_the_next_pod(spilling: Delivering) -> None:
    spilling.append(*lines(0, 50))
    spilling.delivery.finish()
    spilling.store.always = DOWN
    spilling.turns(4)
    assert not spilling.delivery.overflow.empty
    assert not spilling.delivery.finished
    recover(spilling)
    assert spilling.delivery.finished
    assert not spilling.delivery.left_on_disk
    assert stored(spilling) == lines(0, 50)
    spilling.close()


def test_a_store_that_stays_down_holds_up_no_end(spilling: Delivering) -> None:
    spilling.append(*lines(0, 50))
    spilling.delivery.finish()
    spilling.store.always = DOWN
    spilling.turns(60)
    assert spilling.delivery.finished
    assert spilling.delivery.left_on_disk
    spilling.close()


def test_the_next_pod_delivers_what_one_has_left_under_its_name(tmp_path: Path) -> None:
    first = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True)
    go_down(first)
    first.append(*lines(0, 50))
    first.delivery.finish()
    first.turns(30)
    assert first.delivery.finished
    first.close()
    (tmp_path / "a.log").unlink()

    second = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True, uid="77aa")
    second.store.always = DELIVERED
    second.append("of the second", name="b.log")
    second.turns(60)
    assert stored(second) == ["first", *lines(0, 50), "of the second"]
    assert [event["pod"] for event in second.events()] == ["orders-5f1c"]
    second.close()
    assert not list((tmp_path / "spill").rglob("*.frames"))


def test_a_queue_in_use_is_left_alone(tmp_path: Path) -> None:
    first = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True)
    go_down(first)
    second = Delivering(tmp_path, bytes=100, spill=1 << 20, durable=True, uid="77aa")
    second.store.always = DELIVERED
    second.turns(5)
    assert stored(second) == ["first"]  # its own reading of a.log
    assert first.delivery.overflow.size > 0
    second.close()
    first.close()


def test_the_age_counts_from_the_reading(spilling: Delivering) -> None:
    go_down(spilling)
    spilling.append("more")
    spilling.turns(3)
    assert 0 <= spilling.delivery.oldest_unacknowledged() < 60
    assert spilling.delivery.overflow.oldest() is not None
    recover(spilling)
    assert spilling.delivery.oldest_unacknowledged() == 0
    spilling.close()


def test_what_lies_there_for_an_unknown_store_is_told(spilling: Delivering) -> None:
    go_down(spilling)
    room = SpillRoom(
        str(spilling.folder / "spill"), 1000, "ship", spilling.origin, journal=spilling.journal
    )
    room.settle(["scripted:x#0"])
    room.settle(["another:y#0"])
    (event,) = [
        event for event in spilling.events() if event["event.action"] == "spill.unknown_store"
    ]
    assert event["store"] == "scripted:x#0"
    spilling.close()


def test_while_the_store_is_down_the_source_is_read_as_fast_as_ever(spilling: Delivering) -> None:
    go_down(spilling)
    spilling.append(*lines(0, 200_000))
    spilling.clock.now += 1
    spilling.delivery.turn()
    assert spilling.delivery.failing()
    assert spilling.delivery.wait() == 0
    spilling.close()
