"""What the client is told when there is no response of an upstream to pass on.

A failure has a kind, which metrics count, a status, and words for a person. The response names
the kind in Proxy-Status too (RFC 9209), so that a program can tell the ambassador's 503 from the
upstream's.

    dns_error, connection_refused, connection_timeout, destination_unavailable, ...   503, 504
    connection_terminated, http_response_incomplete, http_protocol_error              502
    http_response_timeout                                                             504
    connection_limit_reached, circuit_open                                            503
    http_request_error                                                                4xx
"""

from __future__ import annotations

from podweave.helpers.wire.http1_writing import response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.connector import DialError

_OF_DIAL = {
    "ECONNREFUSED": ("connection_refused", 503),
    "ETIMEDOUT": ("connection_timeout", 504),
    "EHOSTUNREACH": ("destination_ip_unroutable", 503),
    "ENETUNREACH": ("destination_ip_unroutable", 503),
    "CONNECTION_LIMIT": ("connection_limit_reached", 503),
    "TLS_VERIFY": ("tls_certificate_error", 502),
    "TLS_FAILED": ("tls_protocol_error", 502),
    "TLS_FILES": ("proxy_configuration_error", 503),
}


class Failure:
    __slots__ = ("kind", "message", "retry_after", "status")

    def __init__(self, status: int, kind: str, message: str, retry_after: int = 0) -> None:
        self.status = status
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        """Seconds; 0: nothing is said of it."""


def of_dial(error: DialError, profile: str) -> Failure:
    """No connection to any upstream of the profile."""
    if error.reason.startswith("EAI_"):
        kind, status = "dns_error", 503
    else:
        kind, status = _OF_DIAL.get(error.reason, ("destination_unavailable", 503))
    return Failure(status, kind, f"no upstream of profile {profile} can be reached: {error}")


def render(name: str, failure: Failure, *, head_only: bool, keep_alive: bool) -> bytes:
    """The response of the ambassador `name`."""
    details = failure.message.replace("\\", "\\\\").replace('"', '\\"')
    details = "".join(char if " " <= char <= "~" else "?" for char in details)
    fields = [("Proxy-Status", f'{name}; error={failure.kind}; details="{details}"')]
    if failure.retry_after:
        fields.append(("Retry-After", str(failure.retry_after)))
    text = f"{failure.status}: ambassador {name}: {failure.message}\n"
    return response(
        failure.status,
        text.encode(),
        fields=tuple(fields),
        keep_alive=keep_alive,
        head_only=head_only,
    )
