"""Which containers see the same files, and what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.relations import Purpose, Share

_SOCKET: Final = re.compile(r"(?<![\w./-])(/[\w./-]{1,200}\.sock(?:et)?)\b")
_LOGGY: Final = re.compile(r"(^|[/_.-])logs?([/_.-]|$)|log", re.IGNORECASE)


def shares(pod: PodFacts, running: list[ContainerFacts]) -> Iterator[Share]:
    """Pairs of containers that see the same files."""
    for index, first in enumerate(running):
        for second in running[index + 1 :]:
            seen: set[str] = set()
            for left in first.mounts:
                volume = pod.volumes.get(left.volume)
                if volume is None or volume.kind in {"config", "secret"} or left.volume in seen:
                    continue
                for right in second.mounts:
                    if right.volume == left.volume and _overlap(left.sub_path, right.sub_path):
                        seen.add(left.volume)
                        reader = ""
                        if left.read_only != right.read_only:
                            reader = first.name if left.read_only else second.name
                        purpose = _purpose(first, second, left.volume, (left.path, right.path))
                        yield Share(
                            left.volume, volume.kind, first.name, second.name, purpose, reader,
                            (left.path, right.path),
                        )  # fmt: skip
                        break


def _overlap(first: str, second: str) -> bool:
    if not first or not second:
        return True
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")


def _purpose(
    first: ContainerFacts, second: ContainerFacts, volume: str, paths: tuple[str, str]
) -> Purpose:
    sockets = {path for each in (first, second) for path in _SOCKET.findall(each.script)}
    for each in (first, second):
        for env in each.env:
            sockets.update(_SOCKET.findall(env.value))
    if any(socket.startswith(path.rstrip("/") + "/") for socket in sockets for path in paths):
        return "socket"
    joined = " ".join(paths)
    if re.search(r"sock|/run/|/csi\b|kubelet/plugins", f"{joined} {volume}"):
        return "socket"
    if _LOGGY.search(joined) or (_LOGGY.search(volume) and "blog" not in volume):
        return "log"
    if all(re.fullmatch(r"/(var/)?tmp/?", path) for path in paths):
        return "scratch"
    return "data"
