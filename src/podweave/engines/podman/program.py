"""Podman's command line, the only way in which podweave talks to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any, Final

from podweave.engines.errors import EngineError

OLDEST: Final = (4, 3)


_LOGGED_ERROR: Final = re.compile(r'time="[^"]*" level=error msg=(".*")$')

TIMED_OUT: Final = 124
"""The exit code that timeout(1) has made usual for it."""


class PodmanError(EngineError):
    """Podman has said no; the text is its own."""


class PodmanProgram:
    def __init__(self) -> None:
        if shutil.which("podman") is None:
            raise EngineError("podman is not installed, or not on PATH")

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Run podman, with `text` as its input, and return what it prints. Raises PodmanError."""
        result = self._run(arguments, text)
        if result.returncode:
            raise PodmanError(_last_error(result.stderr) or f"podman {arguments[0]} has failed")
        return result.stdout

    def succeeds(self, *arguments: str) -> bool:
        return self._run(arguments, None).returncode == 0

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """What podman prints as JSON."""
        found: list[dict[str, Any]] | None = json.loads(self.run(*arguments) or "[]")
        return found or []

    def combined(self, *arguments: str, timeout: float | None = None) -> tuple[int, str]:
        """The exit code, and standard output and error as they came."""
        try:
            result = subprocess.run(
                ["podman", *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT, f"no answer within {timeout:g} s"
        return result.returncode, result.stdout.decode(errors="replace")

    def version(self) -> tuple[int, int]:
        """Raises EngineError when it is too old to be used."""
        words = self.run("--version")
        match = re.search(r"(\d+)\.(\d+)", words)
        version = (int(match[1]), int(match[2])) if match else (0, 0)
        if version < OLDEST:
            raise EngineError(
                f"this is {words.strip()}; podweave needs {'.'.join(map(str, OLDEST))} or newer"
            )
        return version

    def _run(
        self, arguments: tuple[str, ...], text: str | None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["podman", *arguments],
            check=False,
            input=text or "",
            capture_output=True,
            text=True,
            errors="replace",
        )


def _last_error(printed: str) -> str:
    """Podman logs on standard error, too; what it gives up with comes last. Where that is no more
    than an "internal libpod error", the reason is in the log."""
    lines = [line for line in printed.splitlines() if line.strip()]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    if any(error.endswith("internal libpod error") for error in errors):
        errors += [_unquoted(match[1]) for match in map(_LOGGED_ERROR.match, lines) if match]
    return "; ".join(errors) or (lines[-1] if lines else "")


def _unquoted(text: str) -> str:
    """Of a text that is quoted once or, as an error within a message, twice."""
    while text.startswith('"') and text.endswith('"'):
        try:
            text = json.loads(text)
        except ValueError:
            break
    return text
