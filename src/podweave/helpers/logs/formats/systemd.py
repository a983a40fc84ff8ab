"""systemd's messages about its units, as they are in syslog's files and in `journalctl`.

Source: systemd's src/core/job.c, unit.c, service.c.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format

_KINDS = rb"(?:service|scope|slice|socket|target|timer|mount|automount|path|device|swap)"
_UNIT = rb"%{BEGIN:unit}[^ :\n]+\." + _KINDS + rb"%{END}"
_VERBS = (
    rb"Starting|Started|Stopping|Stopped|Finished|Reloading|Reloaded|Mounting|Mounted|Unmounting"
    rb"|Unmounted|Activating|Activated|Deactivated|Reached target|Stopped target|Listening on"
    rb"|Closed|Created slice|Removed slice|Set up|Unset|Condition check resulted in"
)
_NAMED = rb"%{END} (?:%{BEGIN:unit?}[^ :\n]+\." + _KINDS + rb"%{END} - )?[^\n]*"


def _notice(_text: str) -> str:
    return "notice"


def _error(_text: str) -> str:
    return "error"


SYSTEMD = Program(
    "systemd",
    rb"systemd",
    (
        Message(
            _UNIT + rb": (?:Main|Control|Child) process[^,\n]* exited, "
            rb"code=%{WORD:exit_reason}, status=%{INT:exit_code}"
            rb"(?:/%{BEGIN:exit_name?}[^\n]*%{END})?",
            (),
            (("level", "exit_code", _notice),),
        ),
        Message(
            _UNIT + rb": %{BEGIN:event_action}Failed%{END} with result "
            rb"'%{BEGIN:result}[^'\n]*%{END}'\.",
            (),
            (("level", "event_action", _error),),
        ),
        Message(
            rb"%{BEGIN:event_action}" + _VERBS + _NAMED,
            tuple(verb.split(b" ")[0] for verb in _VERBS.split(b"|")),
        ),
        Message(
            rb"%{BEGIN:event_action}Failed to start|Dependency failed for|Timed out" + _NAMED,
            (b"Failed", b"Dependency", b"Timed"),
            (("level", "event_action", _error),),
        ),
        Message(_UNIT + rb": [^\n]*"),
    ),
)

FORMATS = {
    "systemd": Format(
        "systemd",
        layouts_of(SYSTEMD),
        samples=(
            (
                (b"Nov 23 02:16:56 web-1 systemd[1]: Started shop.service - The shop."),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Started shop.service - The shop.",
                    "event_action": "Started",
                    "time": (1795400216, ""),
                    "attributes": {
                        "unit": "shop.service",
                    },
                },
            ),
            (
                (b"Nov 23 02:16:56 web-1 systemd[1]: Starting Daily apt download activities..."),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Starting Daily apt download activities...",
                    "event_action": "Starting",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 systemd[1]: shop.service: Main process"
                    b" exited, code=exited, status=1/FAILURE"
                ),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": ("shop.service: Main process exited, code=exited, status=1/FAILURE"),
                    "exit_code": 1,
                    "time": (1795400217, ""),
                    "level": "notice",
                    "attributes": {
                        "unit": "shop.service",
                        "exit_reason": "exited",
                        "exit_name": "FAILURE",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 systemd[1]: shop.service: Failed with "
                    b"result 'exit-code'."
                ),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "shop.service: Failed with result 'exit-code'.",
                    "event_action": "Failed",
                    "time": (1795400217, ""),
                    "level": "error",
                    "attributes": {
                        "unit": "shop.service",
                        "result": "exit-code",
                    },
                },
            ),
            (
                (b"Nov 23 02:16:57 web-1 systemd[1]: Failed to start shop.service - The shop."),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Failed to start shop.service - The shop.",
                    "event_action": "Failed to start",
                    "time": (1795400217, ""),
                    "level": "error",
                    "attributes": {
                        "unit": "shop.service",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T11:16:57.000001+09:00 web-1 systemd[1]: Reached t"
                    b"arget multi-user.target - Multi-User System."
                ),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Reached target multi-user.target - Multi-User System.",
                    "event_action": "Reached target",
                    "time": (1795400217, "000001"),
                    "attributes": {
                        "unit": "multi-user.target",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:58 web-1 systemd[1]: shop.service: Scheduled re"
                    b"start job, restart counter is at 5."
                ),
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": ("shop.service: Scheduled restart job, restart counter is at 5."),
                    "time": (1795400218, ""),
                    "attributes": {
                        "unit": "shop.service",
                    },
                },
            ),
            (
                b"Nov 23 02:16:58 web-1 systemd[1]: Reexecuting.",
                {
                    "host": "web-1",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Reexecuting.",
                    "time": (1795400218, ""),
                },
            ),
        ),
    )
}
