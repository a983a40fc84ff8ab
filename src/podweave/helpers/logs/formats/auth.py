"""Who logs in and what they run: sshd, sudo, cron, PAM with su, login and the tools for users.

Sources: OpenSSH (auth.c, packet.c), sudo's manual (sudoers, "event logging"), cronie and
Vixie cron, Linux-PAM's pam_unix, shadow-utils, systemd-logind.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

_OUTCOMES = {
    "Accepted": "success",
    "Failed": "failure",
    "authentication failure": "failure",
    "session opened": "success",
}


def _failure(_text: str) -> str:
    return "failure"


_PEER = rb"%{NOTSPACE:source_address} port %{INT:source_port}"
_PAM = (
    Message(
        rb"pam_\w+\(%{BEGIN:pam_service}[^:)\n]*%{END}:%{WORD:pam_type}\): "
        rb"%{BEGIN:event_action}session (?:opened|closed)%{END} for user "
        rb"%{BEGIN:user}[^\s(]+%{END}(?:\(uid=%{INT:user_id?}\))?"
        rb"(?: by %{BEGIN:opened_by?}[^\s(]*%{END}\(uid=%{INT:opened_by_id?}\))?",
        (b"pam_unix", b"pam_systemd", b"pam_sss"),
        (("event_outcome", "event_action", _OUTCOMES.get),),
    ),
    Message(
        rb"pam_\w+\(%{BEGIN:pam_service}[^:)\n]*%{END}:%{WORD:pam_type}\): "
        rb"%{BEGIN:event_action}authentication failure%{END}; logname=[^ \n]* uid=%{INT:user_id?} "
        rb"euid=\d+ tty=%{BEGIN:terminal?}[^ \n]*%{END} ruser=[^ \n]* "
        rb"rhost=%{BEGIN:source_address?}[^ \n]*%{END} *(?:user=%{BEGIN:user?}[^ \n]+%{END})?",
        (b"pam_unix", b"pam_sss"),
        (("event_outcome", "event_action", _OUTCOMES.get),),
    ),
)
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
            (("event_outcome", "event_action", _OUTCOMES.get),),
        ),
        Message(
            rb"%{BEGIN:event_action}Invalid user%{END} %{BEGIN:user?}[^\n]*?%{END} from "
            rb"%{NOTSPACE:source_address}(?: port %{INT:source_port?})?",
            (b"Invalid",),
            (("event_outcome", "event_action", _failure),),
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
        _SAYS_LEVEL,
        *_PAM,
    ),
)
SUDO = Program(
    "sudo",
    rb"sudo",
    (
        *_PAM,
        Message(
            rb" *%{BEGIN:message}%{BEGIN:user}[^ \n]+%{END} : "
            rb"(?:%{BEGIN:error_message?}[^;=\n]+%{END} ; )?"
            rb"(?:HOST=[^ ;\n]+ ; )?TTY=%{BEGIN:terminal}[^ ;\n]+%{END} ; "
            rb"PWD=%{BEGIN:working_directory}[^;\n]*[^;\s]%{END} ; "
            rb"USER=%{BEGIN:effective_user}[^ ;\n]+%{END} ; "
            rb"(?:GROUP=%{BEGIN:group?}[^ ;\n]+%{END} ; )?"
            rb"(?:TSID=%{BEGIN:session_id?}[^ ;\n]+%{END} ; )?"
            rb"(?:ENV=[^;\n]+ ; )?COMMAND=%{BEGIN:command_line}[^\n]*%{END}%{END}",
            (),
            (("event_outcome", "error_message", _failure),),
        ),
    ),
)
CRON = Program(
    "cron",
    rb"(?:/usr/sbin/)?(?:CRON|cron|crond|crontab|anacron|ANACRON|CROND)",
    (
        Message(
            rb"\(%{BEGIN:user}[^)\n]+%{END}\) %{BEGIN:event_action}[A-Z][A-Z ]*[A-Z]%{END} "
            rb"\(%{BEGIN:command_line}[^\n]*%{END}\)",
            (b"",),
        ),
        *_PAM,
    ),
)
_NEW = (
    rb"%{BEGIN:event_action}new (?:user|group)%{END}: name=%{BEGIN:user}[^, \n]+%{END}"
    rb"(?:, UID=%{INT:user_id?})?(?:, GID=%{INT:group_id?})?(?:, [^\n]*)?"
)
ACCOUNTS = Program(
    "pam",
    rb"su|login|systemd-logind|systemd-user|useradd|groupadd|usermod|userdel|passwd|chpasswd"
    rb"|chage|gdm-password|polkitd|vsftpd|runuser",
    (
        Message(
            rb"%{BEGIN:_result?}FAILED SU%{END}? ?\(to %{BEGIN:effective_user}[^)\n]+%{END}\) "
            rb"%{BEGIN:user}[^ \n]+%{END} on %{BEGIN:terminal}[^ \n]+%{END}",
            (b"", b"FAILED"),
            (("event_outcome", "_result", _failure),),
        ),
        Message(
            rb"%{BEGIN:event_action}New session|Removed session%{END} "
            rb"'?%{BEGIN:session_id}\w+%{END}'?(?: of user '?%{BEGIN:user?}[^ '\n]+?%{END}'?"
            rb"(?: with class [^\n]*)?)?\.",
            (b"New", b"Removed"),
        ),
        Message(_NEW, (b"new",)),
        *_PAM,
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
    "sudo": Format(
        "sudo",
        layouts_of(SUDO),
        samples=(
            (
                (
                    b"Nov 23 02:16:56 web-1 sudo:      kim : TTY=pts/0 ; PWD=/home"
                    b"/kim ; USER=root ; COMMAND=/usr/bin/apt update"
                ),
                {
                    "host": "web-1",
                    "process": "sudo",
                    "message": (
                        "kim : TTY=pts/0 ; PWD=/home/kim ; USER=root ; COMMAND=/usr/bin/apt update"
                    ),
                    "user": "kim",
                    "terminal": "pts/0",
                    "working_directory": "/home/kim",
                    "effective_user": "root",
                    "command_line": "/usr/bin/apt update",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sudo[3201]:      kim : 3 incorrect pas"
                    b"sword attempts ; TTY=pts/0 ; PWD=/home/kim ; USER=root ; COM"
                    b"MAND=/usr/bin/cat /etc/shadow"
                ),
                {
                    "host": "web-1",
                    "process": "sudo",
                    "pid": 3201,
                    "message": (
                        "kim : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/h"
                        "ome/kim ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow"
                    ),
                    "user": "kim",
                    "error_message": "3 incorrect password attempts",
                    "terminal": "pts/0",
                    "working_directory": "/home/kim",
                    "effective_user": "root",
                    "command_line": "/usr/bin/cat /etc/shadow",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sudo:      lee : user NOT in sudoers ;"
                    b" TTY=pts/1 ; PWD=/home/lee ; USER=root ; COMMAND=/bin/sh"
                ),
                {
                    "host": "web-1",
                    "process": "sudo",
                    "message": (
                        "lee : user NOT in sudoers ; TTY=pts/1 ; PWD=/home/lee ; "
                        "USER=root ; COMMAND=/bin/sh"
                    ),
                    "user": "lee",
                    "error_message": "user NOT in sudoers",
                    "terminal": "pts/1",
                    "working_directory": "/home/lee",
                    "effective_user": "root",
                    "command_line": "/bin/sh",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 sudo: pam_unix(sudo:session): session "
                    b"opened for user root(uid=0) by kim(uid=1000)"
                ),
                {
                    "host": "web-1",
                    "process": "sudo",
                    "message": (
                        "pam_unix(sudo:session): session opened for user root(uid"
                        "=0) by kim(uid=1000)"
                    ),
                    "event_action": "session opened",
                    "user": "root",
                    "user_id": "0",
                    "time": (1795400217, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "pam_service": "sudo",
                        "pam_type": "session",
                        "opened_by": "kim",
                        "opened_by_id": 1000,
                    },
                },
            ),
        ),
    ),
    "cron": Format(
        "cron",
        layouts_of(CRON),
        samples=(
            (
                (
                    b"Nov 23 02:17:01 web-1 CRON[3301]: (root) CMD (   cd / && run"
                    b"-parts --report /etc/cron.hourly)"
                ),
                {
                    "host": "web-1",
                    "process": "CRON",
                    "pid": 3301,
                    "message": "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
                    "user": "root",
                    "event_action": "CMD",
                    "command_line": "   cd / && run-parts --report /etc/cron.hourly",
                    "time": (1795400221, ""),
                },
            ),
            (
                (b"Nov 23 02:17:01 web-1 crond[812]: (root) RELOAD (/var/spool/cron/root)"),
                {
                    "host": "web-1",
                    "process": "crond",
                    "pid": 812,
                    "message": "(root) RELOAD (/var/spool/cron/root)",
                    "user": "root",
                    "event_action": "RELOAD",
                    "command_line": "/var/spool/cron/root",
                    "time": (1795400221, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:17:01 web-1 CRON[3301]: pam_unix(cron:session): se"
                    b"ssion closed for user root"
                ),
                {
                    "host": "web-1",
                    "process": "CRON",
                    "pid": 3301,
                    "message": "pam_unix(cron:session): session closed for user root",
                    "event_action": "session closed",
                    "user": "root",
                    "time": (1795400221, ""),
                    "attributes": {
                        "pam_service": "cron",
                        "pam_type": "session",
                    },
                },
            ),
            (
                (b"Nov 23 02:17:01 web-1 anacron[900]: Job `cron.daily' terminated"),
                {
                    "host": "web-1",
                    "process": "anacron",
                    "pid": 900,
                    "message": "Job `cron.daily' terminated",
                    "time": (1795400221, ""),
                },
            ),
        ),
    ),
    "pam": Format(
        "pam",
        layouts_of(ACCOUNTS),
        samples=(
            (
                b"Nov 23 02:16:56 web-1 su[3401]: (to root) kim on pts/0",
                {
                    "host": "web-1",
                    "process": "su",
                    "pid": 3401,
                    "message": "(to root) kim on pts/0",
                    "effective_user": "root",
                    "user": "kim",
                    "terminal": "pts/0",
                    "time": (1795400216, ""),
                },
            ),
            (
                (b"Nov 23 02:16:57 web-1 su[3402]: FAILED SU (to root) lee on pts/1"),
                {
                    "host": "web-1",
                    "process": "su",
                    "pid": 3402,
                    "message": "FAILED SU (to root) lee on pts/1",
                    "effective_user": "root",
                    "user": "lee",
                    "terminal": "pts/1",
                    "time": (1795400217, ""),
                    "event_outcome": "failure",
                },
            ),
            (
                (b"Nov 23 02:16:57 web-1 systemd-logind[512]: New session 42 of user kim."),
                {
                    "host": "web-1",
                    "process": "systemd-logind",
                    "pid": 512,
                    "message": "New session 42 of user kim.",
                    "event_action": "New session",
                    "session_id": "42",
                    "user": "kim",
                    "time": (1795400217, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 web-1 useradd[3403]: new user: name=park, UI"
                    b"D=1002, GID=1002, home=/home/park, shell=/bin/bash, from=/de"
                    b"v/pts/0"
                ),
                {
                    "host": "web-1",
                    "process": "useradd",
                    "pid": 3403,
                    "message": (
                        "new user: name=park, UID=1002, GID=1002, home=/home/park"
                        ", shell=/bin/bash, from=/dev/pts/0"
                    ),
                    "event_action": "new user",
                    "user": "park",
                    "user_id": "1002",
                    "time": (1795400218, ""),
                    "attributes": {
                        "group_id": 1002,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 web-1 su: pam_unix(su-l:auth): authenticatio"
                    b"n failure; logname=kim uid=1000 euid=0 tty=/dev/pts/0 ruser="
                    b"kim rhost=  user=root"
                ),
                {
                    "host": "web-1",
                    "process": "su",
                    "message": (
                        "pam_unix(su-l:auth): authentication failure; logname=kim"
                        " uid=1000 euid=0 tty=/dev/pts/0 ruser=kim rhost=  user=r"
                        "oot"
                    ),
                    "event_action": "authentication failure",
                    "user_id": "1000",
                    "terminal": "/dev/pts/0",
                    "user": "root",
                    "time": (1795400218, ""),
                    "event_outcome": "failure",
                    "attributes": {
                        "pam_service": "su-l",
                        "pam_type": "auth",
                    },
                },
            ),
        ),
    ),
}
