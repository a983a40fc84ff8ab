"""An Adapter's parts: files, formats, schemas, and the steps between."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from podweave.model.pattern_parts import Metrics, Selector, State, Strict


class Mask(Strict):
    """What must not leave the Pod: replaced in every text of a record."""

    kinds: list[Literal["cards", "residentNumbers", "tokens", "emails"]] = msgspec.field(
        default_factory=list
    )
    """`cards`: payment cards that pass the Luhn check, all but the last four digits.
    `residentNumbers`: Korean resident registration numbers. `tokens`: bearer tokens, JWTs, and
    values of keys like password, secret, api_key. `emails`: addresses."""
    regex: str | None = None
    """What else is replaced: a regular expression of your own."""
    with_: str = msgspec.field(name="with", default="***")
    """What stands there instead."""
    fields: list[str] | None = None
    """Only in these fields. Default: in every text."""


class Sample(Strict):
    """Keeps a share of the events, the same ones whenever a file is read again."""

    share: float
    """Between 0 and 1."""
    when: dict[str, Any] | None = None
    """Only of events that fulfil this; the others are all kept."""


class RateLimit(Strict):
    """Drops events beyond a number in a time."""

    events: int
    """So many events."""
    seconds: float = 1.0
    """In so many seconds."""
    by: str | None = None
    """A field: its values are counted each by itself (at most 1000 of them)."""
    when: dict[str, Any] | None = None
    """Only of events that fulfil this; the others are all kept."""


class Step(Strict):
    """One of the keys below. Steps are taken in their order, between the format and the schema.

    Fields have their neutral names (docs/formats.md), others are the application's own. A
    condition names fields and what each must be: a value, a list of values, or `{regex: ...}`,
    `{contains: ...}`, `{atLeast: ...}`, `{atMost: ...}`, `{exists: true}`; all must hold. Levels
    are ordered: `{level: {atLeast: warn}}`.
    """

    drop: dict[str, Any] | None = None
    """Events that fulfil this condition are left out."""
    keep: dict[str, Any] | None = None
    """Events that don't are left out."""
    mask: Mask | None = None
    """Replace what must not leave the Pod."""
    rename: dict[str, str] | None = None
    """Fields of the application's own: old name to new name, neutral ones too."""
    add: dict[str, str | int | float | bool] | None = None
    """Fields for every event that lacks them."""
    sample: Sample | None = None
    """Keep a share."""
    rate_limit: RateLimit | None = None
    """Keep so many in a time."""


class AdapterLogs(Strict):
    """Log files and what becomes of them."""

    from_: list[str] = msgspec.field(name="from")
    """Paths as the main container sees them, `*` and `**` in them."""
    exclude: list[str] = msgspec.field(default_factory=list)
    """Files to leave out: names, as in `*.audit.log`, or paths; a folder's path leaves out all
    that is in it."""
    encoding: str = "auto"
    """`auto` finds UTF-8, UTF-16, EUC-KR or CP949 and Windows-1252; or a name."""
    max_line: str = "1Mi"
    """What is longer is cut and counted: 1Ki to 16Mi."""
    format: str | dict[str, Any] = "auto"
    """`auto`, a format's name, or one of your own: `{regex: ...}` with named groups, `{grok: ...}`,
    `{csv: ...}`, or the layout of the application's own configuration: `{log4j: ...}`,
    `{logback: ...}`, `{python: ...}`, `{nginx: ...}`, `{apache: ...}`."""
    schema: Literal["ecs", "otel", "splunk", "gelf", "flat"] = "ecs"
    """The fields' names: ecs is the Elastic Common Schema, otel OpenTelemetry's log data model,
    splunk the Common Information Model, gelf Graylog's 1.1, flat the neutral names."""
    time_zone: str | None = None
    """Of timestamps that name none: `Asia/Seoul`, `+09:00`, `UTC`. Default: the container's."""
    steps: list[Step] = msgspec.field(default_factory=list)
    """What is left out, masked, renamed or added before the schema."""
    to: str = "stdout"
    """`stdout`, or the path of a file."""
    target: str | None = None
    """The container that writes the files; default: the first main container."""


class AdapterSpec(Strict):
    """Log files, and the one form they are brought into."""

    logs: list[AdapterLogs] | None = None
    """What podweave's adapter normalises. Beside `container`: the files whose folders are shared
    with it, by `from` and `target` alone."""
    state: State | None = None
    """Absent: an emptyDir, and the next Pod reads the files from their beginnings. A Sidecar that
    ships what the adapter makes has the same volume for its own."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
    metrics: Metrics | None = None
    """The helper's metrics on the Pod's addresses, with the annotations by which Prometheus finds
    them. Absent: on the Pod's loopback only."""
    container: dict[str, Any] | None = None
    """A Kubernetes Container of the user's own instead of podweave's helper. Its name is the
    pattern's; the keys that configure podweave's helper can't stand beside it."""
