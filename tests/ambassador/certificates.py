"""Certificates for the tests' own servers and clients, as files a Secret's volume would hold."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import trustme


class Authority:
    """A certificate authority, and what it has issued, under `directory`."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._authority = trustme.CA()
        self.file = directory / f"{name}.crt"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, *names: str, stem: str = "server", rsa: bool = False) -> tuple[Path, Path]:
        """The files of a certificate (with its chain) for these names, and of its key."""
        kind = trustme.KeyType.RSA if rsa else trustme.KeyType.ECDSA
        return self._write(self._authority.issue_cert(*names, key_type=kind), stem)

    def _write(self, issued: trustme.LeafCert, stem: str) -> tuple[Path, Path]:
        certificate, key = self._directory / f"{stem}.crt", self._directory / f"{stem}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)
        return certificate, key

    def issue_for(self, common_name: str, stem: str) -> tuple[Path, Path]:
        """As `issue`, for a client that is known by its common name."""
        issued = self._authority.issue_cert("client.example", common_name=common_name)
        return self._write(issued, stem)

    def server_context(self, *names: str, clients: Authority | None = None) -> ssl.SSLContext:
        """`clients`: whose certificates a client must show."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self.issue(*names)
        context.load_cert_chain(certificate, key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        return context


def replace(file: Path, other: Path) -> None:
    """`file` becomes a copy of `other` at once, as the kubelet changes a volume's files."""
    new = file.with_suffix(".new")
    new.write_bytes(other.read_bytes())
    os.replace(new, file)
