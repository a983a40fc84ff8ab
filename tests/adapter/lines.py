"""Hypothesis strategies: lines as applications write them, and as nobody should."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from podweave.helpers.logs.formats import catalogue

SAMPLE_LINES = [
    line for format_ in catalogue.load_all() for line, _ in format_.samples if format_.name
]

# What hurts: quotes, backslashes, controls, broken and whole UTF-8, separators of the formats.
HURTFUL = st.sampled_from(
    [
        *(b'"', b"\\", b"\t", b"\r", b"\x00", b"\x1b[31m", b"\x7f"),
        *(b"\xff", b"\xe2\x82", b"\xed\xa0\x80", "한글".encode(), "😀".encode()),
        *(b"\xc2\x85", b"\xe2\x80\xa8", b"%", b"%b", b"{", b"}", b",", b" ", b"-", b"[", b"]"),
        *(b": ", b"0", b"-1", b"007", b" - ", b"99"),
    ]
)


@st.composite
def mutated(draw: st.DrawFn, samples: Sequence[bytes] = SAMPLE_LINES) -> bytes:
    """A sample line with something put in, taken out or written over."""
    line = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = min(len(line), start + draw(st.integers(0, 3)))
        line = line[:start] + draw(st.one_of(HURTFUL, st.binary(max_size=3))) + line[end:]
    return line.replace(b"\n", b" ")


anything = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" "))

traces = st.sampled_from(
    [
        b"\tat com.example.Orders.place(Orders.java:42)",
        b"java.lang.IllegalStateException: no stock",
        b"Caused by: java.io.IOException: disk",
        b"\t... 12 more",
        b"Traceback (most recent call last):",
        b'  File "/app/shop.py", line 3, in place',
        b"ValueError: no stock",
        b"panic: runtime error: index out of range",
        b"goroutine 1 [running]:",
        b"main.main()",
        b"",
        b"  indented",
        b"    at place (/app/shop.js:3:7)",
        b"TypeError: undefined is not a function",
    ]
)

lines = st.one_of(mutated(), st.sampled_from(SAMPLE_LINES), anything, traces)
