"""Manifests to standard output, byte for byte."""

from __future__ import annotations

import json
import sys
from typing import Any

from podweave.manifests.reading import read


def join(files: list[tuple[str, str]]) -> str:
    """One YAML stream out of several files' (name, text); a single text stays as it is.

    JSON among them is written anew: several JSON values, or tabs, don't fit into YAML.
    """
    given = [(name, text) for name, text in files if text.strip("\ufeff \t\r\n")]
    if len(given) <= 1:
        return given[0][1] if given else ""
    joined = ""
    for name, text in given:
        body = _as_yaml(name, text.removeprefix("\ufeff"))
        if joined and not joined.endswith("\n"):
            joined += "\n"
        if joined and not body.startswith(("---", "%")):
            joined += "---\n"
        if joined and body.startswith("%"):
            joined += "...\n"
        joined += body
    return joined


def _as_yaml(name: str, text: str) -> str:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    documents = read(name, text.encode()).documents
    if any(document.format == "yaml" for document in documents):
        return text
    return "---\n".join(_json(document.object) for document in documents)


def write_text(text: str, encoding: str = "utf-8") -> None:
    """Write without any translation: neither of line ends nor by the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(encoding))
    sys.stdout.buffer.flush()


def write_json(objects: list[Any]) -> None:
    """One object, or a List of several, as kubectl does."""
    several = {"apiVersion": "v1", "kind": "List", "items": objects}
    write_text(_json(objects[0] if len(objects) == 1 else several))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
