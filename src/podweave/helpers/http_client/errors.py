"""Why a request has no answer."""

from __future__ import annotations

import errno


class HttpError(Exception):
    """No answer. `reason` is an errno's name, TLS_…, EAI_…, EPROTO, or E2BIG: of few kinds.

    The request may have been carried out all the same, except where `unsent` says that nothing
    of it was sent.
    """

    def __init__(self, reason: str, message: str, *, unsent: bool = False) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.unsent = unsent


def errno_name(error: OSError) -> str:
    """ECONNRESET and the like."""
    return errno.errorcode.get(error.errno or 0, "EIO")
