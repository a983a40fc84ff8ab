"""OpenStack's services (oslo.log), as they write their own files.

Source: oslo.log's defaults of `logging_context_format_string` and
`logging_default_format_string`.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_HEAD = (
    rb"%{ISO8601:time} %{INT:pid} "
    rb"%{BEGIN:level}DEBUG|INFO|AUDIT|WARNING|ERROR|CRITICAL|TRACE%{END} %{PYTHONLOGGER:logger} "
)
_CONTEXT = (
    # [global-id request-id user project domain user-domain project-domain], [-], [None - ...]
    rb"(?:\[(?:(?:None|req-[0-9a-f\-]+) (?=req-))?(?:%{BEGIN:request_id?}req-[0-9a-f\-]+%{END}"
    rb"(?: %{BEGIN:user_id?}[^\]\s]+%{END} %{BEGIN:project?}[^\]\s]+%{END}(?: [^\]\s]+){0,4})?"
    rb"|(?:-|None)(?: [^\]\s]+){0,6})\] ?)?"
)
_INSTANCE = rb"(?:\[instance: %{BEGIN:instance?}[0-9a-f\-]+%{END}\] )?"

FORMATS = {
    "openstack": Format(
        "openstack",
        (Layout(_HEAD + _CONTEXT + _INSTANCE + rb"%{REST:message}"),),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56.789 31 INFO nova.compute.manager [req-3e"
                    b"2c1b5f-0d4a-4c8e-9f6b-7a1d2c3b4e5f 8f1c9d1e 54fadb41 - defau"
                    b"lt default] [instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d]"
                    b" VM Started (Lifecycle Event)"
                ),
                {
                    "pid": 31,
                    "level": "info",
                    "logger": "nova.compute.manager",
                    "request_id": "req-3e2c1b5f-0d4a-4c8e-9f6b-7a1d2c3b4e5f",
                    "user_id": "8f1c9d1e",
                    "message": "VM Started (Lifecycle Event)",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "project": "54fadb41",
                        "instance": "b9000564-fe1a-409b-b8cc-1e88b294cd1d",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.790 31 WARNING oslo_config.cfg [-] Depre"
                    b'cated: Option "idle_timeout" is deprecated'
                ),
                {
                    "pid": 31,
                    "level": "warn",
                    "logger": "oslo_config.cfg",
                    "message": 'Deprecated: Option "idle_timeout" is deprecated',
                    "time": (1795400216, "790"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.791 31 ERROR nova.api.openstack [None re"
                    b"q-3e2c1b5f-0d4a-4c8e-9f6b-7a1d2c3b4e5f kim demo - - default "
                    b"default] Caught error"
                ),
                {
                    "pid": 31,
                    "level": "error",
                    "logger": "nova.api.openstack",
                    "request_id": "req-3e2c1b5f-0d4a-4c8e-9f6b-7a1d2c3b4e5f",
                    "user_id": "kim",
                    "message": "Caught error",
                    "time": (1795400216, "791"),
                    "attributes": {
                        "project": "demo",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.792 31 DEBUG neutron.agent.linux.utils ["
                    b"None req-9c - - - - -] Running command: ['ip', '-o', 'netns'"
                    b", 'list']"
                ),
                {
                    "pid": 31,
                    "level": "debug",
                    "logger": "neutron.agent.linux.utils",
                    "request_id": "req-9c",
                    "message": "Running command: ['ip', '-o', 'netns', 'list']",
                    "time": (1795400216, "792"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.793 31 INFO keystone.common.wsgi [-] POS"
                    b"T http://10.0.0.5:5000/v3/auth/tokens"
                ),
                {
                    "pid": 31,
                    "level": "info",
                    "logger": "keystone.common.wsgi",
                    "message": "POST http://10.0.0.5:5000/v3/auth/tokens",
                    "time": (1795400216, "793"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56.794 31 TRACE nova.api.openstack Tracebac"
                    b"k (most recent call last):"
                ),
                {
                    "pid": 31,
                    "level": "error",
                    "logger": "nova.api.openstack",
                    "message": "Traceback (most recent call last):",
                    "time": (1795400216, "794"),
                },
            ),
        ),
        levels={"AUDIT": "notice", "TRACE": "error"},
    ),
}
