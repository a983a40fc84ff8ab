"""Keys that several kinds of stores have, read alike in each.

    batch: {"bytes": 1048576, "records": 10000, "seconds": 0.1}
    compression: none, gzip, zstd
    timeout: seconds for one request
    tls: {"mode": "disable|require|verify-full", "server_name", "ca": PATH, "certificate": PATH,
          "key": PATH}
    credentials: {"username": PATH, "password": PATH}, or one file: {"token": PATH}

A secret is never in the configuration: the paths lead to mounted Secrets, which are read when
they are needed and may change meanwhile.
"""

from __future__ import annotations

import errno

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.stores.interface import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.dialing.tls import TlsOptions

BATCH_BYTES = 1 << 20
BATCH_RECORDS = 10_000
BATCH_SECONDS = 0.1
MOST_BATCH_BYTES = 64 << 20
TIMEOUT = 30.0


def batch_limits(
    section: Section,
    *,
    bytes: int = BATCH_BYTES,
    records: int = BATCH_RECORDS,
    seconds: float = BATCH_SECONDS,
) -> Limits:
    """The key `batch`; the keyword arguments are this kind's defaults."""
    batch = section.optional("batch")
    if batch is None:
        return Limits(bytes, records, seconds)
    limits = Limits(
        batch.integer("bytes", 1, MOST_BATCH_BYTES, bytes),
        batch.integer("records", 1, 1_000_000, records),
        batch.seconds("seconds", seconds, 3600.0),
    )
    batch.end()
    return limits


def compression(section: Section, default: str = "none", *, zstd: bool = True) -> str:
    """The key `compression`. zstd only where this Python has it: its module came with 3.14."""
    name = section.text(
        "compression", default, among=("none", "gzip", *(("zstd",) if zstd else ()))
    )
    if name == "zstd":
        try:
            __import__("compression.zstd")
        except ModuleNotFoundError:
            raise ConfigurationError(
                section.at("compression"),
                "zstd needs Python 3.14 in the helper's image; gzip is everywhere",
            ) from None
    return name


def timeout(section: Section, default: float = TIMEOUT) -> float:
    """The key `timeout`: seconds for a request and its answer."""
    seconds = section.seconds("timeout", default, 3600.0)
    if seconds <= 0:
        raise ConfigurationError(section.at("timeout"), "must be more than 0 seconds")
    return seconds


def tls(section: Section) -> TlsOptions | None:
    """The key `tls`; None where it is left out, which means: as the URL's scheme says."""
    inner = section.optional("tls")
    if inner is None:
        return None
    # Imported here: memory is imports.
    from podweave.helpers.dialing.tls import read_tls

    return read_tls(inner, "verify-full")


def secret_files(
    section: Section, names: Sequence[str], key: str = "credentials"
) -> dict[str, str]:
    """The key `credentials`: paths of files by name, some of `names`; {} where it is left out."""
    inner = section.optional(key)
    if inner is None:
        return {}
    paths = {name: inner.text(name) for name in names if name in inner}
    inner.end()
    if not paths:
        raise ConfigurationError(inner.path, f"is empty; it takes {', '.join(names)}")
    return paths


def read_secret(path: str) -> bytes:
    """The content of a mounted Secret's key, without the newline that files tend to end with.

    OSError where there is none: an `optional` Secret that nobody made.
    """
    with open(path, "rb") as file:
        return file.read(1 << 16).rstrip(b"\r\n")


def secret_problem(error: OSError) -> str:
    """Why a secret can't be read, and what would help."""
    problem = f"credentials {error.filename}: {error.strerror}"
    if error.errno == errno.ENOENT:
        problem += ": the Secret that the pattern names isn't there, or lacks this key"
    return problem


def absolute(section: Section, key: str) -> str:
    """The absolute path of a file or directory."""
    path = section.text(key)
    if not path.startswith("/") or "\0" in path:
        raise ConfigurationError(section.at(key), f"must be an absolute path, not {path!r}")
    return path
