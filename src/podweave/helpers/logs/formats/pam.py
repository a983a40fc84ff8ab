"""PAM, in the lines of all that asks it, and who else logs people in: su, login, logind, the tools
for users.

Sources: Linux-PAM's pam_unix, shadow-utils, systemd-logind.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

OUTCOMES = {
    "Accepted": "success",
    "Failed": "failure",
    "authentication failure": "failure",
    "session opened": "success",
}


def failure(_text: str) -> str:
    return "failure"


_SESSION = (
    rb"pam_\w+\(%{BEGIN:pam_service}[^:)\n]*%{END}:%{WORD:pam_type}\): "
    rb"%{BEGIN:event_action}session (?:opened|closed)%{END} for user "
)
_SESSION_WORDS = (b"pam_unix", b"pam_systemd", b"pam_sss")
_SESSION_OUTCOME = (("event_outcome", "event_action", OUTCOMES.get),)
PAM = (
    Message(
        _SESSION + rb"%{BEGIN:user}[^\s(]+%{END}(?:\(uid=%{INT:user_id?}\))?"
        rb"(?: by \(uid=%{INT:opened_by_id?}\))?",
        _SESSION_WORDS,
        _SESSION_OUTCOME,
    ),
    # Whoever opens it becomes another.
    Message(
        _SESSION + rb"%{BEGIN:effective_user}[^\s(]+%{END}(?:\(uid=\d+\))?"
        rb" by %{BEGIN:user}[^\s(]+%{END}\(uid=%{INT:user_id}\)",
        _SESSION_WORDS,
        _SESSION_OUTCOME,
    ),
    Message(
        rb"pam_\w+\(%{BEGIN:pam_service}[^:)\n]*%{END}:%{WORD:pam_type}\): "
        rb"%{BEGIN:event_action}authentication failure%{END}; logname=[^ \n]* uid=%{INT:user_id?} "
        rb"euid=\d+ tty=%{BEGIN:terminal?}[^ \n]*%{END} ruser=[^ \n]* "
        rb"rhost=%{BEGIN:source_address?}[^ \n]*%{END} *(?:user=%{BEGIN:user?}[^ \n]+%{END})?",
        (b"pam_unix", b"pam_sss"),
        (("event_outcome", "event_action", OUTCOMES.get),),
    ),
)
_NEW_USER = (
    rb"%{BEGIN:event_action}new user%{END}: name=%{BEGIN:user}[^, \n]+%{END}"
    rb"(?:, UID=%{INT:user_id?})?(?:, GID=%{INT:group_id?})?(?:, [^\n]*)?"
)
_NEW_GROUP = (
    rb"%{BEGIN:event_action}new group%{END}: name=%{BEGIN:group}[^, \n]+%{END}"
    rb"(?:, GID=%{INT:group_id?})?(?:, [^\n]*)?"
)
_REFUSED = rb"failed adding user '%{BEGIN:user}[^'\n]+%{END}'[^\n]*"
ACCOUNTS = Program(
    "pam",
    rb"su|login|systemd-logind|systemd-user|useradd|groupadd|usermod|userdel|passwd|chpasswd"
    rb"|chage|gdm-password|polkitd|vsftpd|runuser",
    (
        Message(
            rb"%{BEGIN:_result?}FAILED SU%{END}? ?\(to %{BEGIN:effective_user}[^)\n]+%{END}\) "
            rb"%{BEGIN:user}[^ \n]+%{END} on %{BEGIN:terminal}[^ \n]+%{END}",
            (b"", b"FAILED"),
            (("event_outcome", "_result", failure),),
        ),
        Message(
            rb"%{BEGIN:event_action}New session|Removed session%{END} "
            rb"'?%{BEGIN:session_id}\w+%{END}'?(?: of user '?%{BEGIN:user?}[^ '\n]+?%{END}'?"
            rb"(?: with class [^\n]*)?)?\.",
            (b"New", b"Removed"),
        ),
        Message(_NEW_USER, (b"new",)),
        Message(_NEW_GROUP, (b"new",)),
        Message(_REFUSED, (b"failed",), (("event_outcome", "user", failure),)),
        *PAM,
    ),
)

FORMATS = {
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
                b"Nov 23 02:16:58 web-1 groupadd[3404]: new group: name=ops, GID=1003",
                {
                    "host": "web-1",
                    "process": "groupadd",
                    "pid": 3404,
                    "message": "new group: name=ops, GID=1003",
                    "event_action": "new group",
                    "group": "ops",
                    "time": (1795400218, ""),
                    "attributes": {"group_id": 1003},
                },
            ),
            (
                b"Nov 23 02:16:58 web-1 useradd[3405]: failed adding user 'lee', exit code: 9",
                {
                    "host": "web-1",
                    "process": "useradd",
                    "pid": 3405,
                    "message": "failed adding user 'lee', exit code: 9",
                    "user": "lee",
                    "event_outcome": "failure",
                    "time": (1795400218, ""),
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
