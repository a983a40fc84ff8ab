"""What the adapter says of patterns before anything runs.

Formats of the user's own and steps are compiled by the adapter, whose code the command line
doesn't share; so the helper that would compile them in the Pod is asked here, and what it says is
told with the line of the pattern's file.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from podweave.engines.errors import EngineError
from podweave.engines.helpers_archive import NAME, helpers_archive, read_sources, write
from podweave.engines.local.records import cache_directory
from podweave.model.errors import InputError, InputErrors
from podweave.model.patterns import Adapter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podweave.manifests.bundle import Bundle, FoundPattern
    from podweave.model.errors import Path

_KEYS: Final = {"rate_limit": "rateLimit", "time_zone": "timeZone"}
"""The helper's names of keys that are called otherwise in patterns."""
_TIMEOUT: Final = 120
"""Seconds; it takes a twentieth of one."""


def check_adapters(given: Bundle) -> None:
    """Raises InputErrors with all that the adapters would say, were they started."""
    from podweave.weave.adapters import meaning

    places: list[tuple[FoundPattern, int]] = []
    entries: list[dict[str, Any]] = []
    for found in given.patterns:
        if not isinstance(found.pattern, Adapter) or found.pattern.spec.container is not None:
            continue
        for number, logs in enumerate(found.pattern.spec.logs or []):
            entry = meaning(logs)
            # Nothing can be wrong in names that the pattern's rules know.
            if isinstance(entry["format"], dict) or "steps" in entry or "time_zone" in entry:
                places.append((found, number))
                entries.append(entry)
    if not entries:
        return
    errors: list[InputError] = []
    for (found, number), entry, answer in zip(places, entries, _judged(entries), strict=True):
        for text, message in answer:
            path = (*found.path, "spec", "logs", number, *_path(text, entry))
            errors.append(found.document.error(message, path))
    if errors:
        raise InputErrors(errors)


def _judged(entries: list[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    """What is wrong in each entry: paths in it, and messages."""
    with _archive() as archive:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", archive, "judge"],
                input=json.dumps(entries).encode(),
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"the adapter has not said within {_TIMEOUT} s whether its formats and steps are "
                "right"
            ) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise EngineError(f"the adapter couldn't be asked about its formats and steps: {said}")
    answers: list[list[tuple[str, str]]] = json.loads(done.stdout)
    return answers


@contextlib.contextmanager
def _archive() -> Iterator[str]:
    """The helpers' archive: where it is kept, or made for this once where nothing can be kept."""
    try:
        archive = helpers_archive(cache_directory())
    except OSError:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            archive = os.path.join(folder, NAME)
            write(archive, read_sources())
            yield archive
        return
    yield archive


def _path(text: str, value: Any) -> Path:
    """The path that the helper wrote as a text (`steps[0].drop.a.b.regex`), with the pattern's own
    keys. A key may have dots in it; so the value says which keys there are."""
    path: list[str | int] = []
    while text:
        key: str | int | None = None
        if isinstance(value, list):
            index, _, text = text.removeprefix("[").partition("]")
            key = int(index)
        elif isinstance(value, dict):
            known = [
                name for name in value if text == name or text.startswith((name + ".", name + "["))
            ]
            key = max(known, key=len, default=None)
            if key is not None:
                text = text[len(key) :]
        if key is None:
            break
        value = value[key]
        path.append(_KEYS.get(key, key) if isinstance(key, str) else key)
        text = text.removeprefix(".")
    return tuple(path)
