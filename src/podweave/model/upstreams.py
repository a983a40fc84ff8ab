"""Where an ambassador's connections end."""

from __future__ import annotations

from podweave.model.pattern_parts import Strict


class Upstream(Strict):
    """Where an ambassador connects to."""

    address: str
    """HOST:PORT, [IPv6]:PORT. `host.podweave.internal` is the machine of the local engine."""
    weight: int = 1
    """Share of new connections, 1 to 1000, relative to the upstreams of the same priority."""
    priority: int = 0
    """0 to 100, lower numbers first: the next priority is used only while every upstream of this
    one is down."""
