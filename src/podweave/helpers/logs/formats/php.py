"""PHP: its error log, PHP-FPM, and Monolog (Symfony, Laravel).

Sources: PHP's main.c, fpm's zlog.c, Monolog's LineFormatter and JsonFormatter, Laravel's default.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.own.dates import stamp_of
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import NUMBER, PRESENT, TEXT, JsonLayout

# With a zone's abbreviation or name: UTC, Asia/Seoul. Those with names are read as local times.
_DATE = stamp_of(
    [
        ("day", rb"[0-3]\d"),
        ("", rb"-"),
        ("month_name", rb"[A-Z][a-z]{2}"),
        ("", rb"-"),
        ("year", rb"\d{4}"),
        ("", rb" "),
        ("hour", rb"[0-2]\d"),
        ("", rb":"),
        ("minute", rb"[0-5]\d"),
        ("", rb":"),
        ("second", rb"[0-6]\d"),
        ("", rb" "),
        ("zone", rb"[A-Z][A-Za-z_/+\-0-9]*"),
    ],
    "d-M-Y H:i:s e",
)
_TIME = rb"\[%{STAMP:time}\]"
_WORDS = (
    rb"%{BEGIN:level}Fatal error|Recoverable fatal error|Parse error|Warning|Notice|Deprecated|"
    rb"Strict Standards|Core Warning|Core Error|Compile Error|Compile Warning|User Error|"
    rb"User Warning|User Notice|User Deprecated%{END}"
)
_LEVELS = {
    "Fatal error": "fatal",
    "Recoverable fatal error": "error",
    "Parse error": "fatal",
    "Warning": "warn",
    "Notice": "notice",
    "Deprecated": "notice",
    "Strict Standards": "notice",
    "Core Warning": "warn",
    "Core Error": "fatal",
    "Compile Error": "fatal",
    "Compile Warning": "warn",
    "User Error": "error",
    "User Warning": "warn",
    "User Notice": "notice",
    "User Deprecated": "notice",
}
_MONOLOG = rb"%{BEGIN:logger}[\w.\-]+%{END}\.%{BEGIN:level}[A-Z]{4,9}%{END}: "

FORMATS = {
    "php-fpm": Format(
        "php-fpm",
        (
            Layout(
                rb"\[%{DAYMONTHYEAR:time}\] %{BEGIN:level}DEBUG|NOTICE|WARNING|ERROR|ALERT%{END}: "
                rb"(?>(?:pid %{INT:pid?}, [^\n:]*?: )?)"
                rb"%{BEGIN:message}(?>(?:\[pool %{BEGIN:pool?}[^\]\n]+%{END}\] )?)[^\n]*%{END}"
            ),
        ),
        samples=(
            (
                b"[23-Nov-2026 02:16:56] NOTICE: fpm is running, pid 1",
                {
                    "level": "notice",
                    "message": "fpm is running, pid 1",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"[23-Nov-2026 02:16:57] WARNING: [pool www] server reached pm"
                    b".max_children setting (5), consider raising it"
                ),
                {
                    "level": "warn",
                    "message": (
                        "[pool www] server reached pm.max_children setting (5), consider raising it"
                    ),
                    "time": (1795400217, ""),
                    "attributes": {
                        "pool": "www",
                    },
                },
            ),
            (
                (
                    b"[23-Nov-2026 02:16:57.123456] DEBUG: pid 31, fpm_pctl_perfor"
                    b"m_idle_server_maintenance(), line 379: [pool www] currently "
                    b"0 active children"
                ),
                {
                    "level": "debug",
                    "pid": 31,
                    "message": "[pool www] currently 0 active children",
                    "time": (1795400217, "123456"),
                    "attributes": {
                        "pool": "www",
                    },
                },
            ),
        ),
    ),
    "php": Format(
        "php",
        (
            Layout(
                _TIME + rb" PHP " + _WORDS + rb": +%{BEGIN:message}[^\n]*%{END} in "
                rb"%{BEGIN:file}/[^\n:]*%{END} on line %{INT:line}",
                stamp=_DATE,
            ),
            Layout(
                _TIME
                + rb" PHP "
                + _WORDS
                + rb": +%{BEGIN:message}[^\n]*%{END} in %{BEGIN:file}/[^\n:]*%{END}:%{INT:line}",
                stamp=_DATE,
            ),
            Layout(
                _TIME
                + rb" (?:PHP "
                + _WORDS.replace(b":level", b":level?")
                + rb": +)?%{REST:message}",
                stamp=_DATE,
            ),
        ),
        samples=(
            (
                (
                    b"[23-Nov-2026 02:16:56 UTC] PHP Warning:  Undefined variable "
                    b"$order in /var/www/html/index.php on line 17"
                ),
                {
                    "level": "warn",
                    "message": "Undefined variable $order",
                    "file": "/var/www/html/index.php",
                    "line": 17,
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"[23-Nov-2026 11:16:56 Asia/Seoul] PHP Fatal error:  Uncaught"
                    b" Exception: no stock in /var/www/html/index.php:17"
                ),
                {
                    "level": "fatal",
                    "message": "Uncaught Exception: no stock",
                    "file": "/var/www/html/index.php",
                    "line": 17,
                    "time": (1795432616, ""),
                },
            ),
            (
                b"[23-Nov-2026 02:16:57 UTC] shop: placed 42",
                {
                    "message": "shop: placed 42",
                    "time": (1795400217, ""),
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "monolog-json": Format(
        "monolog-json",
        (
            JsonLayout(
                {
                    "channel": "logger",
                    "datetime": "time",
                    "datetime.date": "time",
                    "level": "",
                    "level_name": "level",
                    "context.exception.class": "error_type",
                    "context.exception.message": "error_message",
                    "context.exception.code": "error_code",
                    "context.exception.trace": "",
                },
                requires={
                    "message": TEXT,
                    "level": NUMBER,
                    "level_name": TEXT,
                    "channel": TEXT,
                    "datetime": PRESENT,
                },
            ),
        ),
        samples=(
            (
                (
                    b'{"message":"placed 42","context":{"order":42},"level":200,"l'
                    b'evel_name":"INFO","channel":"app","datetime":"2026-11-23T02:'
                    b'16:56.789012+00:00","extra":{}}'
                ),
                {
                    "message": "placed 42",
                    "attributes": {
                        "context": {
                            "order": 42,
                        },
                        "level": 200,
                        "extra": {},
                    },
                    "level": "info",
                    "logger": "app",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                (
                    b'{"message":"failed","context":{"exception":{"class":"Runtime'
                    b'Exception","message":"no stock","code":0,"file":"/app/a.php:'
                    b'17"}},"level":500,"level_name":"CRITICAL","channel":"app","d'
                    b'atetime":"2026-11-23T02:16:56.789012+00:00","extra":{}}'
                ),
                {
                    "message": "failed",
                    "error_type": "RuntimeException",
                    "error_message": "no stock",
                    "error_code": "0",
                    "attributes": {
                        "context": {
                            "exception": {
                                "file": "/app/a.php:17",
                            },
                        },
                        "level": 500,
                        "extra": {},
                    },
                    "level": "fatal",
                    "logger": "app",
                    "time": (1795400216, "789012"),
                },
            ),
        ),
    ),
    "monolog": Format(
        "monolog",
        (
            Layout(
                rb"\[%{ISO8601:time}\] " + _MONOLOG + rb"%{BEGIN:message}[^\n{\[]*[^\n{\[ ]%{END} "
                rb"(?:\[\]|%{BEGIN:context?}\{[^\n]*\}%{END}) (?:\[\]|"
                rb"%{BEGIN:extra?}\{[^\n{}]*\}%{END}) ?"
            ),
            Layout(rb"\[%{ISO8601:time}\] " + _MONOLOG + rb"%{REST:message}"),
        ),
        samples=(
            (
                (b'[2026-11-23T02:16:56.789012+00:00] app.INFO: order placed {"order":42} []'),
                {
                    "logger": "app",
                    "level": "info",
                    "message": "order placed",
                    "time": (1795400216, "789012"),
                    "attributes": {
                        "context": '{"order":42}',
                    },
                },
            ),
            (
                (
                    b"[2026-11-23T02:16:57.000000+00:00] request.CRITICAL: Uncaugh"
                    b't PHP Exception RuntimeException: "no stock" {"exception":"['
                    b"object] (RuntimeException(code: 0): no stock at /app/a.php:1"
                    b'7)"} []'
                ),
                {
                    "logger": "request",
                    "level": "fatal",
                    "message": 'Uncaught PHP Exception RuntimeException: "no stock"',
                    "time": (1795400217, "000000"),
                    "attributes": {
                        "context": (
                            '{"exception":"[object] (RuntimeException(code: 0): no sto'
                            'ck at /app/a.php:17)"}'
                        ),
                    },
                },
            ),
            (
                b'[2026-11-23 02:16:56] production.ERROR: no stock {"userId":17}',
                {
                    "logger": "production",
                    "level": "error",
                    "message": 'no stock {"userId":17}',
                    "time": (1795400216, ""),
                },
            ),
        ),
    ),
}
