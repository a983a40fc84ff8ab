"""The start of a MySQL connection, as MySQL and MariaDB speak it, without I/O.

Both legs of a proxy are read and written here: greeting, TLS request, handshake response, the
packets of authentication, OK and ERR. Sources: "Connection Phase" of MySQL's internals manual,
MariaDB's "Connecting" and "Capabilities".
"""

from __future__ import annotations

from podweave.helpers.wire.mysql_packets import MysqlError, Reader, length_encoded

CLIENT_MYSQL = 1
CLIENT_FOUND_ROWS = 1 << 1
CLIENT_CONNECT_WITH_DB = 1 << 3
CLIENT_COMPRESS = 1 << 5
CLIENT_LOCAL_FILES = 1 << 7
CLIENT_PROTOCOL_41 = 1 << 9
CLIENT_SSL = 1 << 11
CLIENT_SECURE_CONNECTION = 1 << 15
CLIENT_PLUGIN_AUTH = 1 << 19
CLIENT_CONNECT_ATTRS = 1 << 20
CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA = 1 << 21
CLIENT_ZSTD_COMPRESSION = 1 << 26
CLIENT_MULTI_FACTOR_AUTHENTICATION = 1 << 28
CLIENT_SSL_VERIFY_SERVER_CERT = 1 << 30

NOT_OFFERED = (
    CLIENT_SSL
    | CLIENT_COMPRESS
    | CLIENT_ZSTD_COMPRESSION
    | CLIENT_MULTI_FACTOR_AUTHENTICATION
    | CLIENT_SSL_VERIFY_SERVER_CERT
)
"""What a proxy in plain text takes out of a greeting: it would have to speak it itself."""

OK = 0x00
AUTH_MORE_DATA = 0x01
AUTH_SWITCH = 0xFE
ERR = 0xFF

COM_QUIT = 0x01
COM_CHANGE_USER = 0x11

NONCE_LENGTH = 20
UTF8MB4 = b"\x2d\x00"
"""The collation utf8mb4_general_ci."""


class Greeting:
    """The server's first packet, HandshakeV10.

    `nonce` are the 20 bytes that a login is scrambled with. `extended` are MariaDB's further
    capabilities, 0 for MySQL.
    """

    __slots__ = (
        "capabilities",
        "charset",
        "connection_id",
        "extended",
        "nonce",
        "plugin",
        "status",
        "version",
    )

    def __init__(
        self,
        version: bytes,
        connection_id: int,
        nonce: bytes,
        capabilities: int,
        charset: int,
        status: int,
        plugin: bytes,
        extended: int = 0,
    ) -> None:
        self.version = version
        self.connection_id = connection_id
        self.nonce = nonce
        self.capabilities = capabilities
        self.charset = charset
        self.status = status
        self.plugin = plugin
        self.extended = extended

    @property
    def mariadb(self) -> bool:
        return not self.capabilities & CLIENT_MYSQL

    def render(self) -> bytes:
        """The payload."""
        capabilities = self.capabilities
        return b"".join(
            (
                b"\x0a",
                self.version,
                b"\0",
                self.connection_id.to_bytes(4, "little"),
                self.nonce[:8],
                b"\0",
                (capabilities & 0xFFFF).to_bytes(2, "little"),
                bytes((self.charset & 0xFF,)),
                self.status.to_bytes(2, "little"),
                (capabilities >> 16 & 0xFFFF).to_bytes(2, "little"),
                bytes((NONCE_LENGTH + 1 if capabilities & CLIENT_PLUGIN_AUTH else 0,)),
                bytes(6),
                self.extended.to_bytes(4, "little"),
                self.nonce[8:],
                b"\0",
                self.plugin + b"\0" if capabilities & CLIENT_PLUGIN_AUTH else b"",
            )
        )


def parse_greeting(payload: bytes) -> Greeting:
    """MysqlError for anything but a HandshakeV10 of a server of our days."""
    reader = Reader(payload, "the server's greeting")
    version = reader.byte()
    if version != 10:
        raise MysqlError(f"the server's greeting is of protocol {version}, not 10")
    server = reader.until_nul()
    connection_id = reader.number(4)
    nonce = reader.take(8)
    reader.take(1)
    capabilities = reader.number(2)
    charset = reader.byte()
    status = reader.number(2)
    capabilities |= reader.number(2) << 16
    length = reader.byte()
    reader.take(6)
    extended = reader.number(4)
    if capabilities & CLIENT_MYSQL:
        extended = 0
    if not capabilities & CLIENT_PROTOCOL_41 or not capabilities & CLIENT_SECURE_CONNECTION:
        raise MysqlError("the server is older than MySQL 4.1")
    nonce += reader.take(max(NONCE_LENGTH + 1 - 8, length - 8))[: NONCE_LENGTH - 8]
    plugin = b""
    if capabilities & CLIENT_PLUGIN_AUTH:
        # Some old servers leave the NUL at the end out.
        plugin = reader.rest().partition(b"\0")[0]
    return Greeting(server, connection_id, nonce, capabilities, charset, status, plugin, extended)


