"""Asking the kernel whether somebody still has a file open for writing."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from podweave.helpers.logs.writers import has_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.touch()
    return path


def test_a_writer_in_another_process_is_known(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    assert has_writer(descriptor) is False
    writer = subprocess.Popen(
        ["/bin/sh", "-c", f"exec >> {path}; echo; read line"], stdin=subprocess.PIPE
    )
    while not path.stat().st_size:
        assert writer.poll() is None
    assert has_writer(descriptor) is True
    writer.communicate(b"\n")
    assert has_writer(descriptor) is False
    os.close(descriptor)


def test_a_deleted_file_may_still_have_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    with path.open("ab"):
        path.unlink()
        assert has_writer(descriptor) is True
    assert has_writer(descriptor) is False
    os.close(descriptor)


def test_readers_do_not_count(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    with path.open("rb"):
        assert has_writer(descriptor) is False
    os.close(descriptor)


def test_asking_never_hinders_a_writer(path: Path) -> None:
    """Opening for writing while the question is asked again and again: no error, no SIGIO."""
    descriptor = os.open(path, os.O_RDONLY)
    opened = 0

    def write() -> None:
        nonlocal opened
        for _ in range(300):
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
            opened += 1

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert has_writer(descriptor) in (True, False)
    writer.join()
    assert opened == 300
    os.close(descriptor)


def test_somebody_elses_file_is_not_told(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    descriptor = os.open(path, os.O_RDONLY)
    os.seteuid(65534)
    try:
        assert has_writer(descriptor) is None
    finally:
        os.seteuid(0)
    os.close(descriptor)
