"""PostgreSQL on standard error: the default `%m [%p] `, Debian's, and pgBadger's prefix."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_LEVEL = rb"%{PGLEVEL:level}:  %{REST:message}"

FORMATS = {
    "postgresql": Format(
        "postgresql",
        (
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\] "
                rb"(?:%{PGNAME:user?}@%{PGNAME:database?} )?" + _LEVEL
            ),
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\]: (?:\[\d+-\d+\] )?"
                rb"user=%{LISTED:user?},db=%{LISTED:database?},app=%{LISTED:application?}"
                rb",client=%{NOTSPACE:source_address?} " + _LEVEL
            ),
            Layout(
                rb"%{ISOZONE:time} \[%{INT:pid}\]:? (?:\[\d+-\d+\] )?\[?"
                rb"user=%{BEGIN:user?}[^, \]\n]*+%{END},db=%{BEGIN:database?}[^, \]\n]*+%{END}"
                rb"(?:,app=%{BEGIN:application?}[^,\]\n]*+%{END}(?=\]))?\]? " + _LEVEL
            ),
            # %t:%r:%u@%d:[%p]: of Amazon RDS
            Layout(
                rb"%{ISOZONE:time}:(?:%{BEGIN:source_address?}[^(\n]*+%{END}"
                rb"(?:\(%{INT:source_port?}\))?)?:"
                rb"%{PGNAME:user?}@%{PGNAME:database?}:\[%{INT:pid}\]:" + _LEVEL
            ),
            # Any other prefix
            Layout(rb"<?%{ISOZONE:time}[^\n]*?(?<![A-Za-z])" + _LEVEL, general=True),
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
                b"2026-11-23 11:16:56.789 KST [31] shop@orders ERROR:  relation does not exist",
                {
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "level": "error",
                    "user": "shop",
                    "message": "relation does not exist",
                    "attributes": {"database": "orders"},
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
                    "attributes": {"database": "orders", "application": "psql"},
                },
            ),
        ),
    ),
}