class HandshakeResponse:
    """What the client answers, HandshakeResponse41. `attributes` are kept as they came.

    `auth` is what the plugin says first. `database` and `plugin` are None where not given.
    """

    __slots__ = (
        "attributes",
        "auth",
        "capabilities",
        "charset",
        "database",
        "extended",
        "max_packet",
        "plugin",
        "user",
    )

    def __init__(
        self,
        capabilities: int,
        max_packet: int,
        charset: int,
        user: bytes,
        auth: bytes,
        database: bytes | None = None,
        plugin: bytes | None = None,
        attributes: bytes = b"",
        extended: int = 0,
    ) -> None:
        self.capabilities = capabilities
        self.max_packet = max_packet
        self.charset = charset
        self.user = user
        self.auth = auth
        self.database = database
        self.plugin = plugin
        self.attributes = attributes
        self.extended = extended

    def render(self) -> bytes:
        """The payload. ValueError for an answer that its capabilities can't carry."""
        capabilities = self.capabilities
        if capabilities & CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA:
            auth = length_encoded(self.auth)
        elif len(self.auth) < 256:
            auth = bytes((len(self.auth),)) + self.auth
        else:
            raise ValueError("the login is too long for this server")
        parts = [self.head(), self.user, b"\0", auth]
        if capabilities & CLIENT_CONNECT_WITH_DB:
            parts += [self.database or b"", b"\0"]
        if capabilities & CLIENT_PLUGIN_AUTH:
            parts += [self.plugin or b"", b"\0"]
        if capabilities & CLIENT_CONNECT_ATTRS:
            parts.append(length_encoded(self.attributes))
        return b"".join(parts)

    def head(self) -> bytes:
        """The beginning; by itself the payload of a request for TLS."""
        return b"".join(
            (
                self.capabilities.to_bytes(4, "little"),
                self.max_packet.to_bytes(4, "little"),
                bytes((self.charset & 0xFF,)),
                bytes(19),
                self.extended.to_bytes(4, "little"),
            )
        )


def parse_handshake_response(payload: bytes) -> HandshakeResponse:
    """MysqlError for what is none, or asks for what was not offered."""
    reader = Reader(payload, "the client's handshake response")
    capabilities = reader.number(4)
    if not capabilities & CLIENT_PROTOCOL_41:
        raise MysqlError("the client is older than MySQL 4.1")
    max_packet = reader.number(4)
    charset = reader.byte()
    reader.take(19)
    extended = reader.number(4)
    if capabilities & CLIENT_MYSQL:
        extended = 0
    if reader.at_end and capabilities & CLIENT_SSL:
        raise MysqlError("the client asks for TLS, which is not offered on the Pod's loopback")
    user = reader.until_nul()
    if capabilities & CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA:
        auth = reader.length_encoded()
    elif capabilities & CLIENT_SECURE_CONNECTION:
        auth = reader.take(reader.byte())
    else:
        auth = reader.until_nul()
    database = None
    if capabilities & CLIENT_CONNECT_WITH_DB and not reader.at_end:
        database = reader.until_nul()
    plugin = None
    if capabilities & CLIENT_PLUGIN_AUTH and not reader.at_end:
        plugin = reader.until_nul()
    attributes = b""
    if capabilities & CLIENT_CONNECT_ATTRS and not reader.at_end:
        attributes = reader.length_encoded()
    return HandshakeResponse(
        capabilities, max_packet, charset, user, auth, database, plugin, attributes, extended
    )


class ChangeUser:
    """COM_CHANGE_USER: another login on the same connection. `charset` is as it came."""

    __slots__ = ("attributes", "auth", "charset", "database", "plugin", "user")

    def __init__(
        self,
        user: bytes,
        auth: bytes,
        database: bytes,
        charset: bytes,
        plugin: bytes = b"",
        attributes: bytes = b"",
    ) -> None:
        self.user = user
        self.auth = auth
        self.database = database
        self.charset = charset
        self.plugin = plugin
        self.attributes = attributes

    def render(self, capabilities: int) -> bytes:
        """The payload for a connection of these capabilities."""
        parts = [bytes((COM_CHANGE_USER,)), self.user, b"\0", bytes((len(self.auth),)), self.auth]
        parts += [self.database, b"\0", self.charset]
        if capabilities & CLIENT_PLUGIN_AUTH:
            parts += [self.plugin, b"\0"]
        if capabilities & CLIENT_CONNECT_ATTRS:
            parts.append(length_encoded(self.attributes))
        return b"".join(parts)


def parse_change_user(payload: bytes, capabilities: int) -> ChangeUser:
    """MysqlError for what is none. What a client leaves out at the end is empty."""
    reader = Reader(payload, "the client's change of user")
    if reader.byte() != COM_CHANGE_USER:
        raise MysqlError("not a change of user")
    change = ChangeUser(reader.until_nul(), reader.take(reader.byte()), b"", UTF8MB4)
    if not reader.at_end:
        change.database = reader.until_nul()
    if not reader.at_end:
        change.charset = reader.take(2)
    if capabilities & CLIENT_PLUGIN_AUTH and not reader.at_end:
        change.plugin = reader.until_nul()
    if capabilities & CLIENT_CONNECT_ATTRS and not reader.at_end:
        change.attributes = reader.length_encoded()
    return change


def parse_auth_switch(payload: bytes) -> tuple[bytes, bytes]:
    """The plugin that the server wants instead, and its nonce.

    MysqlError where it is the old one of MySQL 4.0, which has neither.
    """
    if len(payload) < 2:
        raise MysqlError("the server asks for the authentication of MySQL 4.0")
    plugin, _, data = payload[1:].partition(b"\0")
    return plugin, data[:NONCE_LENGTH]


def parse_err(payload: bytes) -> tuple[int, bytes, str]:
    """Number, SQLSTATE and message of an ERR."""
    reader = Reader(payload, "the server's error")
    reader.take(1)
    number = reader.number(2)
    text = reader.rest()
    state = b"HY000"
    if text.startswith(b"#") and len(text) >= 6:
        state, text = text[1:6], text[6:]
    return number, state, text.decode("utf-8", "replace")


def err(number: int, state: bytes, message: str) -> bytes:
    """The payload of an ERR. Before the handshake a client takes it with its SQLSTATE, too."""
    text = message.encode("utf-8", "replace")[:480]
    return bytes((ERR,)) + number.to_bytes(2, "little") + b"#" + state + text
