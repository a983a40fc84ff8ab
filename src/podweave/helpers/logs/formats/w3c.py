"""W3C extended logs: IIS, and whatever else says in a `#Fields:` line which columns it writes.

Sources: W3C's working draft WD-logfile-960323, Microsoft's documentation of IIS logging. The
usual sets of columns are layouts of the catalogue; a header line announces one of its own.
Times are UTC by definition.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.formats.units import percent_decoded, spaces_from_plus, transport
from podweave.helpers.logs.layouts import Format, Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _taken(text: str) -> float | None:
    """IIS writes whole milliseconds where the draft, and CloudFront, have seconds."""
    try:
        return float(text) if "." in text else int(text) / 1000
    except ValueError:
        return None


def _agent(text: str) -> str:
    return percent_decoded(spaces_from_plus(text))


def _path(url: str) -> str | None:
    return url.partition("?")[0] or None


def _query(url: str) -> str | None:
    return url.partition("?")[2] or None


_ANY = rb"%{SPACED:NAME?}"
_NUMBER = rb"%{INTORDASH:NAME?}"
_TAKEN = rb"(?:-|%{BEGIN:NAME?}\d{1,12}(?:\.\d{1,9})?%{END})"
_PARTS = {
    "c-ip": (_ANY, "source_address", None),
    "c-port": (_NUMBER, "source_port", None),
    "s-ip": (_ANY, "destination_address", None),
    "s-port": (_NUMBER, "destination_port", None),
    "cs-method": (_ANY, "method", None),
    "cs-uri": (_ANY, "url", None),
    "cs-uri-stem": (_ANY, "url_path", None),
    "cs-uri-query": (_ANY, "url_query", None),
    "cs-username": (_ANY, "user", None),
    "cs-version": (rb"(?:HTTP/%{HTTPVERSION:NAME?}|-)", "http_version", None),
    "cs-protocol-version": (rb"(?:HTTP/%{HTTPVERSION:NAME?}|-)", "http_version", None),
    "cs(User-Agent)": (_ANY, "user_agent", _agent),
    "cs(Referer)": (_ANY, "referrer", None),
    "cs(Cookie)": (_ANY, "cookie", None),
    "cs-host": (_ANY, "server_name", None),
    "cs(Host)": (_ANY, "server_name", None),
    "X-Forwarded-For": (_ANY, "forwarded_for", None),
    "cs(X-Forwarded-For)": (_ANY, "forwarded_for", None),
    "sc-status": (rb"(?:-|0+|%{INT:NAME?})", "status", None),
    "sc-bytes": (_NUMBER, "response_bytes", None),
    "cs-bytes": (_NUMBER, "request_bytes", None),
    "sc-substatus": (_NUMBER, "substatus", None),
    "sc-win32-status": (_NUMBER, "win32_status", None),
    "time-taken": (_TAKEN, "duration", _taken),
    "s-sitename": (_ANY, "site", None),
    "s-computername": (_ANY, "host", None),
    # VPC flow logs
    "account-id": (_ANY, "cloud_account", None),
    "srcaddr": (_ANY, "source_address", None),
    "dstaddr": (_ANY, "destination_address", None),
    "srcport": (_NUMBER, "source_port", None),
    "dstport": (_NUMBER, "destination_port", None),
    "protocol": (_ANY, "network_transport", transport),
    "packets": (_NUMBER, "network_packets", None),
    "bytes": (_NUMBER, "network_bytes", None),
    "start": (rb"%{EPOCH:time}", "", None),
    "end": (_NUMBER, "end", None),
    "action": (_ANY, "event_action", None),
    "flow-direction": (_ANY, "network_direction", None),
    "region": (_ANY, "cloud_region", None),
    "tcp-flags": (_NUMBER, "tcp_flags", None),
}
# Those of CloudFront, which stand between tabs
_DISTRIBUTED = {
    "x-edge-location": (_ANY, "edge_location", None),
    "x-edge-result-type": (_ANY, "cache_status", None),
    "x-edge-request-id": (_ANY, "request_id", None),
    "x-edge-response-result-type": (_ANY, "response_result", None),
    "x-edge-detailed-result-type": (_ANY, "detailed_result", None),
    "x-host-header": (_ANY, "server_name", None),
    "cs(Host)": (_ANY, "distribution", None),
    "cs-protocol": (_ANY, "network_protocol", None),
    "x-forwarded-for": (_ANY, "forwarded_for", None),
    "ssl-protocol": (_ANY, "tls_version", None),
    "ssl-cipher": (_ANY, "tls_cipher", None),
    "time-to-first-byte": (_TAKEN, "upstream_duration", _taken),
    "sc-content-type": (_ANY, "response_content_type", None),
    "sc-content-len": (_NUMBER, "response_body_bytes", None),
}
_MOST_COLUMNS = 64
_MOST_HEADERS = 64


class HeaderLayout(Layout):
    """Reads header lines, which announce the layout of those that follow.

    `marker` is a text that no header line is without.
    """

    def __init__(self, pattern: bytes, marker: bytes) -> None:
        super().__init__(b"%{BEGIN:message}" + pattern + b"%{END}")
        self.marker = marker
        self._announced: dict[bytes, Layout] = {}

    def announces(self, line: bytes) -> Layout | None:
        """The layout that this line announces, the same one for the same line."""
        layout = self._announced.get(line)
        if layout is None:
            if self.line.fullmatch(line) is None or len(self._announced) >= _MOST_HEADERS:
                return None
            layout = self.layout_of(line)
            if layout is not None:
                layout.format = self.format
                self._announced[line] = layout
        return layout

    def layout_of(self, line: bytes) -> Layout | None:
        """The layout of lines beneath that header."""
        names = line.removeprefix(b"#Fields:").decode("utf-8", "replace").split()
        if len(names) > _MOST_COLUMNS:
            return None
        tabbed = names[2:3] == ["x-edge-location"]
        return columns_layout(names, b"\t" if tabbed else b" ")


def columns_layout(columns: list[str], separator: bytes) -> Layout:
    """The layout of lines with these columns."""
    parts: list[bytes] = []
    derive: list[Any] = []
    taken: set[str] = set()
    if columns[:2] == ["date", "time"]:
        parts.append(rb"%{UTCDATE:time}")
        columns = columns[2:]
    known = {**_PARTS, **_DISTRIBUTED} if separator == b"\t" else _PARTS
    for column in columns:
        part, name, function = known.get(column, (_ANY, _own_name(column), None))
        free, number = name, 2
        while free and free in taken:
            free, function = f"{name}_{number}", None
            number += 1
        taken.add(free)
        if function is not None:
            derive.append((free, "_" + free, function))
            free = "_" + free
        if free == "url":
            derive += [("url_path", "url", _path), ("url_query", "url", _query)]
        parts.append(part.replace(b"NAME", free.encode()))
    pattern = separator.join(parts)
    if separator == b"\t":
        pattern = pattern.replace(b"SPACED", b"TABBED")
    return Layout(pattern, derive=tuple(derive))


def _own_name(column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return name if name[:1].isalpha() and name != "time" else f"column_{name}".rstrip("_")


_USUAL = (
    # IIS 7 and later
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    # the same with X-Forwarded-For as a custom field, behind a load balancer
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken X-Forwarded-For",
    # with cookies
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Cookie) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    # IIS 6
    "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
    "cs(User-Agent) sc-status sc-substatus sc-win32-status",
    # Azure App Service
    "date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
    "cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status "
    "sc-bytes cs-bytes time-taken",
    # everything
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port "
    "cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status "
    "sc-substatus sc-win32-status sc-bytes cs-bytes time-taken",
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port "
    "cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status "
    "sc-substatus sc-win32-status sc-bytes cs-bytes time-taken X-Forwarded-For",
    # HTTP.sys' errors, of Windows before and since HTTP/2
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason "
    "s-queuename",
    "date time c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid "
    "s-reason s-queuename",
)

FORMATS = {
    "iis": Format(
        "iis",
        (
            *(columns_layout(columns.split(), b" ") for columns in _USUAL),
            HeaderLayout(rb"#Fields:[ \t]+(?!date time x-edge-)[^\n]+", b"#Fields:"),
            Layout(
                rb"%{BEGIN:message}#(?:Software|Version|Date|Start-Date|End-Date|Remark): "
                rb"[^\n]*%{END}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56 10.0.0.5 GET /orders/42 full=1 443 - 192"
                    b".0.2.7 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64) https://sho"
                    b"p.example/ 200 0 0 41"
                ),
                {
                    "destination_address": "10.0.0.5",
                    "method": "GET",
                    "url_path": "/orders/42",
                    "url_query": "full=1",
                    "destination_port": 443,
                    "source_address": "192.0.2.7",
                    "referrer": "https://shop.example/",
                    "status": 200,
                    "time": (1795400216, ""),
                    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
                    "duration": 0.041,
                    "attributes": {
                        "substatus": 0,
                        "win32_status": 0,
                    },
                },
            ),
            (
                b"2026-11-23 02:16:57 192.0.2.7 51234 10.0.0.5 443 HTTP/1.1 GET /a?b=1 503 2 "
                b"ConnLimit shop",
                {
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "destination_address": "10.0.0.5",
                    "destination_port": 443,
                    "http_version": "1.1",
                    "method": "GET",
                    "url": "/a?b=1",
                    "url_path": "/a",
                    "url_query": "b=1",
                    "status": 503,
                    "time": (1795400217, ""),
                    "attributes": {
                        "s_siteid": "2",
                        "s_reason": "ConnLimit",
                        "s_queuename": "shop",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56 ::1 POST /login - 80 SHOP\\kim 2001:db8::"
                    b"7 curl/8.5.0 - 401 2 5 0"
                ),
                {
                    "destination_address": "::1",
                    "method": "POST",
                    "url_path": "/login",
                    "destination_port": 80,
                    "user": "SHOP\\kim",
                    "source_address": "2001:db8::7",
                    "status": 401,
                    "time": (1795400216, ""),
                    "user_agent": "curl/8.5.0",
                    "duration": 0.0,
                    "attributes": {
                        "substatus": 2,
                        "win32_status": 5,
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57 10.0.0.5 GET / - 443 - 10.0.0.9 ELB-Heal"
                    b"thChecker/2.0 - 200 0 0 3 192.0.2.7,+10.1.1.1"
                ),
                {
                    "destination_address": "10.0.0.5",
                    "method": "GET",
                    "url_path": "/",
                    "destination_port": 443,
                    "source_address": "10.0.0.9",
                    "status": 200,
                    "time": (1795400217, ""),
                    "user_agent": "ELB-HealthChecker/2.0",
                    "duration": 0.003,
                    "attributes": {
                        "substatus": 0,
                        "win32_status": 0,
                        "forwarded_for": "192.0.2.7,+10.1.1.1",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57 W3SVC1 10.0.0.5 GET /default.htm - 80 - "
                    b"192.0.2.7 Mozilla/4.0+(compatible;+MSIE+6.0) 404 0 2"
                ),
                {
                    "destination_address": "10.0.0.5",
                    "method": "GET",
                    "url_path": "/default.htm",
                    "destination_port": 80,
                    "source_address": "192.0.2.7",
                    "status": 404,
                    "time": (1795400217, ""),
                    "user_agent": "Mozilla/4.0 (compatible; MSIE 6.0)",
                    "attributes": {
                        "site": "W3SVC1",
                        "substatus": 0,
                        "win32_status": 2,
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57 W3SVC1 WEB-1 10.0.0.5 GET /a.aspx id=7 4"
                    b"43 - 192.0.2.7 HTTP/2.0 Mozilla/5.0 ASP.NET_SessionId=x - sh"
                    b"op.example 500 19 183 1477 310 15"
                ),
                {
                    "host": "WEB-1",
                    "destination_address": "10.0.0.5",
                    "method": "GET",
                    "url_path": "/a.aspx",
                    "url_query": "id=7",
                    "destination_port": 443,
                    "source_address": "192.0.2.7",
                    "http_version": "2.0",
                    "server_name": "shop.example",
                    "status": 500,
                    "response_bytes": 1477,
                    "request_bytes": 310,
                    "time": (1795400217, ""),
                    "user_agent": "Mozilla/5.0",
                    "duration": 0.015,
                    "attributes": {
                        "site": "W3SVC1",
                        "cookie": "ASP.NET_SessionId=x",
                        "substatus": 19,
                        "win32_status": 183,
                    },
                },
            ),
            (
                b"#Software: Microsoft Internet Information Services 10.0",
                {
                    "message": "#Software: Microsoft Internet Information Services 10.0",
                },
            ),
            (
                (b"#Fields: date time s-ip cs-method cs-uri-stem sc-status time-taken"),
                {
                    "message": (
                        "#Fields: date time s-ip cs-method cs-uri-stem sc-status time-taken"
                    ),
                },
            ),
        ),
    ),
}
