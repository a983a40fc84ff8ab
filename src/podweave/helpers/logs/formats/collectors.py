"""What watches others' logs says of itself: Fluent Bit, Fluentd, fail2ban.

Sources: the programs' own output, versions 3.1, 1.16 and 1.0.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

FLUENT_BIT_SAMPLES = (
    (
        b"[2026/11/23 02:16:56] [ info] [engine] started (pid=31)",
        {
            "level": "info",
            "logger": "engine",
            "message": "started (pid=31)",
            "time": (1795400216, ""),
        },
    ),
    (
        (b"[2026/11/23 02:16:57] [error] [output:es:es.0] HTTP status=429 URI=/_bulk"),
        {
            "level": "error",
            "logger": "output:es:es.0",
            "message": "HTTP status=429 URI=/_bulk",
            "time": (1795400217, ""),
        },
    ),
    (
        b"[2026/11/23 02:16:57] [ warn] no upstream connections available",
        {"level": "warn", "message": "no upstream connections available", "time": (1795400217, "")},
    ),
)
FLUENTD_SAMPLES = (
    (
        (b"2026-11-23 02:16:56 +0000 [info]: #0 starting fluentd worker pid=31 ppid=1 worker=0"),
        {
            "level": "info",
            "message": "starting fluentd worker pid=31 ppid=1 worker=0",
            "time": (1795400216, ""),
            "attributes": {"worker": 0},
        },
    ),
    (
        b"2026-11-23 11:16:57 +0900 [warn]: [out_es] failed to flush the buffer",
        {
            "level": "warn",
            "logger": "out_es",
            "message": "failed to flush the buffer",
            "time": (1795400217, ""),
        },
    ),
)
FAIL2BAN_SAMPLES = (
    (
        (b"2026-11-23 02:16:56,789 fail2ban.actions        [31]: NOTICE  [sshd] Ban 192.0.2.7"),
        {
            "logger": "fail2ban.actions",
            "pid": 31,
            "level": "notice",
            "rule_name": "sshd",
            "message": "Ban 192.0.2.7",
            "event_action": "Ban",
            "source_address": "192.0.2.7",
            "time": (1795400216, "789"),
        },
    ),
    (
        (
            b"2026-11-23 02:16:57,001 fail2ban.filter         [31]: INFO    [ssh"
            b"d] Found 2001:db8::7 - 2026-11-23 02:16:56"
        ),
        {
            "logger": "fail2ban.filter",
            "pid": 31,
            "level": "info",
            "rule_name": "sshd",
            "message": "Found 2001:db8::7 - 2026-11-23 02:16:56",
            "event_action": "Found",
            "source_address": "2001:db8::7",
            "time": (1795400217, "001"),
        },
    ),
    (
        (b"2026-11-23 02:16:57,002 fail2ban.server         [31]: INFO    Starting Fail2ban v1.0.2"),
        {
            "logger": "fail2ban.server",
            "pid": 31,
            "level": "info",
            "message": "Starting Fail2ban v1.0.2",
            "time": (1795400217, "002"),
        },
    ),
)
FORMATS = {
    "fluent-bit": Format(
        "fluent-bit",
        (
            Layout(
                rb"\[%{SLASHDATE:time}\] \[ ?%{BEGIN:level}trace|debug|info|warn|error|help%{END}\]"
                rb" \[%{BEGIN:logger}[^\]\n]+%{END}\] %{REST:message}"
            ),
            Layout(
                rb"\[%{SLASHDATE:time}\] \[ %{BEGIN:level}trace|debug|info|warn|error|help%{END}\]"
                rb" %{REST:message}"
            ),
        ),
        samples=FLUENT_BIT_SAMPLES,
        levels={"help": "notice"},
    ),
    "fluentd": Format(
        "fluentd",
        (
            Layout(
                rb"%{ISO8601:time} \[%{BEGIN:level}trace|debug|info|warn|error|fatal%{END}\]: "
                rb"(?>(?:#%{INT:worker?} )?)(?>(?:\[%{BEGIN:logger?}[^\]\n]+%{END}\] )?)"
                rb"%{REST:message}"
            ),
        ),
        samples=FLUENTD_SAMPLES,
    ),
    "fail2ban": Format(
        "fail2ban",
        (
            Layout(
                rb"%{ISO8601:time} %{BEGIN:logger}fail2ban[\w.]*%{END} *+\[%{INT:pid}\]: "
                rb"%{BEGIN:level}[A-Z]+%{END} ++\[%{BEGIN:rule_name}[^\]\n]+%{END}\] "
                rb"%{BEGIN:message}(?:%{BEGIN:event_action}Ban|Unban|Found|Restore Ban|"
                rb"Increase Ban%{END} %{BEGIN:source_address}[0-9A-Fa-f.:]+%{END})[^\n]*%{END}"
            ),
            Layout(
                rb"%{ISO8601:time} %{BEGIN:logger}fail2ban[\w.]*%{END} *+\[%{INT:pid}\]: "
                rb"%{BEGIN:level}[A-Z]+%{END} ++%{REST:message}"
            ),
        ),
        samples=FAIL2BAN_SAMPLES,
    ),
}
