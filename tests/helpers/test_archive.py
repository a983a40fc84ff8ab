"""podweave-helpers.pyz: the same bytes everywhere, rebuilt when stale, run by any Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from podweave import __version__
from podweave.engines import helpers_archive
from tests.helpers.processes import archive


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the sources, which nobody edits while a test looks at them twice."""
    source = Path(helpers_archive.__file__).parents[1]
    copy = tmp_path / "sources" / "podweave"
    (copy / "engines").mkdir(parents=True)
    for name in ("__init__.py", "engines/__init__.py", "engines/helpers_archive.py"):
        shutil.copy(source / name, copy / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "helpers", copy / "helpers", ignore=ignored)
    return copy


def build(package: Path, path: Path, *, code: str = "", **environment: str) -> list[str]:
    """The command that packs `package` in a process of its own."""
    settings = [f"{name}={value}" for name, value in environment.items()]
    python = ["env", f"PYTHONPATH={package.parent}", *settings, sys.executable, "-B", "-S"]
    if code:
        return [*python, "-c", code, str(path)]
    return [*python, "-m", "podweave.engines.helpers_archive", str(path)]


def test_it_is_built_once(tmp_path: Path) -> None:
    path = helpers_archive.helpers_archive(str(tmp_path / "new" / "cache"))
    before = os.stat(path)
    assert helpers_archive.helpers_archive(str(tmp_path / "new" / "cache")) == path
    assert os.stat(path).st_ino == before.st_ino
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path / "new" / "cache") == [helpers_archive.NAME]


@pytest.mark.parametrize("content", [b"", b"not an archive", None])
def test_a_broken_or_stale_one_is_replaced(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / helpers_archive.NAME
    if content is None:
        helpers_archive.write(str(path), {"__main__.py": b"print('old')\n"})
    else:
        path.write_bytes(content)
    helpers_archive.helpers_archive(str(tmp_path))
    with zipfile.ZipFile(path) as opened:
        assert "podweave/helpers/loop.py" in opened.namelist()


def test_changed_sources_make_it_stale(tmp_path: Path, package: Path) -> None:
    sources = helpers_archive.read_sources(str(package))
    path = str(tmp_path / "a.pyz")
    helpers_archive.write(path, sources)
    assert helpers_archive._is_fresh(path, helpers_archive._comment(sources))
    with open(package / "helpers" / "loop.py", "a") as stream:
        stream.write("# changed\n")
    changed = helpers_archive.read_sources(str(package))
    assert not helpers_archive._is_fresh(path, helpers_archive._comment(changed))


def test_two_builds_in_different_processes_give_the_same_bytes(
    tmp_path: Path, package: Path
) -> None:
    one, two, here = (tmp_path / name for name in ("one.pyz", "two.pyz", "here.pyz"))
    subprocess.run(build(package, one, TZ="Asia/Seoul", PYTHONHASHSEED="7"), check=True)
    subprocess.run(build(package, two, TZ="UTC", PYTHONHASHSEED="8", LC_ALL="C"), check=True)
    helpers_archive.write(str(here), helpers_archive.read_sources(str(package)))
    assert one.read_bytes() == two.read_bytes() == here.read_bytes()


def test_it_holds_every_helper_module_and_nothing_else() -> None:
    package = Path(helpers_archive.__file__).parents[1]
    modules = {
        f"podweave/{path.relative_to(package)}" for path in (package / "helpers").rglob("*.py")
    }
    wanted = {"__main__.py", "podweave/__init__.py", *modules}
    with zipfile.ZipFile(archive()) as opened:
        names = opened.namelist()
        assert set(names) == wanted | {name + "c" for name in wanted}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in opened.infolist())
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in opened.infolist())


def test_the_compiled_code_is_used() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-v", archive(), "version"],
        capture_output=True, text=True, check=True, env={**os.environ, "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    loaded = [line for line in result.stderr.splitlines() if line.startswith("import 'podweave")]
    assert len(loaded) >= 3
    assert all(line.rstrip("'").endswith(">") for line in loaded)
    with zipfile.ZipFile(archive()) as opened:
        compiled = opened.read("podweave/helpers/loop.pyc")
    assert compiled[4:8] == b"\1\0\0\0", "unchecked: no time stamp that a time zone makes stale"


def test_foreign_compiled_code_falls_back_on_the_source(tmp_path: Path) -> None:
    """What another version of Python sees: a magic number that isn't its own."""
    foreign = tmp_path / "foreign.pyz"
    with zipfile.ZipFile(archive()) as opened, zipfile.ZipFile(foreign, "w") as written:
        for info in opened.infolist():
            content = opened.read(info)
            if info.filename.endswith(".pyc"):
                content = b"\0\0\r\n" + content[4:]
            written.writestr(info, content)
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(foreign), "version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == f"podweave-helpers {__version__}\n"


def test_readers_never_see_a_half_written_one(tmp_path: Path, package: Path) -> None:
    path = tmp_path / helpers_archive.NAME
    helpers_archive.write(str(path), helpers_archive.read_sources(str(package)))
    expected = path.read_bytes()
    code = (
        "import sys\n"
        "from podweave.engines.helpers_archive import read_sources, write\n"
        "for _ in range(10): write(sys.argv[1], read_sources())"
    )
    with subprocess.Popen(build(package, path, code=code)) as builder:
        while builder.poll() is None:
            assert path.read_bytes() == expected
        assert builder.returncode == 0
    assert list(tmp_path.glob(f"{helpers_archive.NAME}.*")) == [], "a temporary file is left"
