"""Frames of a spill and dead letters: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.journal import Journal
from podweave.helpers.logs.delivery.batches import JOINT, Batch, Piece
from podweave.helpers.logs.delivery.dead_letters import letters
from podweave.helpers.logs.delivery.frames import DamagedError, decode, encode
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.delivery.replay import Replay

ORIGIN = Origin({"namespace": "shop", "pod": {"name": "orders-1", "uid": "5f1c"}})

lines = st.lists(
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")), min_size=1, max_size=20
)


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    texts = draw(lines)
    joined = draw(st.booleans())
    if joined:
        texts = [text.decode("utf-8", "replace").encode() + JOINT + b"more" for text in texts]
    stated = draw(st.booleans())
    return Piece(
        b"".join(text + b"\n" for text in texts),
        "/var/log/größe.log",
        "1-2-0",
        draw(st.integers(0, 1 << 50)),
        1767225600.25,
        starts=[number * 1000 for number in range(len(texts))] if draw(st.booleans()) else None,
        joined=joined,
        details=[(b"2026-01-01T00:00:00Z", b"stderr")] * len(texts) if stated else None,
    )


def same(one: Piece, other: Piece) -> bool:
    return (
        one.lines() == other.lines()
        and one.ids(ORIGIN) == other.ids(ORIGIN)
        and one.times() == other.times()
        and one.path == other.path
    )


@settings(deadline=None)
@given(pieces(), st.booleans(), st.integers(1, 40))
def test_a_frame_is_read_as_it_was_written_and_never_in_part(
    piece: Piece, raw: bool, cut: int
) -> None:
    frame = encode(piece, raw)
    found = decode(frame + b'{"size":')
    assert found is not None
    assert same(found[0], piece)
    assert found[1:] == (raw, len(frame))
    assert decode(frame[:-cut]) is None


@given(st.binary(max_size=200))
def test_anything_else_is_damage(data: bytes) -> None:
    try:
        assert decode(data) is None
    except DamagedError:
        pass


@given(pieces(), st.integers(0, 10_000))
def test_a_byte_that_changed_is_found(piece: Piece, place: int) -> None:
    frame = bytearray(encode(piece, True))
    body = frame.index(b"\n") + 1
    place = body + place % (len(frame) - body)
    frame[place] ^= 1
    with pytest.raises(DamagedError):
        decode(bytes(frame))


@settings(deadline=None, max_examples=50)
@given(piece=pieces(), raw=st.booleans())
def test_a_letter_is_the_record_it_was(
    piece: Piece, raw: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("letters")
    batch = Batch([piece], ORIGIN, raw=raw, read_at=0.0)
    written = letters(batch, [(number, "no") for number in range(batch.records)], "x", 0.0)
    assert all(json.loads(line)["reason"] == "no" for line in written)
    path = folder / "x.ndjson.replaying"
    path.write_bytes(b"".join(written) + b'{"half')
    replay = Replay([str(path)], journal=Journal("sidecar", "ship"))
    parcels = [parcel for _ in range(3) for parcel in replay.read(1 << 20)]
    found = [parcel.piece for parcel in parcels if parcel.piece is not None]
    texts = [text for each in found for text in each.lines()]
    utf8 = [text.decode("utf-8", "backslashreplace").encode() for text in piece.lines()]
    # What is not UTF-8 may come as it will be shown.
    assert len(texts) == len(utf8)
    for text, was, shown in zip(texts, piece.lines(), utf8, strict=True):
        assert text in (was, shown)
    assert [offset for each in found for offset in each.offsets()] == list(piece.offsets())
    assert {parcel.raw for parcel in parcels} == {raw}
    for parcel in parcels:
        parcel.acknowledge()
    assert replay.empty
    assert not path.exists()
