"""Manifests to standard output, byte for byte."""

from __future__ import annotations

import sys
from typing import Any


def join(texts: list[str]) -> str:
    """One YAML stream out of the texts of several files; a single text stays as it is."""
    joined = ""
    for text in texts:
        body = text.removeprefix("\ufeff") if joined else text
        if not body.strip():
            continue
        if joined:
            if not joined.endswith("\n"):
                joined += "\n"
            first = body.lstrip("\ufeff").splitlines()[0]
            if not first.startswith(("---", "%")):
                joined += "---\n"
        joined += body
    return joined


def write_text(text: str, encoding: str = "utf-8") -> None:
    """Write without any translation: neither of line ends nor by the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(encoding))
    sys.stdout.buffer.flush()


def write_json(objects: list[Any]) -> None:
    """One object, or a List of several, as kubectl does."""
    import json

    value = objects[0] if len(objects) == 1 else _list(objects)
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _list(objects: list[Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": objects}
