r"""What container tools write in front of the lines of a container, or around them. No I/O.

cri          2026-11-23T02:16:56.789012345Z stdout F a line, or the last part (P: a part) of one
docker-json  {"log":"a line\n","stream":"stdout","time":"2026-11-23T02:16:56.789012345Z"}
compose      web-1  | a line                            docker compose logs
kubectl      [pod/web-5d4f-x2x7q/nginx] a line          kubectl logs --prefix
timestamps   2026-11-23T02:16:56.789012345Z a line      docker logs -t, kubectl logs --timestamps

The first two are files on a node (see container_lines); the others are what people keep of a
terminal. Behind a prefix may be a timestamp.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from operator import itemgetter

from podweave.helpers.logs.container_lines import cri_parts, docker_parts, whole_cri_lines
from podweave.helpers.logs.fields import LEVEL_OF
from podweave.helpers.logs.pod_metadata import workload_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from podweave.helpers.logs.container_lines import Part

Line = tuple[bytes, bytes, bytes, bool]
"""Time, whose line it is, its text, whether it goes on in the next one of the same. Neither a time
nor an owner: the line isn't wrapped."""
Run = tuple[bytes, "Sequence[bytes]", bytes]
"""Whose lines they are, their times (none where the first is empty), the lines."""

_NEARLY = 0.9
_MANY = 64
_SHORT = 4
"""Lines of a window, and of a run that is worth a batch of its own."""
_PLAIN_JSON = re.compile(
    rb'^\{"log":"([^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*))","stream":"(stdout|stderr)"'
    rb',"time":"([^"\\\n]*+)"\}\n',
    re.MULTILINE,
)


class Wrapping:
    """`whole`: lines of which each is complete, in one go; None where that isn't sure. `lines`:
    of any lines. `fields`: what is known of the lines of one owner. `keeps`: what no format reads
    of a line is of the wrapping's own format."""

    def __init__(
        self,
        name: str,
        whole: Callable[[bytes], list[tuple[bytes, bytes, bytes]] | None],
        lines: Callable[[Sequence[bytes]], list[Line]],
        fields: Callable[[str], dict[str, str]],
        *,
        keeps: bool = False,
    ) -> None:
        self.name = name
        self.whole = whole
        self.lines = lines
        self.fields = fields
        self.keeps = keeps

    def fits(self, sample: Sequence[bytes]) -> bool:
        """Nearly all of these lines are wrapped in this way."""
        found = [line for line in self.lines(sample) if line[0] or line[1]]
        return len(found) > len(sample) * _NEARLY and self._likely(found)

    def _likely(self, found: Sequence[Line]) -> bool:
        return True


class _Compose(Wrapping):
    """Names have the replica's number, and bars stand one beneath the other."""

    def _likely(self, found: Sequence[Line]) -> bool:
        owners = {line[1] for line in found}
        if any(name.decode("ascii").lower() in LEVEL_OF for name in owners):
            return False
        return any(_REPLICA.search(name) for name in owners)


class _Timestamps(Wrapping):
    """Nine digits, but for the zeros at the end: nobody else writes so many that often."""

    def _likely(self, found: Sequence[Line]) -> bool:
        nine = sum(_NINE.search(line[0]) is not None for line in found)
        return len(found) >= _ENOUGH and nine * 2 > len(found)


_ENOUGH = 3
_NINE = re.compile(rb"\.\d{9}")
_REPLICA = re.compile(rb"[-_]\d{1,4}$")
_COMPOSE = re.compile(
    rb"^([A-Za-z0-9][A-Za-z0-9_.\-]{0,99}) {1,99}\|(?: ([^\n]*)|)\n", re.MULTILINE
)
_KUBECTL = re.compile(rb"^\[pod/([a-z0-9.\-]{1,253}/[a-z0-9\-]{1,63})\] ([^\n]*)\n", re.MULTILINE)
_STAMPED = re.compile(
    rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ([^\n]*)\n", re.MULTILINE
)


def runs(wrapping: Wrapping, data: bytes, parts: Parts) -> list[Run]:
    """The lines of a chunk of whole lines, those of one owner in a row together.

    Where the owners change all the time those of a few lines are put in a row.
    """
    found: Sequence[tuple[bytes, bytes, bytes]] | None = None
    if not parts.open:
        found = wrapping.whole(data)
    if found is None:
        lines = data.split(b"\n")
        lines.pop()
        found = parts.joined(wrapping.lines(lines))
    if not found:
        return []
    times, owners, _ = columns = tuple(zip(*found, strict=True))
    if owners.count(owners[0]) == len(owners):
        return [(owners[0], times, _together(columns[2]))]
    together = [(owner, list(group)) for owner, group in groupby(found, itemgetter(1))]
    if len(together) > _MANY and len(together) * _SHORT > len(found):
        together = list(_by_window(found))
    return [(owner, *_columns(lines)) for owner, lines in together]


def _by_window(
    found: Sequence[tuple[bytes, bytes, bytes]],
) -> Iterator[tuple[bytes, list[tuple[bytes, bytes, bytes]]]]:
    """Lines whose owners change all the time: those within a window together."""
    for begin in range(0, len(found), _MANY):
        window = found[begin : begin + _MANY]
        for owner in dict.fromkeys(line[1] for line in window):
            yield owner, [line for line in window if line[1] == owner]


def _columns(lines: Sequence[tuple[bytes, bytes, bytes]]) -> tuple[Sequence[bytes], bytes]:
    times, _, texts = zip(*lines, strict=True)
    return times, _together(texts)


def _together(texts: Sequence[bytes]) -> bytes:
    return b"\n".join(texts) + b"\n"


