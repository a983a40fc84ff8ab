"""OpenSSH's server, in syslog.

Sources: OpenSSH (auth.c, packet.c).
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.pam import OUTCOMES, PAM, failure
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

_PEER = rb"%{NOTSPACE:source_address} port %{INT:source_port}"
_SAYS_LEVEL = Message(
    rb"%{BEGIN:level}error|fatal|warning|debug[123]%{END}: [^\n]*",
    (b"error:", b"fatal:", b"warning:", b"debug1:", b"debug2:", b"debug3:"),
)

SSHD = Program(
    "sshd",
    rb"sshd(?:-session|-auth)?",
    (
        Message(
            rb"%{BEGIN:event_action}Accepted|Failed|Postponed%{END} "
            rb"%{BEGIN:authentication}[\w\-/]+%{END} for (?:invalid user )?"
            rb"%{BEGIN:user?}[^\n]*?%{END} from " + _PEER + rb"(?: ssh2)?"
            rb"(?:: %{BEGIN:key?}[^\n]*%{END})?(?: \[preauth\])?",
            (b"Accepted", b"Failed", b"Postponed"),
            (("event_outcome", "event_action", OUTCOMES.get),),
        ),
        Message(
            rb"%{BEGIN:event_action}Invalid user%{END} %{BEGIN:user?}[^\n]*?%{END} from "
            rb"%{NOTSPACE:source_address}(?: port %{INT:source_port?})?",
            (b"Invalid",),
            (("event_outcome", "event_action", failure),),
        ),
        Message(
            rb"%{BEGIN:event_action}Connection closed|Connection reset|Disconnected"
            rb"|Received disconnect|Disconnecting%{END} (?:by |from )?"
            rb"(?:(?:authenticating |invalid )?user %{BEGIN:user?}[^ \n]*%{END} )?"
            rb"%{BEGIN:source_address}[^ \n]+%{END} port %{INT:source_port}"
            rb"(?::(?:\d+: )?%{BEGIN:reason?}[^\n]*?%{END})?(?: \[preauth\])?",
            (b"Connection", b"Disconnected", b"Received", b"Disconnecting"),
        ),
        Message(
            rb"%{BEGIN:event_action}Connection%{END} from " + _PEER + rb" on "
            rb"%{NOTSPACE:destination_address} port %{INT:destination_port}[^\n]*",
            (b"Connection",),
        ),
        Message(
            rb"%{BEGIN:event_action}Server listening%{END} on %{NOTSPACE:destination_address} "
            rb"port %{INT:destination_port}\.",
            (b"Server",),
        ),
        Message(
            rb"Did not receive identification string from %{NOTSPACE:source_address}"
            rb"(?: port %{INT:source_port?})?",
            (b"Did",),
        ),
        _SAYS_LEVEL,
        *PAM,
    ),
)
FORMATS = {
    "sshd": Format(
        "sshd",
        layouts_of(SSHD),
        samples=(
            (
                (
                    b"Nov 23 02:16:56 web-1 sshd[3101]: Accepted publickey for kim"
                    b" from 192.0.2.7 port 51234 ssh2: ED25519 SHA256:J3VvC0bP"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3101,
                    "message": (
                        "Accepted publickey for kim from 192.0.2.7 port 51234 ssh"
                        "2: ED25519 SHA256:J3VvC0bP"
                    ),
                    "event_action": "Accepted",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "time": (1795400216, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "authentication": "publickey",
                        "key": "ED25519 SHA256:J3VvC0bP",
                    },
                },
            ),
            (
                b"Nov 23 02:16:58 web-1 sshd[3106]: Did not receive identification string from "
                b"192.0.2.9",
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3106,
                    "message": "Did not receive identification string from 192.0.2.9",
                    "source_address": "192.0.2.9",
                    "time": (1795400218, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 web-1 sshd[3102]: Failed password for invali"
                    b"d user admin from 2001:db8::9 port 40022 ssh2"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3102,
                    "message": (
                        "Failed password for invalid user admin from 2001:db8::9 port 40022 ssh2"
                    ),
                    "event_action": "Failed",
                    "user": "admin",
                    "source_address": "2001:db8::9",
                    "source_port": 40022,
                    "time": (1795400216, ""),
                    "event_outcome": "failure",
                    "attributes": {
                        "authentication": "password",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T11:16:56.123456+09:00 web-1 sshd-session[3103]: F"
                    b"ailed password for root from 192.0.2.9 port 40023 ssh2"
                ),
                {
                    "host": "web-1",
                    "process": "sshd-session",
                    "pid": 3103,
                    "message": "Failed password for root from 192.0.2.9 port 40023 ssh2",
                    "event_action": "Failed",
                    "user": "root",
                    "source_address": "192.0.2.9",
                    "source_port": 40023,
                    "time": (1795400216, "123456"),
                    "event_outcome": "failure",
                    "attributes": {
                        "authentication": "password",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3102]: Invalid user oracle from 1"
                    b"92.0.2.9 port 40022"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3102,
                    "message": "Invalid user oracle from 192.0.2.9 port 40022",
                    "event_action": "Invalid user",
                    "user": "oracle",
                    "source_address": "192.0.2.9",
                    "source_port": 40022,
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3102]: Connection closed by authe"
                    b"nticating user root 192.0.2.9 port 40022 [preauth]"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3102,
                    "message": (
                        "Connection closed by authenticating user root 192.0.2.9 "
                        "port 40022 [preauth]"
                    ),
                    "event_action": "Connection closed",
                    "user": "root",
                    "source_address": "192.0.2.9",
                    "source_port": 40022,
                    "time": (1795400217, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3102]: Received disconnect from 1"
                    b"92.0.2.9 port 40022:11: Bye Bye [preauth]"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3102,
                    "message": (
                        "Received disconnect from 192.0.2.9 port 40022:11: Bye Bye [preauth]"
                    ),
                    "event_action": "Received disconnect",
                    "source_address": "192.0.2.9",
                    "source_port": 40022,
                    "time": (1795400217, ""),
                    "attributes": {
                        "reason": "Bye Bye",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3101]: Disconnected from user kim"
                    b" 192.0.2.7 port 51234"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3101,
                    "message": "Disconnected from user kim 192.0.2.7 port 51234",
                    "event_action": "Disconnected",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "time": (1795400217, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3101]: pam_unix(sshd:session): se"
                    b"ssion opened for user kim(uid=1000) by (uid=0)"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3101,
                    "message": (
                        "pam_unix(sshd:session): session opened for user kim(uid=1000) by (uid=0)"
                    ),
                    "event_action": "session opened",
                    "user": "kim",
                    "user_id": "1000",
                    "time": (1795400217, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "pam_service": "sshd",
                        "pam_type": "session",
                        "opened_by_id": 0,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sshd[3104]: pam_unix(sshd:auth): authe"
                    b"ntication failure; logname= uid=0 euid=0 tty=ssh ruser= rhos"
                    b"t=192.0.2.9  user=root"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3104,
                    "message": (
                        "pam_unix(sshd:auth): authentication failure; logname= ui"
                        "d=0 euid=0 tty=ssh ruser= rhost=192.0.2.9  user=root"
                    ),
                    "event_action": "authentication failure",
                    "user_id": "0",
                    "terminal": "ssh",
                    "source_address": "192.0.2.9",
                    "user": "root",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                    "attributes": {
                        "pam_service": "sshd",
                        "pam_type": "auth",
                    },
                },
            ),
            (
                (b"<38>Nov 23 02:16:58 web-1 sshd[1]: Server listening on 0.0.0.0 port 22."),
                {
                    "priority": 38,
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 1,
                    "message": "Server listening on 0.0.0.0 port 22.",
                    "event_action": "Server listening",
                    "destination_address": "0.0.0.0",
                    "destination_port": 22,
                    "time": (1795400218, ""),
                    "facility": 4,
                    "severity": 6,
                    "level": "info",
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 web-1 sshd[3105]: error: kex_exchange_identi"
                    b"fication: Connection closed by remote host"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3105,
                    "message": (
                        "error: kex_exchange_identification: Connection closed by remote host"
                    ),
                    "level": "error",
                    "time": (1795400218, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 web-1 sshd[3106]: Unable to negotiate with 1"
                    b"92.0.2.9 port 4022: no matching host key type found"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3106,
                    "message": (
                        "Unable to negotiate with 192.0.2.9 port 4022: no matchin"
                        "g host key type found"
                    ),
                    "time": (1795400218, ""),
                },
            ),
        ),
    ),
}
