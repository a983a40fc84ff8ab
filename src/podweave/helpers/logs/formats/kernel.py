"""The kernel's messages, in syslog and as dmesg prints them, and its packet filter's (ufw, nft).

Sources: dmesg(1), the kernel's documentation of /dev/kmsg, nf_log_ipv4.c (the packet's parts).
Seconds since the boot are no time of day: a line with nothing else gets the time of reading.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Message, Program
from podweave.helpers.logs.fields import SEVERITY_LEVELS
from podweave.helpers.logs.formats.syslog_heads import PRIORITY_DERIVED, layouts_of
from podweave.helpers.logs.layouts import Format, Layout

UPTIME = rb"\[ *%{SECONDS:uptime}\] "
_UPTIME = rb"(?:\[ *%{SECONDS:uptime?}\] ?)?"
_KILLED = (
    rb"Out of memory: Killed process %{INT:killed_pid} \(%{PARENTHESISED:killed_process}\)[^\n]*"
)


def _receiver(macs: str) -> str | None:
    return macs[:17] if len(macs) >= 35 else None


def _sender(macs: str) -> str | None:
    return macs[18:35] if len(macs) >= 35 else None


def _network(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


def _transport(name: str) -> str:
    return name.lower()


def _rule(prefix: str) -> str | None:
    return prefix.strip(" []:") or None


def _action(prefix: str) -> str | None:
    """What a rule's prefix says was done: `[UFW BLOCK] `, `DROP-IN: `, `nft-reject `."""
    upper = prefix.upper()
    for word, action in _ACTIONS:
        if word in upper:
            return action
    # The last letter of a rule's name on EdgeOS and VyOS: [WAN_LOCAL-default-D]
    return {"-A]": "accept", "-D]": "drop", "-R]": "reject"}.get(upper.strip()[-3:])


_ACTIONS = (
    ("BLOCK", "block"),
    ("DROP", "drop"),
    ("REJECT", "reject"),
    ("DENY", "deny"),
    ("DENIED", "deny"),
    ("ALLOW", "allow"),
    ("ACCEPT", "accept"),
    ("LIMIT", "limit"),
    ("AUDIT", "audit"),
)

_PACKET = (
    _UPTIME + rb"%{BEGIN:message}%{BEGIN:_prefix?}[^=\n]*%{END}"
    rb"IN=%{BEGIN:ingress_interface?}[^ \n]*%{END} "
    rb"(?:PHYSIN=[^ \n]* )?OUT=%{BEGIN:egress_interface?}[^ \n]*%{END} "
    rb"(?:PHYSOUT=[^ \n]* )?"
    rb"(?:MAC=%{BEGIN:mac?}[^ \n]*%{END} )?SRC=%{BEGIN:source_address}[^ \n]+%{END} "
    rb"DST=%{BEGIN:destination_address}[^ \n]+%{END} LEN=%{INT:network_bytes} "
    rb"(?>(?:(?!PROTO=)[^ \n]+ )*)PROTO=%{BEGIN:_transport}\w+%{END}"
    rb"(?: SPT=%{INT:source_port?} DPT=%{INT:destination_port?})?(?: [^\n]*)?%{END}"
)
_OF_PACKET = (
    ("network_transport", "_transport", _transport),
    ("rule_name", "_prefix", _rule),
    ("event_action", "_prefix", _action),
    ("destination_mac", "mac", _receiver),
    ("source_mac", "mac", _sender),
    ("network_type", "source_address", _network),
)
# The rule's name must be right there: a prefix may be anything, and so a head of syslog's.
_HEADS = (
    rb"%{SYSLOGDATE:time} %{SYSLOGHOST:host} (?=\[[^\]\n]*\] ?IN=)",
    rb"%{SYSLOGDATE:time} (?=[\w\-]+: ?IN=)",
    rb"(?=\[|(?:[A-Za-z][\w\-]*+:? ?){0,3}IN=)",
)
FIREWALL = Program("firewall", rb"kernel|ulogd", (Message(_PACKET, (), _OF_PACKET),), others=False)
KERNEL = Program(
    "kernel",
    rb"kernel",
    (
        Message(_UPTIME + rb"%{BEGIN:message}" + _KILLED + rb"%{END}"),
        Message(_UPTIME + rb"%{REST:message}"),
    ),
)


def _kmsg_level(priority: str) -> str | None:
    return SEVERITY_LEVELS[int(priority) & 7] if len(priority) <= 4 else None


