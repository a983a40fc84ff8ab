"""PostgreSQL on standard error: the default `%m [%p] `, Debian's, and pgBadger's prefix.

And PgBouncer, which stands in front of it.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.layouts import Format, Layout

# Before it is known who it is, both are [unknown].
_WHO = (
    rb"(?:\[unknown\]|%{BEGIN:user?}[\w.\-]+%{END})@(?:\[unknown\]|%{BEGIN:db_name?}[\w.\-]+%{END})"
)
# The SQLSTATE is there with log_error_verbosity = verbose; forwarders make one space of two.
_LEVEL = (
    rb"%{BEGIN:_said}%{PGLEVEL:level}: {1,2}"
    rb"(?>(?:%{BEGIN:_state?}(?=[0-9A-Z][0-9A-Z]?[0-9])[0-9A-Z]{5}%{END}: )?)%{REST:message}%{END}"
)
_STATE = r": {1,2}(?:[0-9A-Z]{5}: )?"
# log_min_duration_statement, log_duration
_DURATION = re.compile(
    r"LOG" + _STATE + r"duration: (\d{1,12}(?:\.\d{1,6})?) ms"
    r"(?:  (?:statement|(?:execute|parse|bind) [^:\n]+): (.*))?"
)
_STATEMENT = re.compile(r"(?:STATEMENT: {1,2}|QUERY: {1,2}|LOG" + _STATE + r"statement: )(.*)")
_RECEIVED = re.compile(r"LOG" + _STATE + r"connection received: host=(\S+)(?: port=(\d{1,5}))?")


def _duration(said: str) -> float | None:
    found = _DURATION.fullmatch(said)
    return None if found is None else float(found[1]) / 1000


def _statement(said: str) -> str | None:
    found = _DURATION.fullmatch(said)
    if found is not None:
        return found[2]
    found = _STATEMENT.fullmatch(said)
    return None if found is None else found[1]


def _host(said: str) -> str | None:
    found = _RECEIVED.match(said)
    return None if found is None or found[1] == "[local]" else found[1]


def _port(said: str) -> int | None:
    found = _RECEIVED.match(said)
    return None if found is None or found[2] is None else int(found[2])


def _code(state: str) -> str | None:
    return None if state == "00000" else state


_QUERIES = (
    ("error_code", "_state", _code),
    ("duration", "_said", _duration),
    ("db_statement", "_said", _statement),
)
_ALL = (*_QUERIES, ("source_address", "_said", _host), ("source_port", "_said", _port))

_BOUNCER_LEVEL = rb"%{BEGIN:level}NOISE|DEBUG|LOG|WARNING|ERROR|FATAL%{END}"

PGBOUNCER = (
    (
        (
            b"2026-11-23 02:16:56.789 UTC [31] LOG C-0x55d0c8a0: orders/kim@192."
            b"0.2.7:51234 login attempt: db=orders user=kim tls=no replication=n"
            b"o"
        ),
        {
            "pid": 31,
            "level": "info",
            "user": "kim",
            "source_address": "192.0.2.7",
            "source_port": 51234,
            "message": "login attempt: db=orders user=kim tls=no replication=no",
            "time": (1795400216, "789"),
            "db_name": "orders",
            "attributes": {"socket": "C-0x55d0c8a0"},
        },
    ),
    (
        (
            b"2026-11-23 02:16:57.001 UTC [31] WARNING S-0x55d0c8b0: (nodb)/(nou"
            b"ser)@unix(77):6432 closing because: server conn crashed? (age=3s)"
        ),
        {
            "pid": 31,
            "level": "warn",
            "source_port": 6432,
            "message": "closing because: server conn crashed? (age=3s)",
            "time": (1795400217, "001"),
            "attributes": {"socket": "S-0x55d0c8b0"},
        },
    ),
    (
        (b"2026-11-23 02:16:58.000 UTC [31] LOG stats: 0 xacts/s, 0 queries/s, 0 client parses/s"),
        {
            "pid": 31,
            "level": "info",
            "message": "stats: 0 xacts/s, 0 queries/s, 0 client parses/s",
            "time": (1795400218, "000"),
        },
    ),
)
FORMATS = {
    "postgresql": Format(
        "postgresql",
        (
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}(?:-\d+)?\] "
                rb"(?:" + _WHO + rb" )?" + _LEVEL,
                derive=_ALL,
            ),
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\]: (?:\[\d+-\d+\] )?"
                rb"user=%{LISTED:user?},db=%{LISTED:db_name?},app=%{LISTED:application?}"
                rb",client=(?:\[local\]|%{NOTSPACE:source_address?}) " + _LEVEL,
                derive=_QUERIES,
            ),
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\]: (?:\[\d+-\d+\] )?"
                rb"db=%{LISTED:db_name?},user=%{LISTED:user?},app=%{LISTED:application?}"
                rb",client=(?:\[local\]|%{NOTSPACE:source_address?}) " + _LEVEL,
                derive=_QUERIES,
            ),
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\]:? (?:\[\d+-\d+\] )?\[?"
                rb"user=%{BEGIN:user?}[^, \]\n]*+%{END},db=%{BEGIN:db_name?}[^, \]\n]*+%{END}"
                rb"(?:,app=%{BEGIN:application?}[^,\]\n]*+%{END}(?=\]))?\]? " + _LEVEL,
                derive=_ALL,
            ),
            # %t:%r:%u@%d:[%p]: of Amazon RDS
            Layout(
                rb"%{ISOZONE:time}:(?:%{BEGIN:source_address?}[^(\n]*+%{END}"
                rb"(?:\(%{INT:source_port?}\))?)?:(?:" + _WHO + rb"|@):\[%{INT:pid}\]:" + _LEVEL,
                derive=_QUERIES,
            ),
            # Any other prefix
            Layout(rb"<?%{ISOZONE:time}[^\n]*?(?<![A-Za-z])" + _LEVEL, derive=_ALL, general=True),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56.789 UTC [31] LOG:  database system is ready",
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "level": "info",
                    "message": "database system is ready",
                },
            ),
            (
                b"2026-11-23 02:16:56.789 UTC [31] kim@orders LOG:  duration: 12.345 ms  "
                b"statement: select 1",
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "user": "kim",
                    "db_name": "orders",
                    "level": "info",
                    "message": "duration: 12.345 ms  statement: select 1",
                    "duration": 0.012345,
                    "db_statement": "select 1",
                },
            ),
            (
                b"2026-11-23 02:16:57.001 UTC [31] kim@orders STATEMENT:  select nonsense",
                {
                    "time": (1795400217, "001"),
                    "pid": 31,
                    "user": "kim",
                    "db_name": "orders",
                    "level": "info",
                    "message": "select nonsense",
                    "db_statement": "select nonsense",
                },
            ),
            (
                b"2026-11-23 02:16:57.002 UTC [32] [unknown]@[unknown] LOG:  connection received: "
                b"host=192.0.2.7 port=51234",
                {
                    "time": (1795400217, "002"),
                    "pid": 32,
                    "level": "info",
                    "message": "connection received: host=192.0.2.7 port=51234",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                },
            ),
            (
                b"2026-11-23 11:16:56.789 KST [31] shop@orders ERROR:  relation does not exist",
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "level": "error",
                    "user": "shop",
                    "message": "relation does not exist",
                    "db_name": "orders",
                },
            ),
            (
                b"2026-11-23 02:16:56 UTC [31]: [4-1] user=shop,db=orders,app=psql,"
                b"client=192.0.2.7 FATAL:  sorry",
                {
                    "time": (1795400216, ""),
                    "pid": 31,
                    "level": "fatal",
                    "user": "shop",
                    "source_address": "192.0.2.7",
                    "message": "sorry",
                    "db_name": "orders",
                    "attributes": {"application": "psql"},
                },
            ),
            (
                b"2026-11-23 02:16:57.003 UTC [31]: [2-1] db=orders,user=shop,app=psql,"
                b'client=[local] ERROR:  42P01: relation "order" does not exist',
                {
                    "time": (1795400217, "003"),
                    "pid": 31,
                    "level": "error",
                    "user": "shop",
                    "message": 'relation "order" does not exist',
                    "error_code": "42P01",
                    "db_name": "orders",
                    "attributes": {"application": "psql"},
                },
            ),
            (
                b"2026-11-23 02:16:57 UTC [31-2] LOG:  00000: duration: 2.000 ms",
                {
                    "time": (1795400217, ""),
                    "pid": 31,
                    "level": "info",
                    "message": "duration: 2.000 ms",
                    "duration": 0.002,
                },
            ),
            (
                b"2026-11-23 02:16:58 UTC::@:[31]:LOG: checkpoint starting: time",
                {
                    "time": (1795400218, ""),
                    "pid": 31,
                    "level": "info",
                    "message": "checkpoint starting: time",
                },
            ),
        ),
    ),
    # Its `log_connections` and the like are pairs in the message.
    "pgbouncer": Format(
        "pgbouncer",
        (
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\] " + _BOUNCER_LEVEL + rb" "
                rb"%{BEGIN:socket}[CS]-0x[0-9a-f]+%{END}: "
                rb"(?:\(nodb\)|%{BEGIN:db_name?}[^/\s(]*+%{END})/"
                rb"(?:\(nouser\)|%{BEGIN:user?}[^@\s(]*+%{END})@"
                rb"(?:unix\(\d+\)|\[?%{BEGIN:source_address?}[0-9A-Fa-f.:]*[0-9A-Fa-f]%{END}\]?)"
                rb":%{INT:source_port} %{REST:message}",
            ),
            Layout(rb"%{ISOZONE:time} \[%{INT:pid}\] " + _BOUNCER_LEVEL + rb" %{REST:message}"),
        ),
        samples=PGBOUNCER,
        levels={"NOISE": "trace"},
    ),
}
