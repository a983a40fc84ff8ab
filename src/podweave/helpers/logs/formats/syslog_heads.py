"""What stands before the message of a syslog line: in files, in packets, and from BusyBox.

Sources: RFC 3164, RFC 5424, rsyslog's templates (`RSYSLOG_FileFormat` has the time of RFC 3339),
BusyBox' syslogd (facility and level behind the host).
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Envelope, Program
from podweave.helpers.logs.fields import SEVERITY_LEVELS


def _facility(priority: str) -> int | None:
    return int(priority) >> 3 if len(priority) <= 3 and int(priority) < 192 else None


def _severity(priority: str) -> int | None:
    return int(priority) & 7 if len(priority) <= 3 and int(priority) < 192 else None


def _level(priority: str) -> str | None:
    severity = _severity(priority)
    return None if severity is None else SEVERITY_LEVELS[severity]


PRIORITY_DERIVED = (
    ("facility", "priority", _facility),
    ("severity", "priority", _severity),
    ("level", "priority", _level),
)
# An address with a port isn't a program with its message.
_COLON = rb":(?![^ \n]) ?"
TAG = rb"%{SYSLOGTAG:process}(?:\[%{INT:pid?}\])?" + _COLON
FILE = rb"%{SYSLOGDATE:time} %{SYSLOGHOST:host} " + TAG
PACKET = rb"<%{PRIORITY:priority}>" + FILE
# What rsyslog and systemd of today write
ISO_FILE = rb"%{RFC3339:time} %{SYSLOGHOST:host} " + TAG
BUSYBOX = (
    rb"%{SYSLOGDATE:time} %{SYSLOGHOST:host} %{BEGIN:facility_name}[a-z]+\d?%{END}"
    rb"\.%{BEGIN:level}[a-z]+%{END} " + TAG
)
# A program's own file: no host
OWN_FILE = rb"%{SYSLOGDATE:time} {1,2}%{SYSLOGTAG:process}\[%{INT:pid}\]" + _COLON
# RFC 5424 up to the message, which may be absent with the space before it.
RFC5424_FIELDS = (
    rb" %{NOTSPACE:host?} %{NOTSPACE:process?} (?:%{INT:pid?}|%{NOTSPACE:process_id?}) "
    rb"%{NOTSPACE:message_id?} (?:-|%{STRUCTUREDDATA:structured_data?})"
)
RFC5424_MESSAGE = rb" (?>(?:\xef\xbb\xbf)?)"
RFC5424 = rb"<%{PRIORITY:priority}>1 %{ISO8601:time}" + RFC5424_FIELDS + RFC5424_MESSAGE
# Any of the first three: for one program's own format, which isn't worth three layouts.
_ANY = rb"(?:<%{PRIORITY:priority?}>)?%{SYSLOGTIME:time} %{SYSLOGHOST:host} " + TAG


def layouts_of(*programs: Program) -> tuple[Envelope, ...]:
    """The layouts of a format that is what these programs write to syslog, and nothing else."""
    return (Envelope(_ANY, programs, derive=PRIORITY_DERIVED, only=True),)
