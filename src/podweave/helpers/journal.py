"""What a helper says about itself: one JSON object a line on standard error.

Named events with fields, in the spelling of ECS: `@timestamp`, `log.level`, `event.action`.
A reader of standard error that stalls must not stall the helper: a line that can't be written
at once is dropped, and the next line that can be written says how many were.
"""

from __future__ import annotations

import json
import os
import select
import time

# A pipe that is writable takes this much without blocking (PIPE_BUF); nothing is longer.
_LINE_LIMIT = 4096


class Journal:
    def __init__(self, program: str, name: str, fd: int = 2) -> None:
        self._fd = fd
        self._identity = {"service.name": name, "service.type": f"podweave-{program}"}
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self.dropped = 0

    def info(self, event: str, **fields: object) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        record: dict[str, object] = {
            "@timestamp": _timestamp(time.time()),
            "log.level": level,
            "event.action": event,
            **self._identity,
            **fields,
        }
        if self.dropped:
            record["dropped_lines"] = self.dropped
        line = _encode(record)
        if len(line) > _LINE_LIMIT:
            for key, value in fields.items():
                if isinstance(value, str) and len(value) > 256:
                    record[key] = value[:256] + "…"
            line = _encode(record)
        if len(line) > _LINE_LIMIT or not self._writable():
            self.dropped += 1
            return
        try:
            os.write(self._fd, line)
        except OSError:
            self.dropped += 1
        else:
            self.dropped = 0

    def _writable(self) -> bool:
        return any(events & select.POLLOUT for _, events in self._poll.poll(0))


def _encode(record: dict[str, object]) -> bytes:
    return (json.dumps(record, separators=(",", ":"), default=str) + "\n").encode("ascii")


def _timestamp(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{clock}.{milliseconds % 1000:03d}Z"
