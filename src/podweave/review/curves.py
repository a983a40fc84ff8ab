"""Days of load as shares of the peak, one value an hour, and curves from CSV text."""

from __future__ import annotations

import csv
import io
from typing import Final

from podweave.model.errors import InputError

OFFICE: Final = (
    0.08, 0.06, 0.05, 0.05, 0.06, 0.10, 0.22, 0.45, 0.75, 0.92, 1.00, 0.97,
    0.80, 0.90, 0.98, 0.95, 0.88, 0.70, 0.48, 0.35, 0.28, 0.22, 0.16, 0.11,
)  # fmt: skip
"""A business application: a working day with a dip at noon."""

CURVES: Final[dict[str, tuple[float, ...]]] = {
    "office": OFFICE,
    "consumer": (
        0.35, 0.22, 0.14, 0.10, 0.09, 0.10, 0.16, 0.26, 0.36, 0.42, 0.46, 0.50,
        0.56, 0.55, 0.52, 0.54, 0.60, 0.68, 0.80, 0.93, 1.00, 0.97, 0.80, 0.55,
    ),
    "flat": (1.0,) * 24,
    "batch": (1.0, 1.0, 1.0, 0.9, 0.6, *((0.05,) * 17), 0.3, 0.8),
    "spike": (*((0.2,) * 11), 0.4, 1.0, 0.7, *((0.2,) * 10)),
}  # fmt: skip


def read_loads(file: str, text: str) -> dict[str, list[float]]:
    """A CSV of loads: a header with container names (and perhaps a first column of times), then a
    line for each step. Values are numbers of any unit: they are scaled by the column's peak."""
    lines = io.StringIO(text, newline=None)  # every kind of line end
    try:
        rows = [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"not CSV: {error}", file=file) from None
    if len(rows) < 2:
        raise InputError(
            "a load file has a header with container names and lines of numbers", file=file
        )
    header = [cell.strip() for cell in rows[0]]
    first = 1 if header and header[0].lower() in {"", "time", "hour", "timestamp", "t"} else 0
    columns: dict[str, list[float]] = {name: [] for name in header[first:]}
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise InputError(
                f"{len(row)} values where the header has {len(header)}", file=file, line=line
            )
        for name, cell in zip(header[first:], row[first:], strict=True):
            try:
                value = float(cell)
            except ValueError:
                raise InputError(
                    f"{cell.strip()[:40]!r} isn't a number", file=file, line=line
                ) from None
            if not 0 <= value < 1e15:
                raise InputError(f"{cell.strip()[:40]} can't be a load", file=file, line=line)
            columns[name].append(value)
    return columns
