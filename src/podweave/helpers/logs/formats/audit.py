"""auditd: /var/log/audit/audit.log.

Sources: the kernel's audit.c and auditsc.c (order of a SYSCALL record's fields), audit's "field
dictionary". Behind a group separator some versions repeat the ids as names: kept, not read.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Envelope, Message, Program
from podweave.helpers.logs.layouts import Format

_HEAD = (
    rb"(?:node=%{NOTSPACE:host?} )?type=%{BEGIN:event_action}[A-Z0-9_]+|UNKNOWN\[\d+\]%{END} "
    rb"msg=audit\(%{EPOCH:time}:%{INT:event_sequence}\): *"
)
_SYSCALL = (
    rb"arch=%{WORD:architecture} syscall=%{WORD:syscall}(?: per=[0-9a-f]+)?"
    rb"(?: success=%{BEGIN:_success?}yes|no%{END} exit=%{BEGIN:exit?}-?\w+%{END})?"
    rb"(?> a0=[0-9a-f]+ a1=[0-9a-f]+ a2=[0-9a-f]+ a3=[0-9a-f]+) "
    rb"items=\d+ ppid=%{INT:parent_pid} pid=%{INT:pid} "
    rb"auid=%{SPACED:audit_user_id} uid=%{SPACED:user_id} gid=%{SPACED} "
    rb"euid=%{SPACED:effective_user_id} suid=%{SPACED} fsuid=%{SPACED} egid=%{SPACED} "
    rb"sgid=%{SPACED} fsgid=%{SPACED} tty=%{SPACED:terminal} "
    rb"ses=%{SPACED:session_id} "
    rb'comm="?%{BEGIN:process}[^"\s]+%{END}"? exe="?%{BEGIN:executable}[^"\n]+?%{END}"?'
    rb"(?: subj=%{BEGIN:subject?}[^ \n]+%{END})? "
    rb'key=(?:\(null\)|"?%{BEGIN:rule_name?}[^"\s]*%{END}"?)'
    rb"(?:\x1d[^\n]*)?"
)
_USER = (
    rb"(?:user )?pid=%{INT:pid} uid=%{BEGIN:user_id}[^ \n]+%{END} "
    rb"auid=%{BEGIN:audit_user_id}[^ \n]+%{END} ses=%{BEGIN:session_id}[^ \n]+%{END} "
    rb"(?:subj=%{BEGIN:subject?}[^ \n]+%{END} )?msg='"
    rb"(?:op=%{BEGIN:operation?}[^ \n]+%{END} )?(?:grantors=[^ \n]* )?"
    rb"(?:(?:acct|id)=\"?%{BEGIN:user?}[^\"\s]*%{END}\"? )?"
    rb"(?:unit=%{BEGIN:unit?}[^ \n]+%{END} )?(?:comm=\"%{BEGIN:process?}[^\"\n]*%{END}\" )?"
    rb"(?:[a-z]+=[^ \n]+ )?"
    rb"exe=\"?%{BEGIN:executable?}[^\"\n]*?%{END}\"? hostname=[^ \n]+ "
    rb"addr=(?:\?|%{BEGIN:source_address?}[^ \n]+%{END}) "
    rb"terminal=(?:\?|%{BEGIN:terminal?}[^ \n]+%{END}) "
    rb"res=%{BEGIN:_result}success|failed|0|1%{END}'[^\n]*"
)
_RESULTS = {"yes": "success", "no": "failure", "success": "success", "1": "success"}


def _outcome(result: str) -> str:
    return _RESULTS.get(result, "failure")


_SYSCALLS = Program(
    "auditd", rb"SYSCALL", (Message(_SYSCALL, (), (("event_outcome", "_success", _outcome),)),)
)
_USERS = Program(
    "auditd",
    rb"(?:USER|CRED|SERVICE|SYSTEM|GRP|ADD|DEL|DAEMON|CHGRP|CRYPTO|CONFIG|VIRT)\w*",
    (Message(_USER, (), (("event_outcome", "_result", _outcome),)),),
)

FORMATS = {
    "auditd": Format(
        "auditd",
        (Envelope(_HEAD, (_SYSCALLS, _USERS), tag="event_action"),),
        samples=(
            (
                (
                    b"type=SYSCALL msg=audit(1795400216.243:24287): arch=c000003e "
                    b"syscall=2 success=no exit=-13 a0=7fffd19c5592 a1=0 a2=7fffd1"
                    b"9c4b50 a3=a items=1 ppid=2686 pid=3538 auid=1000 uid=1000 gi"
                    b"d=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fs"
                    b'gid=1000 tty=pts0 ses=1 comm="cat" exe="/bin/cat" subj=uncon'
                    b'fined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 key="sshd_c'
                    b'onfig"'
                ),
                {
                    "event_action": "SYSCALL",
                    "event_sequence": 24287,
                    "message": (
                        "arch=c000003e syscall=2 success=no exit=-13 a0=7fffd19c5"
                        "592 a1=0 a2=7fffd19c4b50 a3=a items=1 ppid=2686 pid=3538"
                        " auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1"
                        '000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=1 comm="'
                        'cat" exe="/bin/cat" subj=unconfined_u:unconfined_r:uncon'
                        'fined_t:s0-s0:c0.c1023 key="sshd_config"'
                    ),
                    "parent_pid": 2686,
                    "pid": 3538,
                    "user_id": "1000",
                    "terminal": "pts0",
                    "session_id": "1",
                    "process": "cat",
                    "executable": "/bin/cat",
                    "rule_name": "sshd_config",
                    "time": (1795400216, "243"),
                    "event_outcome": "failure",
                    "attributes": {
                        "architecture": "c000003e",
                        "syscall": "2",
                        "exit": "-13",
                        "audit_user_id": "1000",
                        "effective_user_id": "1000",
                        "subject": "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
                    },
                },
            ),
            (
                (
                    b"node=web-1 type=SYSCALL msg=audit(1795400216.300:24288): arc"
                    b"h=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4"
                    b" items=2 ppid=1 pid=3540 auid=4294967295 uid=0 gid=0 euid=0 "
                    b"suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=42949672"
                    b'95 comm="sh" exe="/usr/bin/dash" subj=unconfined key=(null)'
                ),
                {
                    "host": "web-1",
                    "event_action": "SYSCALL",
                    "event_sequence": 24288,
                    "message": (
                        "arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2"
                        "=3 a3=4 items=2 ppid=1 pid=3540 auid=4294967295 uid=0 gi"
                        "d=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(non"
                        'e) ses=4294967295 comm="sh" exe="/usr/bin/dash" subj=unc'
                        "onfined key=(null)"
                    ),
                    "parent_pid": 1,
                    "pid": 3540,
                    "user_id": "0",
                    "terminal": "(none)",
                    "session_id": "4294967295",
                    "process": "sh",
                    "executable": "/usr/bin/dash",
                    "time": (1795400216, "300"),
                    "event_outcome": "success",
                    "attributes": {
                        "architecture": "c000003e",
                        "syscall": "59",
                        "exit": "0",
                        "audit_user_id": "4294967295",
                        "effective_user_id": "0",
                        "subject": "unconfined",
                    },
                },
            ),
            (
                (
                    b"type=USER_LOGIN msg=audit(1795400216.400:24289): pid=3541 ui"
                    b'd=0 auid=4294967295 ses=4294967295 msg=\'op=login acct="root"'
                    b' exe="/usr/sbin/sshd" hostname=? addr=203.0.113.9 terminal=s'
                    b"shd res=failed'"
                ),
                {
                    "event_action": "USER_LOGIN",
                    "event_sequence": 24289,
                    "message": (
                        "pid=3541 uid=0 auid=4294967295 ses=4294967295 msg='op=lo"
                        'gin acct="root" exe="/usr/sbin/sshd" hostname=? addr=203'
                        ".0.113.9 terminal=sshd res=failed'"
                    ),
                    "pid": 3541,
                    "user_id": "0",
                    "session_id": "4294967295",
                    "user": "root",
                    "executable": "/usr/sbin/sshd",
                    "source_address": "203.0.113.9",
                    "terminal": "sshd",
                    "time": (1795400216, "400"),
                    "event_outcome": "failure",
                    "attributes": {
                        "audit_user_id": "4294967295",
                        "operation": "login",
                    },
                },
            ),
            (
                (
                    b"type=USER_AUTH msg=audit(1795400216.500:24290): pid=3542 uid"
                    b"=0 auid=1000 ses=3 subj=system_u:system_r:sshd_t:s0 msg='op="
                    b'PAM:authentication grantors=pam_unix acct="kim" exe="/usr/bi'
                    b"n/sudo\" hostname=? addr=? terminal=/dev/pts/0 res=success'"
                ),
                {
                    "event_action": "USER_AUTH",
                    "event_sequence": 24290,
                    "message": (
                        "pid=3542 uid=0 auid=1000 ses=3 subj=system_u:system_r:ss"
                        "hd_t:s0 msg='op=PAM:authentication grantors=pam_unix acc"
                        't="kim" exe="/usr/bin/sudo" hostname=? addr=? terminal=/'
                        "dev/pts/0 res=success'"
                    ),
                    "pid": 3542,
                    "user_id": "0",
                    "session_id": "3",
                    "user": "kim",
                    "executable": "/usr/bin/sudo",
                    "terminal": "/dev/pts/0",
                    "time": (1795400216, "500"),
                    "event_outcome": "success",
                    "attributes": {
                        "audit_user_id": "1000",
                        "subject": "system_u:system_r:sshd_t:s0",
                        "operation": "PAM:authentication",
                    },
                },
            ),
            (
                (
                    b"type=SERVICE_START msg=audit(1795400216.600:24291): pid=1 ui"
                    b"d=0 auid=4294967295 ses=4294967295 msg='unit=shop comm=\"syst"
                    b'emd" exe="/usr/lib/systemd/systemd" hostname=? addr=? termin'
                    b"al=? res=success'"
                ),
                {
                    "event_action": "SERVICE_START",
                    "event_sequence": 24291,
                    "message": (
                        "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=sho"
                        'p comm="systemd" exe="/usr/lib/systemd/systemd" hostname'
                        "=? addr=? terminal=? res=success'"
                    ),
                    "pid": 1,
                    "user_id": "0",
                    "session_id": "4294967295",
                    "process": "systemd",
                    "executable": "/usr/lib/systemd/systemd",
                    "time": (1795400216, "600"),
                    "event_outcome": "success",
                    "attributes": {
                        "audit_user_id": "4294967295",
                        "unit": "shop",
                    },
                },
            ),
            (
                (
                    b'type=PATH msg=audit(1795400216.243:24287): item=0 name="/etc'
                    b'/ssh/sshd_config" inode=409248 dev=fd:00 mode=0100600 ouid=0'
                    b" ogid=0 rdev=00:00 nametype=NORMAL"
                ),
                {
                    "event_action": "PATH",
                    "event_sequence": 24287,
                    "message": (
                        'item=0 name="/etc/ssh/sshd_config" inode=409248 dev=fd:0'
                        "0 mode=0100600 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"
                    ),
                    "time": (1795400216, "243"),
                },
            ),
            (
                (
                    b"type=PROCTITLE msg=audit(1795400216.243:24287): proctitle=63"
                    b"6174002F6574632F7373682F737368645F636F6E666967"
                ),
                {
                    "event_action": "PROCTITLE",
                    "event_sequence": 24287,
                    "message": "proctitle=636174002F6574632F7373682F737368645F636F6E666967",
                    "time": (1795400216, "243"),
                },
            ),
        ),
    ),
}
