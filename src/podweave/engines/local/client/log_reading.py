"""Reads back what output.py keeps: whole lines with their time, rotated files first, then live."""

from __future__ import annotations

from podweave.engines.local.records import log_path
from podweave.engines.local.supervision.output import MAX_FILES, previous
from podweave.engines.log_files import LogFile


class LogReader(LogFile):
    """The output of one container, or that of the run before."""

    def __init__(self, directory: str, container: str, *, former: bool = False) -> None:
        path = log_path(directory, container)
        if former:
            path = previous(path)
        older = [f"{path}.{number}" for number in range(MAX_FILES - 1, 0, -1)]
        super().__init__(path, container, older)
