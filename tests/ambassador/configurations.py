"""An ambassador's configuration, as the weaver writes it."""

from __future__ import annotations

from typing import Any


def configuration(profiles: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """On ports that are free, with the first profile; `changes` are whole keys."""
    return {
        "version": 1,
        "program": "ambassador",
        "name": "db",
        "listen": [["127.0.0.1", 0]],
        "admin": ["127.0.0.1", 0],
        "protocol": "tcp",
        "profile": next(iter(profiles), None),
        "profiles": profiles,
        **changes,
    }
