"""Active health checks: asking each upstream of the profile in use whether it is there.

A check is a TCP connection, or a GET answered with 200 to 399. An upstream that nobody has asked
yet counts as up; it goes down after so many bad checks in a row, and up after so many good ones.
Upstreams of profiles that are not in use are left alone.
"""

from __future__ import annotations

from podweave.helpers.ambassador.dial import random_number
from podweave.helpers.dialing.connector import DialError, from_errno
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire.http1_grammar import ProtocolError, status_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from podweave.helpers.ambassador.policies import HealthCheck, HttpCheck
    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.dialing.connector import Cancellable, Connector
    from podweave.helpers.dialing.tls import Handshake, TlsError
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop, Timer

    Changed = Callable[[Upstream, DialError | None], object]

_STATUS_LINE_LIMIT = 4096


class HealthChecks:
    """`changed(upstream, None or why)` is called when an upstream has gone up or down."""

    def __init__(self, loop: Loop, connector: Connector, changed: Changed) -> None:
        self._loop = loop
        self._connector = connector
        self._changed = changed
        self._watches: list[_Watch] = []

    def watch(self, profile: Profile | None) -> None:
        """Ask these upstreams from now on, and no others. None: nobody."""
        down = [watch.upstream.state for watch in self._watches if watch.upstream.state.down]
        for watch in self._watches:
            watch.close()
        self._watches = []
        if profile is None or profile.health_check is None:
            return
        for upstream in profile.all_upstreams():
            # A changed configuration doesn't bring anybody up who is asked on.
            upstream.state.down = upstream.state in down
            self._watches.append(
                _Watch(self._loop, self._connector, upstream, profile.health_check, self._changed)
            )


class _Watch:
    """One upstream: asked again and again."""

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        upstream: Upstream,
        policy: HealthCheck,
        changed: Changed,
    ) -> None:
        self._loop = loop
        self._connector = connector
        self.upstream = upstream
        self._policy = policy
        self._changed = changed
        self._good = 0
        self._bad = 0
        self._probe: _Probe | None = None
        self._timer: Timer = loop.call_later(0, self._ask)

    def close(self) -> None:
        self._timer.cancel()
        if self._probe is not None:
            self._probe.close()
        # Nobody looks after it any more: what was true will not stay so.
        self.upstream.state.down = False

    def _ask(self) -> None:
        # Not all Pods at the same moment, for as long as they live.
        interval = self._policy.interval * (0.9 + random_number() / 5)
        self._timer = self._loop.call_later(interval, self._ask)
        if self._probe is None:
            self._probe = _Probe(
                self._loop, self._connector, self.upstream, self._policy, self._answered
            )

    def _answered(self, error: DialError | None) -> None:
        self._probe = None
        if error is not None and error.ours:
            return
        state = self.upstream.state
        now = self._loop.now()
        if error is None:
            state.note(True, now)
            self._good, self._bad = self._good + 1, 0
            if state.down and self._good >= self._policy.healthy_after:
                state.down = False
                state.failures = state.ejections = 0
                state.ejected_until = 0.0
                self._changed(self.upstream, None)
        else:
            state.note(False, now, error.reason, error.message)
            self._good, self._bad = 0, self._bad + 1
            if not state.down and self._bad >= self._policy.unhealthy_after:
                state.down = True
                self._changed(self.upstream, error)


class _Probe:
    """One check. Calls `done(None or why)` once, unless closed."""

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        upstream: Upstream,
        policy: HealthCheck,
        done: Callable[[DialError | None], object],
    ) -> None:
        self._loop = loop
        self._upstream = upstream
        self._policy = policy
        self._done = done
        self._sock: socket.socket | TlsSocket | None = None
        self._handshake: Handshake | None = None
        self._request = b""
        self._answer = b""
        self._deadline = loop.now() + policy.timeout
        self._timer = loop.call_at(self._deadline, self._late)
        port = policy.http.port if policy.http is not None else 0
        self._dial: Cancellable | None = connector.connect(
            upstream.host, port or upstream.port, policy.timeout, self._dialled
        )

    def close(self) -> None:
        self._timer.cancel()
        if self._dial is not None:
            self._dial.cancel()
            self._dial = None
        if self._handshake is not None:
            self._handshake.cancel()
            self._handshake = None
        if self._sock is not None:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _end(self, error: DialError | None) -> None:
        self.close()
        self._done(error)

    def _late(self) -> None:
        message = f"{self._upstream.label} has not answered in {self._policy.timeout:g} s"
        self._end(DialError("ETIMEDOUT", message))

    def _dialled(self, result: socket.socket | DialError) -> None:
        self._dial = None
        if isinstance(result, DialError):
            self._end(result)
        elif self._policy.http is None:
            result.close()
            self._end(None)
        elif (tls := self._upstream.profile.tls) is None:
            self._begin(result)
        else:
            from podweave.helpers.dialing.tls import Handshake

            left = max(self._deadline - self._loop.now(), 0.0)
            name = tls.name_for(self._upstream.host)
            self._handshake = Handshake(self._loop, result, tls, name, left, self._secured)

    def _secured(self, result: TlsSocket | TlsError) -> None:
        self._handshake = None
        if isinstance(result, DialError):
            self._end(result)
        else:
            self._begin(result)

    def _begin(self, sock: socket.socket | TlsSocket) -> None:
        assert self._policy.http is not None
        self._sock = sock
        self._request = _request(self._policy.http, self._upstream)
        self._loop.add(sock.fileno(), WRITE, self._ready)

    def _ready(self, events: int) -> None:
        assert self._sock is not None
        try:
            if self._request:
                self._request = self._request[self._sock.send(self._request) :]
                if not self._request:
                    self._loop.modify(self._sock.fileno(), READ)
                return
            data = self._sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(from_errno(error.errno or 0, f"{self._upstream.label}: health check"))
            return
        self._answer += data
        line, found, _ = self._answer.partition(b"\n")
        if found or not data or len(self._answer) > _STATUS_LINE_LIMIT:
            self._end(judge(line, self._upstream.label))


def _request(check: HttpCheck, upstream: Upstream) -> bytes:
    host = check.host or upstream.label
    return (
        f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: podweave-ambassador\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def judge(line: bytes, label: str) -> DialError | None:
    """What the status line of an answer means; None when the upstream is well."""
    try:
        status, _, _ = status_line(line.rstrip(b"\r"))
    except ProtocolError as error:
        return DialError("EPROTO", f"{label}: the answer to the health check: {error.message}")
    if not 200 <= status <= 399:
        return DialError(f"HTTP_{status}", f"{label}: the health check is answered with {status}")
    return None
