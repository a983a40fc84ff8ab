"""What a delivery counts for the metrics."""

from __future__ import annotations

from podweave.helpers.wire.prometheus import DURATION_BUCKETS, Observations


class Counts:
    """Plain numbers that hot code adds to. Bytes are as they were read."""

    __slots__ = (
        "acknowledged_bytes",
        "delivered_bytes",
        "delivered_records",
        "divided",
        "latency",
        "read_bytes",
        "read_records",
        "rejected_records",
        "retries",
    )

    def __init__(self) -> None:
        self.read_bytes = 0
        self.read_records = 0
        self.delivered_bytes = 0
        self.delivered_records = 0
        self.acknowledged_bytes = 0
        self.rejected_records = 0
        """They became dead letters."""
        self.retries = 0
        """Answers after which something is sent again."""
        self.divided = 0
        """Batches that were divided because the store refused them as they were."""
        self.latency = Observations(DURATION_BUCKETS)
        """Seconds from handing a batch to the store until its answer."""
