"""The store's files as a table in DuckDB.

A line is read as one JSON value and looked into by path, never by a schema, since a field may be a
text in one line and an object in the next. A line that is no JSON, such as a last one that is just
being written, is skipped and counted.

DuckDB may open the store's files and nothing else, and its settings are locked, before anything
of the user's comes near it; a statement of theirs must be a single one that reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from podweave.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

    from podweave.cli.searching.conditions import Condition

_VIEW = """
CREATE VIEW records AS SELECT
    row_number() OVER () AS number,
    try_cast(json_extract_string(json, '/@timestamp') AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS time,
    coalesce(json_extract_string(json, '/log/level'), json_extract_string(json, '/log.level'),
             json_extract_string(json, '/level')) AS level,
    coalesce(json_extract_string(json, '/kubernetes/namespace'),
             json_extract_string(json, '/kubernetes.namespace')) AS namespace,
    coalesce(json_extract_string(json, '/kubernetes/pod/name'),
             json_extract_string(json, '/kubernetes.pod.name')) AS pod,
    coalesce(json_extract_string(json, '/message'), json_extract_string(json, '/msg')) AS message,
    coalesce(json_extract_string(json, '/log/file/path'),
             json_extract_string(json, '/log.file.path')) AS file,
    json
FROM read_ndjson_objects(getvariable('files'), ignore_errors = true)
WHERE json IS NOT NULL;
CREATE VIEW logs AS
    SELECT number, time, level, namespace, pod, message, file, json AS record FROM records
"""


class StoreError(Exception):
    """The files can't be read (any more); no fault of the query."""


class LogDatabase:
    """A DuckDB of its own over some files of stores."""

    def __init__(self, files: list[str]) -> None:
        import duckdb

        self._errors = duckdb.Error
        self._statements = duckdb.extract_statements
        self._reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
        self._connection = duckdb.connect()
        execute = self._connection.execute
        # Times without an offset are UTC, and nothing depends on where the search is run.
        execute("SET TimeZone = 'UTC'")
        execute("SET autoinstall_known_extensions = false")
        execute("SET autoload_known_extensions = false")
        execute("SET VARIABLE files = ?", [files])
        execute("SET allowed_paths = ?", [files])
        execute(_VIEW)
        execute("SET enable_external_access = false")
        execute("SET lock_configuration = true")

    def newest(self, condition: Condition, limit: int) -> list[tuple[Any, ...]]:
        """(time, level, pod, message, json) of the newest records that fulfil it, oldest first."""
        sql, parameters = condition
        rows = self._fetch(
            "SELECT time, level, pod, message, json FROM records"
            f" WHERE {sql} ORDER BY time DESC NULLS LAST, number DESC LIMIT ?",
            [*parameters, limit],
        )
        return rows[::-1]

    def broken_lines(self) -> int:
        """How many lines are no JSON."""
        rows = self._fetch(
            "SELECT count(*) FROM read_ndjson_objects(getvariable('files'), ignore_errors = true)"
            " WHERE json IS NULL",
            [],
        )
        return int(rows[0][0])

    def select(self, sql: str, limit: int | None) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """Column names and rows of the user's own SQL. InputError if it is wrong or changes
        something."""
        try:
            statements = self._statements(sql)
            if len(statements) != 1 or statements[0].type not in self._reading:
                raise InputError("--sql: must be one SELECT; there is a view `logs`")
            cursor = self._connection.execute(statements[0])
        except self._errors as error:
            raise InputError(f"--sql: {error}") from None
        names = [column[0] for column in cursor.description or ()]
        return names, self._rows(cursor, limit)

    def _fetch(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except self._errors as error:
            raise StoreError(str(error)) from error

    def _rows(
        self, cursor: duckdb.DuckDBPyConnection, limit: int | None
    ) -> Iterator[tuple[Any, ...]]:
        count = 0
        while limit is None or count < limit:
            try:
                row = cursor.fetchone()
            except self._errors as error:
                raise InputError(f"--sql: {error}") from None
            if row is None:
                return
            count += 1
            yield row

    def close(self) -> None:
        self._connection.close()
