"""Access logs that are JSON: nginx' with the names of its variables, Traefik, Caddy, Envoy, Istio.

Sources: nginx' documentation of its variables, Traefik's list of access log fields, Caddy's
documentation of its request logs, Istio's default JSON encoding of Envoy's access log.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import OBJECT, PRESENT, TEXT, JsonLayout


def _path(url: str) -> str | None:
    return url.partition("?")[0] or None


def _query(url: str) -> str | None:
    return url.partition("?")[2] or None


def _version(protocol: str) -> str | None:
    return protocol[5:] if protocol.startswith("HTTP/") else None


_DERIVED = (
    ("url_path", "url", _path),
    ("url_query", "url", _query),
    ("http_version", "network_protocol", _version),
)

FORMATS = {
    "nginx-json": Format(
        "nginx-json",
        (
            JsonLayout(
                {
                    "request": "message",
                    "request_length": "request_bytes",
                    "bytes_sent": "response_bytes",
                    "body_bytes_sent": "response_body_bytes",
                    "host": "server_name",
                    "http_host": "server_name",
                    "scheme": "url_scheme",
                    "server_addr": "destination_address",
                    "server_port": "destination_port",
                    "server_protocol": "network_protocol",
                    "ssl_protocol": "tls_version",
                    "ssl_cipher": "tls_cipher",
                    "upstream_addr": "upstream_address",
                    "upstream_status": "upstream_status",
                    "upstream_cache_status": "cache_status",
                    "upstream_connect_time": "upstream_connect_duration",
                    "upstream_response_time": "upstream_duration",
                    "proxy_upstream_name": "upstream_name",
                    "msec": "time",
                },
                requires={"remote_addr": TEXT, "status": PRESENT, "http_user_agent": TEXT},
                derive=_DERIVED,
            ),
        ),
        samples=(
            (
                (
                    b'{"time_iso8601":"2026-11-23T02:16:56+00:00","remote_addr":"1'
                    b'92.0.2.7","request_method":"GET","request_uri":"/orders?page'
                    b'=2","server_protocol":"HTTP/1.1","status":"200","body_bytes_'
                    b'sent":"512","request_time":"0.043","upstream_response_time":'
                    b'"0.041","http_user_agent":"curl/8.5.0","http_host":"shop.exa'
                    b'mple"}'
                ),
                {
                    "time": (1795400216, ""),
                    "source_address": "192.0.2.7",
                    "method": "GET",
                    "url": "/orders?page=2",
                    "network_protocol": "HTTP/1.1",
                    "status": 200,
                    "response_body_bytes": 512,
                    "duration": 0.043,
                    "upstream_duration": 0.041,
                    "user_agent": "curl/8.5.0",
                    "server_name": "shop.example",
                    "url_path": "/orders",
                    "url_query": "page=2",
                    "http_version": "1.1",
                },
            ),
            (
                (
                    b'{"msec":1795400216.789,"remote_addr":"2001:db8::7","request"'
                    b':"POST /login HTTP/2.0","status":302,"bytes_sent":180,"reque'
                    b'st_length":310,"request_time":0.003,"upstream_addr":"10.0.0.'
                    b'5:8080","upstream_status":"302","http_referer":"https://shop'
                    b'.example/","http_user_agent":"Mozilla/5.0"}'
                ),
                {
                    "time": (1795400216, "789"),
                    "source_address": "2001:db8::7",
                    "message": "POST /login HTTP/2.0",
                    "status": 302,
                    "response_bytes": 180,
                    "request_bytes": 310,
                    "duration": 0.003,
                    "upstream_address": "10.0.0.5:8080",
                    "upstream_status": 302,
                    "referrer": "https://shop.example/",
                    "user_agent": "Mozilla/5.0",
                },
            ),
        ),
    ),
    "traefik-json": Format(
        "traefik-json",
        (
            JsonLayout(
                {
                    "ClientHost": "source_address",
                    "ClientPort": "source_port",
                    "ClientUsername": "user",
                    "DownstreamContentSize": "response_body_bytes",
                    "DownstreamStatus": "status",
                    "Duration": "duration:ns",
                    "OriginDuration": "upstream_duration:ns",
                    "OriginStatus": "upstream_status",
                    "RequestContentSize": "request_body_bytes",
                    "RequestHost": "server_name",
                    "RequestMethod": "method",
                    "RequestPath": "url",
                    "RequestProtocol": "network_protocol",
                    "RequestScheme": "url_scheme",
                    "ServiceAddr": "upstream_address",
                    "ServiceName": "upstream_name",
                    # Version 1
                    "BackendAddr": "upstream_address",
                    "BackendName": "upstream_name",
                    "TLSVersion": "tls_version",
                    "TLSCipher": "tls_cipher",
                    "request_Referer": "referrer",
                    "request_User-Agent": "user_agent",
                    "request_X-Request-Id": "request_id",
                },
                requires={"RequestMethod": TEXT, "DownstreamStatus": PRESENT, "Duration": PRESENT},
                derive=_DERIVED,
            ),
        ),
        samples=(
            (
                (
                    b'{"ClientAddr":"192.0.2.7:51234","ClientHost":"192.0.2.7","Cl'
                    b'ientPort":"51234","DownstreamContentSize":416,"DownstreamSta'
                    b'tus":200,"Duration":2000000,"OriginContentSize":416,"OriginD'
                    b'uration":1500000,"OriginStatus":200,"RequestContentSize":0,"'
                    b'RequestCount":12,"RequestHost":"shop.example","RequestMethod'
                    b'":"GET","RequestPath":"/whoami?a=1","RequestProtocol":"HTTP/'
                    b'1.1","RequestScheme":"http","RetryAttempts":0,"RouterName":"'
                    b'whoami@docker","ServiceAddr":"172.17.0.3:80","ServiceName":"'
                    b'whoami@docker","StartUTC":"2026-11-23T02:16:56.787000000Z","'
                    b'entryPointName":"web","level":"info","msg":"","request_User-'
                    b'Agent":"curl/8.5.0","time":"2026-11-23T02:16:56Z"}'
                ),
                {
                    "attributes": {
                        "ClientAddr": "192.0.2.7:51234",
                        "OriginContentSize": 416,
                        "RequestCount": 12,
                        "RetryAttempts": 0,
                        "RouterName": "whoami@docker",
                        "StartUTC": "2026-11-23T02:16:56.787000000Z",
                        "entryPointName": "web",
                    },
                    "source_address": "192.0.2.7",
                    "source_port": 51234,
                    "response_body_bytes": 416,
                    "status": 200,
                    "duration": 0.002,
                    "upstream_duration": 0.0015,
                    "upstream_status": 200,
                    "request_body_bytes": 0,
                    "server_name": "shop.example",
                    "method": "GET",
                    "url": "/whoami?a=1",
                    "network_protocol": "HTTP/1.1",
                    "url_scheme": "http",
                    "upstream_address": "172.17.0.3:80",
                    "upstream_name": "whoami@docker",
                    "level": "info",
                    "message": "",
                    "user_agent": "curl/8.5.0",
                    "time": (1795400216, ""),
                    "url_path": "/whoami",
                    "url_query": "a=1",
                    "http_version": "1.1",
                },
            ),
        ),
    ),
    "caddy": Format(
        "caddy",
        (
            JsonLayout(
                {
                    "request.remote_ip": "source_address",
                    "request.remote_port": "source_port",
                    "request.method": "method",
                    "request.host": "server_name",
                    "request.uri": "url",
                    "request.proto": "network_protocol",
                    "request.headers.User-Agent": "user_agent",
                    "request.headers.Referer": "referrer",
                    "request.tls.server_name": "tls_server_name",
                    "bytes_read": "request_body_bytes",
                    "size": "response_body_bytes",
                    "duration": "duration",
                    "user_id": "",
                },
                requires={"request": OBJECT, "request.uri": TEXT, "resp_headers": OBJECT},
                derive=_DERIVED,
            ),
        ),
        samples=(
            (
                (
                    b'{"level":"info","ts":1795400216.789012,"logger":"http.log.ac'
                    b'cess","msg":"handled request","request":{"remote_ip":"192.0.'
                    b'2.7","remote_port":"41342","client_ip":"192.0.2.7","proto":"'
                    b'HTTP/2.0","method":"GET","host":"shop.example","uri":"/order'
                    b's?page=2","headers":{"User-Agent":["curl/8.5.0"],"Accept":["'
                    b'*/*"]},"tls":{"resumed":false,"version":772,"cipher_suite":4'
                    b'865,"proto":"h2","server_name":"shop.example"}},"bytes_read"'
                    b':0,"user_id":"","duration":0.000929675,"size":10900,"status"'
                    b':200,"resp_headers":{"Server":["Caddy"]}}'
                ),
                {
                    "level": "info",
                    "time": (1795400216, "789012"),
                    "logger": "http.log.access",
                    "message": "handled request",
                    "source_address": "192.0.2.7",
                    "source_port": 41342,
                    "network_protocol": "HTTP/2.0",
                    "method": "GET",
                    "server_name": "shop.example",
                    "url": "/orders?page=2",
                    "user_agent": "curl/8.5.0",
                    "tls_server_name": "shop.example",
                    "attributes": {
                        "request": {
                            "client_ip": "192.0.2.7",
                            "headers": {
                                "Accept": ["*/*"],
                            },
                            "tls": {
                                "resumed": False,
                                "version": 772,
                                "cipher_suite": 4865,
                                "proto": "h2",
                            },
                        },
                        "user_id": "",
                        "resp_headers": {
                            "Server": ["Caddy"],
                        },
                    },
                    "request_body_bytes": 0,
                    "duration": 0.000929675,
                    "response_body_bytes": 10900,
                    "status": 200,
                    "url_path": "/orders",
                    "url_query": "page=2",
                    "http_version": "2.0",
                },
            ),
            (
                (
                    b'{"level":"error","ts":1795400216.789012,"logger":"http.log.a'
                    b'ccess.log0","msg":"handled request","request":{"remote_ip":"'
                    b'2001:db8::7","remote_port":"41342","proto":"HTTP/1.1","metho'
                    b'd":"POST","host":"shop.example","uri":"/x","headers":{}},"du'
                    b'ration":"1.5ms","size":0,"status":502,"resp_headers":{}}'
                ),
                {
                    "level": "error",
                    "time": (1795400216, "789012"),
                    "logger": "http.log.access.log0",
                    "message": "handled request",
                    "source_address": "2001:db8::7",
                    "source_port": 41342,
                    "network_protocol": "HTTP/1.1",
                    "method": "POST",
                    "server_name": "shop.example",
                    "url": "/x",
                    "attributes": {
                        "request": {
                            "headers": {},
                        },
                        "resp_headers": {},
                    },
                    "duration": 0.0015,
                    "response_body_bytes": 0,
                    "status": 502,
                    "url_path": "/x",
                    "http_version": "1.1",
                },
            ),
        ),
    ),
    "envoy-json": Format(
        "envoy-json",
        (
            JsonLayout(
                {
                    "start_time": "time",
                    "method": "method",
                    "path": "url",
                    "protocol": "network_protocol",
                    "response_code": "status",
                    "bytes_received": "request_body_bytes",
                    "bytes_sent": "response_body_bytes",
                    "duration": "duration:ms",
                    "upstream_service_time": "upstream_duration:ms",
                    "authority": "server_name",
                    "upstream_host": "upstream_address",
                    "upstream_cluster": "upstream_name",
                    "requested_server_name": "tls_server_name",
                },
                requires={"start_time": TEXT, "response_flags": PRESENT, "bytes_sent": PRESENT},
                derive=_DERIVED,
            ),
        ),
        samples=(
            (
                (
                    b'{"start_time":"2026-11-23T02:16:56.310Z","route_name":"defau'
                    b'lt","method":"GET","requested_server_name":null,"downstream_'
                    b'remote_address":"10.44.1.23:46520","bytes_received":0,"upstr'
                    b'eam_cluster":"outbound|8000||httpbin.foo.svc.cluster.local",'
                    b'"authority":"httpbin:8000","response_code_details":"via_upst'
                    b'ream","user_agent":"curl/8.5.0","upstream_service_time":"4",'
                    b'"path":"/status/418?x=1","protocol":"HTTP/1.1","upstream_hos'
                    b't":"10.44.1.27:80","duration":6,"x_forwarded_for":null,"requ'
                    b'est_id":"84961386-6d84-929d-98bd-c5aee93b5c88","response_cod'
                    b'e":418,"bytes_sent":135,"response_flags":"-"}'
                ),
                {
                    "time": (1795400216, "310"),
                    "attributes": {
                        "route_name": "default",
                        "downstream_remote_address": "10.44.1.23:46520",
                        "response_code_details": "via_upstream",
                        "response_flags": "-",
                    },
                    "method": "GET",
                    "request_body_bytes": 0,
                    "upstream_name": "outbound|8000||httpbin.foo.svc.cluster.local",
                    "server_name": "httpbin:8000",
                    "user_agent": "curl/8.5.0",
                    "upstream_duration": 0.004,
                    "url": "/status/418?x=1",
                    "network_protocol": "HTTP/1.1",
                    "upstream_address": "10.44.1.27:80",
                    "duration": 0.006,
                    "request_id": "84961386-6d84-929d-98bd-c5aee93b5c88",
                    "status": 418,
                    "response_body_bytes": 135,
                    "url_path": "/status/418",
                    "url_query": "x=1",
                    "http_version": "1.1",
                },
            ),
        ),
    ),
}
