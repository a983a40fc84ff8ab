r"""The usual names of grok patterns.

Written anew, so that each takes a text in one way only: what repeats can't be taken by what
follows it. `FIELDS`: what the usual expressions call the neutral fields.
"""

from __future__ import annotations

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"(?<![\d.]){_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?![\d.])"
_IPV6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]{0,15}(?:%[0-9A-Za-z]+)?"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_DAY = (
    r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?"
    r"|Sun(?:day)?)"
)
_LEVELS = (
    r"(?:(?i:trace|debug|notice|information|info|warning|warn|error|err|critical|crit|fatal"
    r"|severe|emergency|emerg|alert|panic))"
)

PATTERNS = {
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "USER": r"%{USERNAME}",
    "EMAILLOCALPART": r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}",
    "EMAILADDRESS": r"%{EMAILLOCALPART}@%{HOSTNAME}",
    "INT": r"[+-]?\d+",
    "BASE10NUM": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)",
    "NUMBER": r"%{BASE10NUM}",
    "BASE16NUM": r"[+-]?(?:0x)?[0-9A-Fa-f]+",
    "BASE16FLOAT": r"[+-]?(?:0x)?[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?",
    "POSINT": r"[1-9]\d*",
    "NONNEGINT": r"\d+",
    "WORD": r"\w+",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""",
    "QS": r"%{QUOTEDSTRING}",
    "UUID": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "URN": r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[^\s]+",
    "CISCOMAC": r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
    "WINDOWSMAC": r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}",
    "COMMONMAC": r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}",
    "MAC": r"(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})",
    "IPV6": _IPV6,
    "IPV4": _IPV4,
    "IP": rf"(?:{_IPV4}|{_IPV6})",
    "HOSTNAME": r"[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_])?\.?",
    "HOST": r"%{HOSTNAME}",
    "IPORHOST": r"(?:%{IP}|%{HOSTNAME})",
    "HOSTPORT": r"%{IPORHOST}:%{POSINT}",
    "UNIXPATH": r"(?:/[\w%!$@:.,+~=-]*)+",
    "WINPATH": r"(?:[A-Za-z]:|\\)(?:\\[^\\?*\s]*)+",
    "PATH": r"(?:%{UNIXPATH}|%{WINPATH})",
    "TTY": r"(?:/dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?(?:[0-9]+))",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]+",
    "URIHOST": r"%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[\w$.+!*'(){},~:;=@#%&|-]*)+",
    "URIQUERY": r"[\w$.+!*'|(){},~@#%&/=:;?<>\[\]-]*",
    "URIPARAM": r"\?%{URIQUERY}",
    "URIPATHPARAM": r"%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": _MONTH,
    "MONTHNUM": r"(?:1[0-2]|0?[1-9])",
    "MONTHNUM2": r"(?:0[1-9]|1[0-2])",
    "MONTHDAY": r"(?:3[01]|[12]\d|0?[1-9])",
    "DAY": _DAY,
    "YEAR": r"\d\d(?:\d\d)?",
    "HOUR": r"(?:2[0123]|[01]?\d)",
    "MINUTE": r"[0-5]\d",
    "SECOND": r"(?:[0-5]?\d|60)(?:[:.,]\d+)?",
    "TIME": r"(?<!\d)%{HOUR}:%{MINUTE}(?::%{SECOND})?(?!\d)",
    "DATE_US": r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "DATE_EU": r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "DATE": r"(?:%{DATE_US}|%{DATE_EU})",
    "ISO8601_TIMEZONE": r"(?:Z|[+-]%{HOUR}(?::?%{MINUTE})?)",
    "ISO8601_SECOND": r"%{SECOND}",
    "TIMESTAMP_ISO8601": (
        r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?"
        r"(?: ?%{ISO8601_TIMEZONE})?"
    ),
    "DATESTAMP": r"%{DATE}[- ]%{TIME}",
    "TZ": r"[A-Z]{3,5}",
    "DATESTAMP_RFC822": r"%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": r"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}",
    "DATESTAMP_OTHER": r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
    "DATESTAMP_EVENTLOG": r"%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}",
    "SYSLOGTIMESTAMP": r"%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": r"[\x21-\x5a\x5c\x5e-\x7e]+",
    "SYSLOGPROG": r"%{PROG:process}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": r"%{IPORHOST}",
    "SYSLOGFACILITY": r"<%{NONNEGINT:facility}.%{NONNEGINT:severity}>",
    "HTTPDATE": r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "SYSLOGBASE": (
        r"%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:host} %{SYSLOGPROG}:"
    ),
    "SYSLOGLINE": r"%{SYSLOGBASE} %{GREEDYDATA:message}",
    "SYSLOG5424PRI": r"<%{NONNEGINT:priority}>",
    "HTTPDUSER": r"(?:%{EMAILADDRESS}|%{USER})",
    "COMMONAPACHELOG": (
        r"%{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "
        r'"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"'
        r" %{NUMBER:response} (?:%{NUMBER:bytes}|-)"
    ),
    "COMBINEDAPACHELOG": r'%{COMMONAPACHELOG} "%{DATA:referrer}" "%{DATA:agent}"',
    "HTTPD_COMMONLOG": r"%{COMMONAPACHELOG}",
    "HTTPD_COMBINEDLOG": r"%{COMBINEDAPACHELOG}",
    "LOGLEVEL": _LEVELS,
    "JAVACLASS": r"(?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
    "JAVAFILE": r"[a-zA-Z$_0-9. -]+",
    "JAVAMETHOD": r"(?:<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*)",
    "JAVATHREAD": r"[A-Z]{2}-Processor\d+",
    "JAVALOGMESSAGE": r".*",
    "JAVASTACKTRACEPART": (
        r"\s*at %{JAVACLASS:class_name}\.%{JAVAMETHOD:function}"
        r"\(%{JAVAFILE:file}(?::%{INT:line})?\)"
    ),
    "CATALINA_DATESTAMP": r"%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:?%{MINUTE}:?%{SECOND} (?:AM|PM)",
    "TOMCAT_DATESTAMP": r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}",
    "POSTGRESQL": (
        r"%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid}"
    ),
    "RUBY_LOGLEVEL": r"(?:DEBUG|FATAL|ERROR|WARN|INFO)",
    "RUBY_LOGGER": (
        r"[DFEWI], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\] *%{RUBY_LOGLEVEL:loglevel}"
        r" -- +%{DATA:progname}: %{GREEDYDATA:message}"
    ),
    "NAGIOSTIME": r"\[%{NUMBER:time}\]",
    "REDISTIMESTAMP": r"%{MONTHDAY} %{MONTH} %{TIME}",
    "REDISLOG": r"\[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} \* ",
    "CRON_ACTION": r"[A-Z ]+",
    "CRONLOG": (r"%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:event_action} \(%{DATA:message}\)"),
    "S3_REQUEST_LINE": (
        r"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})"
    ),
    "HAPROXYTIME": r"(?<!\d)%{HOUR}:%{MINUTE}(?::%{SECOND})(?!\d)",
    "HAPROXYDATE": r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}\.%{INT}",
    "BACULA_TIMESTAMP": r"%{MONTHDAY}-%{MONTH}(?:-%{YEAR})? %{HOUR}:%{MINUTE}",
}

STAMPS = {
    "TIMESTAMP_ISO8601": "ISO8601",
    "TOMCAT_DATESTAMP": "ISO8601",
    "HTTPDATE": "HTTPDATE",
    "SYSLOGTIMESTAMP": "SYSLOGDATE",
    "TIME": "TIMEOFDAY",
}
"""Of timestamps, those that a layout reads; others are read by the expression itself."""

FIELDS = {
    "clientip": "source_address",
    "client": "source_address",
    "src_ip": "source_address",
    "srcip": "source_address",
    "src_port": "source_port",
    "dst_ip": "destination_address",
    "dst_port": "destination_port",
    "ident": "ident",
    "auth": "user",
    "username": "user",
    "verb": "method",
    "request": "url",
    "rawrequest": "raw_request",
    "httpversion": "http_version",
    "response": "status",
    "bytes": "response_bytes",
    "agent": "user_agent",
    "useragent": "user_agent",
    "loglevel": "level",
    "logsource": "host",
    "program": "process",
    "progname": "process",
    "class": "logger",
    "javaclass": "logger",
    "logmessage": "message",
    "log_message": "message",
    "log.level": "level",
    "process.pid": "pid",
    "process.name": "process",
    "host.hostname": "host",
    "host.name": "host",
    "source.address": "source_address",
    "http.request.method": "method",
    "url.original": "url",
    "http.version": "http_version",
    "http.response.status_code": "status",
    "http.response.body.bytes": "response_bytes",
    "http.request.referrer": "referrer",
    "user_agent.original": "user_agent",
    "log.logger": "logger",
    "format": "format_name",
}

_COMMON = (
    rb"%{SPACED:source_address} %{SPACED:ident?} %{SPACED:user?} \[%{HTTPDATE:time}\] "
    rb'"%{BEGIN:message}%{METHOD:method} %{BEGIN:url}%{URLPATH:url_path}'
    rb"(?:\?%{URLQUERY:url_query?})?%{END} HTTP/%{HTTPVERSION:http_version}%{END}"
    rb'" %{INT:status} %{INTORDASH:response_bytes?}'
)
_COMBINED = _COMMON + rb' "%{QUOTED:referrer?}" "%{QUOTED:user_agent?}"'
READY = {
    "COMMONAPACHELOG": _COMMON,
    "HTTPD_COMMONLOG": _COMMON,
    "COMBINEDAPACHELOG": _COMBINED,
    "HTTPD_COMBINEDLOG": _COMBINED,
    "SYSLOGBASE": (
        rb"%{SYSLOGDATE:time} %{SYSLOGHOST:host} %{SYSLOGTAG:process}(?:\[%{INT:pid?}\])?:"
    ),
}
"""As layouts have them. The line's message is the request."""
