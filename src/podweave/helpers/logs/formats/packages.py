"""dpkg's, apt's and dnf's logs of what was installed and removed.

Sources: dpkg(1) (`--log`), apt's history.log, dnf.conf(5).
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

_PACKAGE = rb"%{BEGIN:package_name}[a-z0-9][a-z0-9+.\-]*%{END}(?::%{WORD:package_architecture?})?"

_ACTIONS = ("Install", "Upgrade", "Remove", "Purge", "Downgrade", "Reinstall")


class HistoryLayout(Layout):
    """A block of lines a run of apt: `Key: value`, from Start-Date to End-Date."""

    blocks = True

    def __init__(self) -> None:
        super().__init__(rb"%{BEGIN:message}Start-Date: %{ISOAPART:time}%{END}")

    def whole(self, lines: Sequence[bytes], clock: Clock) -> Record:
        """The record of a block, its first line included."""
        record = self.record(lines[0], clock) or {}
        attributes: dict[str, Any] = {}
        actions = []
        for line in lines[1:]:
            name, _, value = line.decode("utf-8", "replace").partition(": ")
            if name == "Commandline":
                record["command_line"] = record["message"] = value
            elif name == "Requested-By":
                user, _, number = value.partition(" (")
                record["user"] = user
                record["user_id"] = number.rstrip(")")
            elif name == "Error":
                record["error_message"] = value
            elif name:
                if name in _ACTIONS:
                    actions.append(name.lower())
                attributes[name.lower().replace("-", "_")] = value
        if actions:
            record["event_action"] = actions[0]
        record["event_outcome"] = "failure" if "error_message" in record else "success"
        if attributes:
            record["attributes"] = attributes
        return record


ALTERNATIVES = (
    (
        (
            b"update-alternatives 2026-11-23 02:16:56: run with --install /usr/b"
            b"in/pager pager /usr/bin/less 77"
        ),
        {
            "process": "update-alternatives",
            "message": "run with --install /usr/bin/pager pager /usr/bin/less 77",
            "command_line": "--install /usr/bin/pager pager /usr/bin/less 77",
            "time": (1795400216, ""),
        },
    ),
    (
        (
            b"update-alternatives 2026-11-23 02:16:56: link group pager updated "
            b"to point to /usr/bin/less"
        ),
        {
            "process": "update-alternatives",
            "message": "link group pager updated to point to /usr/bin/less",
            "package_name": "pager",
            "event_action": "updated",
            "time": (1795400216, ""),
            "attributes": {"target": "/usr/bin/less"},
        },
    ),
    (
        (
            b"update-alternatives 2026-11-23 02:16:57: status of link group /usr"
            b"/bin/pager set to auto"
        ),
        {
            "process": "update-alternatives",
            "message": "status of link group /usr/bin/pager set to auto",
            "time": (1795400217, ""),
        },
    ),
)
FORMATS = {
    "apt-history": Format(
        "apt-history",
        (HistoryLayout(),),
        samples=(
            (
                b"Start-Date: 2026-11-23  02:16:56",
                {
                    "message": "Start-Date: 2026-11-23  02:16:56",
                    "time": (1795400216, ""),
                },
            ),
        ),
    ),
    "dpkg": Format(
        "dpkg",
        (
            Layout(
                rb"%{ISO8601:time} %{BEGIN:message}%{BEGIN:event_action}status%{END} "
                rb"%{BEGIN:package_status}[a-z\-]+%{END} "
                + _PACKAGE
                + rb" (?:<none>|%{NOTSPACE:package_version?})%{END}"
            ),
            Layout(
                rb"%{ISO8601:time} %{BEGIN:message}%{BEGIN:event_action}install|upgrade|configure"
                rb"|trigproc|disappear|remove|purge%{END} "
                + _PACKAGE
                + rb" (?:<none>|%{NOTSPACE:previous_version?}) "
                rb"(?:<none>|%{NOTSPACE:package_version?})%{END}"
            ),
            Layout(
                rb"%{ISO8601:time} %{BEGIN:message}%{BEGIN:event_action}startup|conffile%{END} "
                rb"[^\n]*%{END}"
            ),
        ),
        samples=(
            (
                b"2026-11-23 02:16:56 startup archives unpack",
                {
                    "message": "startup archives unpack",
                    "event_action": "startup",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56 upgrade libsystemd0:amd64 252.36-1~deb12"
                    b"u1 252.38-1~deb12u1"
                ),
                {
                    "message": "upgrade libsystemd0:amd64 252.36-1~deb12u1 252.38-1~deb12u1",
                    "event_action": "upgrade",
                    "package_name": "libsystemd0",
                    "package_architecture": "amd64",
                    "package_version": "252.38-1~deb12u1",
                    "time": (1795400216, ""),
                    "attributes": {
                        "previous_version": "252.36-1~deb12u1",
                    },
                },
            ),
            (
                (b"2026-11-23 02:16:56 status half-configured libsystemd0:amd64 252.36-1~deb12u1"),
                {
                    "message": "status half-configured libsystemd0:amd64 252.36-1~deb12u1",
                    "event_action": "status",
                    "package_name": "libsystemd0",
                    "package_architecture": "amd64",
                    "package_version": "252.36-1~deb12u1",
                    "time": (1795400216, ""),
                    "attributes": {
                        "package_status": "half-configured",
                    },
                },
            ),
            (
                (b"2026-11-23 02:16:57 install curl:amd64 <none> 7.88.1-10+deb12u12"),
                {
                    "message": "install curl:amd64 <none> 7.88.1-10+deb12u12",
                    "event_action": "install",
                    "package_name": "curl",
                    "package_architecture": "amd64",
                    "package_version": "7.88.1-10+deb12u12",
                    "time": (1795400217, ""),
                },
            ),
            (
                (b"2026-11-23 02:16:57 trigproc libc-bin:amd64 2.36-9+deb12u10 <none>"),
                {
                    "message": "trigproc libc-bin:amd64 2.36-9+deb12u10 <none>",
                    "event_action": "trigproc",
                    "package_name": "libc-bin",
                    "package_architecture": "amd64",
                    "time": (1795400217, ""),
                    "attributes": {
                        "previous_version": "2.36-9+deb12u10",
                    },
                },
            ),
            (
                b"2026-11-23 02:16:57 conffile /etc/ssh/sshd_config keep",
                {
                    "message": "conffile /etc/ssh/sshd_config keep",
                    "event_action": "conffile",
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
    "dnf": Format(
        "dnf",
        (
            Layout(
                rb"%{ISO8601:time} (?:%{INT:pid?} )?"
                rb"%{BEGIN:level}CRITICAL|ERROR|WARNING|INFO|SUBDEBUG|DDEBUG|DEBUG|TRACE|ALL%{END} "
                rb"%{BEGIN:message}%{BEGIN:event_action}Installed|Upgraded|Upgrade|Removed|Erase"
                rb"|Downgraded|Reinstalled|Cleanup|Updated%{END}: "
                rb"%{BEGIN:package_name}[^ \n]+%{END}%{END}"
            ),
            # yum's own: no year
            Layout(
                rb"%{SYSLOGDATE:time} %{BEGIN:message}%{BEGIN:event_action}Installed|Updated|Erased"
                rb"%{END}: %{BEGIN:package_name}[^ \n]+%{END}%{END}"
            ),
        ),
        samples=(
            (
                (b"2026-11-23T02:16:56+0000 SUBDEBUG Installed: curl-7.76.1-26.el9.x86_64"),
                {
                    "level": "debug",
                    "message": "Installed: curl-7.76.1-26.el9.x86_64",
                    "event_action": "Installed",
                    "package_name": "curl-7.76.1-26.el9.x86_64",
                    "time": (1795400216, ""),
                },
            ),
            (
                (b"2026-11-23T02:16:57Z SUBDEBUG Upgrade: openssl-1:3.0.7-24.el9.x86_64"),
                {
                    "level": "debug",
                    "message": "Upgrade: openssl-1:3.0.7-24.el9.x86_64",
                    "event_action": "Upgrade",
                    "package_name": "openssl-1:3.0.7-24.el9.x86_64",
                    "time": (1795400217, ""),
                },
            ),
            (
                b"Nov 23 02:16:57 Updated: kernel-3.10.0-1160.el7.x86_64",
                {
                    "message": "Updated: kernel-3.10.0-1160.el7.x86_64",
                    "event_action": "Updated",
                    "package_name": "kernel-3.10.0-1160.el7.x86_64",
                    "time": (1795400217, ""),
                },
            ),
        ),
        levels={"SUBDEBUG": "debug", "DDEBUG": "trace"},
    ),
    "alternatives": Format(
        "alternatives",
        (
            Layout(
                rb"%{BEGIN:process}update-alternatives%{END} %{ISO8601:time}: "
                rb"%{BEGIN:message}link group %{SPACED:package_name} "
                rb"%{BEGIN:event_action}updated|removed|fully removed|added%{END}"
                rb"(?: to point to %{REST:target?})?%{END}"
            ),
            Layout(
                rb"%{BEGIN:process}update-alternatives%{END} %{ISO8601:time}: "
                rb"%{BEGIN:message}run with %{REST:command_line}%{END}"
            ),
            Layout(
                rb"%{BEGIN:process}update-alternatives%{END} %{ISO8601:time}: %{REST:message}",
                general=True,
            ),
        ),
        samples=ALTERNATIVES,
    ),
}
