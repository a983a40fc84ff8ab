"""auditd: /var/log/audit/audit.log.

Sources: the kernel's audit.c and auditsc.c (order of a SYSCALL record's fields), audit's "field
dictionary". Behind a group separator some versions repeat the ids as names: kept, not read.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.envelope import Envelope, Message, Program
from podweave.helpers.logs.layouts import Format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    rb'comm="?%{BEGIN:process}[^"\s]+%{END}"? exe=%{BEGIN:_exe}"[^"\n]+"|[^" \n]+%{END}'
    rb"(?: subj=%{BEGIN:subject?}[^ \n]+%{END})? "
    rb'key=(?:\(null\)|"?%{BEGIN:rule_name?}[^"\s]*%{END}"?)'
    rb"(?:\x1d[^\n]*)?"
)
_USER = (
    rb"(?:user )?pid=%{INT:pid} uid=%{BEGIN:user_id}[^ \n]+%{END} "
    rb"auid=%{BEGIN:audit_user_id}[^ \n]+%{END} ses=%{BEGIN:session_id}[^ \n]+%{END} "
    rb"(?:subj=%{BEGIN:subject?}[^ \n]+%{END} )?msg=' *"
    rb"(?:op=%{BEGIN:operation?}[^ \n]+%{END} )?(?:grantors=[^ \n]* )?"
    rb"(?:(?:acct|id)=\"?%{BEGIN:user?}[^\"\s]*%{END}\"? )?"
    rb"(?:unit=%{BEGIN:unit?}[^ \n]+%{END} )?(?:comm=\"%{BEGIN:process?}[^\"\n]*%{END}\" )?"
    rb"(?:[a-z]+=[^ \n]+ )?"
    rb'exe=%{BEGIN:_exe?}"[^"\n]*"|[^" \n]+%{END} hostname=[^ \n]+ '
    rb"addr=(?:\?|%{BEGIN:source_address?}[^ \n]+%{END}) "
    rb"terminal=(?:\?|%{BEGIN:terminal?}[^ \n]+%{END}) "
    rb"res=%{BEGIN:_result}success|failed|0|1%{END}'[^\n]*"
)
# What sudo, and a shell under PAM's eyes, was told
_COMMAND = (
    rb"(?:user )?pid=%{INT:pid} uid=%{BEGIN:user_id}[^ \n]+%{END} "
    rb"auid=%{BEGIN:audit_user_id}[^ \n]+%{END} ses=%{BEGIN:session_id}[^ \n]+%{END} "
    rb"(?:subj=%{BEGIN:subject?}[^ \n]+%{END} )?msg=' *"
    rb'cwd=%{BEGIN:_cwd}"[^"\n]*"|[0-9A-F]+%{END} cmd=%{BEGIN:_command}"[^"\n]*"|[^" \n]+%{END} '
    rb'(?:exe=%{BEGIN:_exe?}"[^"\n]*"|[^" \n]+%{END} )?'
    rb"terminal=(?:\?|%{BEGIN:terminal?}[^ \n]+%{END}) "
    rb"res=%{BEGIN:_result}success|failed|0|1%{END}'[^\n]*"
)
_DAEMON = (
    rb"op=%{BEGIN:operation}[^ \n]+%{END} (?:ver=[^ \n]+ )?(?:format=[^ \n]+ )?(?:kernel=[^ \n]+ )?"
    rb"auid=%{BEGIN:audit_user_id}[^ \n]+%{END} pid=%{INT:pid} (?:uid=%{INT:user_id?} )?"
    rb"(?:ses=%{BEGIN:session_id?}[^ \n]+%{END} )?(?:subj=%{BEGIN:subject?}[^ \n]+%{END} )?"
    rb"res=%{BEGIN:_result}success|failed|0|1%{END}[^\n]*"
)
_ARGUMENT = re.compile(r' a\d{1,5}=("[^"]*"|[0-9A-F]+)')


def _plain(text: str) -> str | None:
    """What the kernel put in quotes, or, with spaces or worse in it, into hexadecimal digits."""
    if text.startswith('"'):
        return text.strip('"') or None
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return text
    return raw.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")


def _arguments(text: str) -> str | None:
    return " ".join(_plain(each) or "" for each in _ARGUMENT.findall(text)) or None


def _found(name: str, pattern: str) -> Callable[[str], str | None]:
    search = re.compile(rf"(?<![a-z-]){name}=({pattern})").search

    def find(text: str) -> str | None:
        found = search(text)
        return None if found is None else found[1]

    return find


_pid = _found("pid", r"\d{1,10}")
_text_of = {name: _found(name, r'"[^"]+"|[^ "?]+') for name in ("comm", "exe", "res")}


def _process_id(text: str) -> int | None:
    pid = _pid(text)
    return None if pid is None else int(pid)


def _member(name: str) -> Callable[[str], str | None]:
    def find(text: str) -> str | None:
        found = _text_of[name](text)
        return None if found is None else _plain(found.rstrip("'"))

    return find


_res = _member("res")


def _result(text: str) -> str | None:
    result = _res(text)
    return None if result is None else _outcome(result)


# What is in no order, and in no two kinds of records the same
_ANY_ORDER = Message(
    rb"%{REST:message}",
    (),
    (
        ("pid", "message", _process_id),
        ("user_id", "message", _found("uid", r"\d{1,10}")),
        ("process", "message", _member("comm")),
        ("executable", "message", _member("exe")),
        ("event_outcome", "message", _result),
    ),
)
_RESULTS = {"yes": "success", "no": "failure", "success": "success", "1": "success"}


def _outcome(result: str) -> str:
    return _RESULTS.get(result, "failure")


_SYSCALLS = Program(
    "auditd",
    rb"SYSCALL",
    (
        Message(
            _SYSCALL,
            (),
            (("event_outcome", "_success", _outcome), ("executable", "_exe", _plain)),
        ),
    ),
)
_PROCESSES = (
    Program(
        "auditd",
        rb"PROCTITLE",
        (
            Message(
                rb'proctitle=%{BEGIN:_title}"[^"\n]*"|[0-9A-F]+%{END}',
                (),
                (("command_line", "_title", _plain),),
            ),
        ),
    ),
    Program(
        "auditd",
        rb"EXECVE",
        (
            Message(
                rb"argc=%{INT:argument_count}%{BEGIN:_arguments} a0=[^\n]*%{END}",
                (),
                (("command_line", "_arguments", _arguments),),
            ),
        ),
    ),
    Program(
        "auditd",
        rb"CWD",
        (
            Message(
                rb'cwd=%{BEGIN:_cwd}"[^"\n]*"|[0-9A-F]+%{END}',
                (),
                (("working_directory", "_cwd", _plain),),
            ),
        ),
    ),
    Program(
        "auditd",
        rb"USER_CMD",
        (
            Message(
                _COMMAND,
                (),
                (
                    ("event_outcome", "_result", _outcome),
                    ("working_directory", "_cwd", _plain),
                    ("command_line", "_command", _plain),
                    ("executable", "_exe", _plain),
                ),
            ),
        ),
    ),
    Program(
        "auditd", rb"DAEMON_\w+", (Message(_DAEMON, (), (("event_outcome", "_result", _outcome),)),)
    ),
)
_USERS = Program(
    "auditd",
    rb"(?!USER_CMD)(?:USER|CRED|SERVICE|SYSTEM|GRP|ADD|DEL|CHGRP|CRYPTO|CONFIG|VIRT)\w*",
    (
        Message(
            _USER, (), (("event_outcome", "_result", _outcome), ("executable", "_exe", _plain))
        ),
        _ANY_ORDER,
    ),
)

_OTHERS = Program(
    "auditd",
    rb"(?:ANOM|AVC|LOGIN|MAC|TTY|SECCOMP|NETFILTER|BPF|ACCT|ROLE|INTEGRITY|RESP|LABEL|TRUSTED)\w*",
    (_ANY_ORDER,),
)

FORMATS = {
    "auditd": Format(
        "auditd",
        (Envelope(_HEAD, (_SYSCALLS, _USERS, *_PROCESSES, _OTHERS), tag="event_action"),),
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
                    "command_line": "cat /etc/ssh/sshd_config",
                    "time": (1795400216, "243"),
                },
            ),
            (
                b'type=EXECVE msg=audit(1795400216.244:24287): argc=3 a0="cat" a1="-n" a2=61206229',
                {
                    "event_action": "EXECVE",
                    "event_sequence": 24287,
                    "message": 'argc=3 a0="cat" a1="-n" a2=61206229',
                    "command_line": "cat -n a b)",
                    "time": (1795400216, "244"),
                    "attributes": {"argument_count": 3},
                },
            ),
            (
                b"type=AVC msg=audit(1795400216.250:24288): avc:  denied  { open } for  pid=3540 "
                b'comm="nginx" path="/srv/a" dev="sda1" ino=7 permissive=0',
                {
                    "event_action": "AVC",
                    "event_sequence": 24288,
                    "message": 'avc:  denied  { open } for  pid=3540 comm="nginx" '
                    'path="/srv/a" dev="sda1" ino=7 permissive=0',
                    "pid": 3540,
                    "process": "nginx",
                    "time": (1795400216, "250"),
                },
            ),
            (
                b"type=ADD_GROUP msg=audit(1795400217.050:24289): pid=3600 uid=0 auid=1000 ses=2 "
                b'msg=\'op=adding group id=1003 exe="/usr/sbin/groupadd" hostname=? addr=? '
                b"res=success'",
                {
                    "event_action": "ADD_GROUP",
                    "event_sequence": 24289,
                    "message": "pid=3600 uid=0 auid=1000 ses=2 msg='op=adding group id=1003 "
                    'exe="/usr/sbin/groupadd" hostname=? addr=? res=success\'',
                    "pid": 3600,
                    "user_id": "0",
                    "executable": "/usr/sbin/groupadd",
                    "event_outcome": "success",
                    "time": (1795400217, "050"),
                },
            ),
            (
                b'type=CWD msg=audit(1795400216.244:24287): cwd="/home/kim"',
                {
                    "event_action": "CWD",
                    "event_sequence": 24287,
                    "message": 'cwd="/home/kim"',
                    "working_directory": "/home/kim",
                    "time": (1795400216, "244"),
                },
            ),
            (
                b"type=USER_CMD msg=audit(1795400217.100:24290): pid=3601 uid=1000 auid=1000 ses=2 "
                b'msg=\'cwd="/srv" cmd=6C73202D6C exe="/usr/bin/sudo" terminal=pts/0 '
                b"res=success'",
                {
                    "event_action": "USER_CMD",
                    "event_sequence": 24290,
                    "message": 'pid=3601 uid=1000 auid=1000 ses=2 msg=\'cwd="/srv" '
                    'cmd=6C73202D6C exe="/usr/bin/sudo" terminal=pts/0 res=success\'',
                    "pid": 3601,
                    "user_id": "1000",
                    "session_id": "2",
                    "working_directory": "/srv",
                    "command_line": "ls -l",
                    "executable": "/usr/bin/sudo",
                    "terminal": "pts/0",
                    "event_outcome": "success",
                    "time": (1795400217, "100"),
                    "attributes": {"audit_user_id": "1000"},
                },
            ),
            (
                b"type=DAEMON_START msg=audit(1795400200.001:1): op=start ver=3.1 format=raw "
                b"kernel=6.1.0 auid=4294967295 pid=512 uid=0 ses=4294967295 res=success",
                {
                    "event_action": "DAEMON_START",
                    "event_sequence": 1,
                    "message": "op=start ver=3.1 format=raw kernel=6.1.0 auid=4294967295 "
                    "pid=512 uid=0 ses=4294967295 res=success",
                    "pid": 512,
                    "user_id": "0",
                    "session_id": "4294967295",
                    "event_outcome": "success",
                    "time": (1795400200, "001"),
                    "attributes": {"operation": "start", "audit_user_id": "4294967295"},
                },
            ),
        ),
    ),
}
