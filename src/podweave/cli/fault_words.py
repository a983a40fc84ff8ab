"""Faults on purpose in words."""

from __future__ import annotations


def said(faults: dict[str, float]) -> str:
    """Faults as an ambassador gives them, for a person."""
    words = []
    for name, value in faults.items():
        if name in ("latency", "jitter"):
            words.append(f"{name} {value * 1000:g} ms")
        elif name == "bandwidth":
            words.append(f"{name} {value:g} bytes/s")
        else:
            words.append(f"{name} {value * 100:g}%")
    return ", ".join(words) or "no faults"
