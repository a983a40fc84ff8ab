"""An httpGet probe's exchange: one request, what its answer means. Bytes in, bytes out, no I/O.

Kubelet's rules: 200 to 399 is success; a redirect to the same host is followed, at most ten
times, one to another host is success as it stands; headers of the manifest replace the default
ones; 10 KiB of the body are read, for the message.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from podweave import __version__

MAX_HEAD: Final = 64 * 1024
MAX_BODY: Final = 10 * 1024
MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")


class Target(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


class HttpGet:
    """Send `opening`, feed what comes, until `verdict` or `redirect` is set."""

    def __init__(self, target: Target) -> None:
        self.target: Final = target
        self.verdict: tuple[bool, str] | None = None
        self.redirect: Target | None = None
        self._received = b""

    def opening(self) -> bytes:
        host = f"[{self.target.host}]" if ":" in self.target.host else self.target.host
        headers = {
            "host": ("Host", f"{host}:{self.target.port}"),
            "user-agent": ("User-Agent", f"kube-probe/1.33 podweave/{__version__}"),
            "accept": ("Accept", "*/*"),
        }
        for name, value in self.target.headers:
            if not value and name.lower() in headers:
                del headers[name.lower()]  # as kubelet: an empty value takes the header away
            else:
                headers[name.lower()] = (name, value)
        headers["connection"] = ("Connection", "close")
        lines = [f"GET {self.target.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.values()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def feed(self, data: bytes) -> bytes:
        self._received += data
        self._judge(ended=False)
        return b""

    def ended(self) -> None:
        """The peer closed the connection."""
        self._judge(ended=True)
        if self.verdict is None and self.redirect is None:
            self.verdict = (False, "the connection was closed before an answer")

    def _judge(self, *, ended: bool) -> None:
        if self.verdict is not None or self.redirect is not None:
            return
        head, blank, body = self._split()
        status = _STATUS.match(head + b"\n")
        if not blank:
            if len(self._received) > MAX_HEAD or (b"\n" in head and not status):
                self.verdict = (False, "malformed HTTP response")
            return
        if not status:
            self.verdict = (False, "malformed HTTP response")
            return
        code = int(status[1])
        if code < 200:
            self._received = body  # 100 Continue and its kind precede the answer
            self._judge(ended=ended)
            return
        location = re.search(rb"^location:[ \t]*(.*?)[ \t]*\r?$", head, re.I | re.M)
        if code in _REDIRECTS and location:
            self._redirected(location[1].decode("latin-1"))
        elif 200 <= code < 400:
            self.verdict = (True, f"HTTP status {code}")
        elif ended or len(body) >= self._expected_body(head):
            text = body[:MAX_BODY].decode(errors="replace").strip()
            message = f"HTTP probe failed with statuscode: {code}"
            self.verdict = (False, f"{message}: {text[:200]}" if text else message)

    def _expected_body(self, head: bytes) -> int:
        length = re.search(rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", head, re.I | re.M)
        return min(int(length[1]), MAX_BODY) if length else MAX_BODY

    def _split(self) -> tuple[bytes, bytes, bytes]:
        found = re.search(rb"\r?\n\r?\n", self._received[:MAX_HEAD])
        if not found:
            return self._received[:MAX_HEAD], b"", b""
        return self._received[: found.start()], found[0], self._received[found.end() :]

    def _redirected(self, location: str) -> None:
        from urllib.parse import urljoin, urlsplit

        try:
            parts = urlsplit(urljoin(self.target.url, location))
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            self.verdict = (False, f"redirected to {location!r}, which is no URL")
            return
        if parts.hostname != urlsplit(self.target.url).hostname:
            self.verdict = (True, f"redirected to another host, {parts.hostname}: not followed")
        elif parts.scheme not in ("http", "https"):
            self.verdict = (False, f"redirected to {location!r}")
        else:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self.redirect = self.target._replace(
                scheme=parts.scheme, host=self.target.host, port=port, path=path
            )
