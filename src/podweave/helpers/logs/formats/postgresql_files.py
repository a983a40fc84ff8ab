"""PostgreSQL's csvlog and jsonlog.

Source: "Error Reporting and Logging" of its documentation; columns of versions 9 to 16.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, TEXT, JsonLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

# A text in quotes, in which a quote is doubled; or nothing.
_INNER = rb'[^"\n]*+(?>(?:""[^"\n]*+)*)'


# log_min_duration_statement, log_duration
_TAKEN = re.compile(r"duration: (\d{1,12}(?:\.\d{1,6})?) ms")


def _text(name: bytes) -> bytes:
    return rb',(?:"%{BEGIN:' + name + rb"?}" + _INNER + rb'%{END}")?'


def _bare(name: bytes, shape: bytes) -> bytes:
    return rb",(?:%{BEGIN:" + name + rb"?}" + shape + rb"%{END})?"


def _unquoted(text: str) -> str:
    return text.replace('""', '"')


def _port(text: str) -> int | None:
    port = text.rpartition(":")[2]
    return int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _duration(message: str) -> float | None:
    found = _TAKEN.match(message)
    return None if found is None else float(found[1]) / 1000


def _host(text: str) -> str:
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdigit() else text


_COLUMNS = (
    rb"%{ISOZONE:time}"
    + _text(b"user")
    + _text(b"db_name")
    + rb",%{INT:pid}"
    + _text(b"_client")
    + _bare(b"session_id", rb"[0-9a-f]+\.[0-9a-f]+")
    + _bare(b"event_sequence", rb"[0-9]{1,18}")
    + _text(b"command_tag")
    + _bare(b"session_start", rb"[^,\n\"]*")
    + _bare(b"virtual_transaction", rb"[0-9/\-]*")
    + _bare(b"transaction_id", rb"[0-9]{1,18}")
    + rb",%{BEGIN:level}[A-Z]+[1-5]?%{END}"
    + _bare(b"error_code", rb"[0-9A-Z]{5}")
    + rb',"?%{BEGIN:_message}'
    + _INNER
    + rb'%{END}"?'
)
_MORE = (
    _text(b"detail")
    + _text(b"hint")
    + _text(b"internal_query")
    + _bare(b"internal_position", rb"[0-9]{1,18}")
    + _text(b"context")
    + _text(b"_statement")
    + _bare(b"position", rb"[0-9]{1,18}")
    + _text(b"location")
    + _text(b"application")
)
_LAST = rb',?(?:"%{BEGIN:backend?}[^"\n]*%{END}")?(?:,[0-9]*(?:,-?[0-9]*)?)?'
_DERIVED = (
    ("message", "_message", _unquoted),
    ("duration", "_message", _duration),
    ("source_address", "_client", _host),
    ("source_port", "_client", _port),
    ("db_statement", "_statement", _unquoted),
)


class UnendedLayout(Layout):
    """The first line of a record in which a text has newlines: its quotes are odd in number."""

    blocks = True

    def __init__(self, record: Layout) -> None:
        super().__init__(
            rb'%{ISOZONE:time},%{BEGIN:message}[^"\n]*+"[^"\n]*+(?>(?:"[^"\n]*+"[^"\n]*+)*)%{END}',
            general=True,
        )
        self._of_record = record
        self._whole = re.compile(record.pattern.replace(rb'[^"\n]', rb'[^"]'))

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of its lines."""
        match = self._whole.fullmatch(b"\n".join(lines))
        if match is not None:
            return self._of_record.read(match.groups(b""), clock)
        record = self.record(lines[0], clock) or {}
        record["message"] = b"\n".join(lines).decode("utf-8", "replace")
        return record


def _csv_layouts() -> tuple[Layout, Layout]:
    record = Layout(_COLUMNS + _MORE + _LAST, derive=_DERIVED)
    return record, UnendedLayout(record)


