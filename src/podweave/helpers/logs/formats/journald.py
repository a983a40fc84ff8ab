"""systemd's journal, as `journalctl -o json` and `-o export` print it.

Sources: systemd.journal-fields(7), "Journal Export Formats". What journalctl prints by default
(`short`) is syslog's format.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import SEVERITY_LEVELS
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import PRESENT, TEXT, JsonLayout
from podweave.helpers.logs.structured.names import KeyTable
from podweave.helpers.logs.structured.sink import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

_KEYS = {
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
}
_LEVELS = {str(severity): level for severity, level in enumerate(SEVERITY_LEVELS)}


class ExportLayout(Layout):
    """A block of lines an entry: `FIELD=value`, and an empty line at its end.

    A value with newlines or other controls is its field's name on a line, eight bytes of its
    length (little-endian), the value.
    """

    blocks = True

    def __init__(self) -> None:
        super().__init__(rb"__CURSOR=%{NOTSPACE:cursor}")
        self._keys = KeyTable({"__CURSOR": "", **_KEYS})

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of a block, its first line included."""
        sink = Sink(clock, self._keys, self.levels)
        index = 0
        while index < len(lines):
            name, equals, value = lines[index].partition(b"=")
            index += 1
            if not equals:
                rest = b"\n".join(lines[index:])
                length = int.from_bytes(rest[:8], "little")
                if not name or len(rest) < 8 + length:
                    continue
                value = rest[8 : 8 + length]
                index += rest[: 8 + length].count(b"\n") + 1
            field = "cursor" if name == b"__CURSOR" else name.decode("utf-8", "replace")
            sink.fill(field, value.decode("utf-8", "replace"))
        return sink.record


FORMATS = {
    "journald-json": Format(
        "journald-json",
        (JsonLayout(_KEYS, requires={"__REALTIME_TIMESTAMP": TEXT, "MESSAGE": PRESENT}),),
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
        levels=_LEVELS,
    ),
    "journald-export": Format(
        "journald-export",
        (ExportLayout(),),
        samples=(
            (
                (
                    b"__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c60"
                    b"13a26343b29e964691ff25d04c"
                ),
                {
                    "attributes": {
                        "cursor": (
                            "s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26"
                            "343b29e964691ff25d04c"
                        ),
                    },
                },
            ),
        ),
        levels=_LEVELS,
    ),
}
