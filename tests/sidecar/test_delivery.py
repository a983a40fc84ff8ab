"""The delivery engine: batches, answers of every kind, the checkpoint, budget and dead letters."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podweave.helpers.logs.delivery.budget import Budget
from podweave.helpers.logs.delivery.dead_letters import DeadLetters
from podweave.helpers.logs.stores.interface import (
    DELIVERED,
    Outcome,
    failed,
    partly,
    refused,
    too_large,
)
from tests.sidecar.delivering import Delivering, delivering

__all__ = ["delivering"]


def numbers(first: int, last: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, last)]


def test_a_batch_ends_with_its_bytes(tmp_path: Path) -> None:
    made = Delivering(tmp_path, bytes=100, seconds=60.0)
    made.store.always = DELIVERED
    made.append("first")
    made.turns()  # after a silence nobody is waited for
    made.append(*(f"{number:09d}" for number in range(25)))
    made.turns(4)
    assert [len(lines) for lines in made.store.sent] == [1, 10, 10]
    made.clock.now += 60
    made.turns()
    assert len(made.store.stored) == 26
    made.close()


def test_a_batch_ends_with_its_records(tmp_path: Path) -> None:
    made = Delivering(tmp_path, bytes=1 << 20, records=10)
    made.store.always = DELIVERED
    made.append(*(str(number) for number in range(35)))
    made.turns(8)
    assert [len(lines) for lines in made.store.sent] == [10, 10, 10, 5]
    assert made.store.stored == numbers(0, 35)
    assert made.delivery.counts.delivered_records == 35
    made.close()


def test_a_lone_line_goes_at_once_and_the_next_waits_for_company(tmp_path: Path) -> None:
    made = Delivering(tmp_path, seconds=10.0)
    made.store.always = DELIVERED
    made.append("alone")
    made.turns()
    assert made.store.stored == [b"alone"]
    for number in range(3):
        made.append(str(number))
        made.turns(2)
    assert len(made.store.sent) == 1
    made.clock.now += 10
    made.turns()
    assert made.store.sent[1] == numbers(0, 3)
    made.close()


def test_what_cannot_be_sent_yet_is_joined_by_what_comes(delivering: Delivering) -> None:
    delivering.append("one")
    delivering.turns()
    delivering.append("two")
    delivering.turns()
    delivering.append("three")
    delivering.turns()
    delivering.store.answer()
    delivering.turns()
    assert delivering.store.sent == [[b"one"], [b"two", b"three"]]


def test_the_checkpoint_moves_with_the_answer_and_not_before(delivering: Delivering) -> None:
    delivering.append("one")
    delivering.turns(3)
    assert delivering.offset() == 0
    delivering.store.answer()
    assert delivering.offset() == 4


def test_the_checkpoint_waits_for_every_byte_before_it(tmp_path: Path) -> None:
    made = Delivering(tmp_path, records=1, window=3)
    made.append("one", "two", "three")
    made.turns()
    made.store.answer(index=2)
    made.store.answer(index=1)
    assert made.offset() == 0
    made.store.answer()
    assert made.offset() == 14
    made.close()


def test_what_failed_is_sent_again_before_what_is_newer(delivering: Delivering) -> None:
    delivering.append("one")
    delivering.turns()
    delivering.append("two")
    delivering.store.answer(failed("connection reset"))
    delivering.turns(2)
    assert delivering.delivery.counts.retries == 1
    delivering.clock.now += 10
    delivering.turns()
    delivering.store.answer()
    delivering.turns(2)
    assert delivering.store.sent == [[b"one"], [b"one"], [b"two"]]
    said = [event["event.action"] for event in delivering.events()]
    assert said == ["store.failed", "store.recovered"]


def test_back_off_grows_and_is_spread(delivering: Delivering) -> None:
    delivering.append("one")
    waits = []
    for _ in range(12):
        delivering.clock.now += 100
        delivering.delivery.turn()
        delivering.store.answer(failed("503"))
        waits.append(delivering.delivery.wait_for_retry())
    assert 0.05 <= waits[0] <= 0.1
    assert all(2.5 <= wait <= 5 for wait in waits[8:])
    assert len(set(waits[8:])) > 1
    # One line, however often it fails alike.
    assert [event["event.action"] for event in delivering.events()] == ["store.failed"]


def test_retry_after_is_honoured(delivering: Delivering) -> None:
    delivering.append("one")
    delivering.turns()
    delivering.store.answer(failed("429", after=30.0))
    delivering.turns(100, 0.29)
    assert len(delivering.store.sent) == 1
    delivering.turns(5)
    assert len(delivering.store.sent) == 2


def test_a_long_wait_is_said(delivering: Delivering) -> None:
    delivering.append("one")
    delivering.turns()
    delivering.store.answer(failed("429 busy", after=60.0))
    (event,) = delivering.events()
    assert event["message"].startswith("429 busy: nothing is lost, it is tried again in 6")


def test_only_the_records_that_failed_are_sent_again(delivering: Delivering) -> None:
    delivering.append(*"abcdef")
    delivering.turns()
    delivering.store.answer(partly([1, 4], [(2, "mapping: no such field")], "429"))
    assert delivering.offset() == 0
    delivering.clock.now += 10
    delivering.turns()
    assert delivering.store.sent[1] == [b"b", b"e"]
    delivering.store.answer()
    assert delivering.offset() == 12
    assert sorted(delivering.store.stored) == [b"a", b"b", b"d", b"e", b"f"]
    (letter,) = delivering.letters()
    assert letter["record"] == "c"
    assert letter["reason"] == "mapping: no such field"
    assert (letter["path"], letter["offset"]) == (str(delivering.folder / "a.log"), 4)
    counts = delivering.delivery.counts
    assert (counts.delivered_records, counts.rejected_records) == (5, 1)


def test_ids_do_not_depend_on_the_batches(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(20)]
    ids = []
    for records in (1, 3, 7, 100):
        made = Delivering(tmp_path, records=records)
        (tmp_path / "a.log").write_text("".join(f"{line}\n" for line in lines))
        made.append()
        made.store.always = DELIVERED
        made.turns(40)
        ids.append(made.store.ids)
        made.close()
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert len(set(ids[0])) == 20


def test_ids_of_another_line_at_the_same_place_differ(delivering: Delivering) -> None:
    # An inode that is used again, by a file that nothing is remembered of.
    delivering.store.always = DELIVERED
    for line in ("one", "two"):
        (delivering.folder / "a.log").write_text(f"{line}\n")
        delivering.turns(3)
        delivering.delivery.source.close()
        delivering.delivery = delivering.start([])
    assert len(set(delivering.store.ids)) == 2


def test_a_batch_that_is_too_large_is_divided(delivering: Delivering) -> None:
    delivering.append(*(f"{number:07d}" for number in range(100)))
    for _ in range(200):
        delivering.turns(1, 1.0)
        while delivering.store.under_way:
            batch = delivering.store.under_way[0][0]
            delivering.store.answer(too_large("413") if batch.size > 200 else DELIVERED)
            delivering.delivery.turn()
    assert delivering.store.stored == [b"%07d" % number for number in range(100)]
    assert delivering.letters() == []
    assert delivering.offset() == 800


def test_the_record_that_spoils_a_batch_is_found(delivering: Delivering) -> None:
    delivering.append(*"abcdefghijklmnop")
    for _ in range(60):
        delivering.turns(1, 1.0)
        while delivering.store.under_way:
            bad = b"k" in delivering.store.under_way[0][0].lines()
            delivering.store.answer(refused("400 unexpected token") if bad else DELIVERED)
            delivering.delivery.turn()
    assert b"".join(delivering.store.stored) == b"abcdefghijlmnop"
    (letter,) = delivering.letters()
    assert (letter["record"], letter["reason"]) == ("k", "400 unexpected token")
    assert delivering.offset() == 32


def test_reading_stops_when_the_budget_is_used_up(tmp_path: Path) -> None:
    made = Delivering(tmp_path, bytes=4096, budget=8192)
    made.append(*("x" * 99 for _ in range(1000)))
    made.turns(50)
    assert made.delivery.counts.read_bytes <= 8192 + 4096
    made.store.always = DELIVERED
    made.store.answer()
    made.turns(100)
    assert len(made.store.stored) == 1000
    made.close()


def test_a_line_longer_than_the_budget_gets_through(tmp_path: Path) -> None:
    made = Delivering(tmp_path, bytes=4096, budget=8192)
    made.store.always = DELIVERED
    made.append("short", "x" * 100_000, "after")
    made.turns(60)
    assert [len(line) for line in made.store.stored] == [5, 100_000, 5]
    made.close()


def test_half_of_the_budget_is_kept_for_each(tmp_path: Path) -> None:
    budget = Budget(1_000_000, 2)
    stuck, quick = budget.share(), budget.share()
    stuck.take(stuck.free)
    assert stuck.taken == 750_000
    assert quick.free == 250_000
    quick.take(250_000)
    assert quick.free == 0
    quick.give_back(250_000)
    stuck.give_back(750_000)
    assert stuck.free == quick.free == 750_000


def test_dead_letters_are_kept_up_to_their_limit(delivering: Delivering) -> None:
    delivering.append(*(f"{number:050d}" for number in range(10)))
    delivering.turns()
    delivering.store.answer(partly([], [(number, "no") for number in range(3)], ""))
    letters = delivering.delivery.dead_letters
    letters.limit = letters.size() + 100
    delivering.append("more")
    delivering.turns(2)
    delivering.store.answer(partly([], [(0, "no")], ""))
    assert len(delivering.letters()) == 3
    assert delivering.delivery.dead_letters.dropped_records == 1
    assert "dead_letters.full" in [event["event.action"] for event in delivering.events()]
    assert delivering.offset() == 515


def test_a_dead_letter_that_cannot_be_kept_is_no_reason_to_go_on(delivering: Delivering) -> None:
    (delivering.folder / "letters").write_text("in the way")
    delivering.append("one", "two")
    delivering.turns()
    delivering.store.answer(partly([], [(0, "no")], "no"))
    assert delivering.offset() == 0
    (delivering.folder / "letters").unlink()
    delivering.clock.now += 10
    delivering.turns()
    assert delivering.store.sent[1] == [b"one"]
    delivering.store.answer(partly([], [(0, "no")], "no"))
    assert [letter["record"] for letter in delivering.letters()] == ["one"]
    assert delivering.offset() == 8


def test_replay_sends_dead_letters_again_with_the_ids_they_had(delivering: Delivering) -> None:
    delivering.append("one", "größe", "three")
    delivering.turns()
    names = delivering.store.under_way[0][0].ids()
    delivering.store.answer(partly([], [(1, "no"), (2, "no")], ""))
    assert delivering.delivery.replay() == 1
    delivering.turns(3)
    batch = delivering.store.answer(partly([], [(1, "still no")], ""))
    assert batch.lines() == ["größe".encode(), b"three"]
    assert batch.ids() == names[1:]
    assert batch.origin.kubernetes == delivering.origin.kubernetes
    assert "replay.ended" in [event["event.action"] for event in delivering.events()]
    assert [letter["reason"] for letter in delivering.letters()] == ["still no"]
    assert not list(delivering.folder.glob("letters/**/*.replaying"))


def test_letters_of_the_same_second_replace_none_that_are_being_sent(
    delivering: Delivering,
) -> None:
    delivering.append("one", "two")
    delivering.turns()
    batch, _ = delivering.store.under_way[0]
    folder = str(delivering.folder / "letters")
    letters = DeadLetters(folder, "x", journal=delivering.journal, wall_clock=lambda: 0.0)
    taken = []
    for number in (0, 1):
        assert letters.write(batch, [(number, "no")])
        taken += letters.take()
    records = [json.loads(Path(path).read_text())["record"] for path in taken]
    assert records == ["one", "two"]
    letters.close()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_store_answers_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    made = Delivering(tmp_path, bytes=400, records=20, window=chance.choice([1, 3]))
    lines = [f"line {number}" for number in range(300)]
    waiting = list(lines)

    def outcome(count: int) -> Outcome:
        numbers = range(count)
        again = sorted(chance.sample(numbers, chance.randrange(count)))
        left = [number for number in numbers if number not in again]
        rejected = sorted(chance.sample(left, chance.randrange(len(left) + 1) // 4))
        return chance.choice(
            [
                DELIVERED,
                failed("reset"),
                failed("429", after=1.0),
                too_large("413"),
                partly(again, [(number, "never") for number in rejected], "some"),
            ]
        )

    for _ in range(3000):
        if waiting:
            made.append(*waiting[:7])
            del waiting[:7]
        made.turns(1, 2.0)
        if made.store.under_way:
            index = chance.randrange(len(made.store.under_way))
            made.store.answer(outcome(made.store.under_way[index][0].records), index)
        if not waiting and made.offset() == sum(len(line) + 1 for line in lines):
            break
    dead = [letter["record"].encode() for letter in made.letters()]
    assert sorted([*made.store.stored, *dead]) == sorted(line.encode() for line in lines)
    assert made.budget.share().free == made.budget.kept + made.budget.common
    assert made.delivery.unacknowledged_bytes() == 0
    made.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), min_size=1),
    st.lists(st.integers(0, 200)),
    st.data(),
)
def test_parts_of_a_batch_keep_their_ids_and_texts(
    lines: list[bytes], cuts: list[int], data: st.DataObject
) -> None:
    from podweave.helpers.logs.delivery.batches import Batch, Piece
    from podweave.helpers.logs.delivery.frames import decode, encode
    from podweave.helpers.logs.delivery.origin import Origin

    origin = Origin({"pod": {"uid": "5f1c"}})
    whole = Piece(b"".join(line + b"\n" for line in lines), "/a.log", "1-2-0", 1000, 0.0)
    ids = whole.ids(origin)
    pieces = [whole]
    for cut in cuts:
        last = pieces[-1]
        if cut and cut < last.count():
            pieces[-1:] = last.divide(cut)
    batch = Batch(pieces, origin, raw=True, read_at=0.0)
    assert batch.lines() == lines
    assert batch.ids() == ids
    chosen = sorted(data.draw(st.sets(st.integers(0, len(lines) - 1), min_size=1)))
    part = batch.select(chosen)
    assert part.lines() == [lines[index] for index in chosen]
    assert part.ids() == [ids[index] for index in chosen]
    if batch.records > 1:
        first, rest = batch.halves()
        assert first.lines() + rest.lines() == lines
        assert first.ids() + rest.ids() == ids
    frame = decode(encode(part.pieces[0], True) + b"more")
    assert frame is not None
    assert frame[0].ids(origin) == part.pieces[0].ids(origin)
