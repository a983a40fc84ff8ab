"""Lines of columns and of grok's expressions, and what is to be read in them."""

from __future__ import annotations

from tests.adapter.own_lines import NOW, OwnLine

EXPRESSIONS: list[OwnLine] = [
    (
        "csv",
        {"columns": ["time", "level", "", "n:int", "message"]},
        b'"2026-11-23 02:16:56","WARN",x,17,"hello, ""you"""',
        {"time": (NOW, ""), "level": "warn", "message": 'hello, "you"', "attributes": {"n": 17}},
    ),
    (
        "csv",
        {"columns": ["timestamp", "level", "shop", "message"], "delimiter": "\t", "header": True},
        b"2026-11-23 02:16:56\tERROR\tseoul\tno stock",
        {
            "time": (NOW, ""),
            "level": "error",
            "message": "no stock",
            "attributes": {"shop": "seoul"},
        },
    ),
    (
        "grok",
        r"%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} \[%{DATA:thread}\] %{JAVACLASS:class} - "
        r"%{GREEDYDATA:message}",
        b"2026-11-23 02:16:56,789 INFO [main x] com.example.Foo - hi - x",
        {
            "time": (NOW, "789"),
            "level": "info",
            "thread": "main x",
            "logger": "com.example.Foo",
            "message": "hi - x",
        },
    ),
    (
        "grok",
        "%{IP:client} %{WORD:method} %{URIPATHPARAM:request} %{NUMBER:bytes:int} %{NUMBER:took}",
        b"2001:db8::7 GET /index.html?a=b 15824 0.043",
        {
            "source_address": "2001:db8::7",
            "method": "GET",
            "url": "/index.html?a=b",
            "response_bytes": 15824,
            "message": "2001:db8::7 GET /index.html?a=b 15824 0.043",
            "attributes": {"took": "0.043"},
        },
    ),
    (
        "grok",
        {
            "match": [
                "^nothing %{INT:n}$",
                r"%{QUEUEID:queue}: <(?<[who][name]>[^>]*)> %{INT:n:int}",
            ],
            "patterns": {"QUEUEID": "[0-9A-F]{10,11}"},
        },
        b"first BEF25A72965: <a@b> 17 x",
        {
            "queue": "BEF25A72965",
            "message": "first BEF25A72965: <a@b> 17 x",
            "attributes": {"who.name": "a@b", "n": 17},
        },
    ),
    (
        "grok",
        "%{COMBINEDAPACHELOG}",
        b'192.0.2.7 - kim [23/Nov/2026:02:16:56 +0000] "GET /a HTTP/1.1" 200 - "-" "curl" more',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "user": "kim",
            "message": "GET /a HTTP/1.1",
            "method": "GET",
            "url": "/a",
            "url_path": "/a",
            "http_version": "1.1",
            "status": 200,
            "user_agent": "curl",
        },
    ),
    (
        "grok",
        "%{SYSLOGLINE}",
        b"Nov 23 02:16:56 web-1 app[31]: hi",
        {"time": (NOW, ""), "host": "web-1", "process": "app", "pid": 31, "message": "hi"},
    ),
]
