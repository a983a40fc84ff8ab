"""Syslog: RFC 5424, and RFC 3164 as it is found in files (with and without a priority).

Lines of programs whose messages are known are read further (envelope.py), and are of those
programs' formats.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Envelope
from podweave.helpers.logs.formats.auth import CRON, SUDO
from podweave.helpers.logs.formats.dns import DNSMASQ, NAMED
from podweave.helpers.logs.formats.dovecot import DOVECOT
from podweave.helpers.logs.formats.haproxy_lines import HAPROXY
from podweave.helpers.logs.formats.kernel import FIREWALL, KERNEL
from podweave.helpers.logs.formats.pam import ACCOUNTS
from podweave.helpers.logs.formats.postfix import POSTFIX
from podweave.helpers.logs.formats.sshd import SSHD
from podweave.helpers.logs.formats.syslog_heads import (
    BUSYBOX,
    FILE,
    ISO_FILE,
    OWN_FILE,
    PACKET,
    PRIORITY_DERIVED,
    RFC5424,
    RFC5424_FIELDS,
)
from podweave.helpers.logs.formats.systemd import SYSTEMD
from podweave.helpers.logs.layouts import Format, Layout

PROGRAMS = (
    *(SSHD, SUDO, CRON, ACCOUNTS, FIREWALL, KERNEL, SYSTEMD),
    *(POSTFIX, DOVECOT, NAMED, DNSMASQ, HAPROXY),
)

FORMATS = {
    "syslog-rfc5424": Format(
        "syslog-rfc5424",
        (
            Envelope(RFC5424, PROGRAMS, derive=PRIORITY_DERIVED),
            # No message, or no time
            Layout(
                rb"<%{PRIORITY:priority}>1 %{ISO8601:time}" + RFC5424_FIELDS,
                derive=PRIORITY_DERIVED,
            ),
            Layout(
                rb"<%{PRIORITY:priority}>1 -"
                + RFC5424_FIELDS
                + rb"(?: (?>(?:\xef\xbb\xbf)?)%{BEGIN:message?}[^\n]*%{END})?",
                derive=PRIORITY_DERIVED,
            ),
        ),
        samples=(
            (
                (
                    b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntsl"
                    b'og 42 ID47 [exampleSDID@32473 iut="3" eventSource="App]"] \xef\xbb'
                    b"\xbfAn application event"
                ),
                {
                    "priority": 165,
                    "host": "mymachine.example.com",
                    "process": "evntslog",
                    "pid": 42,
                    "message_id": "ID47",
                    "message": "An application event",
                    "time": (1065910455, "003"),
                    "facility": 20,
                    "severity": 5,
                    "level": "notice",
                    "attributes": {
                        "structured_data": '[exampleSDID@32473 iut="3" eventSource="App]"]',
                    },
                },
            ),
            (
                (b"<34>1 2003-10-11T22:14:15.003Z mymachine su - - - 'su root' failed"),
                {
                    "priority": 34,
                    "host": "mymachine",
                    "process": "su",
                    "message": "'su root' failed",
                    "time": (1065910455, "003"),
                    "facility": 4,
                    "severity": 2,
                    "level": "fatal",
                    "format": "pam",
                },
            ),
            (
                (
                    b"<38>1 2026-11-23T02:16:56.789Z web-1 sshd 3101 - - Accepted "
                    b"password for kim from 192.0.2.7 port 51234 ssh2"
                ),
                {
                    "priority": 38,
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3101,
                    "message": "Accepted password for kim from 192.0.2.7 port 51234 ssh2",
                    "event_action": "Accepted",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "time": (1795400216, "789"),
                    "facility": 4,
                    "severity": 6,
                    "level": "info",
                    "event_outcome": "success",
                    "attributes": {
                        "authentication": "password",
                    },
                    "format": "sshd",
                },
            ),
            (
                b"<13>1 - web-1 app - - -",
                {
                    "priority": 13,
                    "host": "web-1",
                    "process": "app",
                    "facility": 1,
                    "severity": 5,
                    "level": "notice",
                },
            ),
            (
                (b'<13>1 2026-11-23T02:16:56.789Z web-1 app - - [x@1 a="b \\] \\"c"]'),
                {
                    "priority": 13,
                    "host": "web-1",
                    "process": "app",
                    "time": (1795400216, "789"),
                    "facility": 1,
                    "severity": 5,
                    "level": "notice",
                    "attributes": {
                        "structured_data": '[x@1 a="b \\] \\"c"]',
                    },
                },
            ),
        ),
    ),
    "syslog-rfc3164": Format(
        "syslog-rfc3164",
        (
            Envelope(PACKET, PROGRAMS, derive=PRIORITY_DERIVED),
            Envelope(FILE, PROGRAMS),
            Envelope(ISO_FILE, PROGRAMS),
            Envelope(BUSYBOX, PROGRAMS),
            Envelope(OWN_FILE, PROGRAMS),
            Layout(rb"%{SYSLOGDATE:time} %{SYSLOGHOST:host} %{REST:message}", general=True),
        ),
        samples=(
            (
                b"<34>Nov 23 02:16:56 web-1 su[31]: 'su root' failed for kim",
                {
                    "priority": 34,
                    "host": "web-1",
                    "process": "su",
                    "pid": 31,
                    "message": "'su root' failed for kim",
                    "time": (1795400216, ""),
                    "facility": 4,
                    "severity": 2,
                    "level": "fatal",
                    "format": "pam",
                },
            ),
            (
                b"Nov  3 02:16:56 web-1 CRON[31]: (root) CMD (true)",
                {
                    "host": "web-1",
                    "process": "CRON",
                    "pid": 31,
                    "message": "(root) CMD (true)",
                    "user": "root",
                    "event_action": "CMD",
                    "command_line": "true",
                    "time": (1793672216, ""),
                    "format": "cron",
                },
            ),
            (
                (b"2026-11-23T11:16:56.123456+09:00 web-1 systemd[1]: Started shop."),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Started shop.",
                    "event_action": "Started",
                    "time": (1795400216, "123456"),
                    "format": "systemd",
                },
            ),
            (
                b"Nov 23 02:16:56 web-1 last message repeated 2 times",
                {
                    "host": "web-1",
                    "message": "last message repeated 2 times",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 web-1 sshd[3101]: Accepted password for kim "
                    b"from 192.0.2.7 port 51234 ssh2"
                ),
                {
                    "host": "web-1",
                    "process": "sshd",
                    "pid": 3101,
                    "message": "Accepted password for kim from 192.0.2.7 port 51234 ssh2",
                    "event_action": "Accepted",
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "time": (1795400216, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "authentication": "password",
                    },
                    "format": "sshd",
                },
            ),
            (
                (b"Nov 23 02:16:56 web-1 auth.info sshd[3101]: Server listening on :: port 22."),
                {
                    "host": "web-1",
                    "level": "info",
                    "process": "sshd",
                    "pid": 3101,
                    "message": "Server listening on :: port 22.",
                    "event_action": "Server listening",
                    "destination_address": "::",
                    "destination_port": 22,
                    "time": (1795400216, ""),
                    "attributes": {
                        "facility_name": "auth",
                    },
                    "format": "sshd",
                },
            ),
            (
                (b"Nov 23 02:16:56 web-1 daemon.warn ntpd: reply from 192.0.2.123: not synced"),
                {
                    "host": "web-1",
                    "level": "warn",
                    "process": "ntpd",
                    "message": "reply from 192.0.2.123: not synced",
                    "time": (1795400216, ""),
                    "attributes": {
                        "facility_name": "daemon",
                    },
                },
            ),
            (
                b"Nov 23 02:16:57 rsyslogd[1]: imuxsock: Acquired UNIX socket",
                {
                    "process": "rsyslogd",
                    "pid": 1,
                    "message": "imuxsock: Acquired UNIX socket",
                    "time": (1795400217, ""),
                },
            ),
            (
                b"Nov 23 02:16:57 2001:db8::5 app: hello",
                {
                    "host": "2001:db8::5",
                    "process": "app",
                    "message": "hello",
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
}
