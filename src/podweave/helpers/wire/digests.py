"""Message digests without OpenSSL, which `hashlib` would load: it takes 4 MB of memory."""

from __future__ import annotations

try:
    from _md5 import md5
    from _sha1 import sha1
except ImportError:
    from hashlib import md5, sha1

try:
    from _sha2 import sha256
except ImportError:
    try:
        # Its name before Python 3.12.
        from _sha256 import sha256  # type: ignore[import-not-found, no-redef]
    except ImportError:
        from hashlib import sha256

__all__ = ["md5", "sha1", "sha256"]
