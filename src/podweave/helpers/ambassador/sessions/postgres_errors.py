"""What the client of a PostgreSQL ambassador is told when there is no connection for it."""

from __future__ import annotations

from podweave.helpers.wire.postgres import error_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.connector import DialError

# SQLSTATE: class 08 is what drivers and pools take for "no connection", and try again.
_CANNOT_CONNECT = "08001"
_LOST = "08006"
_CODES = {
    "CREDENTIALS": "28000",
    "CONNECTION_LIMIT": "53300",
    "WAITING_LIMIT": "53300",
    "EPROTO": "08P01",
}
_HINTS = {
    "EAI_NONAME": "Does the name exist where the Pod runs? See the ambassador's profile.",
    "EAI_AGAIN": "The name servers don't answer. See /etc/resolv.conf of the Pod.",
    "ECONNREFUSED": "The machine is there, but nothing listens on this port.",
    "ETIMEDOUT": "A firewall that drops packets, or a server that is overloaded or not there.",
    "TLS_VERIFY": "Give the CA that signed the server's certificate, and its name as serverName.",
    "TLS_REFUSED": "Let the server speak TLS, or set tls.mode of the profile to disable.",
    "TLS_FILES": "Is the Secret or ConfigMap there, with the keys that the profile names?",
    "CREDENTIALS": "Is the Secret there, with the keys that the profile names?",
}


def refusal(error: DialError, connected: bool) -> bytes:
    """`connected`: there was a connection already, and it has failed."""
    code = _CODES.get(error.reason)
    if code is None:
        lost = connected and error.reason in ("ECONNRESET", "EPIPE")
        code = _LOST if lost else _CANNOT_CONNECT
    return error_response(
        code,
        f"the ambassador has no connection to the server: {error.message}",
        detail=f"reason: {error.reason}",
        hint=_HINTS.get(error.reason, ""),
    )
