"""Dovecot, in syslog and in a file of its own.

Sources: dovecot's login-common and `login_log_format_elements`.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format, Layout

_LOGIN = (
    rb"%{BEGIN:event_action}Login|Disconnected|Aborted login|Connection closed|Logged out%{END}"
    rb"(?::? \([^\n]*?\))?: user=<%{BEGIN:user?}[^>\n]*%{END}>, "
    rb"(?:method=%{BEGIN:authentication?}[^,\n]*%{END}, )?"
    rb"rip=%{BEGIN:source_address}[^,\n]*%{END}, lip=%{BEGIN:destination_address}[^,\n]*%{END}"
    rb"(?:, mpid=%{INT:mail_pid?})?(?:, %{BEGIN:tls_version?}TLS[^,\n]*%{END})?"
    rb"(?:, session=<%{BEGIN:session_id?}[^>\n]*%{END}>)?"
)
_SERVICE = rb"%{BEGIN:service}[a-z][a-z0-9-]*%{END}"
_OF_USER = (
    rb"\(%{BEGIN:user?}[^)\n]*%{END}\)(?:<%{INT:mail_pid?}>)?"
    rb"(?:<%{BEGIN:session_id?}[^>\n]*%{END}>)?"
)
_LEVEL = rb"(?:%{BEGIN:level?}Debug|Info|Warning|Error|Fatal|Panic%{END}: )?"

DOVECOT = Program(
    "dovecot",
    rb"dovecot",
    (
        Message(_SERVICE + rb": " + _LEVEL + rb"%{BEGIN:message}" + _LOGIN + rb"%{END}"),
        Message(_SERVICE + _OF_USER + rb": " + _LEVEL + rb"%{REST:message}"),
        Message(_SERVICE + rb": " + _LEVEL + rb"%{REST:message}"),
    ),
)
_FILE = rb"%{SYSLOGDATE:time} "
_FILE_LEVEL = rb"%{BEGIN:level}Debug|Info|Warning|Error|Fatal|Panic%{END}: "

FORMATS = {
    "dovecot": Format(
        "dovecot",
        (
            *layouts_of(DOVECOT),
            Layout(
                _FILE + _SERVICE + rb": " + _FILE_LEVEL + rb"%{BEGIN:message}" + _LOGIN + rb"%{END}"
            ),
            Layout(_FILE + _SERVICE + _OF_USER + rb": " + _FILE_LEVEL + rb"%{REST:message}"),
            Layout(_FILE + _SERVICE + rb": " + _FILE_LEVEL + rb"%{REST:message}", general=True),
        ),
        samples=(
            (
                (
                    b"Nov 23 02:16:56 mx-1 dovecot: imap-login: Login: user=<kim@s"
                    b"hop.example>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.10, m"
                    b"pid=4201, TLS, session=<abcDEF123>"
                ),
                {
                    "host": "mx-1",
                    "process": "dovecot",
                    "message": (
                        "Login: user=<kim@shop.example>, method=PLAIN, rip=192.0."
                        "2.7, lip=192.0.2.10, mpid=4201, TLS, session=<abcDEF123>"
                    ),
                    "event_action": "Login",
                    "user": "kim@shop.example",
                    "source_address": "192.0.2.7",
                    "destination_address": "192.0.2.10",
                    "tls_version": "TLS",
                    "session_id": "abcDEF123",
                    "time": (1795400216, ""),
                    "attributes": {
                        "service": "imap-login",
                        "authentication": "PLAIN",
                        "mail_pid": 4201,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 mx-1 dovecot[812]: imap-login: Disconnected "
                    b"(auth failed, 1 attempts in 2 secs): user=<root>, method=PLA"
                    b"IN, rip=203.0.113.9, lip=192.0.2.10, session=<x>"
                ),
                {
                    "host": "mx-1",
                    "process": "dovecot",
                    "pid": 812,
                    "message": (
                        "Disconnected (auth failed, 1 attempts in 2 secs): user=<"
                        "root>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.10, se"
                        "ssion=<x>"
                    ),
                    "event_action": "Disconnected",
                    "user": "root",
                    "source_address": "203.0.113.9",
                    "destination_address": "192.0.2.10",
                    "session_id": "x",
                    "time": (1795400216, ""),
                    "attributes": {
                        "service": "imap-login",
                        "authentication": "PLAIN",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 mx-1 dovecot: imap(kim@shop.example)<4201><a"
                    b"bcDEF123>: Disconnected: Logged out in=120 out=4500"
                ),
                {
                    "host": "mx-1",
                    "process": "dovecot",
                    "user": "kim@shop.example",
                    "session_id": "abcDEF123",
                    "message": "Disconnected: Logged out in=120 out=4500",
                    "time": (1795400217, ""),
                    "attributes": {
                        "service": "imap",
                        "mail_pid": 4201,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 imap-login: Info: Login: user=<kim>, method="
                    b"PLAIN, rip=192.0.2.7, lip=192.0.2.10, mpid=4201, TLS, sessio"
                    b"n=<abc>"
                ),
                {
                    "level": "info",
                    "message": (
                        "Login: user=<kim>, method=PLAIN, rip=192.0.2.7, lip=192."
                        "0.2.10, mpid=4201, TLS, session=<abc>"
                    ),
                    "event_action": "Login",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "destination_address": "192.0.2.10",
                    "tls_version": "TLS",
                    "session_id": "abc",
                    "time": (1795400217, ""),
                    "attributes": {
                        "service": "imap-login",
                        "authentication": "PLAIN",
                        "mail_pid": 4201,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 lmtp(kim)<4203><Qx/1>: Info: msgid=<1@shop.e"
                    b"xample>: saved mail to INBOX"
                ),
                {
                    "user": "kim",
                    "session_id": "Qx/1",
                    "level": "info",
                    "message": "msgid=<1@shop.example>: saved mail to INBOX",
                    "time": (1795400217, ""),
                    "attributes": {
                        "service": "lmtp",
                        "mail_pid": 4203,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 master: Warning: Killed with signal 15 (by p"
                    b"id=1 uid=0 code=kill)"
                ),
                {
                    "level": "warn",
                    "message": "Killed with signal 15 (by pid=1 uid=0 code=kill)",
                    "time": (1795400218, ""),
                    "attributes": {
                        "service": "master",
                    },
                },
            ),
        ),
    ),
}
