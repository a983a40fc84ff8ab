"""The bytes of HTTP/1.1 messages, made from their parts.

The caller's parts are trusted to be clean but for line ends: whatever a configuration or an
answer slips in between, one head stays one head.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}


def request(
    method: str,
    target: str,
    fields: Iterable[tuple[str, str]],
    content: bytes | None = None,
) -> bytes:
    """A request's head; with `content`, its Content-Length and the content, too.

    `fields` must have a Host, and say how content that is sent later ends: Content-Length or
    Transfer-Encoding: chunked. ValueError when a part has a line end, or the target a space.
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    if content is not None:
        lines.append(f"Content-Length: {len(content)}")
    if " " in method or " " in target:
        raise ValueError(f"a space in {method!r} {target!r}")
    head = _head(lines)
    return head + content if content else head


def response(
    status: int,
    content: bytes = b"",
    content_type: str = "text/plain; charset=utf-8",
    *,
    fields: tuple[tuple[str, str], ...] = (),
    keep_alive: bool = True,
    head_only: bool = False,
) -> bytes:
    """A whole response. `head_only` for HEAD: the fields as for GET, without the content."""
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in fields),
    ]
    if not keep_alive:
        lines.append("Connection: close")
    head = _head(lines)
    return head if head_only else head + content


def _head(lines: list[str]) -> bytes:
    for line in lines:
        if "\r" in line or "\n" in line or "\0" in line:
            raise ValueError(f"a line end in {line!r}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
