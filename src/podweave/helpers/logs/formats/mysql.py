"""MySQL and MariaDB: the error log, and the slow query log.

Sources: MySQL's manual ("The Error Log", "The Slow Query Log"), MariaDB's log.cc.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.formats.own.dates import stamp_of
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

_LEVELS = {"System": "info", "Note": "info", "Warning": "warn", "ERROR": "error", "Error": "error"}
_LEVEL = rb"\[%{BEGIN:level}System|Note|Warning|ERROR|Error%{END}\] "
# 2026-11-23  2:16:56
_MARIADB = stamp_of(
    [
        ("year", rb"\d{4}"),
        ("", rb"-"),
        ("month", rb"\d\d"),
        ("", rb"-"),
        ("day", rb"\d\d"),
        ("", rb" "),
        ("hour", rb"[ 0-2]\d"),
        ("", rb":"),
        ("minute", rb"[0-5]\d"),
        ("", rb":"),
        ("second", rb"[0-6]\d"),
    ],
    "yyyy-MM-dd HH:mm:ss",
)
# 261123  2:16:56
_COMPACT = stamp_of(
    [
        ("short_year", rb"\d\d"),
        ("month", rb"\d\d"),
        ("day", rb"\d\d"),
        ("", rb" "),
        ("hour", rb"[ 0-2]\d"),
        ("", rb":"),
        ("minute", rb"[0-5]\d"),
        ("", rb":"),
        ("second", rb"[0-6]\d"),
    ],
    "yyMMdd HH:mm:ss",
)

_TIME = re.compile(rb"# Time: ([^\n]+?) *")
_USER = re.compile(
    rb"# User@Host: ([^\[\n]*)\[[^\]\n]*\] @ ([^\[\n]*)\[([^\]\n]*)\](?: +Id: +(\d{1,18}))?"
    rb"(?: +Schema: +(\S*))?"
)
# A figure may be empty: Schema:   QC_hit: No
_PAIR = re.compile(rb"([A-Za-z_]+): +(?![A-Za-z_]+: )([^\s]+)")
_EMPTY = re.compile(rb"[A-Za-z_]+:")
_SET = re.compile(rb"SET timestamp=(\d{9,10})(?:\.(\d{1,9}))?;")
_USE = re.compile(rb"use ([^;\n]+);", re.IGNORECASE)
_NAMES = {
    b"Query_time": "duration",
    b"Rows_sent": "db_rows",
    b"Thread_id": "db_connection_id",
    b"Schema": "db_name",
    b"Bytes_sent": "response_bytes",
}


class SlowLayout(Layout):
    """An entry of the slow query log: comments with its figures, then the statement."""

    blocks = True

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of an entry's lines."""
        record: Record = {}
        attributes: dict[str, Any] = {}
        statement: list[bytes] = []
        unread: list[bytes] = []
        for line in lines:
            if not line.startswith(b"#") or statement:
                self._statement(line, record, statement)
                continue
            if line.startswith(b"# Time:"):
                known = self._time(line, record, clock)
            elif line.startswith(b"# User@Host:"):
                known = self._user(line, record)
            else:
                known = self._figures(line, record, attributes)
            if not known:
                unread.append(line)
        if statement and statement[-1].startswith(b"# Time: "):
            statement.pop()  # of the next entry, whose SET timestamp says it, too
        if statement:
            text = b"\n".join(statement).decode("utf-8", "replace").rstrip()
            record["db_statement"] = text
            # What nobody understood in the comments is not lost.
            above = b"".join(line + b"\n" for line in unread).decode("utf-8", "replace")
            record["message"] = above + text
        else:
            record["message"] = b"\n".join(lines).decode("utf-8", "replace")
        if attributes:
            record["attributes"] = attributes
        return record

    @staticmethod
    def _statement(line: bytes, record: Record, statement: list[bytes]) -> None:
        if not statement:
            match = _SET.fullmatch(line)
            if match is not None:
                record.setdefault("time", (int(match[1]), (match[2] or b"").decode()))
                return
            use = _USE.fullmatch(line)
            if use is not None:
                record["db_name"] = use[1].strip(b"` ").decode("utf-8", "replace")
                return
        statement.append(line)

    @staticmethod
    def _time(line: bytes, record: Record, clock: Clock) -> bool:
        """Whether the whole line was understood; as with the other comments."""
        match = _TIME.fullmatch(line)
        found = None if match is None else STAMPS["RFC3339"].read(match[1], clock)
        if found is not None:
            record["time"] = found
        return found is not None

    @staticmethod
    def _user(line: bytes, record: Record) -> bool:
        match = _USER.match(line)
        if match is None:
            return False
        record["user"] = match[1].strip().decode("utf-8", "replace")
        address = match[3].strip() or match[2].strip()
        if address:
            record["source_address"] = address.decode("utf-8", "replace")
        if match[4]:
            record["db_connection_id"] = int(match[4])
        if match[5]:
            record["db_name"] = match[5].decode("utf-8", "replace")
        return not line[match.end() :].strip()

    @staticmethod
    def _figures(line: bytes, record: Record, attributes: dict[str, Any]) -> bool:
        for key, value in _PAIR.findall(line):
            text = value.decode("utf-8", "replace")
            name = _NAMES.get(key)
            number = re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text)
            kept: Any = text
            if number is not None:
                kept = float(text) if number[1] else int(text)
            if name == "duration" and number is not None:
                record[name] = float(text)
            elif name == "db_name" or (name is not None and isinstance(kept, int)):
                record[name] = kept
            else:
                attributes[key.decode().lower()] = kept
        # Names of figures without a value may stay.
        return not _EMPTY.sub(b"", _PAIR.sub(b"", line[1:])).strip()


