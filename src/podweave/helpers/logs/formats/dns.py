"""Name servers: BIND (queries and everything else), dnsmasq with DHCP, Unbound.

Sources: BIND's administrator reference manual (logging, "The query-errors and queries
categories"), dnsmasq(8) `--log-queries`, Unbound's unbound.conf(5) `log-queries`, `log-replies`.
"""

from __future__ import annotations

from podweave.helpers.logs.envelope import Envelope, Message, Program
from podweave.helpers.logs.formats.syslog_heads import OWN_FILE, TAG, layouts_of
from podweave.helpers.logs.layouts import Format, Layout

_CLIENT = (
    rb"client (?:@0x[0-9a-f]+ )?%{ADDRESS:source_address}#%{INT:source_port}"
    rb"(?: \((?:[^)\n]*)\))?: "
)
_QUERY = (
    _CLIENT + rb"(?:view %{BEGIN:view?}[^:\n]+%{END}: )?query: %{NOTSPACE:dns_question_name} "
    rb"%{WORD:dns_question_class} %{WORD:dns_question_type} %{SPACED:query_flags}"
    rb"(?: \(%{BEGIN:destination_address?}[^)\n]*%{END}\))?[^\n]*"
)
_BIND_FILE = rb"%{DAYMONTHYEAR:time} (?:%{BEGIN:logger?}[a-z][a-z-]*%{END}: )?"
# Categories, levels and times are each printed or not, as the channel is configured.
_BIND_LEVEL = rb"(?:%{BEGIN:level?}critical|error|warning|notice|info|debug \d{1,2}%{END}: )?"


NAMED = Program(
    "bind",
    rb"named",
    (
        Message(_QUERY, (b"client",)),
        Message(_CLIENT + rb"[^\n]*", (b"client",)),
    ),
)

_ASKED = rb"(?:%{INT:event_sequence?} %{BEGIN:_asker?}[0-9A-Fa-f.:]+/\d+%{END} )?"
DNSMASQ = Program(
    "dnsmasq",
    rb"dnsmasq(?:-dhcp|-tftp|-script)?",
    (
        Message(
            _ASKED
            + rb"%{BEGIN:event_action}query%{END}\[%{BEGIN:dns_question_type}[^\]\n]+%{END}\] "
            rb"%{NOTSPACE:dns_question_name} from %{NOTSPACE:source_address}"
        ),
        Message(
            _ASKED + rb"%{BEGIN:event_action}forwarded%{END} %{NOTSPACE:dns_question_name} to "
            rb"%{NOTSPACE:destination_address}"
        ),
        Message(
            _ASKED + rb"%{BEGIN:event_action}reply|cached|cached-stale|config|DHCP|/[^ \n]+"
            rb"|validation%{END} %{NOTSPACE:dns_question_name} is %{BEGIN:answer?}[^\n]+%{END}"
        ),
        Message(
            rb"%{BEGIN:event_action}DHCP[A-Z]+%{END}\(%{BEGIN:ingress_interface}[^)\n]+%{END}\) "
            rb"(?:%{BEGIN:source_address?}\d{1,3}(?:\.\d{1,3}){3}%{END} )?"
            rb"%{BEGIN:source_mac}[0-9a-f]{2}(?::[0-9a-f]{2}){5}%{END}"
            rb"(?: %{BEGIN:source_name?}[^\n]*%{END})?"
        ),
    ),
)

_UNBOUND_LEVEL = rb"%{BEGIN:level}fatal error|error|warning|notice|info|verbose|debug%{END}: "
_UNBOUND_LEVELS = {"fatal error": "fatal", "verbose": "debug"}
_UNBOUND_QUERY = (
    rb"%{BEGIN:source_address?}[0-9A-Fa-f.:]+%{END} %{SPACED:dns_question_name?} "
    rb"%{BEGIN:dns_question_type?}[A-Z0-9]+%{END} %{BEGIN:dns_question_class?}IN|CH|HS|ANY%{END}"
    rb"(?: %{BEGIN:dns_response_code?}[A-Z]+%{END} %{NUMBER:duration?} %{BEGIN:cached?}[01]%{END} "
    rb"%{INT:response_bytes?})?(?![^ \n])"
)
_UNBOUND = (
    rb"%{BEGIN:process}unbound%{END}\[%{INT:pid}:%{INT:thread_id}\] "
    + _UNBOUND_LEVEL
    + rb"%{BEGIN:message}(?:"
    + _UNBOUND_QUERY
    + rb"|[^\n]*)%{END}"
)

