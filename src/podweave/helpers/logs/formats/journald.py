"""systemd's journal as `journalctl -o json` prints it.

Source: systemd.journal-fields(7). What journalctl prints by default (`short`) is syslog's format.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import SEVERITY_LEVELS
from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import PRESENT, TEXT, JsonLayout

FORMATS = {
    "journald-json": Format(
        "journald-json",
        (
            JsonLayout(
                {
                    "__REALTIME_TIMESTAMP": "time",
                    "PRIORITY": "level",
                    "MESSAGE": "message",
                    "MESSAGE_ID": "event_id",
                    "SYSLOG_FACILITY": "facility",
                    "SYSLOG_IDENTIFIER": "process",
                    "SYSLOG_PID": "",
                    "_PID": "pid",
                    "_UID": "user_id",
                    "_COMM": "",
                    "_EXE": "executable",
                    "_CMDLINE": "command_line",
                    "_HOSTNAME": "host",
                    "CODE_FILE": "file",
                    "CODE_LINE": "line",
                    "CODE_FUNC": "function",
                    "TID": "thread_id",
                    "ERRNO": "error_code",
                    "CONTAINER_ID_FULL": "container_id",
                    "CONTAINER_NAME": "container_name",
                    "IMAGE_NAME": "container_image",
                },
                requires={"__REALTIME_TIMESTAMP": TEXT, "MESSAGE": PRESENT},
            ),
        ),
        samples=(
            (
                (
                    b'{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"17954002167890'
                    b'12","__MONOTONIC_TIMESTAMP":"5140900","_BOOT_ID":"8d1e","PRI'
                    b'ORITY":"6","SYSLOG_FACILITY":"3","SYSLOG_IDENTIFIER":"sshd",'
                    b'"_PID":"3101","_UID":"0","_COMM":"sshd","_EXE":"/usr/sbin/ss'
                    b'hd","_CMDLINE":"sshd: kim [priv]","_HOSTNAME":"web-1","_SYST'
                    b'EMD_UNIT":"ssh.service","_TRANSPORT":"syslog","MESSAGE":"Acc'
                    b'epted publickey for kim"}'
                ),
                {
                    "attributes": {
                        "__CURSOR": "s=1;i=2",
                        "__MONOTONIC_TIMESTAMP": "5140900",
                        "_BOOT_ID": "8d1e",
                        "_COMM": "sshd",
                        "_SYSTEMD_UNIT": "ssh.service",
                        "_TRANSPORT": "syslog",
                    },
                    "time": (1795400216, "789012"),
                    "level": "info",
                    "facility": 3,
                    "process": "sshd",
                    "pid": 3101,
                    "user_id": "0",
                    "executable": "/usr/sbin/sshd",
                    "command_line": "sshd: kim [priv]",
                    "host": "web-1",
                    "message": "Accepted publickey for kim",
                },
            ),
            (
                (
                    b'{"__REALTIME_TIMESTAMP":"1795400217000001","PRIORITY":"3","_'
                    b'HOSTNAME":"web-1","_TRANSPORT":"journal","CODE_FILE":"src/co'
                    b're/job.c","CODE_LINE":"768","CODE_FUNC":"job_emit_done_messa'
                    b'ge","SYSLOG_IDENTIFIER":"systemd","_PID":"1","UNIT":"shop.se'
                    b'rvice","MESSAGE":"Failed to start shop.service."}'
                ),
                {
                    "time": (1795400217, "000001"),
                    "level": "error",
                    "host": "web-1",
                    "attributes": {
                        "_TRANSPORT": "journal",
                        "UNIT": "shop.service",
                    },
                    "file": "src/core/job.c",
                    "line": 768,
                    "function": "job_emit_done_message",
                    "process": "systemd",
                    "pid": 1,
                    "message": "Failed to start shop.service.",
                },
            ),
        ),
        levels={str(severity): level for severity, level in enumerate(SEVERITY_LEVELS)},
    ),
}
