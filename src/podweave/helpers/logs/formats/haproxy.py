"""HAProxy: its lines (haproxy_lines.py) as lines of their own, and in syslog's envelope."""

from __future__ import annotations

from podweave.helpers.logs.formats.haproxy_lines import (
    HAPROXY,
    LINES,
    STARTED,
    STATE,
    level_of_state,
)
from podweave.helpers.logs.formats.syslog_heads import layouts_of
from podweave.helpers.logs.layouts import Format, Layout

FORMATS = {
    "haproxy": Format(
        "haproxy",
        (
            *(Layout(line, derive=derive, general=general) for line, derive, general in LINES),
            Layout(
                rb"%{BEGIN:message}" + STATE + rb"%{END}",
                derive=(("level", "event_action", level_of_state),),
            ),
            Layout(STARTED + rb"%{REST:message}"),
            *layouts_of(HAPROXY),
        ),
        samples=(
            (
                (
                    b"10.0.1.2:33317 [23/Nov/2026:02:16:56.655] http-in static/srv"
                    b"1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {shop.examp"
                    b'le||curl} {|text/html} "GET /index.html?lang=ko HTTP/1.1"'
                ),
                {
                    "source_address": "10.0.1.2",
                    "source_port": 33317,
                    "upstream_name": "static",
                    "status": 200,
                    "response_bytes": 2750,
                    "message": "GET /index.html?lang=ko HTTP/1.1",
                    "method": "GET",
                    "url": "/index.html?lang=ko",
                    "url_path": "/index.html",
                    "url_query": "lang=ko",
                    "http_version": "1.1",
                    "time": (1795400216, "655"),
                    "queue_duration": 0.0,
                    "upstream_connect_duration": 0.03,
                    "upstream_duration": 0.069,
                    "duration": 0.109,
                    "attributes": {
                        "frontend": "http-in",
                        "server": "srv1",
                        "termination": "----",
                        "active_connections": 1,
                        "frontend_connections": 1,
                        "backend_connections": 1,
                        "server_connections": 1,
                        "retries": 0,
                        "server_queue": 0,
                        "backend_queue": 0,
                        "request_headers": "shop.example||curl",
                        "response_headers": "|text/html",
                    },
                },
            ),
            (
                b"Connect from 192.0.2.7:51234 to 10.0.0.9:443 (www/TCP)",
                {
                    "message": "Connect from 192.0.2.7:51234 to 10.0.0.9:443 (www/TCP)",
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "destination_address": "10.0.0.9",
                    "destination_port": 443,
                    "attributes": {"frontend": "www", "mode": "TCP"},
                },
            ),
            (
                b"[WARNING]  (31) : Server static/srv1 is DOWN, reason: Layer4 timeout.",
                {
                    "level": "warn",
                    "pid": 31,
                    "message": "Server static/srv1 is DOWN, reason: Layer4 timeout.",
                },
            ),
            (
                b"Server static/srv1 is DOWN, reason: Layer4 timeout, check 2001ms.",
                {
                    "message": "Server static/srv1 is DOWN, reason: Layer4 timeout, check 2001ms.",
                    "upstream_name": "static",
                    "event_action": "DOWN",
                    "level": "error",
                    "attributes": {"server": "srv1", "reason": "Layer4 timeout"},
                },
            ),
            (
                (
                    b"2001:db8::7:38862 [23/Nov/2026:02:16:56.726] incoming~ order"
                    b"s/orders-2 0/0/1/17/+18 304 +168 - SERVERID=orders-2 --VN 6/"
                    b'6/0/0/+1 0/0 "POST /orders HTTP/2.0"'
                ),
                {
                    "source_address": "2001:db8::7",
                    "source_port": 38862,
                    "upstream_name": "orders",
                    "status": 304,
                    "response_bytes": 168,
                    "message": "POST /orders HTTP/2.0",
                    "method": "POST",
                    "url": "/orders",
                    "url_path": "/orders",
                    "http_version": "2.0",
                    "time": (1795400216, "726"),
                    "queue_duration": 0.0,
                    "upstream_connect_duration": 0.001,
                    "upstream_duration": 0.017,
                    "duration": 0.018,
                    "attributes": {
                        "frontend": "incoming",
                        "server": "orders-2",
                        "response_cookie": "SERVERID=orders-2",
                        "termination": "--VN",
                        "active_connections": 6,
                        "frontend_connections": 6,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 1,
                        "server_queue": 0,
                        "backend_queue": 0,
                    },
                },
            ),
            (
                (
                    b"10.0.1.3:51234 [23/Nov/2026:02:16:56.001] www~ www/<NOSRV> -"
                    b'1/-1/-1/-1/5000 408 212 - - cR-- 2/2/0/0/0 0/0 "<BADREQ>"'
                ),
                {
                    "source_address": "10.0.1.3",
                    "source_port": 51234,
                    "upstream_name": "www",
                    "status": 408,
                    "response_bytes": 212,
                    "message": "<BADREQ>",
                    "time": (1795400216, "001"),
                    "duration": 5.0,
                    "attributes": {
                        "frontend": "www",
                        "server": "<NOSRV>",
                        "termination": "cR--",
                        "active_connections": 2,
                        "frontend_connections": 2,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 0,
                        "server_queue": 0,
                        "backend_queue": 0,
                    },
                },
            ),
            (
                (
                    b"10.0.1.2:51000 [23/Nov/2026:02:16:56.002] https~ app/a1 0/0/"
                    b'0/1/2 200 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1" 0/0000'
                    b"000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA3"
                    b"84"
                ),
                {
                    "source_address": "10.0.1.2",
                    "source_port": 51000,
                    "upstream_name": "app",
                    "status": 200,
                    "response_bytes": 512,
                    "message": "GET / HTTP/1.1",
                    "method": "GET",
                    "url": "/",
                    "url_path": "/",
                    "http_version": "1.1",
                    "tls_server_name": "shop.example",
                    "tls_version": "TLSv1.3",
                    "tls_cipher": "TLS_AES_256_GCM_SHA384",
                    "time": (1795400216, "002"),
                    "queue_duration": 0.0,
                    "upstream_connect_duration": 0.0,
                    "upstream_duration": 0.001,
                    "duration": 0.002,
                    "attributes": {
                        "frontend": "https",
                        "server": "a1",
                        "termination": "----",
                        "active_connections": 1,
                        "frontend_connections": 1,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 0,
                        "server_queue": 0,
                        "backend_queue": 0,
                        "tls_errors": "0/0000000000000000/0/0/0",
                    },
                },
            ),
            (
                (
                    b"10.0.1.2:33313 [23/Nov/2026:02:16:56.004] fnt bck/srv1 0/0/5"
                    b"007 212 -- 0/0/0/0/3 0/0"
                ),
                {
                    "source_address": "10.0.1.2",
                    "source_port": 33313,
                    "upstream_name": "bck",
                    "response_bytes": 212,
                    "time": (1795400216, "004"),
                    "queue_duration": 0.0,
                    "upstream_connect_duration": 0.0,
                    "duration": 5.007,
                    "attributes": {
                        "frontend": "fnt",
                        "server": "srv1",
                        "termination": "--",
                        "active_connections": 0,
                        "frontend_connections": 0,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 3,
                        "server_queue": 0,
                        "backend_queue": 0,
                    },
                },
            ),
            (
                (
                    b"192.0.2.9:56059 [23/Nov/2026:02:16:56.380] frt/f1: Connectio"
                    b"n error during SSL handshake"
                ),
                {
                    "source_address": "192.0.2.9",
                    "source_port": 56059,
                    "message": "Connection error during SSL handshake",
                    "time": (1795400216, "380"),
                    "attributes": {
                        "frontend": "frt",
                        "listener": "f1",
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:56 lb-1 haproxy[32450]: 10.0.1.2:38862 [23/Nov/"
                    b"2026:02:16:56.726] incoming~ orders/orders-2 0/0/1/0/2 304 1"
                    b'68 - - ---- 6/6/0/0/0 0/0 "GET /a HTTP/1.1"'
                ),
                {
                    "host": "lb-1",
                    "process": "haproxy",
                    "pid": 32450,
                    "source_address": "10.0.1.2",
                    "source_port": 38862,
                    "upstream_name": "orders",
                    "status": 304,
                    "response_bytes": 168,
                    "message": "GET /a HTTP/1.1",
                    "method": "GET",
                    "url": "/a",
                    "url_path": "/a",
                    "http_version": "1.1",
                    "time": (1795400216, "726"),
                    "queue_duration": 0.0,
                    "upstream_connect_duration": 0.001,
                    "upstream_duration": 0.0,
                    "duration": 0.002,
                    "attributes": {
                        "frontend": "incoming",
                        "server": "orders-2",
                        "termination": "----",
                        "active_connections": 6,
                        "frontend_connections": 6,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 0,
                        "server_queue": 0,
                        "backend_queue": 0,
                    },
                },
            ),
            (
                (
                    b"<134>Nov 23 02:16:56 lb-1 haproxy[25457]: 127.0.0.1:40962 [2"
                    b"3/Nov/2026:02:16:56.285] main app/<NOSRV> -1/-1/1 212 SC 1/1"
                    b"/0/0/0 0/0"
                ),
                {
                    "priority": 134,
                    "host": "lb-1",
                    "process": "haproxy",
                    "pid": 25457,
                    "message": (
                        "127.0.0.1:40962 [23/Nov/2026:02:16:56.285] main app/<NOS"
                        "RV> -1/-1/1 212 SC 1/1/0/0/0 0/0"
                    ),
                    "source_address": "127.0.0.1",
                    "source_port": 40962,
                    "upstream_name": "app",
                    "response_bytes": 212,
                    "time": (1795400216, "285"),
                    "facility": 16,
                    "severity": 6,
                    "level": "info",
                    "duration": 0.001,
                    "attributes": {
                        "frontend": "main",
                        "server": "<NOSRV>",
                        "termination": "SC",
                        "active_connections": 1,
                        "frontend_connections": 1,
                        "backend_connections": 0,
                        "server_connections": 0,
                        "retries": 0,
                        "server_queue": 0,
                        "backend_queue": 0,
                    },
                },
            ),
            (
                (
                    b"Nov 23 02:16:57 lb-1 haproxy[32450]: Server orders/orders-2 "
                    b"is DOWN, reason: Layer4 timeout, check duration: 2001ms. 1 a"
                    b"ctive and 0 backup servers left."
                ),
                {
                    "host": "lb-1",
                    "process": "haproxy",
                    "pid": 32450,
                    "message": (
                        "Server orders/orders-2 is DOWN, reason: Layer4 timeout, "
                        "check duration: 2001ms. 1 active and 0 backup servers le"
                        "ft."
                    ),
                    "upstream_name": "orders",
                    "event_action": "DOWN",
                    "time": (1795400217, ""),
                    "level": "error",
                    "attributes": {
                        "server": "orders-2",
                        "reason": "Layer4 timeout",
                    },
                },
            ),
            (
                b"Nov 23 02:16:57 lb-1 haproxy[32450]: Proxy incoming started.",
                {
                    "host": "lb-1",
                    "process": "haproxy",
                    "pid": 32450,
                    "message": "Proxy incoming started.",
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
}
