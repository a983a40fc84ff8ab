"""The short-lived programs that talk to a running helper's admin endpoint: wait, switch, ask."""

from __future__ import annotations

import json
import socket
import sys
import time

from podweave.helpers.configuration import ConfigurationError, Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WAIT_SECONDS = 4.0
"""Below the startupProbe's timeoutSeconds, so that the answer is ours and not the kubelet's."""

_PAUSE = 0.02
_ANSWER_LIMIT = 1 << 20


class NoAnswerError(Exception):
    """The endpoint can't be reached, or what answers is not an admin endpoint."""


def wait(config: dict[str, Any], seconds: float = WAIT_SECONDS) -> int:
    """0 as soon as the helper is healthy, 1 when it isn't within `seconds`."""
    address = _address(config)
    deadline = time.monotonic() + seconds
    while True:
        try:
            status, content = request(address, "GET", "/healthz", b"", deadline)
            if status == 200:
                return 0
            reason = f"{status} {content.strip()}"
        except NoAnswerError as error:
            reason = str(error)
        if time.monotonic() + _PAUSE >= deadline:
            sys.stderr.write(f"not healthy within {seconds:g} s: {reason}\n")
            return 1
        time.sleep(_PAUSE)


def switch(config: dict[str, Any], profile: str, existing: str = "", grace: str = "") -> int:
    """Tell the ambassador to use `profile`; print what it answers.

    `existing` and `grace` (seconds) in place of what its configuration says of open connections.
    """
    wanted: dict[str, object] = {"profile": profile}
    if existing:
        wanted["existing"] = existing
    if grace:
        try:
            wanted["grace"] = float(grace)
        except ValueError:
            sys.stderr.write(f"{grace!r} is no number of seconds\n")
            return 2
    return ask(config, "/profile", json.dumps(wanted))


def ask(config: dict[str, Any], path: str, content: str | None = None) -> int:
    """GET `path`, or POST the content to it; print what is answered.

    0 when it was done, 2 when what was asked for is wrong, 1 when it failed.
    """
    if not path.startswith("/") or not all("!" <= char <= "~" for char in path):
        sys.stderr.write(f"{path!r} is no path\n")
        return 2
    deadline = time.monotonic() + 10.0
    method = "GET" if content is None else "POST"
    body = (content or "").encode()
    try:
        status, answer = request(_address(config), method, path, body, deadline)
    except NoAnswerError as error:
        sys.stderr.write(f"no answer from the {config.get('program', 'helper')}: {error}\n")
        return 1
    if status == 200:
        sys.stdout.write(answer)
        return 0
    sys.stderr.write(answer)
    return 2 if status in (400, 404) else 1


def request(
    address: tuple[str, int], method: str, path: str, content: bytes, deadline: float
) -> tuple[int, str]:
    """One request on a connection of its own: the answer's status and content."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    head = (
        f"{method} {path} HTTP/1.1\r\n"
        f"Host: {host}:{address[1]}\r\n"
        f"Content-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    answer = b""
    try:
        # Not create_connection: its getaddrinfo loads the codecs of international names, which
        # takes longer than all the rest of a probe.
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with socket.socket(family) as connection:
            connection.settimeout(_left(deadline))
            connection.connect(address)
            connection.sendall(head.encode("ascii") + content)
            while len(answer) < _ANSWER_LIMIT:
                connection.settimeout(_left(deadline))
                data = connection.recv(65536)
                if not data:
                    break
                answer += data
    except OSError as error:
        raise NoAnswerError(f"{host}:{address[1]}: {error.strerror or error}") from error
    head_bytes, found, body = answer.partition(b"\r\n\r\n")
    version, _, rest = head_bytes.partition(b" ")
    if not found or version != b"HTTP/1.1" or not rest[:3].isdigit():
        raise NoAnswerError(f"{host}:{address[1]}: what answers there is not an admin endpoint")
    return int(rest[:3]), body.decode("utf-8", "replace")


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _address(config: dict[str, Any]) -> tuple[str, int]:
    section = Section(config)
    if config.get("admin") is None:
        raise ConfigurationError("admin", "is needed: the helper's admin endpoint")
    return section.address("admin")
