"""What every way to connect has in common."""

from __future__ import annotations

import errno
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    Done = Callable[[socket.socket | "DialError"], object]
    """Called exactly once, from the loop, unless cancelled before; never from `connect` itself."""

    class Cancellable(Protocol):
        def cancel(self) -> None: ...

    class Connector(Protocol):
        def connect(self, host: str, port: int, timeout: float, done: Done) -> Cancellable:
            """Give `done` a connected non-blocking TCP socket, or why there is none."""
            ...


_SHORTAGES = frozenset(("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"))


class DialError(Exception):
    """No connection. `reason` is an errno's name or EAI_…: short and of few kinds, for metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message

    @property
    def ours(self) -> bool:
        """For want of descriptors or memory of this process: it says nothing of the upstream."""
        return self.reason in _SHORTAGES


def from_errno(number: int, operation: str) -> DialError:
    import os

    return DialError(
        errno.errorcode.get(number, str(number)), f"{operation}: {os.strerror(number)}"
    )


def address_family(host: str) -> int | None:
    """AF_INET or AF_INET6 for an address, None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return int(family)
    return None


def render_address(host: str, port: int) -> str:
    """`HOST:PORT`, as a person writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether `host` is this network namespace itself, whatever a resolver might say."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    family = address_family(host)
    if family == socket.AF_INET:
        return socket.inet_pton(socket.AF_INET, host)[0] == 127
    if family == socket.AF_INET6:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        mapped = packed[:12] == bytes(10) + b"\xff\xff" and packed[12] == 127
        return mapped or packed == bytes(15) + b"\x01"
    return False
