"""How an order goes from the command to the supervisor that waits for it."""

from __future__ import annotations

import socket

import msgspec

from podweave.engines.engine import PodOrder


class Message(msgspec.Struct):
    state: str
    order: PodOrder


def send_order(waiting: socket.socket, state: str, order: PodOrder) -> None:
    # The supervisor has no use for what the model doesn't know.
    known = msgspec.structs.replace(order, template={})
    data = msgspec.msgpack.encode(Message(state, known))
    waiting.sendall(len(data).to_bytes(8, "big") + data)


def receive_order(report: socket.socket) -> Message | None:
    """Wait for an order; None when the command ended without one."""
    received = b""
    while len(received) < 8 or len(received) < 8 + int.from_bytes(received[:8], "big"):
        data = report.recv(1 << 20)
        if not data:
            return None
        received += data
    return msgspec.msgpack.decode(received[8:], type=Message)
