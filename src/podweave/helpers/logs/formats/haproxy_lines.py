"""The lines that HAProxy writes: `option httplog`, `httpslog`, `tcplog`, the default, errors.

Source: HAProxy's configuration manual, section 8.2. As lines of their own, which is what
`log stdout format raw` writes, and in syslog's envelope. The time is that of the request's
beginning, not of the envelope, which has no more than seconds.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.nginx import REQUEST
from podweave.helpers.logs.formats.units import milliseconds


def level_of_state(state: str) -> str | None:
    """The level of a server's change of state."""
    return {"DOWN": "error", "UP": "notice"}.get(state)


_CLIENT = rb"(?:unix|-|%{ADDRESS:source_address?}):%{INT:source_port} "
_START = (
    _CLIENT + rb"\[%{HTTPLOCAL:time}\] %{BEGIN:frontend}[^ ~\n]++%{END}~? "
    rb"%{BEGIN:upstream_name}[^ /\n]++%{END}/%{SPACED:server} "
)
_CONNECTIONS = (
    rb" %{INT:active_connections}/%{INT:frontend_connections}/%{INT:backend_connections}/"
    rb"%{INT:server_connections}/\+?%{INT:retries} "
    rb"%{INT:server_queue}/%{INT:backend_queue}"
)
_HTTP = (
    _START + rb"%{INT:_request}/%{INT:_queue}/%{INT:_connect}/%{INT:_answer}/\+?%{INT:_total} "
    rb"(?:-1|%{INT:status?}) \+?%{INT:response_bytes} %{SPACED:request_cookie?} "
    rb"%{SPACED:response_cookie?} %{BEGIN:termination}[A-Za-z-]{4}%{END}"
    + _CONNECTIONS
    + rb"(?: \{%{BEGIN:request_headers?}[^}\n]*%{END}\})?"
    rb"(?: \{%{BEGIN:response_headers?}[^}\n]*%{END}\})? "
)
# fc_err/ssl_fc_err/ssl_c_err/ssl_c_ca_err/ssl_fc_is_resumed sni/version/cipher
_TLS = (
    rb" %{BEGIN:tls_errors}[\d-]+/[\da-fA-F-]+/[\d-]+/[\d-]+/[01]%{END} "
    rb"%{BEGIN:tls_server_name?}[^/\n]*%{END}/"
    rb"%{BEGIN:tls_version?}[^/\n]*%{END}/%{SPACED:tls_cipher?}"
)
_TIMERS = (
    ("queue_duration", "_queue", milliseconds),
    ("upstream_connect_duration", "_connect", milliseconds),
    ("upstream_duration", "_answer", milliseconds),
    ("duration", "_total", milliseconds),
)
_TCP = (
    _START + rb"%{INT:_queue}/%{INT:_connect}/\+?%{INT:_total} "
    rb"\+?%{INT:response_bytes} %{BEGIN:termination}[A-Za-z-]{2}%{END}" + _CONNECTIONS
)
_REQUEST = REQUEST[:-1]

LINES = (
    (_HTTP + _REQUEST, _TIMERS, False),
    (_HTTP + _REQUEST + _TLS, _TIMERS, False),
    # <BADREQ>, and requests that were cut off with their closing quote
    (_HTTP + rb'"%{BEGIN:message}[^"\n]*%{END}"?', _TIMERS, True),
    (_TCP, _TIMERS[:2] + _TIMERS[3:], False),
    # Without an `option`
    (
        rb"%{BEGIN:message}Connect from %{ADDRESS:source_address}:%{INT:source_port} to "
        rb"%{ADDRESS:destination_address}:%{INT:destination_port} "
        rb"\(%{BEGIN:frontend}[^/\n]+%{END}/%{BEGIN:mode}[A-Z]+%{END}\)%{END}",
        (),
        False,
    ),
    (
        _CLIENT + rb"\[%{HTTPLOCAL:time}\] %{BEGIN:frontend}[^ /\n]++%{END}/"
        rb"%{BEGIN:listener}[^ :\n]++%{END}: %{REST:message}",
        (),
        False,
    ),
)
"""The patterns, what each derives, and whether it is a general one."""

# Server orders/orders-2 is DOWN, reason: Layer4 timeout, check duration: 2001ms. ...
STATE = (
    rb"(?:Backup )?Server %{BEGIN:upstream_name}[^ /\n]+%{END}/%{BEGIN:server}[^ \n]+%{END} is "
    rb"%{BEGIN:event_action}[A-Za-z/]+%{END}(?:, reason: %{BEGIN:reason?}[^,\n]+%{END})?[^\n]*"
)
# What it says on standard error: [WARNING]  (31) : ..., up to 2.4 with the day and time of day
STARTED = rb"\[%{BEGIN:level}NOTICE|WARNING|ALERT|INFO%{END}\] +(?:\d{3}/\d{6} )?\(%{INT:pid}\) : "

_MESSAGES = (
    *(Message(line, (), derive) for line, derive, _ in LINES),
    Message(
        STATE,
        (b"Server", b"Backup"),
        (("level", "event_action", level_of_state),),
    ),
)
HAPROXY = Program("haproxy", rb"haproxy", _MESSAGES)
