"""Bytes in pieces, as they come off a connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from hypothesis import strategies as st


def cut_at(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut at these places, some of which may be the same or beyond the end."""
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Pieces of these sizes, and what is left; none is empty."""
    return [piece for piece in cut_at(data, accumulate(sizes)) if piece]


@st.composite
def cut_up(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """A message, and the same in pieces."""
    message = draw(messages)
    places = draw(st.lists(st.integers(0, len(message)), max_size=12))
    return message, cut_at(message, places)
