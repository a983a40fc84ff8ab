"""Absolute paths of files, as patterns name them."""

from __future__ import annotations


def file_path_problem(path: str) -> str | None:
    """What keeps `path` from being the absolute path of a file or directory; or None."""
    if not path.startswith("/"):
        return f"{path!r} is relative: a path begins with `/`"
    if ".." in path.split("/"):
        return f"{path!r} contains `..`"
    if path.strip("/") == "":
        return "the path is the root itself"
    if "\0" in path or "\n" in path:
        return f"{path!r} has a control character in it"
    return None
