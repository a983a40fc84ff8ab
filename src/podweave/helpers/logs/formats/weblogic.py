"""Oracle WebLogic's server log.

Source: Oracle's documentation, "Configuring Log Files and Filtering Log Messages". The time is
that in milliseconds behind the diagnostic context: the date's form depends on the locale.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.timestamp_texts import epoch
from podweave.helpers.logs.timestamps import Stamp

_MILLISECONDS = Stamp(rb"([1-9]\d{9})(\d{3})", "seconds fraction", epoch)
_TEXT = rb"[^>\n]*"

FORMATS = {
    "weblogic": Format(
        "weblogic",
        (
            Layout(
                rb"####<" + _TEXT + rb"> <%{BEGIN:level}[A-Za-z]+%{END}> "
                rb"<%{BEGIN:logger}" + _TEXT + rb"%{END}> <%{BEGIN:host?}" + _TEXT + rb"%{END}> "
                rb"<%{BEGIN:server?}" + _TEXT + rb"%{END}> <%{BEGIN:thread?}" + _TEXT + rb"%{END}> "
                rb"<(?>(?:<%{BEGIN:user?}" + _TEXT + rb"%{END}>|" + _TEXT + rb"))> "
                rb"<%{BEGIN:transaction_id?}" + _TEXT + rb"%{END}> "
                rb"<%{BEGIN:diagnostic_context?}" + _TEXT + rb"%{END}> <%{STAMP:time}> "
                # Since 12.2.1
                rb"(?>(?:<(?:\[[^\]\n]*\] ?)+> )?)"
                rb"<%{BEGIN:event_code}[A-Z]+-\d+%{END}> <%{BEGIN:message}[^\n]*?%{END}>? *",
                stamp=_MILLISECONDS,
            ),
        ),
        samples=(
            (
                b"####<Nov 23, 2026 2:16:56,789 AM UTC> <Notice> <Server> <web-1> <shop-1> "
                b"<[ACTIVE] ExecuteThread: '0' for queue: 'weblogic.kernel.Default'> "
                b"<<WLS Kernel>> <> <f3a7-0007> <1795400216789> <[severity-value: 32] "
                b'[partition-name: DOMAIN] > <BEA-002613> <Channel "Default" is now listening.> ',
                {
                    "time": (1795400216, "789"),
                    "level": "notice",
                    "logger": "Server",
                    "host": "web-1",
                    "thread": "[ACTIVE] ExecuteThread: '0' for queue: 'weblogic.kernel.Default'",
                    "user": "WLS Kernel",
                    "event_code": "BEA-002613",
                    "message": 'Channel "Default" is now listening.',
                    "attributes": {"server": "shop-1", "diagnostic_context": "f3a7-0007"},
                },
            ),
            (
                b"####<Nov 23, 2026 2:16:57 AM UTC> <Warning> <JDBC> <web-1> <shop-1> <Thread-8> "
                b"<> <BEA1-0007> <> <1795400217000> <BEA-001129> <Received exception while "
                b"creating connection>",
                {
                    "time": (1795400217, "000"),
                    "level": "warn",
                    "logger": "JDBC",
                    "host": "web-1",
                    "thread": "Thread-8",
                    "transaction_id": "BEA1-0007",
                    "event_code": "BEA-001129",
                    "message": "Received exception while creating connection",
                    "attributes": {"server": "shop-1"},
                },
            ),
        ),
    ),
}
