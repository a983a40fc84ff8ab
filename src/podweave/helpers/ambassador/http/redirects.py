"""Redirects that name the upstream: they would lead the application past the ambassador.

An upstream that is asked as api.example answers with `Location: http://api.example/login`. The
application is at localhost:8080 and must stay there: the location gets the host that the client
has asked, and the path that leads back through the same route.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.fields import Line
    from podweave.helpers.ambassador.http.policy import Route

_FIELDS = (b"location", b"content-location")
_SCHEMES = (b"http://", b"https://")


def turn_back(
    fields: list[Line], route: Route, asked: bytes, client_host: bytes
) -> list[Line] | None:
    """The fields with the locations turned back; None when there are none to turn.

    `asked` is the Host that the upstream was asked as; `client_host` may be empty.
    """
    turned: list[Line] | None = None
    for index, (name, value, _) in enumerate(fields):
        if name not in _FIELDS:
            continue
        location = _location(value, route, asked, client_host)
        if location != value:
            turned = list(fields) if turned is None else turned
            label = fields[index][2].partition(b":")[0]
            turned[index] = (name, location, label + b": " + location)
    return turned


def _location(value: bytes, route: Route, asked: bytes, client_host: bytes) -> bytes:
    if value.startswith(b"/") and not value.startswith(b"//"):
        return _path(value, route)
    scheme = next((each for each in _SCHEMES if value[: len(each)].lower() == each), None)
    if scheme is None:
        return value
    end = len(scheme) + len(asked)
    if value[len(scheme) : end].lower() != asked.lower() or value[end : end + 1] not in _BEHIND:
        return value
    path = value[end:]
    path = _path(path if path.startswith(b"/") else b"/" + path, route)
    return b"http://" + client_host + path if client_host else path


_BEHIND = (b"", b"/", b"?", b"#")


def _path(path: bytes, route: Route) -> bytes:
    """What the route makes `path` of."""
    if route.path is None:
        return path
    rewritten = route.path.rstrip(b"/")
    rest = path[len(rewritten) :]
    if not path.startswith(rewritten) or rest[:1] not in _BEHIND:
        return path
    return (route.prefix + rest) or b"/"
