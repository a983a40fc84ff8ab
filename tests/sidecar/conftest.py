"""Fixtures of the log sidecar's tests."""

from __future__ import annotations

from tests.sidecar.following import following

__all__ = ["following"]
