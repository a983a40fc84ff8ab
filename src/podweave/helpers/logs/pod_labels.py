"""The Pod's labels, as a downwardAPI volume has them: a file of lines `key="value"`.

The values are quoted as Go's strconv.Quote does, which for what a label may have in it (letters,
digits, `-`, `_` and `.`) is nothing but the quotes.
"""

from __future__ import annotations


def read_labels(path: str) -> dict[str, str]:
    """{} where there is no such file: a label is never worth a log line."""
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(1 << 16).splitlines()
    except OSError:
        return {}
    labels: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and key:
            labels[key] = value.removeprefix('"').removesuffix('"')
    return labels
