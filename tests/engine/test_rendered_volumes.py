"""What is written into a rendered volume is there for everyone whom its mode lets read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from podweave.engines.rendered_volumes import RenderedFile, RenderVolume


def test_files_are_as_the_kubelet_writes_them_whatever_the_umask(tmp_path: Path) -> None:
    files = (RenderedFile("plain", b"1", 0o644), RenderedFile("deep/er/file", b"2", 0o440))
    before = os.umask(0o077)
    try:
        RenderVolume(str(tmp_path), files).run()
    finally:
        os.umask(before)
    assert (tmp_path / "plain").read_bytes() == b"1"
    assert (tmp_path / "deep/er/file").read_bytes() == b"2"
    modes = {
        path: stat.S_IMODE((tmp_path / path).stat().st_mode)
        for path in ("..data", "deep", "deep/er", "plain", "deep/er/file")
    }
    assert modes == {
        "..data": 0o755,
        "deep": 0o755,
        "deep/er": 0o755,
        "plain": 0o644,
        "deep/er/file": 0o440,
    }
    assert (tmp_path / "plain").readlink() == Path("..data/plain")
