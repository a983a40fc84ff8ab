"""Faults on purpose: what a profile's upstreams are made to look like, at run time.

    {"latency": 0.2, "jitter": 0.05, "bandwidth": 65536, "reset": 0.1, "refuse": 0.05}

latency    seconds by which what comes from the upstream is late, that is, each round trip
jitter     seconds by which it is later or earlier, by chance; the order stays
bandwidth  bytes a second each way, of each connection; 0: not limited
reset      share of connections that are reset when the upstream next answers
refuse     share of new clients that are reset at once

They concern connections that are open already, too, and end with `clear` or the process.
"""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError, Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_SECONDS = 60.0
MAX_BANDWIDTH = 1 << 40


class Faults:
    """The faults of one profile. `version` changes with them, so that the dice are cast anew."""

    __slots__ = ("bandwidth", "jitter", "latency", "refuse", "reset", "version")

    def __init__(self) -> None:
        self.version = 0
        self.clear()

    def clear(self) -> None:
        self.version += 1
        self.latency = 0.0
        self.jitter = 0.0
        self.bandwidth = 0
        self.reset = 0.0
        self.refuse = 0.0

    @property
    def any(self) -> bool:
        return bool(self.latency or self.jitter or self.bandwidth or self.reset or self.refuse)

    def show(self) -> dict[str, float]:
        """What there is, in the spelling of `set`."""
        values = {
            "latency": self.latency,
            "jitter": self.jitter,
            "bandwidth": self.bandwidth,
            "reset": self.reset,
            "refuse": self.refuse,
        }
        return {name: value for name, value in values.items() if value}

    def set(self, wanted: dict[str, Any]) -> None:
        """These, in place of those before. ConfigurationError, and nothing is changed."""
        section = Section(wanted)
        latency = section.seconds("latency", 0.0, MAX_SECONDS)
        jitter = section.seconds("jitter", 0.0, MAX_SECONDS)
        bandwidth = section.integer("bandwidth", 0, MAX_BANDWIDTH) if "bandwidth" in section else 0
        reset = _share(section, "reset")
        refuse = _share(section, "refuse")
        section.end()
        if jitter > latency:
            message = f"is more than the latency, {latency:g} s: nothing comes before it was sent"
            raise ConfigurationError("jitter", message)
        self.version += 1
        self.latency, self.jitter, self.bandwidth = latency, jitter, bandwidth
        self.reset, self.refuse = reset, refuse


def _share(section: Section, key: str) -> float:
    value = section.take(key) if key in section else 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(key, "must be a share from 0 to 1")
    return float(value)
