"""Bytes of a manifest file to text: the encodings YAML allows, and a word about all others."""

from __future__ import annotations

import re
from typing import Final

from podweave.model.errors import InputError

MAX_BYTES: Final = 16 * 1024 * 1024
"""The largest file that is read. The largest manifests in use, bundles of CRDs, are near 5 MB;
an object in a cluster can't be larger than 1.5 MB."""

BOM: Final = "\ufeff"

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")


def decode(file: str, data: bytes) -> tuple[str, str]:
    """Give the text and the name of its encoding: `utf-8`, or UTF-16 where a BOM says so.

    A byte order mark stays in the text, so that what is written again has it too.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            f"the file has {len(data) / 2**20:.0f} MiB, and manifests are read up to "
            f"{MAX_BYTES // 2**20} MiB: split it, or leave out what isn't a manifest",
            file=file,
        )
    encoding = "utf-8"
    if data[:2] == b"\xff\xfe":
        encoding = "utf-16-le"
    elif data[:2] == b"\xfe\xff":
        encoding = "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"not text: the byte {data[error.start]:#04x} at offset {error.start} isn't "
            f"{'UTF-8' if encoding == 'utf-8' else 'UTF-16'}; manifests are YAML or JSON in UTF-8",
            file=file,
            line=data.count(b"\n", 0, error.start) + 1,
        ) from None
    strange = UNPRINTABLE.search(text)
    if strange:
        raise InputError(
            f"not text: it contains the control character U+{ord(strange.group()):04X}; "
            "manifests are YAML or JSON, write such a character as an escape in double quotes",
            file=file,
            line=text.count("\n", 0, strange.start()) + 1,
        )
    return text, encoding