FORMATS = {
    "postgresql-csv": Format(
        "postgresql-csv",
        _csv_layouts(),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56.789 UTC,,,31,,6740a1b8.1f,1,,2026-11-23 "
                    b'02:16:56 UTC,,0,LOG,00000,"database system is ready to accep'
                    b't connections",,,,,,,,,"","postmaster",,0'
                ),
                {
                    "pid": 31,
                    "session_id": "6740a1b8.1f",
                    "event_sequence": 1,
                    "transaction_id": "0",
                    "level": "info",
                    "error_code": "00000",
                    "time": (1795400216, "789"),
                    "message": "database system is ready to accept connections",
                    "attributes": {
                        "session_start": "2026-11-23 02:16:56 UTC",
                        "backend": "postmaster",
                    },
                },
            ),
            (
                (
                    b'2026-11-23 02:16:57.000 UTC,"shop","orders",42,"192.0.2.7:51'
                    b'234",6740a1b9.2a,3,"SELECT",2026-11-23 02:16:50 UTC,3/17,0,E'
                    b'RROR,42P01,"relation ""order"" does not exist",,,,,,"SELECT '
                    b'* FROM ""order""",15,,"psql","client backend",,0'
                ),
                {
                    "user": "shop",
                    "db_name": "orders",
                    "pid": 42,
                    "session_id": "6740a1b9.2a",
                    "event_sequence": 3,
                    "transaction_id": "0",
                    "level": "error",
                    "error_code": "42P01",
                    "time": (1795400217, "000"),
                    "message": 'relation "order" does not exist',
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "db_statement": 'SELECT * FROM "order"',
                    "attributes": {
                        "command_tag": "SELECT",
                        "session_start": "2026-11-23 02:16:50 UTC",
                        "virtual_transaction": "3/17",
                        "position": "15",
                        "application": "psql",
                        "backend": "client backend",
                    },
                },
            ),
        ),
    ),
    "postgresql-json": Format(
        "postgresql-json",
        (
            JsonLayout(
                {
                    "timestamp": "time",
                    "user": "user",
                    "dbname": "db_name",
                    "application_name": "",
                    "remote_host": "source_address",
                    "remote_port": "source_port",
                    "error_severity": "level",
                    "state_code": "error_code",
                    "statement": "db_statement",
                    "line_num": "event_sequence",
                    "func_name": "function",
                    "file_name": "file",
                    "file_line_num": "line",
                    "txid": "transaction_id",
                    "context": "",
                },
                requires={"timestamp": TEXT, "pid": NUMBER, "error_severity": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"timestamp":"2026-11-23 02:16:56.789 UTC","pid":31,"session'
                    b'_id":"6740a1b8.1f","line_num":1,"session_start":"2026-11-23 '
                    b'02:16:56 UTC","txid":0,"error_severity":"LOG","message":"dat'
                    b'abase system is ready to accept connections","backend_type":'
                    b'"postmaster","query_id":0}'
                ),
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "attributes": {
                        "session_id": "6740a1b8.1f",
                        "session_start": "2026-11-23 02:16:56 UTC",
                        "backend_type": "postmaster",
                        "query_id": 0,
                    },
                    "event_sequence": 1,
                    "transaction_id": "0",
                    "level": "info",
                    "message": "database system is ready to accept connections",
                },
            ),
            (
                (
                    b'{"timestamp":"2026-11-23 02:16:57.000 UTC","user":"shop","db'
                    b'name":"orders","pid":42,"remote_host":"192.0.2.7","remote_po'
                    b'rt":51234,"session_id":"6740a1b9.2a","line_num":3,"ps":"SELE'
                    b'CT","vxid":"3/17","txid":0,"error_severity":"ERROR","state_c'
                    b'ode":"42P01","message":"relation \\"order\\" does not exist","'
                    b'statement":"SELECT 1","application_name":"psql","backend_typ'
                    b'e":"client backend"}'
                ),
                {
                    "time": (1795400217, "000"),
                    "user": "shop",
                    "db_name": "orders",
                    "pid": 42,
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "attributes": {
                        "session_id": "6740a1b9.2a",
                        "ps": "SELECT",
                        "vxid": "3/17",
                        "application_name": "psql",
                        "backend_type": "client backend",
                    },
                    "event_sequence": 3,
                    "transaction_id": "0",
                    "level": "error",
                    "error_code": "42P01",
                    "message": 'relation "order" does not exist',
                    "db_statement": "SELECT 1",
                },
            ),
        ),
    ),
}
