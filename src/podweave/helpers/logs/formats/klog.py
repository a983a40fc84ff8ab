"""klog and glog: Kubernetes' own components, and what is built with their libraries."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

FORMATS = {
    "klog": Format(
        "klog",
        (
            Layout(
                rb"%{KLOGLEVEL:level}%{KLOGDATE:time} +%{INT:thread_id} "
                rb"%{PYTHONLOGGER:file}:%{INT:line}\] %{REST:message}"
            ),
        ),
        samples=(
            (
                b'W1123 02:16:56.123456       1 server.go:88] "Starting" port=8080',
                {
                    "time": (1795400216, "123456"),
                    "level": "warn",
                    "thread_id": 1,
                    "file": "server.go",
                    "line": 88,
                    "message": '"Starting" port=8080',
                },
            ),
        ),
    ),
}