FORMATS = {
    "firewall": Format(
        "firewall",
        (
            *layouts_of(FIREWALL),
            # From a router, without the program; from a file of its own; from the journal
            *(Layout(head + _PACKET, derive=_OF_PACKET) for head in _HEADS),
        ),
        samples=(
            (
                (
                    b"Nov 23 02:16:56 web-1 kernel: [12345.678901] [UFW BLOCK] IN="
                    b"eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC="
                    b"203.0.113.9 DST=192.0.2.10 LEN=44 TOS=0x00 PREC=0x00 TTL=241"
                    b" ID=54321 PROTO=TCP SPT=45230 DPT=23 WINDOW=65535 RES=0x00 S"
                    b"YN URGP=0"
                ),
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": (
                        "[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:"
                        "65:43:21:08:00 SRC=203.0.113.9 DST=192.0.2.10 LEN=44 TOS"
                        "=0x00 PREC=0x00 TTL=241 ID=54321 PROTO=TCP SPT=45230 DPT"
                        "=23 WINDOW=65535 RES=0x00 SYN URGP=0"
                    ),
                    "ingress_interface": "eth0",
                    "source_address": "203.0.113.9",
                    "destination_address": "192.0.2.10",
                    "network_bytes": 44,
                    "source_port": 45230,
                    "destination_port": 23,
                    "time": (1795400216, ""),
                    "network_transport": "tcp",
                    "rule_name": "UFW BLOCK",
                    "event_action": "block",
                    "destination_mac": "52:54:00:12:34:56",
                    "source_mac": "52:54:00:65:43:21",
                    "network_type": "ipv4",
                    "attributes": {
                        "uptime": 12345.678901,
                        "mac": "52:54:00:12:34:56:52:54:00:65:43:21:08:00",
                    },
                },
            ),
            (
                b"Nov 23 02:16:57 gw-1 [WAN_LOCAL-default-D]IN=eth0 OUT= "
                b"MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=203.0.113.9 DST=192.0.2.10 "
                b"LEN=44 TOS=0x00 PREC=0x00 TTL=63 ID=0 DF PROTO=TCP SPT=45230 DPT=22 WINDOW=1024",
                {
                    "host": "gw-1",
                    "message": (
                        "[WAN_LOCAL-default-D]IN=eth0 OUT= "
                        "MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=203.0.113.9 "
                        "DST=192.0.2.10 LEN=44 TOS=0x00 PREC=0x00 TTL=63 ID=0 DF PROTO=TCP "
                        "SPT=45230 DPT=22 WINDOW=1024"
                    ),
                    "rule_name": "WAN_LOCAL-default-D",
                    "event_action": "drop",
                    "ingress_interface": "eth0",
                    "source_address": "203.0.113.9",
                    "source_port": 45230,
                    "source_mac": "52:54:00:65:43:21",
                    "destination_address": "192.0.2.10",
                    "destination_port": 22,
                    "destination_mac": "52:54:00:12:34:56",
                    "network_bytes": 44,
                    "network_transport": "tcp",
                    "network_type": "ipv4",
                    "time": (1795400217, ""),
                    "attributes": {"mac": "52:54:00:12:34:56:52:54:00:65:43:21:08:00"},
                },
            ),
            (
                b"DENY: IN=eth0 OUT= SRC=203.0.113.9 DST=192.0.2.10 LEN=88 "
                b"TTL=118 PROTO=ICMP TYPE=3",
                {
                    "message": "DENY: IN=eth0 OUT= SRC=203.0.113.9 DST=192.0.2.10 LEN=88 "
                    "TTL=118 PROTO=ICMP TYPE=3",
                    "rule_name": "DENY",
                    "event_action": "deny",
                    "ingress_interface": "eth0",
                    "source_address": "203.0.113.9",
                    "destination_address": "192.0.2.10",
                    "network_bytes": 88,
                    "network_transport": "icmp",
                    "network_type": "ipv4",
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 web-1 kernel: DROP-IN: IN=eth0 OUT=eth1 MAC="
                    b"52:54:00:12:34:56:52:54:00:65:43:21:86:dd SRC=2001:0db8:0000"
                    b":0000:0000:0000:0000:0009 DST=2001:0db8:0000:0000:0000:0000:"
                    b"0000:0010 LEN=72 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=UDP SPT=53"
                    b" DPT=53124 LEN=32"
                ),
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": (
                        "DROP-IN: IN=eth0 OUT=eth1 MAC=52:54:00:12:34:56:52:54:00"
                        ":65:43:21:86:dd SRC=2001:0db8:0000:0000:0000:0000:0000:0"
                        "009 DST=2001:0db8:0000:0000:0000:0000:0000:0010 LEN=72 T"
                        "C=0 HOPLIMIT=64 FLOWLBL=0 PROTO=UDP SPT=53 DPT=53124 LEN"
                        "=32"
                    ),
                    "ingress_interface": "eth0",
                    "egress_interface": "eth1",
                    "source_address": "2001:0db8:0000:0000:0000:0000:0000:0009",
                    "destination_address": "2001:0db8:0000:0000:0000:0000:0000:0010",
                    "network_bytes": 72,
                    "source_port": 53,
                    "destination_port": 53124,
                    "time": (1795400216, ""),
                    "network_transport": "udp",
                    "rule_name": "DROP-IN",
                    "event_action": "drop",
                    "destination_mac": "52:54:00:12:34:56",
                    "source_mac": "52:54:00:65:43:21",
                    "network_type": "ipv6",
                    "attributes": {
                        "mac": "52:54:00:12:34:56:52:54:00:65:43:21:86:dd",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:57.100000+00:00 web-1 kernel: [12346.000001"
                    b"] IN=lo OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 S"
                    b"RC=127.0.0.1 DST=127.0.0.1 LEN=84 TOS=0x00 PREC=0x00 TTL=64 "
                    b"ID=1 DF PROTO=ICMP TYPE=8 CODE=0 ID=9 SEQ=1"
                ),
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": (
                        "IN=lo OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00"
                        " SRC=127.0.0.1 DST=127.0.0.1 LEN=84 TOS=0x00 PREC=0x00 T"
                        "TL=64 ID=1 DF PROTO=ICMP TYPE=8 CODE=0 ID=9 SEQ=1"
                    ),
                    "ingress_interface": "lo",
                    "source_address": "127.0.0.1",
                    "destination_address": "127.0.0.1",
                    "network_bytes": 84,
                    "time": (1795400217, "100000"),
                    "network_transport": "icmp",
                    "destination_mac": "00:00:00:00:00:00",
                    "source_mac": "00:00:00:00:00:00",
                    "network_type": "ipv4",
                    "attributes": {
                        "uptime": 12346.000001,
                        "mac": "00:00:00:00:00:00:00:00:00:00:00:00:08:00",
                    },
                },
            ),
        ),
    ),
    "kernel": Format(
        "kernel",
        (
            *layouts_of(KERNEL),
            # dmesg -r, and the serial console
            Layout(
                rb"<%{PRIORITY:priority}>" + UPTIME + rb"%{REST:message}", derive=PRIORITY_DERIVED
            ),
            # dmesg -x
            Layout(
                rb"%{BEGIN:facility_name}[a-z]+\d?%{END} *:%{BEGIN:level}[a-z]+%{END} *: "
                + UPTIME
                + rb"%{REST:message}"
            ),
            # dmesg, and with the number of the CPU or thread
            Layout(UPTIME + rb"(?:\[ *[TC]\d+\] )?%{REST:message}"),
            # /dev/kmsg: priority, sequence, microseconds since the boot, flags
            Layout(
                rb"%{INT:_priority},%{INT:event_sequence},%{INT:uptime_microseconds},[^;\n]{1,64};"
                rb"%{REST:message}",
                derive=(("level", "_priority", _kmsg_level),),
            ),
        ),
        samples=(
            (
                (b"Nov 23 02:16:56 web-1 kernel: [12345.678901] eth0: Link is Up - 1Gbps/Full"),
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": "eth0: Link is Up - 1Gbps/Full",
                    "time": (1795400216, ""),
                    "attributes": {
                        "uptime": 12345.678901,
                    },
                },
            ),
            (
                b"Nov 23 02:16:56 web-1 kernel: audit: backlog limit exceeded",
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": "audit: backlog limit exceeded",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 web-1 kernel: [12346.100000] Out of memory: "
                    b"Killed process 4711 (java) total-vm:8123456kB, anon-rss:4012"
                    b"345kB, file-rss:0kB"
                ),
                {
                    "host": "web-1",
                    "process": "kernel",
                    "message": (
                        "Out of memory: Killed process 4711 (java) total-vm:81234"
                        "56kB, anon-rss:4012345kB, file-rss:0kB"
                    ),
                    "time": (1795400217, ""),
                    "attributes": {
                        "uptime": 12346.1,
                        "killed_pid": 4711,
                        "killed_process": "java",
                    },
                },
            ),
            (
                (b"[    0.000000] Linux version 6.1.0-25-amd64 (debian-kernel@lists.debian.org)"),
                {
                    "message": ("Linux version 6.1.0-25-amd64 (debian-kernel@lists.debian.org)"),
                    "attributes": {
                        "uptime": 0.0,
                    },
                },
            ),
            (
                (b"[12345.678901] [T4711] BTRFS warning (device sda1): csum failed"),
                {
                    "message": "BTRFS warning (device sda1): csum failed",
                    "attributes": {
                        "uptime": 12345.678901,
                    },
                },
            ),
            (
                (b"<4>[   12.345678] usb 1-1: device descriptor read/64, error -71"),
                {
                    "priority": 4,
                    "message": "usb 1-1: device descriptor read/64, error -71",
                    "facility": 0,
                    "severity": 4,
                    "level": "warn",
                    "attributes": {
                        "uptime": 12.345678,
                    },
                },
            ),
            (
                b"kern  :warn  : [   12.345678] ACPI: video: Video Device",
                {
                    "level": "warn",
                    "message": "ACPI: video: Video Device",
                    "attributes": {
                        "facility_name": "kern",
                        "uptime": 12.345678,
                    },
                },
            ),
            (
                b"6,339,5140900,-;NET: Registered PF_INET6 protocol family",
                {
                    "event_sequence": 339,
                    "message": "NET: Registered PF_INET6 protocol family",
                    "level": "info",
                    "attributes": {
                        "uptime_microseconds": 5140900,
                    },
                },
            ),
        ),
    ),
}
