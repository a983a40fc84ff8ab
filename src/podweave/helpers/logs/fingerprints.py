"""Fingerprints of bytes: of parts of files, and of names that must be short."""

from __future__ import annotations

try:
    # hashlib would load OpenSSL as well: 4 MB that no helper has to spare.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b


def fingerprint(data: bytes, size: int = 8) -> str:
    """BLAKE2b of `size` bytes, in hexadecimal. The 64 bits are plenty where something else, such
    as device and inode, tells most things apart."""
    return blake2b(data, digest_size=size).hexdigest()