class Parts:
    """Lines of which parts have come."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open: dict[bytes, tuple[bytes, list[bytes], int]] = {}

    def joined(self, lines: Sequence[Line]) -> list[tuple[bytes, bytes, bytes]]:
        """The lines that are whole now; a line has the time of its first part."""
        whole: list[tuple[bytes, bytes, bytes]] = []
        for time, owner, text, goes_on in lines:
            begun = self.open.pop(owner, None)
            if begun is None and not goes_on:
                whole.append((time, owner, text))
                continue
            first, texts, size = begun or (time, [], 0)
            texts.append(text)
            size += len(text)
            if goes_on and size < LONGEST:
                self.open[owner] = first, texts, size
            else:
                whole.append((first, owner, b"".join(texts)))
        return whole

    def rest(self) -> list[Run]:
        """What has come of lines that aren't whole: nothing more is expected."""
        rest: list[Run] = [
            (owner, [time], b"".join(texts) + b"\n")
            for owner, (time, texts, _) in self.open.items()
        ]
        self.open.clear()
        return rest


LONGEST = 1 << 20
"""Bytes of a line; what comes behind them is another."""


def _whole_cri(data: bytes) -> list[tuple[bytes, bytes, bytes]] | None:
    return whole_cri_lines(data, data.count(b"\n"))


def _whole_docker(data: bytes) -> list[tuple[bytes, bytes, bytes]] | None:
    found: list[tuple[bytes, bytes, bytes]] = _PLAIN_JSON.findall(data)
    if len(found) != data.count(b"\n"):
        return None
    texts, streams, times = zip(*found, strict=True)
    # All at once, as one string in which a newline ends each line. One that doesn't have it
    # is a part, and one that has it elsewhere is several.
    try:
        said = json.loads('"' + b"".join(texts).decode("utf-8", "replace") + '"')
    except ValueError:
        return None
    lines = said.encode("utf-8", "replace").split(b"\n")
    if lines.pop() or len(lines) != len(texts):
        return None
    if any(text[-2:] != rb"\n" or text[-3:-2] == b"\\" for text in texts):
        return None
    return list(zip(times, streams, lines, strict=True))


def _lines_of(
    parts_of: Callable[[Sequence[bytes]], list[Part | None]],
) -> Callable[..., list[Line]]:
    def lines(raw: Sequence[bytes]) -> list[Line]:
        made: list[Line] = []
        for line, part in zip(raw, parts_of(raw), strict=True):
            if part is None:
                made.append((b"", b"", line, False))
            else:
                time, owner, text, goes_on = part
                made.append((time, owner, text.replace(b"\n", b" "), goes_on))
        return made

    return lines


def _prefixed(
    pattern: re.Pattern[bytes], *, timed: bool = False
) -> tuple[Callable[..., list[tuple[bytes, bytes, bytes]] | None], Callable[..., list[Line]]]:
    """Lines that a pattern divides into an owner, or a time, and the text."""

    def placed(first: bytes, text: bytes) -> tuple[bytes, bytes, bytes]:
        return (first, b"", text) if timed else (b"", first, text)

    def whole(data: bytes) -> list[tuple[bytes, bytes, bytes]] | None:
        found = pattern.findall(data)
        if len(found) != data.count(b"\n"):
            return None
        return [placed(first, text) for first, text in found]

    def lines(raw: Sequence[bytes]) -> list[Line]:
        made: list[Line] = []
        for line in raw:
            match = pattern.match(line + b"\n")
            if match is None:
                made.append((b"", b"", line, False))
            else:
                made.append((*placed(match[1], match[2] or b""), False))
        return made

    return whole, lines


def _stream(owner: str) -> dict[str, str]:
    return {"stream": owner} if owner else {}


def _container(owner: str) -> dict[str, str]:
    service = _REPLICA.sub(b"", owner.encode()).decode()
    return {"container_name": owner, "service_name": service} if owner else {}


def _pod(owner: str) -> dict[str, str]:
    pod, _, container = owner.partition("/")
    return {"pod_name": pod, "container_name": container} if owner else {}


# /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log, and kubelet's links to them
_PODS = re.compile(
    r".*/pods/(?P<pod_namespace>[a-z0-9\-]+)_(?P<pod_name>[a-z0-9.\-]+)_(?P<pod_uid>[a-z0-9\-]+)/"
    r"(?P<container_name>[a-z0-9\-]+)/[^/]+"
)
_LINKS = re.compile(
    r".*/containers/(?P<pod_name>[a-z0-9.\-]+)_(?P<pod_namespace>[a-z0-9\-]+)_"
    r"(?P<container_name>[a-z0-9\-]+)-(?P<container_id>[0-9a-f]{64})\.log[^/]*"
)
_DOCKER = re.compile(r".*/containers/(?P<container_id>[0-9a-f]{64})/[0-9a-f]{64}-json\.log[^/]*")


def fields_of_path(path: str) -> dict[str, str]:
    """What the path of a container's file on a node says of it."""
    for pattern in (_PODS, _LINKS, _DOCKER):
        found = pattern.fullmatch(path)
        if found is not None:
            fields = found.groupdict()
            if "pod_name" in fields:
                fields["service_name"] = workload_of(fields["pod_name"])
            return fields
    return {}


WRAPPINGS = (
    Wrapping("cri", _whole_cri, _lines_of(cri_parts), _stream, keeps=True),
    Wrapping("docker-json", _whole_docker, _lines_of(docker_parts), _stream, keeps=True),
    Wrapping("kubectl", *_prefixed(_KUBECTL), _pod),
    _Compose("compose", *_prefixed(_COMPOSE), _container),
    _Timestamps("timestamps", *_prefixed(_STAMPED, timed=True), lambda owner: {}),
)
