"""Lines of layouts as applications' configurations have them, and what is to be read in them."""

from __future__ import annotations

from tests.adapter.own_lines import NOW, OwnLine

NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" rt=$request_time urt="$upstream_response_time" $pipe'
)
SPRING = (
    "%clr(%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}){faint} %clr(${LOG_LEVEL_PATTERN:-%5p}) "
    "%clr(${PID:- }){magenta} %clr(---){faint} %clr([%15.15t]){faint} "
    "%clr(%-40.40logger{39}){cyan} %clr(:){faint} %m%n${LOG_EXCEPTION_CONVERSION_WORD:-%wEx}"
)

LAYOUT_STRINGS: list[OwnLine] = [
    (
        "log4j",
        "%d{ISO8601} [%t] %-5level %logger - %msg%n",
        b"2026-11-23 02:16:56,789 [MSC service thread 1-2] INFO  c.e.Orders - slow - yes",
        {
            "time": (NOW, "789"),
            "thread": "MSC service thread 1-2",
            "level": "info",
            "logger": "c.e.Orders",
            "message": "slow - yes",
        },
    ),
    (
        "log4j",
        "[%d] %p %m (%c)%n",
        b"[2026-11-23 02:16:56,789] INFO [Server 0] started (x) (kafka.server.KafkaServer)",
        {
            "time": (NOW, "789"),
            "level": "info",
            "message": "[Server 0] started (x)",
            "logger": "kafka.server.KafkaServer",
        },
    ),
    (
        "log4j",
        "%r [%t] %p %c %x - %m%n",
        b"467 [main] INFO org.apache.log4j.examples.Sort  - Exiting main method.",
        {
            "thread": "main",
            "level": "info",
            "logger": "org.apache.log4j.examples.Sort",
            "message": "Exiting main method.",
            "attributes": {"relative": 467},
        },
    ),
    (
        "log4j",
        "%d{dd/MMM/yyyy:HH:mm:ss Z} %p %m",
        b"23/Nov/2026:11:16:56 +0900 WARN hi",
        {"time": (NOW, ""), "level": "warn", "message": "hi"},
    ),
    (
        "log4j",
        "%d{UNIX_MILLIS} %p %m%n",
        b"1795400216789 WARN hi",
        {"time": (NOW, "789"), "level": "warn", "message": "hi"},
    ),
    (
        "log4j",
        "%d{yyyy-MM-dd HH:mm:ss}{GMT+09:00} %m",
        b"2026-11-23 11:16:56 hi",
        {"time": (NOW, ""), "message": "hi"},
    ),
    (
        "logback",
        "%d{yyyy-MM-dd HH:mm:ss.SSS, Asia/Seoul} %m%n",
        b"2026-11-23 11:16:56.789 hi",
        {"time": (NOW, "789"), "message": "hi"},
    ),
    (
        "log4j",
        "%d{MM/dd hh:mm:ss a} %m",
        b"11/23 02:16:56 AM hi",
        {"time": (NOW, ""), "message": "hi"},
    ),
    (
        "logback",
        "%d{HH:mm:ss.SSS, UTC} %highlight(%-5level) [%15.15t] %cyan(%logger{36}):%L "
        "[%X{traceId},%X{spanId:-none}] - %msg%n%ex",
        b"02:16:56.789 INFO  [main thing     ] c.e.Shop:17 [abc,] - hi - there",
        {
            "time": (NOW, "789"),
            "level": "info",
            "thread": "main thing",
            "logger": "c.e.Shop",
            "line": 17,
            "trace_id": "abc",
            "message": "hi - there",
        },
    ),
    (
        "logback",
        SPRING,
        b"2026-11-23T11:16:56.789+09:00  INFO 1 --- [           main] "
        b"o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port 8080",
        {
            "time": (NOW, "789"),
            "level": "info",
            "pid": 1,
            "thread": "main",
            "logger": "o.s.b.w.embedded.tomcat.TomcatWebServer",
            "message": "Tomcat started on port 8080",
        },
    ),
    (
        "python",
        "%(asctime)s.%(msecs)03d [%(levelname)-8s] %(name)s:%(lineno)d: %(message)s",
        b"2026-11-23 02:16:56.789 [INFO    ] shop.orders:17: hi: x",
        {
            "time": (NOW, "789"),
            "level": "info",
            "logger": "shop.orders",
            "line": 17,
            "message": "hi: x",
        },
    ),
    (
        "python",
        "{asctime} {levelname:<8} {name} {message} [{request_id}]",
        b"2026-11-23 02:16:56,789 INFO     shop hello [a] x [r-17]",
        {
            "time": (NOW, "789"),
            "level": "info",
            "logger": "shop",
            "message": "hello [a] x",
            "request_id": "r-17",
        },
    ),
    (
        "python",
        {"format": "$asctime ${levelno} $shop $message", "datefmt": "%d/%b/%Y %H:%M:%S %z"},
        b"23/Nov/2026 02:16:56 +0000 40 seoul hi",
        {
            "time": (NOW, ""),
            "level": "error",
            "message": "hi",
            "attributes": {"shop": "seoul"},
        },
    ),
    (
        "nginx",
        NGINX,
        b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /o/42?full=1 HTTP/1.1" 200 512 "-" '
        b'"curl/8.5.0" rt=0.043 urt="0.001, 0.040" .',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "message": "GET /o/42?full=1 HTTP/1.1",
            "method": "GET",
            "url": "/o/42?full=1",
            "url_path": "/o/42",
            "url_query": "full=1",
            "http_version": "1.1",
            "status": 200,
            "response_body_bytes": 512,
            "user_agent": "curl/8.5.0",
            "duration": 0.043,
            "upstream_duration": 0.04,
            "attributes": {"pipe": "."},
        },
    ),
    (
        "nginx",
        "log_format main escape=default '$remote_addr [$time_local] '\n  '\"$request\" $status';",
        b'192.0.2.7 [23/Nov/2026:02:16:56 +0000] "\\x16\\x03" 400',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "message": "\\x16\\x03",
            "status": 400,
        },
    ),
    (
        "apache",
        r'LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" x',
        b'shop.example:443 192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET / HTTP/1.1" 200 512 '
        b'"-" "a \\"b\\" c" 1234',
        {
            "time": (NOW, ""),
            "server_name": "shop.example",
            "destination_port": 443,
            "source_address": "192.0.2.7",
            "message": "GET / HTTP/1.1",
            "method": "GET",
            "url": "/",
            "url_path": "/",
            "http_version": "1.1",
            "status": 200,
            "response_bytes": 512,
            "user_agent": 'a \\"b\\" c',
            "duration": 0.001234,
        },
    ),
    (
        "apache",
        "%h %{%Y-%m-%d %H:%M:%S}t %m %U%q %H %s %{ms}T",
        b"192.0.2.7 2026-11-23 02:16:56 GET /a/b?c=d HTTP/1.1 200 17",
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "method": "GET",
            "url_path": "/a/b",
            "url_query": "c=d",
            "network_protocol": "HTTP/1.1",
            "status": 200,
            "duration": 0.017,
        },
    ),
]
