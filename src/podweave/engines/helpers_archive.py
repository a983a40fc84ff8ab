"""Packs the helper programs into podweave-helpers.pyz, which every engine mounts or ships.

    helpers_archive(cache_directory) -> path      # built when it is not there or stale
    python -m podweave.engines.helpers_archive OUT

The archive holds sources and, beside them, code compiled for the Python that packs. A helper
started by that Python compiles nothing; any other Python sees a foreign magic number and falls
back on the source. The compiled code is of the unchecked hash kind: zip entries have local
times without a zone, so a time stamp would be stale one time zone further. Nothing is deflated:
the files are few and small, and zlib is a module that a helper would have to load.

The same sources and Python give the same bytes. The zip comment holds the fingerprint of both,
so that a fresh archive is found out without opening it as a zip.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys

NAME = "podweave-helpers.pyz"

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAIN = """\
from podweave.helpers.__main__ import main

if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
"""
_FORMAT = b"podweave-helpers 1 "
_UNCHECKED_HASH = 0b01
# Version 2 writes no back references, whose places depend on what else the packing process
# has loaded; only so are the bytes the same everywhere.
_MARSHAL_VERSION = 2


def helpers_archive(cache_directory: str) -> str:
    """Return the path of an archive of the helpers as they are now, building it if need be.

    Safe to call from several processes at once: an archive appears by rename, and one that is
    mounted in a running Pod stays as it was.
    """
    path = os.path.join(cache_directory, NAME)
    sources = read_sources()
    comment = _comment(sources)
    if not _is_fresh(path, comment):
        os.makedirs(cache_directory, exist_ok=True)
        write(path, sources)
    return path


def read_sources(package: str = _PACKAGE) -> dict[str, bytes]:
    """The modules to pack, by their path in the archive, in the order of the archive."""
    sources = {"__main__.py": _MAIN.encode(), "podweave/__init__.py": b""}
    with open(os.path.join(package, "__init__.py"), "rb") as stream:
        sources["podweave/__init__.py"] = stream.read()
    pending = [("podweave/helpers", os.path.join(package, "helpers"))]
    while pending:
        inside, directory = pending.pop()
        for entry in os.scandir(directory):
            if entry.is_dir() and entry.name != "__pycache__":
                pending.append((f"{inside}/{entry.name}", entry.path))
            elif entry.name.endswith(".py"):
                with open(entry.path, "rb") as stream:
                    sources[f"{inside}/{entry.name}"] = stream.read()
    return dict(sorted(sources.items()))


def write(path: str, sources: dict[str, bytes]) -> None:
    """Write the archive of `sources` to `path`, whole or not at all."""
    # Only needed for building; `podweave up` with a fresh archive doesn't pay for it.
    import io
    import tempfile
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, source in sources.items():
            for entry, content in ((name + "c", _compile(name, source)), (name, source)):
                info = zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0))
                info.external_attr = 0o100644 << 16
                info.create_system = 3
                archive.writestr(info, content)
        archive.comment = _comment(sources)
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(prefix=NAME + ".", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(packed.getvalue())
            # Every user of the Pod reads it, whoever packed it.
            os.fchmod(stream.fileno(), 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _compile(name: str, source: bytes) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    return b"".join(
        (
            importlib.util.MAGIC_NUMBER,
            _UNCHECKED_HASH.to_bytes(4, "little"),
            importlib.util.source_hash(source),
            marshal.dumps(code, _MARSHAL_VERSION),
        )
    )


def _comment(sources: dict[str, bytes]) -> bytes:
    """What an archive of `sources` by this Python is recognised by, of constant length."""
    everything = b"".join(
        b"%s %d\n%s" % (name.encode(), len(source), source) for name, source in sources.items()
    )
    with open(__file__, "rb") as stream:
        everything += importlib.util.MAGIC_NUMBER + stream.read()
    return _FORMAT + importlib.util.source_hash(everything).hex().encode()


def _is_fresh(path: str, comment: bytes) -> bool:
    try:
        with open(path, "rb") as stream:
            stream.seek(-len(comment), os.SEEK_END)
            return stream.read() == comment
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m podweave.engines.helpers_archive OUT\n")
        return 2
    write(arguments[0], read_sources())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
