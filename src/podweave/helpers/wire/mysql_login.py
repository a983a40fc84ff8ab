"""What MySQL's authentication plugins answer to a server's nonce, without I/O.

mysql_native_password   SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))
caching_sha2_password   SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce); where
                        the server has not cached the login: the password itself, over TLS,
                        or encrypted by the server's RSA key
sha256_password         the password itself, in the same two ways
mysql_clear_password    the password itself, over TLS only
"""

from __future__ import annotations

import os
from binascii import Error as Base64Error
from binascii import a2b_base64

from podweave.helpers.wire.digests import sha1, sha256
from podweave.helpers.wire.mysql_packets import MysqlError

NATIVE = b"mysql_native_password"
CACHING_SHA2 = b"caching_sha2_password"
SHA256 = b"sha256_password"
CLEAR = b"mysql_clear_password"

_LEAST_KEY_BITS = 1024
_MOST_KEY_BITS = 16384


def native_scramble(password: bytes, nonce: bytes) -> bytes:
    """20 bytes; none for no password."""
    if not password:
        return b""
    once = sha1(password).digest()
    return _xor(once, sha1(nonce + sha1(once).digest()).digest())


def caching_sha2_scramble(password: bytes, nonce: bytes) -> bytes:
    """32 bytes; none for no password."""
    if not password:
        return b""
    once = sha256(password).digest()
    return _xor(once, sha256(sha256(once).digest() + nonce).digest())


def encrypted_password(password: bytes, nonce: bytes, key: bytes) -> bytes:
    """The password for the server's public key (PEM), as caching_sha2_password wants it.

    RSAES-OAEP with SHA-1 (RFC 8017, 7.1.1) of the password with its NUL, under the nonce.
    MysqlError where the key is none.
    """
    modulus, exponent = _public_key(key)
    size = (modulus.bit_length() + 7) // 8
    text = _xor_repeated(password + b"\0", nonce)
    room = size - 2 * 20 - 2
    if len(text) > room:
        raise MysqlError("the password is too long for the server's key")
    block = sha1(b"").digest() + bytes(room - len(text)) + b"\x01" + text
    seed = os.urandom(20)
    masked = _xor(block, _mask(seed, len(block)))
    message = b"\0" + _xor(seed, _mask(masked, 20)) + masked
    return pow(int.from_bytes(message, "big"), exponent, modulus).to_bytes(size, "big")


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 with SHA-1 (RFC 8017, B.2.1)."""
    blocks = [
        sha1(seed + number.to_bytes(4, "big")).digest() for number in range((length + 19) // 20)
    ]
    return b"".join(blocks)[:length]


def _public_key(pem: bytes) -> tuple[int, int]:
    """Modulus and exponent of a SubjectPublicKeyInfo (RFC 5280) with an RSA key (RFC 8017)."""
    _, begin, rest = pem.partition(b"-----BEGIN PUBLIC KEY-----")
    text, end, _ = rest.partition(b"-----END PUBLIC KEY-----")
    if not begin or not end:
        raise MysqlError("the server's answer is no public key")
    try:
        der = a2b_base64(text)
    except Base64Error:
        raise MysqlError("the server's public key is no base64") from None
    info, _ = _element(der, 0x30)
    _, rest = _element(info, 0x30)
    bits, _ = _element(rest, 0x03)
    numbers, _ = _element(bits[1:], 0x30)
    modulus, rest = _element(numbers, 0x02)
    exponent, _ = _element(rest, 0x02)
    key = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
    if not _LEAST_KEY_BITS <= key[0].bit_length() <= _MOST_KEY_BITS or key[1] < 3:
        raise MysqlError("the server's public key is no RSA key of a usual size")
    if key[1].bit_length() > 64:
        # What is raised to a power of thousands of bits keeps everybody else waiting.
        raise MysqlError("the server's public key has an unusual exponent")
    return key


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the first element, which is a `tag`, and what follows it (X.690, 8.1)."""
    if len(der) < 2 or der[0] != tag:
        raise MysqlError("the server's public key is no RSA key")
    length, place = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[2 : 2 + count], "big")
        place += count
    if not 0 < length <= len(der) - place:
        raise MysqlError("the server's public key is cut off")
    return der[place : place + length], der[place + length :]


def _xor(left: bytes, right: bytes) -> bytes:
    size = len(left)
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(size, "big")


def _xor_repeated(data: bytes, key: bytes) -> bytes:
    repeated = (key * (len(data) // len(key) + 1))[: len(data)] if key else bytes(len(data))
    return _xor(data, repeated)
