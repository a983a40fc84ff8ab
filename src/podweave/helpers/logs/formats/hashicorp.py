"""HashiCorp's hclog: Consul, Vault, Nomad, Terraform's plugins.

Source: github.com/hashicorp/go-hclog, intlogger.go: the level in brackets, padded, the logger with
a colon, the message, and pairs.
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_LEVEL = rb"\[%{BEGIN:level}TRACE|DEBUG|INFO|WARN|ERROR%{END}\] {1,2}"

SAMPLES = (
    (
        (
            b"2026-11-23T02:16:56.789Z [INFO]  agent.server.raft: entering leade"
            b'r state: leader="Node at 10.0.0.5:8300"'
        ),
        {
            "level": "info",
            "logger": "agent.server.raft",
            "message": 'entering leader state: leader="Node at 10.0.0.5:8300"',
            "time": (1795400216, "789"),
        },
    ),
    (
        (
            b"2026-11-23T02:16:57.000+0900 [ERROR] core/seal.go:17: core: failed"
            b' to unseal: error="no key"'
        ),
        {
            "level": "error",
            "file": "core/seal.go",
            "line": 17,
            "logger": "core",
            "message": 'failed to unseal: error="no key"',
            "time": (1795367817, "000"),
        },
    ),
)
FORMATS = {
    "hclog": Format(
        "hclog",
        (
            Layout(
                rb"%{RFC3339:time} " + _LEVEL + rb"%{BEGIN:file}[\w./\-]+\.go%{END}:%{INT:line}: "
                rb"(?>(?:%{BEGIN:logger?}[A-Za-z][\w.\-]*+%{END}: )?)%{REST:message}"
            ),
            Layout(
                rb"%{RFC3339:time} " + _LEVEL + rb"%{BEGIN:logger}[A-Za-z][\w.\-]*+%{END}: "
                rb"%{REST:message}"
            ),
        ),
        samples=SAMPLES,
    ),
}
