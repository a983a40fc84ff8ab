"""Who runs what: sudo and cron.

Sources: sudo's manual (sudoers, "event logging"), cronie and Vixie cron.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.pam import PAM, failure
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

SUDO = Program(
    "sudo",
    rb"sudo",
    (
        *PAM,
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
            (("event_outcome", "error_message", failure),),
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
        *PAM,
    ),
)
FORMATS = {
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
                    "user": "kim",
                    "user_id": "1000",
                    "effective_user": "root",
                    "time": (1795400217, ""),
                    "event_outcome": "success",
                    "attributes": {
                        "pam_service": "sudo",
                        "pam_type": "session",
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
}
