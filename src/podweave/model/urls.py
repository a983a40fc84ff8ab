"""URLs of servers, as patterns name them."""

from __future__ import annotations

import re
from typing import Final

from podweave.model.addresses import host_problem

_URL: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL | re.IGNORECASE)
_CARRIED: Final = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*")


def url_problem(url: str, *, path: bool = True, query: bool = True) -> str | None:
    """What keeps `url` from being a server's; or None. Whether a path or a query may be there
    depends on who makes the rest of it."""
    found = _URL.fullmatch(url)
    if found is None or not found[2]:
        return f"{url!r} isn't a URL: https://HOST:PORT"
    if "@" in found[2]:
        return "a user and a password don't stand in a URL: name a Secret in `credentials`"
    if found[5] is not None or not _CARRIED.fullmatch(found[3] + (found[4] or "")):
        return f"{url!r} has something in it that no request can carry"
    host, _, port = found[2].partition(":")
    if found[2].startswith("["):
        host, bracket, port = found[2][1:].partition("]")
        if not bracket or ":" not in host or (port and not port.startswith(":")):
            return f"{url!r} isn't a URL: an IPv6 address stands in brackets, https://[::1]:PORT"
        port = port[1:]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535):
        return f"{url!r} isn't a URL: a port is a number from 1 to 65535"
    if problem := host_problem(host):
        return problem
    if found[4] and not query:
        return f"{url!r}: without a ?query here"
    if found[3] not in ("", "/") and not path:
        return f"{url!r}: without a path here, https://HOST:PORT"
    return None
