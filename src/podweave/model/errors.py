"""The one error for input that is wrong, and where in it."""

from __future__ import annotations

from typing import Final

Path = tuple[str | int, ...]
"""Where a value is in an object: mapping keys and list indexes from the top."""


class InputError(Exception):
    """What the user gave is wrong. Printed as `FILE:LINE: path: message`, exit code 2.

    `file` is the name the user gave ("-" for standard input), `line` counts from 1; both are
    None until `manifests` knows them. `path` is empty where the whole document is meant.
    `message` says what is wrong and what would be right.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path = (),
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message: Final = message
        self.path: Final = path
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return ": ".join(part for part in (place, render_path(self.path), self.message) if part)


class InputErrors(Exception):  # noqa: N818 - it is several
    """Several InputErrors found in one go: a user wants to see them all, not one a run."""

    def __init__(self, errors: list[InputError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors: Final = errors


def render_path(path: Path) -> str:
    """Render a path as kubectl does: `spec.containers[0].name`; odd keys as `metadata["a.b/c"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and len(part) <= 100 and all(char.isalnum() or char in "-_" for char in part):
            text += f".{part}" if text else part
        else:
            text += f'["{part[:100]}"]'
    return text
