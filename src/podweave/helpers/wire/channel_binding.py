"""The data by which a login is bound to a TLS connection: tls-server-end-point (RFC 5929).

It is a hash of the server's certificate, by the hash function of the certificate's signature.
"""

from __future__ import annotations

# AlgorithmIdentifier's OID, DER without tag and length (RFC 4055, RFC 5758). RFC 5929: SHA-256 in
# place of MD5 and SHA-1.
_RSA = bytes.fromhex("2a864886f70d0101")
_ECDSA = bytes.fromhex("2a8648ce3d04")
_HASHES = {
    _RSA + b"\x04": "sha256",
    _RSA + b"\x05": "sha256",
    _RSA + b"\x0b": "sha256",
    _RSA + b"\x0c": "sha384",
    _RSA + b"\x0d": "sha512",
    _RSA + b"\x0e": "sha224",
    _ECDSA + b"\x01": "sha256",
    _ECDSA + b"\x03\x01": "sha224",
    _ECDSA + b"\x03\x02": "sha256",
    _ECDSA + b"\x03\x03": "sha384",
    _ECDSA + b"\x03\x04": "sha512",
}


def server_end_point(certificate: bytes | None) -> bytes | None:
    """None where the certificate's signature doesn't say which hash (Ed25519, RSA-PSS)."""
    if not certificate:
        return None
    name = _HASHES.get(_signature_algorithm(certificate))
    if name is None:
        return None
    # Where there is a certificate there is TLS, and OpenSSL is loaded already.
    import hashlib

    return hashlib.new(name, certificate).digest()


def _signature_algorithm(certificate: bytes) -> bytes:
    """Certificate ::= SEQUENCE {tbsCertificate, signatureAlgorithm SEQUENCE {OID, …}, …}."""
    try:
        start, _ = _element(certificate, 0, 0x30)
        _, behind = _element(certificate, start, 0x30)
        start, _ = _element(certificate, behind, 0x30)
        start, end = _element(certificate, start, 0x06)
    except (IndexError, ValueError):
        return b""
    return certificate[start:end]


def _element(data: bytes, offset: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `offset` begins and ends."""
    if data[offset] != tag:
        raise ValueError("another element")
    length = data[offset + 1]
    start = offset + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length that DER doesn't have here")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise ValueError("cut off")
    return start, start + length
