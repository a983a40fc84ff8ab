"""`{nginx: ...}`: a `log_format` of nginx, as a text of its variables or as the directive.

Source: ngx_http_log_module, and the list of variables. A variable that isn't known (`set`, `map`,
another module's) becomes a field of the application's own, under its name.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import FIELDS, INTEGER, TEXT
from podweave.helpers.logs.formats.own import dates
from podweave.helpers.logs.formats.own.assembly import Moment, Part, Ready, Text, Value, layout_of
from podweave.helpers.logs.formats.units import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.layouts import Layout

_VARIABLES = {
    "remote_addr": "source_address",
    "realip_remote_addr": "client_address",
    "remote_port": "source_port",
    "remote_user": "user",
    "request_method": "method",
    "request_uri": "url",
    "uri": "url_path",
    "document_uri": "url_path",
    "args": "url_query",
    "query_string": "url_query",
    "scheme": "url_scheme",
    "server_protocol": "network_protocol",
    "status": "status",
    "bytes_sent": "response_bytes",
    "body_bytes_sent": "response_body_bytes",
    "request_length": "request_bytes",
    "http_referer": "referrer",
    "http_user_agent": "user_agent",
    "host": "server_name",
    "http_host": "server_name",
    "server_name": "server_name",
    "hostname": "host",
    "server_addr": "destination_address",
    "server_port": "destination_port",
    "upstream_addr": "upstream_address",
    "proxy_host": "upstream_name",
    "proxy_upstream_name": "upstream_name",
    "upstream_cache_status": "cache_status",
    "http_x_forwarded_for": "forwarded_for",
    "proxy_add_x_forwarded_for": "forwarded_for",
    "request_id": "request_id",
    "req_id": "request_id",
    "http_x_request_id": "request_id",
    "ssl_protocol": "tls_version",
    "ssl_cipher": "tls_cipher",
    "ssl_server_name": "tls_server_name",
    "sent_http_content_type": "response_content_type",
    "content_type": "request_content_type",
    "pid": "pid",
    "connection": "connection",
    "connection_requests": "connection_requests",
}
_SECONDS = {
    "request_time": "duration",
    "upstream_response_time": "upstream_duration",
    "upstream_connect_time": "upstream_connect_duration",
    "session_time": "duration",
}
_NUMBERS = frozenset(("connection", "connection_requests", "upstream_response_length"))
_TIMES = {"time_local": "HTTPDATE", "time_iso8601": "RFC3339", "msec": "EPOCH"}
# What may have spaces in it, in which quotes or brackets then stand around it.
_SPACED_TEXT = (
    "request http_user_agent http_referer http_cookie http_x_forwarded_for upstream_addr "
    "upstream_status upstream_response_time upstream_connect_time upstream_header_time "
    "upstream_response_length remote_user"
)
_SPACED = frozenset(_SPACED_TEXT.split())
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([a-z_]\w*))")
_DIRECTIVE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\S+\s+)?(.*?);?\s*", re.DOTALL)
_QUOTED = re.compile(r"\s*(?:'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s'\"]+))", re.DOTALL)

REQUEST = (
    rb"%{BEGIN:message}%{METHOD:method} %{BEGIN:url}%{URLPATH:url_path}"
    rb"(?:\?%{URLQUERY:url_query?})?%{END} HTTP/%{HTTPVERSION:http_version}%{END}"
)


def make(value: Any) -> list[Layout]:
    if not isinstance(value, str):
        raise ValueError("must be a text: a log_format")
    text = _directive(value).rstrip("\n")
    if text.lstrip().startswith("{"):
        raise ValueError("is JSON: format nginx-json or json reads it")
    return variants(lambda request: _parts(text, request), "$remote_addr - $status")


def variants(parts: Any, like: str) -> list[Layout]:
    """The layout, and another for requests that are no HTTP where there are requests in it.

    `parts` gives (parts, derive, whether a request is among them) of a layout; `like`: an example.
    """
    first, derive, requested = parts(True)
    layouts = [layout_of(first, derive=derive, like=like)]
    if requested:
        second, derive, _ = parts(False)
        layouts.append(layout_of(second, derive=derive, general=True))
    return layouts


def _directive(text: str) -> str:
    match = _DIRECTIVE.fullmatch(text)
    if match is None:
        return text
    return "".join(
        single or re.sub(r"\\(.)", r"\1", double) or bare
        for single, double, bare in _QUOTED.findall(match[1])
    )


def _parts(text: str, request: bool) -> tuple[list[Part], tuple[Any, ...], bool]:
    parts: list[Part] = []
    derive: list[Any] = []
    requested = False
    place = 0
    for match in _VARIABLE.finditer(text):
        parts.append(_literal(text[place : match.start()]))
        place = match.end()
        name = match[1] or match[2]
        if name == "request" and text[place : place + 1] == '"':
            requested = True
            parts.append(Ready("$request", REQUEST) if request else Value("$request", "message"))
        else:
            parts.append(_variable(match[0], name, derive))
    parts.append(_literal(text[place:]))
    return parts, tuple(derive), requested


def _literal(text: str) -> Text:
    if "$" in text:
        raise ValueError(f"has a $ that names no variable: {text[text.index('$') :][:12]!r}")
    return Text(text)


def _variable(shown: str, name: str, derive: list[Any]) -> Part:
    if name in _TIMES:
        return Moment(shown, dates.builtin(_TIMES[name]))
    solid = name not in _SPACED
    if name in _SECONDS:
        # Of several upstreams, the last one's: 0.001, 0.203
        derive.append((_SECONDS[name], f"_{name}", _last_seconds))
        return Value(shown, f"_{name}", solid=solid)
    if name == "upstream_status":
        derive.append(("upstream_status", "_upstream_status", _last_number))
        return Value(shown, "_upstream_status")
    field = _VARIABLES.get(name, name if name not in FIELDS else f"nginx_{name}")
    kind = FIELDS.get(field) or (INTEGER if name in _NUMBERS else TEXT)
    pattern = rb"(?:-|0|[1-9]\d{0,17})" if kind == INTEGER else None
    if name == "status":
        pattern = rb"(?:\d\d\d)"
    return Value(shown, field, pattern, kind=kind, solid=solid)


def _last(text: str) -> str:
    return text.replace(" : ", ", ").rpartition(", ")[2].strip()


def _last_seconds(text: str) -> float | None:
    return seconds(_last(text))


def _last_number(text: str) -> int | None:
    last = _last(text)
    return int(last) if last.isascii() and last.isdigit() and len(last) < 10 else None
