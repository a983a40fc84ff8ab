"""How the lines of an entry's files are read: encoding, wrapping, events, the limit of a line.

The keys of an entry of a log helper's configuration, all of which may be absent:

    "exclude": ["/var/log/app/*.audit.log"],
    "encoding": "auto",                                  see text_encodings.py
    "format": "lines" | "cri" | "docker",                see container_lines.py
    "multiline": {"rule": "start", "regex": "^\\\\d{4}-", "flush": 0.5},   see events.py
    "max_line": 1048576                                  bytes
"""

from __future__ import annotations

from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.logs.text_encodings import AUTO, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.events import Events

LINES = "lines"
FORMATS = (LINES, "cri", "docker")
DATAGRAMS = "datagrams"
"""The wrapping of what came through a socket: see datagram_lines.py."""
JOINED_LIMIT = 256 * 1024
"""Bytes of one event of several lines; what goes beyond becomes an event of its own."""
LINE_LIMIT = 1 << 20
LEAST_LINE_LIMIT = 1024
MOST_LINE_LIMIT = 16 << 20


class Reading:
    """`encoding` "" and no more: the bytes as they stand there, carriage returns too."""

    __slots__ = ("encoding", "events", "exclude", "line_limit", "wrapping")

    def __init__(
        self,
        encoding: str = "",
        wrapping: str = LINES,
        events: Events | None = None,
        line_limit: int = LINE_LIMIT,
        exclude: tuple[str, ...] = (),
    ) -> None:
        self.encoding = encoding
        self.wrapping = wrapping
        self.events = events
        self.line_limit = line_limit
        self.exclude = exclude

    @property
    def by_event(self) -> bool:
        """A record may be of several lines."""
        return self.events is not None or self.wrapping != LINES


def configure(section: Section, *, lines_only: bool = False) -> Reading:
    """Take the keys from an entry's section. ConfigurationError for what isn't right.

    `lines_only`: for an adapter, which joins lines itself, and whose `format` is another thing.
    """
    exclude: list[str] = []
    if "exclude" in section:
        for path, value in section.array("exclude"):
            # A name alone is left out in every folder.
            if not isinstance(value, str) or not value or ("/" in value and value[0] != "/"):
                raise ConfigurationError(path, f"must be a name or an absolute path, not {value!r}")
            exclude.append(value)
    encoding = AUTO
    if "encoding" in section:
        encoding = NAMES[section.text("encoding", among=tuple(NAMES))]
    limit = LINE_LIMIT
    if "max_line" in section:
        limit = section.integer("max_line", LEAST_LINE_LIMIT, MOST_LINE_LIMIT)
    if lines_only:
        return Reading(encoding, LINES, None, limit, tuple(exclude))
    wrapping = section.text("format", among=FORMATS) if "format" in section else LINES
    events = _events(section) if "multiline" in section else None
    return Reading(encoding, wrapping, events, limit, tuple(exclude))


def _events(section: Section) -> Events:
    from podweave.helpers.logs.events import FLUSH, RULES, Events

    inner = Section(section.take("multiline"), section.at("multiline"))
    rule = inner.text("rule", among=RULES)
    expression = inner.text("regex") if rule in ("start", "continue") else ""
    flush = inner.seconds("flush", FLUSH, 60.0)
    inner.end()
    try:
        return Events(rule, expression, flush)
    except ValueError as error:
        raise ConfigurationError(inner.at("regex"), str(error)) from None