FORMATS = {
    "bind": Format(
        "bind",
        (
            Layout(_BIND_FILE + _BIND_LEVEL + rb"%{BEGIN:message}" + _QUERY + rb"%{END}"),
            Layout(
                _BIND_FILE + _BIND_LEVEL + rb"%{BEGIN:message}" + _CLIENT + rb"[^\n]*%{END}",
            ),
            Layout(
                rb"%{DAYMONTHYEAR:time} %{BEGIN:logger}[a-z][a-z-]*%{END}: "
                rb"%{BEGIN:level}critical|error|warning|notice|info|debug \d{1,2}%{END}: "
                rb"%{REST:message}"
            ),
            *layouts_of(NAMED),
        ),
        samples=(
            (
                (
                    b"23-Nov-2026 02:16:56.789 queries: info: client @0x7f3c1c0d5e"
                    b"70 192.0.2.7#53124 (www.shop.example): query: www.shop.examp"
                    b"le IN A +E(0)K (192.0.2.53)"
                ),
                {
                    "logger": "queries",
                    "level": "info",
                    "message": (
                        "client @0x7f3c1c0d5e70 192.0.2.7#53124 (www.shop.example"
                        "): query: www.shop.example IN A +E(0)K (192.0.2.53)"
                    ),
                    "source_address": "192.0.2.7",
                    "source_port": 53124,
                    "dns_question_name": "www.shop.example",
                    "dns_question_type": "A",
                    "destination_address": "192.0.2.53",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "dns_question_class": "IN",
                        "query_flags": "+E(0)K",
                    },
                },
            ),
            (
                (
                    b"23-Nov-2026 02:16:56.790 client 2001:db8::7#40000 (shop.exam"
                    b"ple): view internal: query: shop.example IN AAAA + (2001:db8"
                    b"::53)"
                ),
                {
                    "message": (
                        "client 2001:db8::7#40000 (shop.example): view internal: "
                        "query: shop.example IN AAAA + (2001:db8::53)"
                    ),
                    "source_address": "2001:db8::7",
                    "source_port": 40000,
                    "dns_question_name": "shop.example",
                    "dns_question_type": "AAAA",
                    "destination_address": "2001:db8::53",
                    "time": (1795400216, "790"),
                    "attributes": {
                        "view": "internal",
                        "dns_question_class": "IN",
                        "query_flags": "+",
                    },
                },
            ),
            (
                (
                    b"23-Nov-2026 02:16:57.000 security: info: client @0x7f3c1c0d5"
                    b"e70 203.0.113.9#4000 (isc.org): query (cache) 'isc.org/ANY/I"
                    b"N' denied"
                ),
                {
                    "logger": "security",
                    "level": "info",
                    "message": (
                        "client @0x7f3c1c0d5e70 203.0.113.9#4000 (isc.org): query"
                        " (cache) 'isc.org/ANY/IN' denied"
                    ),
                    "source_address": "203.0.113.9",
                    "source_port": 4000,
                    "time": (1795400217, "000"),
                },
            ),
            (
                (
                    b"23-Nov-2026 02:16:57.001 general: error: managed-keys-zone: "
                    b"Unable to fetch DNSKEY set '.': timed out"
                ),
                {
                    "logger": "general",
                    "level": "error",
                    "message": "managed-keys-zone: Unable to fetch DNSKEY set '.': timed out",
                    "time": (1795400217, "001"),
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 ns-1 named[5101]: client @0x7f3c1c0d5e70 192"
                    b".0.2.7#53125 (mx.shop.example): query: mx.shop.example IN MX"
                    b" +T (192.0.2.53)"
                ),
                {
                    "host": "ns-1",
                    "process": "named",
                    "pid": 5101,
                    "message": (
                        "client @0x7f3c1c0d5e70 192.0.2.7#53125 (mx.shop.example)"
                        ": query: mx.shop.example IN MX +T (192.0.2.53)"
                    ),
                    "source_address": "192.0.2.7",
                    "source_port": 53125,
                    "dns_question_name": "mx.shop.example",
                    "dns_question_type": "MX",
                    "destination_address": "192.0.2.53",
                    "time": (1795400217, ""),
                    "attributes": {
                        "dns_question_class": "IN",
                        "query_flags": "+T",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 ns-1 named[5101]: zone shop.example/IN: load"
                    b"ed serial 2026112301"
                ),
                {
                    "host": "ns-1",
                    "process": "named",
                    "pid": 5101,
                    "message": "zone shop.example/IN: loaded serial 2026112301",
                    "time": (1795400217, ""),
                },
            ),
        ),
        levels={f"debug {number}": "debug" for number in range(1, 100)},
    ),
    "dnsmasq": Format(
        "dnsmasq",
        (
            *layouts_of(DNSMASQ),
            # log-facility=FILE has no host, standard error no time
            Envelope(OWN_FILE, (DNSMASQ,), only=True),
            Envelope(TAG, (DNSMASQ,), only=True),
        ),
        samples=(
            (
                (b"Nov 23 02:16:56 gw-1 dnsmasq[5201]: query[A] www.shop.example from 192.0.2.7"),
                {
                    "host": "gw-1",
                    "process": "dnsmasq",
                    "pid": 5201,
                    "message": "query[A] www.shop.example from 192.0.2.7",
                    "event_action": "query",
                    "dns_question_type": "A",
                    "dns_question_name": "www.shop.example",
                    "source_address": "192.0.2.7",
                    "time": (1795400216, ""),
                },
            ),
            (
                (b"Nov 23 02:16:56 dnsmasq[5201]: forwarded www.shop.example to 9.9.9.9"),
                {
                    "process": "dnsmasq",
                    "pid": 5201,
                    "message": "forwarded www.shop.example to 9.9.9.9",
                    "event_action": "forwarded",
                    "dns_question_name": "www.shop.example",
                    "destination_address": "9.9.9.9",
                    "time": (1795400216, ""),
                },
            ),
            (
                (b"Nov 23 02:16:56 dnsmasq[5201]: reply www.shop.example is 198.51.100.80"),
                {
                    "process": "dnsmasq",
                    "pid": 5201,
                    "message": "reply www.shop.example is 198.51.100.80",
                    "event_action": "reply",
                    "dns_question_name": "www.shop.example",
                    "time": (1795400216, ""),
                    "attributes": {
                        "answer": "198.51.100.80",
                    },
                },
            ),
            (
                (
                    b"dnsmasq[1]: 17 10.244.0.5/40000 query[AAAA] kubernetes.defau"
                    b"lt.svc.cluster.local from 10.244.0.5"
                ),
                {
                    "process": "dnsmasq",
                    "pid": 1,
                    "message": (
                        "17 10.244.0.5/40000 query[AAAA] kubernetes.default.svc.c"
                        "luster.local from 10.244.0.5"
                    ),
                    "event_sequence": 17,
                    "event_action": "query",
                    "dns_question_type": "AAAA",
                    "dns_question_name": "kubernetes.default.svc.cluster.local",
                    "source_address": "10.244.0.5",
                },
            ),
            (
                b"dnsmasq: started, version 2.89 cachesize 1000",
                {
                    "process": "dnsmasq",
                    "message": "started, version 2.89 cachesize 1000",
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 gw-1 dnsmasq-dhcp[5201]: DHCPACK(eth1) 192.0"
                    b".2.101 52:54:00:12:34:56 laptop-kim"
                ),
                {
                    "host": "gw-1",
                    "process": "dnsmasq-dhcp",
                    "pid": 5201,
                    "message": "DHCPACK(eth1) 192.0.2.101 52:54:00:12:34:56 laptop-kim",
                    "event_action": "DHCPACK",
                    "ingress_interface": "eth1",
                    "source_address": "192.0.2.101",
                    "source_mac": "52:54:00:12:34:56",
                    "time": (1795400217, ""),
                    "attributes": {
                        "source_name": "laptop-kim",
                    },
                },
            ),
        ),
    ),
    "unbound": Format(
        "unbound",
        (
            Layout(rb"\[%{EPOCH:time}\] " + _UNBOUND),
            # log-time-ascii
            Layout(rb"%{SYSLOGDATE:time} " + _UNBOUND),
        ),
        samples=(
            (
                (b"[1795400216] unbound[5301:0] info: 192.0.2.7 www.shop.example. A IN"),
                {
                    "process": "unbound",
                    "pid": 5301,
                    "thread_id": 0,
                    "level": "info",
                    "message": "192.0.2.7 www.shop.example. A IN",
                    "source_address": "192.0.2.7",
                    "dns_question_name": "www.shop.example.",
                    "dns_question_type": "A",
                    "time": (1795400216, ""),
                    "attributes": {
                        "dns_question_class": "IN",
                    },
                },
            ),
            (
                (
                    b"[1795400216] unbound[5301:1] info: 192.0.2.7 www.shop.exampl"
                    b"e. A IN NOERROR 0.012345 0 66"
                ),
                {
                    "process": "unbound",
                    "pid": 5301,
                    "thread_id": 1,
                    "level": "info",
                    "message": "192.0.2.7 www.shop.example. A IN NOERROR 0.012345 0 66",
                    "source_address": "192.0.2.7",
                    "dns_question_name": "www.shop.example.",
                    "dns_question_type": "A",
                    "dns_response_code": "NOERROR",
                    "duration": 0.012345,
                    "response_bytes": 66,
                    "time": (1795400216, ""),
                    "attributes": {
                        "dns_question_class": "IN",
                        "cached": "0",
                    },
                },
            ),
            (
                (b"[1795400217] unbound[5301:0] notice: init module 0: validator"),
                {
                    "process": "unbound",
                    "pid": 5301,
                    "thread_id": 0,
                    "level": "notice",
                    "message": "init module 0: validator",
                    "time": (1795400217, ""),
                },
            ),
            (
                (b"Nov 23 02:16:57 unbound[5301:0] fatal error: could not open ports"),
                {
                    "process": "unbound",
                    "pid": 5301,
                    "thread_id": 0,
                    "level": "fatal",
                    "message": "could not open ports",
                    "time": (1795400217, ""),
                },
            ),
        ),
        levels=_UNBOUND_LEVELS,
    ),
}