FORMATS = {
    "mysql-error": Format(
        "mysql-error",
        (
            Layout(
                rb"%{RFC3339:time} %{INT:thread_id} "
                + _LEVEL
                + rb"\[%{BEGIN:error_code}MY-\d{6}%{END}\] \["
                rb"%{BEGIN:logger}\w+%{END}\] %{REST:message}"
            ),
            Layout(rb"%{RFC3339:time} %{INT:thread_id} " + _LEVEL + rb"%{REST:message}"),
        ),
        samples=(
            (
                (
                    b"2026-11-23T02:16:56.789012Z 0 [System] [MY-010116] [Server] "
                    b"/usr/sbin/mysqld (mysqld 8.0.35) starting as process 31"
                ),
                {
                    "thread_id": 0,
                    "level": "info",
                    "error_code": "MY-010116",
                    "logger": "Server",
                    "message": "/usr/sbin/mysqld (mysqld 8.0.35) starting as process 31",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:57.000000Z 8 [Warning] [MY-013360] [Server]"
                    b" Plugin mysql_native_password reported: 'deprecated'"
                ),
                {
                    "thread_id": 8,
                    "level": "warn",
                    "error_code": "MY-013360",
                    "logger": "Server",
                    "message": "Plugin mysql_native_password reported: 'deprecated'",
                    "time": (1795400217, "000000"),
                },
            ),
            (
                (
                    b"2026-11-23T02:16:57.000000Z 0 [Note] InnoDB: Buffer pool(s) "
                    b"load completed at 261123  2:16:57"
                ),
                {
                    "thread_id": 0,
                    "level": "info",
                    "message": "InnoDB: Buffer pool(s) load completed at 261123  2:16:57",
                    "time": (1795400217, "000000"),
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "mariadb-error": Format(
        "mariadb-error",
        (
            Layout(
                rb"%{STAMP:time} %{INT:thread_id} " + _LEVEL + rb"%{REST:message}", stamp=_MARIADB
            ),
            Layout(rb"%{STAMP:time} " + _LEVEL + rb"%{REST:message}", stamp=_COMPACT),
            # Of 5.5, and of the script that starts the server: no level
            Layout(
                rb"%{STAMP:time} +%{BEGIN:message}(?:InnoDB: |mysqld_safe |mysqld: )[^\n]*%{END}",
                stamp=_COMPACT,
            ),
            Layout(rb"%{BEGIN:message}Version: '[^\n]*%{END}", general=True),
        ),
        samples=(
            (
                b"2026-11-23  2:16:56 0 [Note] InnoDB: Compressed tables use zlib 1.2.13",
                {
                    "thread_id": 0,
                    "level": "info",
                    "message": "InnoDB: Compressed tables use zlib 1.2.13",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"2026-11-23 12:16:56 31 [Warning] Aborted connection 31 to db"
                    b": 'orders' user: 'shop' host: '192.0.2.7' (Got timeout readi"
                    b"ng communication packets)"
                ),
                {
                    "thread_id": 31,
                    "level": "warn",
                    "message": (
                        "Aborted connection 31 to db: 'orders' user: 'shop' host: "
                        "'192.0.2.7' (Got timeout reading communication packets)"
                    ),
                    "time": (1795436216, ""),
                },
            ),
            (
                b"261123  2:16:56 mysqld_safe Starting mysqld daemon with databases from /srv/db",
                {
                    "message": "mysqld_safe Starting mysqld daemon with databases from /srv/db",
                    "time": (1795400216, ""),
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "mysql-slow": Format(
        "mysql-slow",
        (
            # What a server writes first
            Layout(
                rb"%{BEGIN:message}(?:[^\n]*, Version: [^\n]*started with:|Tcp port: [^\n]*"
                rb"|Time[ \t]+Id Command[ \t]+Argument)%{END}",
                general=True,
            ),
            # MySQL's entries begin with a time, MariaDB's without, as the time is only written
            # when it changed.
            SlowLayout(rb"%{BEGIN:message}# Time: \d{4}-[^\n]*%{END}"),
            SlowLayout(rb"%{BEGIN:message}# User@Host: [^\n]*%{END}"),
            Layout(rb"%{BEGIN:message}# Time: \d{6} [^\n]*%{END}", general=True),
        ),
        samples=(
            (
                b"# Time: 2026-11-23T02:16:56.789012Z",
                {
                    "message": "# Time: 2026-11-23T02:16:56.789012Z",
                },
            ),
            (
                b"# User@Host: shop[shop] @ localhost []  Id:     8",
                {
                    "message": "# User@Host: shop[shop] @ localhost []  Id:     8",
                },
            ),
            (
                b"# Time: 261123  2:16:56",
                {
                    "message": "# Time: 261123  2:16:56",
                },
            ),
        ),
    ),
}
