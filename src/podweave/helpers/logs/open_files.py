"""How many files a log program may hold open: each one that is followed."""

from __future__ import annotations

import resource

MOST = 65536


def raise_open_files_limit() -> None:
    """Make use of what the hard limit allows; the soft one is often 1024, for select's sake."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
