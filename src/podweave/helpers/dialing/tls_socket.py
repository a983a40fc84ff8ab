"""A non-blocking socket with TLS on it, used like the plain one.

`recv`, `recv_into` and `send` raise BlockingIOError where the socket's own would, and wait for
the same events: OpenSSL works on memory here, so that it never wants to write in order to read.
Two things differ from a plain socket:

    buffered   what has been read from the kernel already is not reported by epoll. Read until
               BlockingIOError, or as long as `buffered` is true.
    send       bytes that are encrypted can't be taken back. After BlockingIOError offer the
               same bytes again (more may follow them), as everyone does who keeps what is left.

An end without close_notify (RFC 8446, section 6.1) may be somebody's who cuts the conversation
short: it is TruncatedError, a ConnectionResetError, and never an orderly end.
"""

from __future__ import annotations

import errno
import socket
import ssl

from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BUFFER_SIZE = 65536
_PIECE = 16384
"""Bytes that OpenSSL is given, or gives, at once: a record's size. A memory BIO that has held more
never shrinks again, which would cost a connection twice 87 KB for one long answer."""
_SETTLING = 4
"""Reads, at least, within which a server of TLS 1.3 has sent its session tickets."""
_BULK = 16
"""Whole buffers in a row, after which a transfer is worth that memory: it is a tenth quicker."""

# One for all: it is empty again before anybody else reads.
_buffer = bytearray(BUFFER_SIZE)
_view = memoryview(_buffer)


class _Discarded:
    """In the place of an OpenSSL connection that is gone."""

    def read(self, size: int = 0, buffer: memoryview | None = None) -> int:
        raise OSError(errno.EBADF, "the TLS connection was given up")

    write = unwrap = do_handshake = read


_DISCARDED: Any = _Discarded()
_NO_BYTES = ssl.MemoryBIO()


