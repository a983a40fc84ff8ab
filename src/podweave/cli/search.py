"""`podweave search`: look into the embedded log store."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from podweave.model.errors import InputError

if TYPE_CHECKING:
    from podweave.cli.searching.database import LogDatabase
    from podweave.cli.searching.query import Query

LIMIT = 100


@click.command(
    "search",
    # A query may begin with a minus: `podweave search error -timeout`.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("query", nargs=-1)
@click.option(
    "--store",
    "directories",
    multiple=True,
    metavar="DIR",
    help="A store's directory. Default: every store in the local engine's volumes.",
)
@click.option("--sql", metavar="SQL", help="A SELECT over the view `logs` in place of QUERY.")
@click.option("--since", metavar="TIME", help="Records from then on: 30s, 5m, 2h, or a time.")
@click.option("--until", metavar="TIME", help="Records before then.")
@click.option("--pod", metavar="[NAMESPACE/]NAME", help="Records of this Pod's helpers only.")
@click.option("--limit", type=click.IntRange(min=1), help=f"The newest N. Default: {LIMIT}.")
@click.option("--json", "as_json", is_flag=True, help="Records as stored, one JSON a line.")
def command(
    query: tuple[str, ...],
    directories: tuple[str, ...],
    sql: str | None,
    since: str | None,
    until: str | None,
    pod: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Look into the embedded log store.

    \b
    orders "out of stock"     words and phrases, anywhere in the record
    time*out, '*'             a wildcard in a word; alone, every record
    level:error               a field; level, pod, status, ... are short for ECS fields
    status:>=500              also >, <, <=; url.path:/orders/* with a wildcard
    -timeout, a OR b, (...)   not, or, grouping
    since:5m until:1m         a time ago, or 2026-01-02T03:04 (UTC)

    The view `logs` of --sql has number, time (UTC), level, namespace, pod, message, file, and
    record, the JSON: SELECT record->>'$.url.path' AS path, count(*) FROM logs GROUP BY path.
    """
    from podweave.cli.searching.query import All, parse

    if sql is not None and (query or since or until):
        raise InputError("--sql: goes without QUERY, --since and --until; say it in the SQL")
    wanted = All((parse(" ".join(query)), *_times(since, until)))
    database = _database(directories, pod)
    if database is None:
        return
    from podweave.cli.searching.database import StoreError

    try:
        if sql is not None:
            _show_rows(database, sql, limit, as_json)
        else:
            _show_records(database, wanted, limit or LIMIT, as_json)
        broken = database.broken_lines()
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    finally:
        database.close()
    if broken:
        lines = "1 line that is" if broken == 1 else f"{broken} lines that are"
        click.echo(f"podweave: skipped {lines} no JSON", err=True)


def _times(since: str | None, until: str | None) -> list[Query]:
    from podweave.cli.searching.query import Time, moment

    found: list[Query] = []
    for option, text in (("since", since), ("until", until)):
        if text is not None:
            try:
                found.append(Time(option == "since", moment(text)))
            except ValueError as error:
                raise InputError(f"--{option}: {error}") from None
    return found


def _database(directories: tuple[str, ...], pod: str | None) -> LogDatabase | None:
    from podweave.cli.searching.stores import find, volumes
    from podweave.engines.local.records import state_directory

    for directory in directories:
        if not os.path.isdir(directory):
            raise InputError(f"--store: {directory} is no directory")
    state = state_directory()
    found = find(directories or volumes(state), pod)
    for path in found.unreadable:
        click.echo(f"podweave: can't read {path}", err=True)
    if not found.files:
        of_pod = f" of Pod {pod}" if pod else ""
        where = ", ".join(directories) or state
        hint = "" if directories else "; name a store's directory with --store"
        click.echo(f"podweave: no log records{of_pod} in {where}{hint}", err=True)
        return None
    from podweave.cli.searching.database import LogDatabase

    return LogDatabase(found.files)


def _show_records(database: LogDatabase, query: Query, limit: int, as_json: bool) -> None:
    from podweave.cli.searching.conditions import condition
    from podweave.cli.searching.display import record_line

    for row in database.newest(condition(query, datetime.now(UTC)), limit):
        click.echo(row[4].encode() if as_json else record_line(row))


def _show_rows(database: LogDatabase, sql: str, limit: int | None, as_json: bool) -> None:
    from podweave.cli.searching.display import cells, json_row

    names, rows = database.select(sql, limit)
    if not as_json:
        click.secho("\t".join(names), bold=True)
    for row in rows:
        click.echo(json_row(names, row).encode() if as_json else cells(row))
