"""PostgreSQL's protocol 3 as far as a connection's start goes (PostgreSQL, chapter 55). No I/O.

A client begins with packets that have no type, in the order of this table; after its Startup
there are only messages with one. A server's messages are read here until ReadyForQuery.

    begun      SslRequest      -> no SSL again     each is answered with one byte, and either
    begun      GssRequest      -> no GSS again     may come first
    (any)      Startup         -> started
    (any)      Cancel          -> started          in place of a start-up, and nothing follows
"""

from __future__ import annotations

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

MAX_STARTUP = 10_000
"""MAX_STARTUP_PACKET_LENGTH of PostgreSQL."""
MAX_MESSAGE = 65536
"""Before ReadyForQuery; the longest there is an error with all of its fields."""
MIN_CANCEL_KEY, MAX_CANCEL_KEY = 4, 256
_OLD_ERROR_LIMIT = 30_000

AUTHENTICATION = b"R"
BACKEND_KEY = b"K"
ERROR = b"E"
READY = b"Z"


class PostgresError(Exception):
    """The peer breaks the protocol. `code` is the SQLSTATE for whoever it is told to."""

    def __init__(self, message: str, code: str = "08P01") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class DirectTls:
    """A TLS handshake in place of any packet (libpq's sslnegotiation=direct)."""

    __slots__ = ()


class EncryptionRequest:
    """SSLRequest or GSSENCRequest: wants one byte, `N` for no."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Cancel:
    """`key` is what BackendKeyData had: process ID and secret, 8 to 260 bytes."""

    __slots__ = ("key",)

    def __init__(self, key: bytes) -> None:
        self.key = key


class Startup:
    """`parameters` in their order; later ones win, as they do in PostgreSQL."""

    __slots__ = ("minor", "parameters")

    def __init__(self, minor: int, parameters: dict[bytes, bytes]) -> None:
        self.minor = minor
        self.parameters = parameters

    def encode(self) -> bytes:
        body = b"".join(name + b"\0" + value + b"\0" for name, value in self.parameters.items())
        head = (len(body) + 9).to_bytes(4, "big") + b"\0\x03" + self.minor.to_bytes(2, "big")
        return head + body + b"\0"


Packet = DirectTls | EncryptionRequest | Cancel | Startup


class StartupReader:
    """A client's bytes up to its Startup or Cancel."""

    __slots__ = ("_allowed", "_data", "started")

    def __init__(self) -> None:
        self._data = b""
        self._allowed = {SSL_REQUEST: "SSL", GSS_REQUEST: "GSSAPI"}
        self.started = False

    def take_rest(self) -> bytes:
        """What came behind it, once."""
        rest, self._data = self._data, b""
        return rest

    def feed(self, data: bytes) -> None:
        self._data += data

    def next(self) -> Packet | None:
        """The next packet, None until there is more. PostgresError when there can't be one."""
        data = self._data
        if self.started or not data:
            return None
        if data[0] == 0x16:
            self.started = True
            return DirectTls()
        if data[0]:
            # No packet is that long: this is some other protocol's beginning.
            raise PostgresError("what the client sends is no PostgreSQL start-up packet")
        if len(data) < 4:
            return None
        length = int.from_bytes(data[:4], "big")
        if not 8 <= length <= MAX_STARTUP:
            raise PostgresError(f"invalid length of startup packet: {length}")
        if len(data) < length:
            return None
        self._data = data[length:]
        return self._packet(int.from_bytes(data[4:8], "big"), data[8:length])

    def _packet(self, code: int, body: bytes) -> Packet:
        if code in self._allowed and not body:
            return EncryptionRequest(self._allowed.pop(code))
        if code == CANCEL_REQUEST:
            if not MIN_CANCEL_KEY <= len(body) - 4 <= MAX_CANCEL_KEY:
                raise PostgresError("invalid length of cancel request packet")
            self.started = True
            return Cancel(body)
        major, minor = code >> 16, code & 0xFFFF
        if major != 3:
            raise PostgresError(
                f"unsupported frontend protocol {major}.{minor}: protocol 3 is supported", "0A000"
            )
        self.started = True
        return Startup(minor, _parameters(body))


def _parameters(body: bytes) -> dict[bytes, bytes]:
    if not body.endswith(b"\0"):
        raise PostgresError("invalid startup packet layout: expected terminator as last byte")
    if body == b"\0":
        return {}
    parts = body[:-1].split(b"\0")
    # Names and values in turn, each with its own end.
    if parts[-1] or len(parts) % 2 == 0 or not all(parts[:-1:2]):
        raise PostgresError("invalid startup packet layout")
    return dict(zip(parts[:-1:2], parts[1:-1:2], strict=True))


class MessageReader:
    """A server's messages, one at a time; `rest` is what has not been taken."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    @property
    def rest(self) -> bytes:
        return self._data

    def feed(self, data: bytes) -> None:
        self._data += data

    def next(self) -> tuple[bytes, bytes] | None:
        """(type, the whole message), None until there is more."""
        data = self._data
        if len(data) < 5:
            return None
        length = int.from_bytes(data[1:5], "big")
        kind = data[:1]
        if kind == ERROR and not 4 <= length <= _OLD_ERROR_LIMIT:
            return self._old_error()
        if not 4 <= length < MAX_MESSAGE or not kind.isalpha():
            raise PostgresError("what the server sends is not PostgreSQL's protocol")
        if len(data) <= length:
            return None
        self._data = data[length + 1 :]
        return kind, data[: length + 1]

    def _old_error(self) -> tuple[bytes, bytes] | None:
        """A server that can't even start a process says so in the way of protocol 2."""
        text, end, self._data = self._data[1:].partition(b"\0")
        if not end:
            self._data = ERROR + text
            if len(text) > _OLD_ERROR_LIMIT:
                raise PostgresError("what the server sends is not PostgreSQL's protocol")
            return None
        return ERROR, error_response("53000", text.decode("utf-8", "replace").strip())


def encryption_request() -> bytes:
    return b"\0\0\0\x08" + SSL_REQUEST.to_bytes(4, "big")


def cancel_request(key: bytes) -> bytes:
    return (len(key) + 8).to_bytes(4, "big") + CANCEL_REQUEST.to_bytes(4, "big") + key


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def error_response(code: str, text: str, *, detail: str = "", hint: str = "") -> bytes:
    """A FATAL error: after it the connection is closed."""
    fields = (("S", "FATAL"), ("V", "FATAL"), ("C", code), ("M", text), ("D", detail), ("H", hint))
    body = b"".join(
        name.encode() + value.replace("\0", "").encode("utf-8", "replace") + b"\0"
        for name, value in fields
        if value
    )
    return message(ERROR, body + b"\0")


def error_fields(whole: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their letters; what isn't one is left out."""
    return {
        field[:1].decode("ascii", "replace"): field[1:].decode("utf-8", "replace")
        for field in whole[5:].split(b"\0")
        if field
    }


def with_field(whole: bytes, letter: str, text: str) -> bytes:
    """The ErrorResponse with one field more."""
    field = letter.encode() + text.replace("\0", "").encode("utf-8", "replace") + b"\0"
    return message(ERROR, whole[5:].rstrip(b"\0") + b"\0" + field + b"\0")
