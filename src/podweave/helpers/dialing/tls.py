"""TLS to an upstream: what is configured, the context of it, and the handshake on the loop.

    disable       no TLS
    require       encrypted; the server's certificate is verified where a CA is given, its name
                  is not (what libpq does, too)
    verify-full   the certificate leads to the CA (the system's where none is given) and is for
                  the server name, or else for the host that was dialled

The files are looked at each time and read again when they have changed, as they do when a
Secret's volume is updated. Nothing is imported of `ssl` before it is needed: it takes 5 MB.
"""

from __future__ import annotations

import os

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.dialing.connector import DialError, address_family, from_errno
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop, Timer

MODES = ("disable", "require", "verify-full")

_Signature = list[tuple[int, int, int]]


class TlsError(DialError):
    """No TLS. `reason` is TLS_FILES (ours), TLS_VERIFY (the server's certificate) or TLS_FAILED."""


class TlsOptions:
    """The `tls` of a profile or a store. Paths and names are "" where none is given."""

    __slots__ = (
        "_context",
        "_signature",
        "alpn",
        "ca",
        "certificate",
        "key",
        "mode",
        "server_name",
    )

    def __init__(
        self,
        mode: str,
        *,
        server_name: str = "",
        ca: str = "",
        certificate: str = "",
        key: str = "",
        alpn: Sequence[str] = (),
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"{mode!r} is not a mode of TLS")
        self.mode = mode
        self.server_name = server_name
        self.ca = ca
        self.certificate = certificate
        self.key = key
        self.alpn = tuple(alpn)
        self._context: ssl.SSLContext | None = None
        self._signature: _Signature = []

    @property
    def enabled(self) -> bool:
        return self.mode != "disable"

    def name_for(self, host: str) -> str:
        """The name to ask for (SNI) and to verify."""
        return self.server_name or host.removesuffix(".").partition("%")[0]

    def context(self) -> ssl.SSLContext:
        """The context for the files as they are now. TlsError when they can't be used."""
        signature = [
            _look(what, path)
            for what, path in (
                ("CA", self.ca),
                ("client certificate", self.certificate),
                ("client certificate's key", self.key),
            )
            if path
        ]
        if self._context is None or signature != self._signature:
            self._context = self._build()
            self._signature = signature
        return self._context

    def _build(self) -> ssl.SSLContext:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Some Pythons (3.11.2 among them) take an end without close_notify for an orderly one.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        context.check_hostname = self.mode == "verify-full"
        if self.mode == "require" and not self.ca:
            context.verify_mode = ssl.CERT_NONE
        elif self.ca:
            # Whoever is given as a CA is trusted, even if it is itself signed by another.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            try:
                context.load_verify_locations(cafile=self.ca)
            except (OSError, ValueError) as error:
                raise TlsError("TLS_FILES", f"CA {self.ca}: {_words(error)}") from error
        else:
            context.set_default_verify_paths()
        if self.certificate:
            try:
                context.load_cert_chain(self.certificate, self.key or None, password=_no_password)
            except (OSError, ValueError) as error:
                raise TlsError(
                    "TLS_FILES", f"client certificate {self.certificate}: {_words(error)}"
                ) from error
        if self.alpn:
            context.set_alpn_protocols(list(self.alpn))
        return context


def read_tls(section: Section, mode: str | None = None) -> TlsOptions:
    """{"mode", "server_name", "ca": PATH, "certificate": PATH, "key": PATH}, all of the section.

    `mode` where none is given; without it there must be one. ConfigurationError.
    """
    options = TlsOptions(
        section.text("mode", mode, among=MODES),
        server_name=section.text("server_name", ""),
        ca=section.text("ca", ""),
        certificate=section.text("certificate", ""),
        key=section.text("key", ""),
    )
    section.end()
    if bool(options.certificate) != bool(options.key):
        raise ConfigurationError(section.path, "must have both certificate and key, or neither")
    return options


class Handshake:
    """TLS on a connected non-blocking socket. `done` gets a TlsSocket or the error, once.

    Never from the constructor. The socket is closed when the handshake fails or is cancelled.
    `timeout` is in seconds. `server_name` is both asked for and verified.
    """

    __slots__ = ("_done", "_loop", "_mask", "_server_name", "_sock", "_timer", "_tls")

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        options: TlsOptions,
        server_name: str,
        timeout: float,
        done: Callable[[TlsSocket | TlsError], object],
    ) -> None:
        self._loop = loop
        self._sock: socket.socket | None = sock
        self._server_name = server_name
        self._done = done
        self._tls: TlsSocket | None = None
        self._mask = WRITE
        try:
            context = options.context()
            from podweave.helpers.dialing.tls_socket import TlsSocket

            self._tls = TlsSocket(sock, context, server_name)
        except TlsError as error:
            failure = error
        except ValueError as error:
            failure = TlsError("TLS_FILES", f"server name {server_name!r}: {error}")
        else:
            # A connected socket is writable: the first step is taken at once.
            loop.add(sock.fileno(), WRITE, self._ready)
            late = TlsError(
                "ETIMEDOUT", f"{server_name}: no answer to the TLS handshake in {timeout:.1f} s"
            )
            self._timer: Timer = loop.call_later(max(timeout, 0.0), lambda: self._fail(late))
            return
        self._timer = loop.call_later(0, lambda: self._fail(failure))

    def cancel(self) -> None:
        sock = self._release()
        if sock is not None:
            sock.close()

    def _ready(self, events: int) -> None:
        assert self._tls is not None
        try:
            mask = self._tls.handshake()
        except OSError as error:
            self._fail(translate(error, self._server_name))
            return
        if mask:
            if mask != self._mask:
                self._mask = mask
                self._loop.modify(self._tls.fileno(), mask)
            return
        self._release()
        self._done(self._tls)

    def _fail(self, error: TlsError) -> None:
        self.cancel()
        self._done(error)

    def _release(self) -> socket.socket | None:
        self._timer.cancel()
        sock, self._sock = self._sock, None
        if sock is not None and self._tls is not None:
            self._loop.remove(sock.fileno())
        return sock


def _look(what: str, path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        failure = from_errno(error.errno or 0, f"{what} {path}")
        raise TlsError("TLS_FILES", failure.message) from error
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def _no_password() -> str:
    # Without this OpenSSL would ask for it on the terminal.
    raise ValueError("the key is encrypted; give it without a passphrase")


def translate(error: OSError, server_name: str) -> TlsError:
    """What went wrong on a socket with TLS, in words."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        message = error.verify_message
        if address_family(server_name) is None and "ostname mismatch" in message:
            message = f"the certificate is not for {server_name}"
        return TlsError("TLS_VERIFY", f"{server_name}: certificate not accepted: {message}")
    if isinstance(error, ssl.SSLError):
        return TlsError("TLS_FAILED", f"{server_name}: TLS handshake failed: {_words(error)}")
    failure = from_errno(error.errno or 0, f"{server_name}: TLS handshake")
    return TlsError(failure.reason, failure.message)


def _words(error: OSError | ValueError) -> str:
    """What OpenSSL says, without its place in OpenSSL's sources."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        return reason.replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
