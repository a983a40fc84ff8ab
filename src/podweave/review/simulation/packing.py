"""How many nodes some Pods need: first fit, the largest first.

Pods of one kind are alike, so a node's filling is found once and used as often as there are Pods
for it: 10,000 Pods take as long as ten kinds.
"""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """What a Pod asks for, or a node has."""

    cpu: float
    """Cores."""
    memory: float
    """Bytes."""


class TooLargeError(Exception):
    """A Pod fits no node."""


def nodes(pods: list[tuple[Shape, int]], node: Shape, per_node: int = 110) -> int:
    """The number of nodes for so many Pods of each shape; at most `per_node` Pods on one."""
    for shape, _ in pods:
        if shape.cpu > node.cpu or shape.memory > node.memory:
            raise TooLargeError
    left = [(shape, count) for shape, count in pods if count > 0]
    left.sort(key=lambda each: -max(each[0].cpu / node.cpu, each[0].memory / node.memory))
    total = 0
    while left:
        filling = _fill(left, node, per_node)
        pairs = list(zip(left, filling, strict=True))
        times = min(count // taken for (_, count), taken in pairs if taken)
        total += times
        left = [
            (shape, count - taken * times)
            for (shape, count), taken in pairs
            if count > taken * times
        ]
    return total


def _fill(left: list[tuple[Shape, int]], node: Shape, per_node: int) -> list[int]:
    """How many Pods of each shape one node takes."""
    cpu, memory, room = node.cpu, node.memory, per_node
    filling = []
    for shape, count in left:
        most = min(count, room)
        if shape.cpu:
            most = min(most, int(cpu / shape.cpu + 1e-9))
        if shape.memory:
            most = min(most, int(memory / shape.memory + 1e-9))
        filling.append(most)
        cpu -= most * shape.cpu
        memory -= most * shape.memory
        room -= most
    return filling
