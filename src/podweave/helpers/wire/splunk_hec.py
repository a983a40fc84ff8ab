"""Splunk's HTTP Event Collector: events, raw text, answers and acknowledgements, without I/O.

    POST /services/collector/event       {"time":1700000000.123,"event":…} one after the other
    POST /services/collector/raw?…       text; Splunk makes events of it by its source type
    POST /services/collector/ack?channel=GUID        {"acks":[7]}  →  {"acks":{"7":true}}

`Authorization: Splunk TOKEN`. 200 with code 0 means received, not indexed: for that a channel
(`X-Splunk-Request-Channel`) makes the answer carry an `ackId`, which is asked about until it is
true. Splunk forgets an id once it has said true.
https://help.splunk.com/en/splunk-enterprise/get-data-in (Troubleshoot HTTP Event Collector: codes)
"""

from __future__ import annotations

import json

from podweave.helpers.wire.json_answers import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

EVENTS = "/services/collector/event"
RAW = "/services/collector/raw"
ACKNOWLEDGEMENTS = "/services/collector/ack"
CHANNEL = "X-Splunk-Request-Channel"

INVALID_FORMAT = 6
EVENT_REQUIRED = 12
EVENT_BLANK = 13
FIELDS_ERROR = 15
OF_A_RECORD = frozenset((INVALID_FORMAT, EVENT_REQUIRED, EVENT_BLANK, FIELDS_ERROR))
"""Codes that a record is the cause of; what `invalid-event-number` says is which."""


class Reply:
    """`code` is -1 where the answer has none; `acknowledgement` and `event` likewise."""

    __slots__ = ("acknowledgement", "code", "event", "text")

    def __init__(self, code: int, text: str, acknowledgement: int, event: int) -> None:
        self.code = code
        self.text = text
        self.acknowledgement = acknowledgement
        self.event = event
        """Number of the first event that is wrong."""


def read_reply(content: bytes) -> Reply:
    """{"text":"Success","code":0,"ackId":7}. ValueError for what is no such answer."""
    answer = json_object(content)
    if answer is None:
        raise ValueError("the answer is not that of an event collector")
    return Reply(
        _number(answer.get("code")),
        str(answer.get("text", ""))[:300],
        _number(answer.get("ackId")),
        _number(answer.get("invalid-event-number")),
    )


def question(ids: Iterable[int]) -> bytes:
    """Asks which of these are indexed."""
    return json.dumps({"acks": list(ids)}, separators=(",", ":")).encode()


def read_acknowledged(content: bytes) -> set[int]:
    """The ids that the answer says true of. ValueError for what is no such answer."""
    try:
        answer = json.loads(content)
        return {int(name) for name, done in answer["acks"].items() if done is True}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("the answer is not about acknowledgements") from error


def seconds(nanoseconds: int) -> bytes:
    """Epoch seconds as a JSON number with all their digits."""
    return b"%d.%09d" % divmod(nanoseconds, 1_000_000_000)


def constants(fields: dict[str, Any]) -> bytes:
    """host, source, sourcetype, index and fields of an event, ready for `event`."""
    kept = {name: value for name, value in fields.items() if value not in ("", None, {})}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()


def around_text(time: bytes, constant: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind a text in an event: see `events`."""
    event = events([time], constant, [b'""'])
    return event[:-3], event[-3:]


def events(times: Iterable[bytes], constant: bytes, values: Iterable[bytes]) -> bytes:
    """Events one after the other: times from `seconds`, values that are JSON."""
    comma = b"," if constant else b""
    form = b'{"time":%b' + comma + constant.replace(b"%", b"%%") + b',"event":%b}\n'
    return b"".join(map(form.__mod__, zip(times, values, strict=True)))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