class TruncatedError(ConnectionResetError):
    """The peer has closed the connection without saying that this is the end."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the TLS connection ended without close_notify")


def _is_cut_off(error: ssl.SSLError) -> bool:
    # Before 3.11.4 Python had no class of its own for what OpenSSL 3 says then.
    return isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING"


class TlsSocket:
    __slots__ = (
        "_full_reads",
        "_full_sends",
        "_incoming",
        "_object",
        "_outgoing",
        "_promised",
        "_read_into",
        "_settling",
        "_unfed",
        "_unsent",
        "buffered",
        "raw",
    )

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
        """The client's side. ValueError for a server name that can't be one."""
        self.raw = raw
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name or None
        )
        # With a buffer it returns the count, which the type stub doesn't know.
        self._read_into: Callable[[int, memoryview], int]
        self._read_into = self._object.read  # type: ignore[assignment]
        self._unfed: bytes | memoryview = b""
        """Read from the kernel, and not given to OpenSSL yet."""
        self._full_reads = self._full_sends = 0
        self._settling = _SETTLING
        self._unsent = b""
        self._promised = 0
        self.buffered = False

    def fileno(self) -> int:
        return self.raw.fileno()

    def handshake(self) -> int:
        """Go on with the handshake. Returns the events to wait for, 0 when it is done.

        OSError (ssl.SSLError is one) when it has failed; the alert that says so is sent.
        """
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                if not self._flush():
                    return WRITE
                if not self._fill():
                    return READ
                self._keep_unfed()
                continue
            except ssl.SSLError as error:
                if _is_cut_off(error):
                    raise TruncatedError from error
                self._flush_quietly()
                raise
            if not self._flush():
                return WRITE
            # With TLS 1.3 the server may have said something already.
            self.buffered = bool(self._incoming.pending or self._unfed)
            return 0

    @property
    def certificate(self) -> bytes | None:
        """The server's certificate (DER), verified or not as the context says."""
        return self._object.getpeercert(binary_form=True)

    @property
    def description(self) -> str:
        """The version and the cipher, for a person."""
        cipher = self._object.cipher()
        return f"{self._object.version()} {cipher[0] if cipher else ''}".rstrip()

    def recv(self, size: int) -> bytes:
        buffer = bytearray(min(size, BUFFER_SIZE))
        count = self.recv_into(memoryview(buffer))
        return bytes(buffer[:count])

    def recv_into(self, buffer: bytearray | memoryview) -> int:
        view = memoryview(buffer)
        size = len(view)
        total = 0
        ended = False
        while total < size and not ended:
            try:
                count = self._read_into(size - total, view[total:])
            except ssl.SSLWantReadError:
                if (total and not self._unfed) or not self._fill():
                    break
                continue
            except ssl.SSLZeroReturnError:
                count = 0
            except ssl.SSLError as error:
                if not _is_cut_off(error):
                    raise
                if total:
                    # First what came before it; then this again.
                    ended = True
                    break
                raise TruncatedError from error
            ended = not count
            total += count
        if self._unfed:
            self._keep_unfed()
        if self._settling:
            self._settle()
        if self._outgoing.pending:
            self._flush_quietly()
        if not total and not ended:
            self.buffered = False
            raise BlockingIOError(errno.EAGAIN, "nothing to read")
        # The end itself is told once more each time, but there is nothing behind it.
        self.buffered = bool(total) and (ended or total == size)
        return total

    def send(self, data: bytes | memoryview) -> int:
        if self._unsent:
            if not self._flush():
                raise BlockingIOError(errno.EAGAIN, "the socket takes no more")
            promised, self._promised = self._promised, 0
            if promised:
                return promised
        taken = memoryview(data)[:BUFFER_SIZE]
        if not taken:
            return 0
        self._full_sends = self._full_sends + 1 if len(taken) == BUFFER_SIZE else 0
        if len(taken) <= _PIECE or self._full_sends > _BULK:
            self._object.write(taken)
        else:
            records = []
            for start in range(0, len(taken), _PIECE):
                self._object.write(taken[start : start + _PIECE])
                records.append(self._outgoing.read())
            self._unsent = b"".join(records)
        if not self._flush():
            self._promised = len(taken)
            raise BlockingIOError(errno.EAGAIN, "the socket takes no more")
        return len(taken)

    def shutdown(self, how: int = socket.SHUT_WR) -> None:
        """Say that nothing more is sent. What the server still sends can be read.

        Only when nothing is `buffered`: OpenSSL looks for the peer's answer and would take what
        it finds there for an error. BlockingIOError when the socket takes no more: call again.
        """
        try:
            self._object.unwrap()
        except ssl.SSLError:
            # SSLWantReadError: said, and not answered yet. Anything else: too late to be said.
            pass
        if not self._flush():
            raise BlockingIOError(errno.EAGAIN, "the socket takes no more")
        self.raw.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close in order, as far as that is possible without waiting."""
        if self.raw.fileno() >= 0:
            try:
                self.shutdown()
            except (OSError, ValueError):
                pass
        self.raw.close()
        self.discard()

    def discard(self) -> None:
        """Give OpenSSL's memory back at once; only `raw` can be used afterwards.

        A relay and its legs know each other, so that Python frees them when it next looks for
        such circles. It doesn't know that 40 to 200 KB more hang on this one.
        """
        self._object = _DISCARDED
        self._read_into = _DISCARDED.read
        self._incoming = self._outgoing = _NO_BYTES
        self._unfed = self._unsent = b""

    def _settle(self) -> None:
        """Let OpenSSL free the 16 KB for output that it takes when it reads a session ticket.

        It would keep them until something is sent, as seen with OpenSSL 3.0. Nothing is sent
        here, and only at first is it worth the call.
        """
        self._settling -= 1
        try:
            self._object.write(b"")
        except ssl.SSLError:
            # The end has been said: there is no more output.
            self._settling = 0

    def _fill(self) -> bool:
        """Give OpenSSL more of what the kernel has. False when that is nothing at the moment.

        What it isn't given yet is in the buffer that all share: see _keep_unfed.
        """
        unfed = self._unfed
        if not unfed:
            try:
                count = self.raw.recv_into(_buffer)
            except BlockingIOError:
                return False
            if not count:
                self._incoming.write_eof()
                return True
            self._full_reads = self._full_reads + 1 if count == BUFFER_SIZE else 0
            unfed = _view[:count]
        piece = _PIECE if self._full_reads <= _BULK else BUFFER_SIZE
        self._incoming.write(unfed[:piece])
        self._unfed = unfed[piece:]
        return True

    def _keep_unfed(self) -> None:
        """Before somebody else uses the buffer."""
        self._unfed = bytes(self._unfed)

    def _flush(self) -> bool:
        """Send what is encrypted. False when some of it is left."""
        unsent = self._unsent
        if self._outgoing.pending:
            unsent += self._outgoing.read()
        if not unsent:
            return True
        try:
            sent = self.raw.send(unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._unsent = b""
            raise
        self._unsent = unsent[sent:]
        return not self._unsent

    def _flush_quietly(self) -> None:
        """What fails here is found by the next one who reads or sends."""
        try:
            self._flush()
        except OSError:
            pass
