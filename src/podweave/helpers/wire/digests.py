"""Message digests without OpenSSL, which `hashlib` would load: it takes 4 MB of memory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import md5, sha1, sha256, sha512
    from typing import Protocol, Self

    class Hash(Protocol):
        """An unfinished digest."""

        def update(self, data: bytes, /) -> None: ...
        def digest(self) -> bytes: ...
        def copy(self) -> Self: ...

else:
    try:
        from _md5 import md5
        from _sha1 import sha1
    except ImportError:
        from hashlib import md5, sha1
    try:
        from _sha2 import sha256, sha512
    except ImportError:
        try:
            # Their names before Python 3.12.
            from _sha256 import sha256
            from _sha512 import sha512
        except ImportError:
            from hashlib import sha256, sha512

__all__ = ["md5", "sha1", "sha256", "sha512"]
