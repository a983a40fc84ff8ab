"""The helper image for Podman, made of this machine's own Python: nothing is pulled."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from pathlib import Path

from bench.podman_environment import Podman
from podweave.engines.helpers_archive import helpers_archive
from podweave.model.helper_places import ARCHIVE
from podweave.weave.options import HELPER_IMAGE

PYTHON = "/usr/bin/python3"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APPLETS = ("sh", "cat", "sleep", "stat", "id", "true", "false", "ls", "mkdir")
_LEFT_OUT = re.compile(r"/(__pycache__|test|tkinter|idlelib|ensurepip|config-[^/]*)(/|$)")


def build(podman: Podman) -> str:
    """Import the image under the name that the weaver uses; busybox is in it as well."""
    archive = podman.directory / "helpers.tar"
    with tarfile.open(archive, "w") as tar:
        _add_python(tar)
        tar.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for folder in ("tmp", "etc", "var/lib", "run"):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(made)
        tar.add(helpers_archive(str(podman.directory)), ARCHIVE.removeprefix("/"))
    podman.run("import", "--change", f"ENV={PATH}", str(archive), HELPER_IMAGE)
    return HELPER_IMAGE


def _add_python(tar: tarfile.TarFile) -> None:
    program = os.path.realpath(PYTHON)
    tar.add(program, PYTHON.removeprefix("/"))
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", linked):
        tar.add(os.path.realpath(library), library.removeprefix("/"))
    version = Path(program).name
    tar.add(
        f"/usr/lib/{version}",
        f"usr/lib/{version}",
        filter=lambda entry: None if _LEFT_OUT.search(f"/{entry.name}") else entry,
    )
