"""NestJS: its ConsoleLogger.

Source: packages/common/services/console-logger.service.ts. The date is Intl's, by the process'
locale: en-US here, and with 24 hours, as en-GB has it with the day in front.
"""

from __future__ import annotations

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamps import STAMPS, Stamp


def _american(text: bytes, clock: Clock) -> int | None:
    # 11/23/2026, 2:16:56 AM; between the seconds and AM may be a narrow space
    date, _, rest = text.partition(b", ")
    month, day, year = date.split(b"/")
    hour, minute, second = rest[:8].strip().rstrip(b"\xe2 ").split(b":")
    hours = int(hour) % 12 + (12 if rest[-2:] == b"PM" else 0)
    iso = b"%b-%02d-%02d %02d:%b:%b" % (year, int(month), int(day), hours, minute, second[:2])
    return STAMPS["ISO8601"].parse(iso, clock)


def _european(text: bytes, clock: Clock) -> int | None:
    # 23/11/2026, 02:16:56
    date, _, rest = text.partition(b", ")
    day, month, year = date.split(b"/")
    return STAMPS["ISO8601"].parse(b"%b-%b-%b %b" % (year, month, day, rest), clock)


_AMERICAN = Stamp(
    rb"([01]?\d/[0-3]?\d/\d{4}, 1?\d:[0-5]\d:[0-5]\d(?: |\xe2\x80\xaf)[AP]M)", "seconds", _american
)
_EUROPEAN = Stamp(rb"([0-3]\d/[01]\d/\d{4}, [0-2]\d:[0-5]\d:[0-5]\d)", "seconds", _european)
_HEAD = rb"\[%{BEGIN:service_name}[^\]\n]+%{END}\] %{INT:pid} {1,4}- %{STAMP:time} ++"
_LEVEL = rb"%{BEGIN:level}LOG|ERROR|WARN|DEBUG|VERBOSE|FATAL%{END} "
_REST = rb"(?>(?:\[%{BEGIN:logger?}[^\]\n]+%{END}\] )?)%{REST:message}"

SAMPLES = (
    (
        (b"[Nest] 31  - 11/23/2026, 2:16:56 AM     LOG [NestFactory] Starting Nest application..."),
        {
            "service_name": "Nest",
            "pid": 31,
            "level": "info",
            "logger": "NestFactory",
            "message": "Starting Nest application...",
            "time": (1795400216, ""),
        },
    ),
    (
        b"[Nest] 31  - 11/23/2026, 12:16:57 PM   ERROR [OrdersService] no stock",
        {
            "service_name": "Nest",
            "pid": 31,
            "level": "error",
            "logger": "OrdersService",
            "message": "no stock",
            "time": (1795436217, ""),
        },
    ),
    (
        b"[Shop] 31  - 11/23/2026, 2:16:58\xe2\x80\xafPM VERBOSE it goes on",
        {
            "service_name": "Shop",
            "pid": 31,
            "level": "trace",
            "message": "it goes on",
            "time": (1795443418, ""),
        },
    ),
    (
        b"[Nest] 31  - 23/11/2026, 02:16:56    WARN [Router] slow +12ms",
        {
            "service_name": "Nest",
            "pid": 31,
            "level": "warn",
            "logger": "Router",
            "message": "slow +12ms",
            "time": (1795400216, ""),
        },
    ),
)
FORMATS = {
    "nestjs": Format(
        "nestjs",
        tuple(Layout(_HEAD + _LEVEL + _REST, stamp=stamp) for stamp in (_AMERICAN, _EUROPEAN)),
        samples=SAMPLES,
        levels={"LOG": "info", "VERBOSE": "trace"},
    ),
}
