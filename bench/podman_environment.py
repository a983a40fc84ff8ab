"""A Podman of its own for benches and tests: own storage, one tiny image, nothing shared.

Where the machine lacks CAP_SYS_RESOURCE no process may raise its limits, and runc gives up on
the limits Podman asks for: a shell wrapper around runc then drops them. It is used only where
plain Podman fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

IMAGE = "localhost/podweave-busybox:1"

WRAPPER = """#!/bin/sh
# Drops the rlimits that this machine can't raise from what runc is to run, then runs it.
limits='"rlimits":\\[[^]]*\\]'
drop="s/,$limits//; s/$limits,//"
previous=
for argument; do
    case $previous in
        --bundle|-b) sed -i "$drop" "$argument/config.json" ;;
        --process|-p) sed -i "$drop" "$argument" ;;
    esac
    previous=$argument
done
exec runc "$@"
"""


class PodmanError(Exception):
    """Podman is not there or can't run a container here; the text says which."""


class Podman:
    """`podman` with storage and configuration in a directory of its own.

    Raises PodmanError where no container can be run.
    """

    def __init__(self) -> None:
        if shutil.which("podman") is None:
            raise PodmanError("podman is not on PATH")
        if not Path("/bin/busybox").exists():
            raise PodmanError("/bin/busybox (Debian's busybox-static) is missing")
        self.directory = Path(tempfile.mkdtemp(prefix="podweave-podman-"))
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(self.directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.directory / "storage.conf"),
        }
        try:
            self._configure("")
            self._import_image()
            if self._try_out() is not None and shutil.which("runc"):
                wrapper = self.directory / "runc-without-limits"
                wrapper.write_text(WRAPPER)
                wrapper.chmod(0o755)
                self._configure(
                    f'runtime = "nolimits"\n[engine.runtimes]\nnolimits = ["{wrapper}"]'
                )
                if (problem := self._try_out()) is not None:
                    raise PodmanError(f"podman can't run a container here: {problem}")
        except BaseException:
            self.close()
            raise

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run podman; with `check`, a failure raises PodmanError with its words."""
        result = subprocess.run(
            ["podman", *arguments],
            env=self.environment,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if check and result.returncode != 0:
            raise PodmanError(f"podman {' '.join(arguments)}: {result.stderr.strip()}")
        return result

    def version(self) -> str:
        return self.run("--version").stdout.strip()

    def close(self) -> None:
        """Remove every Pod and the storage."""
        self.run("pod", "rm", "--all", "--force", check=False)
        self.run("system", "reset", "--force", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _configure(self, runtime: str) -> None:
        (self.directory / "containers.conf").write_text(
            f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            # Its own, too: `system reset` of one would make all others take up a new life.
            f'tmp_dir = "{self.directory}/tmp"\nlock_type = "file"\n{runtime}\n'
            f'[network]\nnetwork_config_dir = "{self.directory}/networks"\n'
        )
        (self.directory / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\nrunroot = "{self.directory}/run"\n'
            f'graphroot = "{self.directory}/graph"\n'
        )

    def _import_image(self) -> None:
        archive = self.directory / "image.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add("/bin/busybox", "bin/busybox")
        self.run("import", str(archive), IMAGE)

    def _try_out(self) -> str | None:
        result = self.run(
            *("run", "--rm", "--network", "none", IMAGE, "/bin/busybox", "true"), check=False
        )
        return result.stderr.strip() if result.returncode else None
