"""Postfix' programs, in syslog.

Sources: postfix' smtpd.c, qmgr_active.c, log_adhoc.c, bounce and cleanup.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

_OUTCOMES = {
    "sent": "success",
    "delivered": "success",
    "deferred": "failure",
    "bounced": "failure",
    "expired": "failure",
    "undeliverable": "failure",
}


def _failure(_text: str) -> str:
    return "failure"


_QUEUE = rb"%{BEGIN:queue_id}[0-9A-Za-z]{6,20}%{END}: "
_PEER = rb"%{BEGIN:client_name?}[^\[\s]+%{END}\[%{BEGIN:source_address?}[^\]\n]*%{END}\]"

_REJECTED = (
    *(b"NOQUEUE:", b"reject:", b"warn:", b"hold:", b"discard:", b"filter:", b"redirect:"),
    b"milter-reject:",
)
POSTFIX = Program(
    "postfix",
    rb"postfix[\w.-]*(?:/[\w.-]+)+",
    (
        # smtp, lmtp, local, virtual, pipe, error
        Message(
            _QUEUE + rb"to=<%{BEGIN:recipient?}[^>\n]*%{END}>, "
            rb"(?:orig_to=<%{BEGIN:original_recipient?}[^>\n]*%{END}>, )?"
            rb"relay=%{BEGIN:upstream_name?}[^,\[\s]++%{END}"
            rb"(?:\[%{BEGIN:destination_address?}[^\]\n]*+%{END}\](?::%{INT:destination_port?})?)?"
            rb", (?:conn_use=%{INT:connection_uses?}, )?delay=%{NUMBER:duration}, "
            rb"delays=%{BEGIN:delays}[^,\n]*%{END}, (?:dsn=%{BEGIN:dsn?}[^,\n]*%{END}, )?"
            rb"status=%{WORD:event_action}(?: \(%{BEGIN:reply?}[^\n]*%{END}\))?",
            (b"to",),
            (("event_outcome", "event_action", _OUTCOMES.get),),
        ),
        # qmgr
        Message(
            _QUEUE + rb"from=<%{BEGIN:sender?}[^>\n]*%{END}>, "
            rb"(?:size=%{INT:size?}, nrcpt=%{INT:recipients?} \([^)\n]*\)"
            rb"|status=%{WORD:event_action?}, [^\n]*)",
            (b"from",),
        ),
        # smtpd
        Message(
            _QUEUE
            + rb"client="
            + _PEER
            + rb"(?:, sasl_method=%{BEGIN:authentication?}[^,\n]*%{END})?"
            rb"(?:, sasl_username=%{BEGIN:user?}[^,\n]*%{END})?(?:, [^\n]*)?",
            (b"client",),
        ),
        Message(
            _QUEUE + rb"(?:resent-)?message-id=%{BEGIN:mail_id?}[^\n]*%{END}",
            (b"message-id", b"resent-message-id"),
        ),
        Message(_QUEUE + rb"%{BEGIN:event_action}removed%{END}", (b"removed",)),
        Message(
            _QUEUE + rb"uid=%{INT:user_id} from=<%{BEGIN:sender?}[^>\n]*%{END}>[^\n]*", (b"uid",)
        ),
        Message(
            rb"%{BEGIN:event_action}(?:dis)?connect from|lost connection after [A-Z-]+ from"
            rb"|timeout after [A-Z-]+ from%{END} " + _PEER + rb"[^\n]*",
            (b"connect", b"disconnect", b"lost", b"timeout"),
        ),
        Message(
            rb"%{BEGIN:queue_id}NOQUEUE|[0-9A-Za-z]{6,20}%{END}: "
            rb"%{BEGIN:event_action}(?:milter-)?(?:reject|warn|hold|discard|filter|redirect)"
            rb"%{END}: "
            rb"%{BEGIN:smtp_command}[A-Z-]+%{END} from " + _PEER + rb": "
            rb"(?:%{INT:reply_code?} )?(?:%{BEGIN:dsn?}\d\.\d{1,3}\.\d{1,3}%{END} )?"
            rb"(?:%{BEGIN:reply?}[^;\n]*%{END}; from=<%{BEGIN:sender?}[^>\n]*%{END}>"
            rb"(?: to=<%{BEGIN:recipient?}[^>\n]*%{END}>)?)?[^\n]*",
            _REJECTED,
            (("event_outcome", "event_action", _failure),),
        ),
        Message(
            rb"%{BEGIN:level}warning|error|fatal|panic%{END}: [^\n]*",
            (b"warning:", b"error:", b"fatal:", b"panic:"),
        ),
    ),
)
FORMATS = {
    "postfix": Format(
        "postfix",
        layouts_of(POSTFIX),
        samples=(
            (
                (
                    b"Nov 23 02:16:56 mx-1 postfix/smtpd[4101]: connect from mail."
                    b"example.com[192.0.2.25]"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/smtpd",
                    "pid": 4101,
                    "message": "connect from mail.example.com[192.0.2.25]",
                    "event_action": "connect from",
                    "source_address": "192.0.2.25",
                    "time": (1795400216, ""),
                    "attributes": {
                        "client_name": "mail.example.com",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 mx-1 postfix/smtpd[4101]: 4RbSJ12Xz5z1Y: cli"
                    b"ent=mail.example.com[192.0.2.25], sasl_method=PLAIN, sasl_us"
                    b"ername=kim@shop.example"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/smtpd",
                    "pid": 4101,
                    "message": (
                        "4RbSJ12Xz5z1Y: client=mail.example.com[192.0.2.25], sasl"
                        "_method=PLAIN, sasl_username=kim@shop.example"
                    ),
                    "source_address": "192.0.2.25",
                    "user": "kim@shop.example",
                    "time": (1795400216, ""),
                    "attributes": {
                        "queue_id": "4RbSJ12Xz5z1Y",
                        "client_name": "mail.example.com",
                        "authentication": "PLAIN",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 mx-1 postfix/cleanup[4102]: 4RbSJ12Xz5z1Y: m"
                    b"essage-id=<20261123021656.1234@mail.example.com>"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/cleanup",
                    "pid": 4102,
                    "message": ("4RbSJ12Xz5z1Y: message-id=<20261123021656.1234@mail.example.com>"),
                    "time": (1795400216, ""),
                    "attributes": {
                        "queue_id": "4RbSJ12Xz5z1Y",
                        "mail_id": "<20261123021656.1234@mail.example.com>",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 mx-1 postfix/qmgr[901]: 3F2A51C0042: from=<k"
                    b"im@shop.example>, size=2345, nrcpt=1 (queue active)"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/qmgr",
                    "pid": 901,
                    "message": (
                        "3F2A51C0042: from=<kim@shop.example>, size=2345, nrcpt=1 (queue active)"
                    ),
                    "time": (1795400216, ""),
                    "attributes": {
                        "queue_id": "3F2A51C0042",
                        "sender": "kim@shop.example",
                        "size": 2345,
                        "recipients": 1,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 mx-1 postfix/smtp[4103]: 3F2A51C0042: to=<le"
                    b"e@example.org>, relay=mx.example.org[198.51.100.25]:25, dela"
                    b"y=1.2, delays=0.05/0.01/0.52/0.6, dsn=2.0.0, status=sent (25"
                    b"0 2.0.0 OK queued as 12345)"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/smtp",
                    "pid": 4103,
                    "message": (
                        "3F2A51C0042: to=<lee@example.org>, relay=mx.example.org["
                        "198.51.100.25]:25, delay=1.2, delays=0.05/0.01/0.52/0.6,"
                        " dsn=2.0.0, status=sent (250 2.0.0 OK queued as 12345)"
                    ),
                    "upstream_name": "mx.example.org",
                    "destination_address": "198.51.100.25",
                    "destination_port": 25,
                    "duration": 1.2,
                    "event_action": "sent",
                    "time": (1795400217, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "queue_id": "3F2A51C0042",
                        "recipient": "lee@example.org",
                        "delays": "0.05/0.01/0.52/0.6",
                        "dsn": "2.0.0",
                        "reply": "250 2.0.0 OK queued as 12345",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 mx-1 postfix/local[4104]: 3F2A51C0043: to=<r"
                    b"oot@mx-1>, orig_to=<root>, relay=local, delay=0.03, delays=0"
                    b'.01/0.01/0/0.01, dsn=5.1.1, status=bounced (unknown user: "r'
                    b'oot")'
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/local",
                    "pid": 4104,
                    "message": (
                        "3F2A51C0043: to=<root@mx-1>, orig_to=<root>, relay=local"
                        ", delay=0.03, delays=0.01/0.01/0/0.01, dsn=5.1.1, status"
                        '=bounced (unknown user: "root")'
                    ),
                    "upstream_name": "local",
                    "duration": 0.03,
                    "event_action": "bounced",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                    "attributes": {
                        "queue_id": "3F2A51C0043",
                        "recipient": "root@mx-1",
                        "original_recipient": "root",
                        "delays": "0.01/0.01/0/0.01",
                        "dsn": "5.1.1",
                        "reply": 'unknown user: "root"',
                    },
                },
            ),
            (
                b"Nov 23 02:16:57 mx-1 postfix/qmgr[901]: 3F2A51C0042: removed",
                {
                    "host": "mx-1",
                    "process": "postfix/qmgr",
                    "pid": 901,
                    "message": "3F2A51C0042: removed",
                    "event_action": "removed",
                    "time": (1795400217, ""),
                    "attributes": {
                        "queue_id": "3F2A51C0042",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 mx-1 postfix/submission/smtpd[4105]: NOQUEUE"
                    b": reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@examp"
                    b"le.net>: Relay access denied; from=<b@example.net> to=<a@exa"
                    b"mple.net> proto=ESMTP helo=<x>"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/submission/smtpd",
                    "pid": 4105,
                    "message": (
                        "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7"
                        ".1 <a@example.net>: Relay access denied; from=<b@example"
                        ".net> to=<a@example.net> proto=ESMTP helo=<x>"
                    ),
                    "event_action": "reject",
                    "source_address": "203.0.113.9",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                    "attributes": {
                        "queue_id": "NOQUEUE",
                        "smtp_command": "RCPT",
                        "client_name": "unknown",
                        "reply_code": 554,
                        "dsn": "5.7.1",
                        "reply": "<a@example.net>: Relay access denied",
                        "sender": "b@example.net",
                        "recipient": "a@example.net",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:58.000001+00:00 mx-1 postfix/smtpd[4101]: d"
                    b"isconnect from mail.example.com[192.0.2.25] ehlo=1 mail=1 rc"
                    b"pt=1 data=1 quit=1 commands=5"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/smtpd",
                    "pid": 4101,
                    "message": (
                        "disconnect from mail.example.com[192.0.2.25] ehlo=1 mail"
                        "=1 rcpt=1 data=1 quit=1 commands=5"
                    ),
                    "event_action": "disconnect from",
                    "source_address": "192.0.2.25",
                    "time": (1795400218, "000001"),
                    "attributes": {
                        "client_name": "mail.example.com",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 mx-1 postfix/smtpd[4101]: warning: hostname "
                    b"bad.example does not resolve to address 203.0.113.9"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/smtpd",
                    "pid": 4101,
                    "message": (
                        "warning: hostname bad.example does not resolve to address 203.0.113.9"
                    ),
                    "level": "warn",
                    "time": (1795400218, ""),
                },
            ),
            (
                (b"Nov 23 02:16:59 mx-1 postfix/pickup[900]: 5A1B21C0044: uid=0 from=<root>"),
                {
                    "host": "mx-1",
                    "process": "postfix/pickup",
                    "pid": 900,
                    "message": "5A1B21C0044: uid=0 from=<root>",
                    "user_id": "0",
                    "time": (1795400219, ""),
                    "attributes": {
                        "queue_id": "5A1B21C0044",
                        "sender": "root",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:59 mx-1 postfix/anvil[4106]: statistics: max co"
                    b"nnection rate 1/60s for (smtpd:192.0.2.25) at Nov 23 02:16:5"
                    b"6"
                ),
                {
                    "host": "mx-1",
                    "process": "postfix/anvil",
                    "pid": 4106,
                    "message": (
                        "statistics: max connection rate 1/60s for (smtpd:192.0.2"
                        ".25) at Nov 23 02:16:56"
                    ),
                    "time": (1795400219, ""),
                },
            ),
        ),
    ),
}
