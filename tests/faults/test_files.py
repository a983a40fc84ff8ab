"""Files and directories that go, come back, can't be read, or have another's inode."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ledgers import Http, ledger
from tests.faults.packed_sidecar import PackedSidecar
from tests.waiting import wait_until


@pytest.fixture
def store() -> Iterator[Http]:
    with ledger("http", "files") as made:
        assert isinstance(made, Http)
        yield made


@pytest.fixture
def sidecar(tmp_path: Path, store: Http) -> Iterator[PackedSidecar]:
    made = PackedSidecar(tmp_path)
    made.config["logs"][0]["from"] = [f"{made.log}/**/*.log*"]
    made.config["logs"][0]["stores"] = [{"http": store.config()}]
    yield made
    made.close()


def arrives(store: Http, message: str) -> None:
    wait_until(lambda: message in store.taken, 30, message)


def said(sidecar: PackedSidecar, event: str) -> bool:
    return any(each["event.action"] == event for each in sidecar.events())


def test_a_file_that_cant_be_read_until_its_mode_changes(
    sidecar: PackedSidecar, store: Http
) -> None:
    """It is said once, holds up no other file, and is read when it may be: also after a kill."""
    if os.geteuid() == 0:
        # Root reads what it likes, unless it lacks the capabilities for that.
        lacking = "-dac_override,-dac_read_search"
        sidecar.prefix = ("setpriv", f"--bounding-set={lacking}", f"--inh-caps={lacking}")
    sidecar.append("secret.log", b"one\n")
    secret = sidecar.log / "secret.log"
    secret.chmod(0)
    sidecar.append("open.log", b"two\n")
    sidecar.start()
    arrives(store, "two")
    wait_until(lambda: said(sidecar, "log.unreadable"), 20, "it is said")
    sidecar.stop(signal.SIGKILL)
    sidecar.start()
    sidecar.append("open.log", b"three\n")
    arrives(store, "three")
    assert "one" not in store.taken
    secret.chmod(0o600)
    arrives(store, "one")
    # What is open stays readable.
    secret.chmod(0)
    with open(secret, "ab") as file:
        file.write(b"four\n")
    arrives(store, "four")
    assert sidecar.stop() == 0
    unreadable = [each for each in sidecar.events() if each["event.action"] == "log.unreadable"]
    assert len(unreadable) == 2  # one for each life
    assert {each["error"] for each in unreadable} == {"EACCES"}


def test_a_directory_that_goes_and_comes_back(sidecar: PackedSidecar, store: Http) -> None:
    """Moved away with its files, and moved back: nothing twice. Deleted and made anew: all new."""
    place = sidecar.log / "shop"
    place.mkdir()
    (place / "a.log").write_bytes(b"one\n")
    sidecar.start()
    arrives(store, "one")
    place.rename(sidecar.folder / "away")
    # Somebody still writes there.
    with (sidecar.folder / "away" / "a.log").open("ab") as file:
        file.write(b"two\n")
    arrives(store, "two")
    (sidecar.folder / "away").rename(place)
    with (place / "a.log").open("ab") as file:
        file.write(b"three\n")
    arrives(store, "three")
    shutil.rmtree(place)
    place.mkdir()
    (place / "a.log").write_bytes(b"four\n")
    arrives(store, "four")
    shutil.rmtree(sidecar.log)
    sidecar.log.mkdir()
    (sidecar.log / "b.log").write_bytes(b"five\n")
    arrives(store, "five")
    assert sidecar.stop() == 0
    assert store.taken == ["one", "two", "three", "four", "five"]


def test_a_directory_that_is_away_while_it_starts(sidecar: PackedSidecar, store: Http) -> None:
    """The volume comes late; then it goes on from the checkpoint, and repeats nothing."""
    sidecar.append("a.log", b"one\n")
    sidecar.start()
    arrives(store, "one")
    assert sidecar.stop() == 0
    sidecar.log.rename(sidecar.folder / "away")
    sidecar.start()
    sidecar.admin("/healthz")
    (sidecar.folder / "away").rename(sidecar.log)
    sidecar.append("a.log", b"two\n")
    arrives(store, "two")
    assert sidecar.stop() == 0
    assert store.taken == ["one", "two"]


@pytest.mark.parametrize("running", [True, False])
def test_an_inode_that_is_used_again(sidecar: PackedSidecar, store: Http, *, running: bool) -> None:
    """A new file with the inode of an old one, and the same first bytes, is read from its
    beginning, whether or not anybody was there to see it."""
    path = sidecar.log / "a.log"
    banner = "the same banner\n" * 200
    wanted = []
    again = 0
    if running:
        sidecar.start()
    for number in range(8):
        inode = path.stat().st_ino if path.exists() else 0
        path.unlink(missing_ok=True)
        message = f"message {number}"
        path.write_text(f"{banner}{message}\n")
        again += path.stat().st_ino == inode
        wanted.append(message)
        if not running:
            sidecar.start()
        arrives(store, message)
        if not running:
            assert sidecar.stop() == 0
    if running:
        assert sidecar.stop() == 0
    if not running and not again:
        pytest.skip("this file system doesn't use an inode again at once")
    assert [line for line in store.taken if line != "the same banner"] == wanted
    assert len(store.taken) == 201 * len(wanted)


def test_a_file_becomes_a_directory_a_pipe_and_a_link(sidecar: PackedSidecar, store: Http) -> None:
    """What has a log's name and is none holds nothing up."""
    path = sidecar.log / "a.log"
    path.write_text("one\n")
    sidecar.start()
    arrives(store, "one")
    path.unlink()
    path.mkdir()
    sidecar.append("b.log", b"two\n")
    arrives(store, "two")
    path.rmdir()
    os.mkfifo(path)
    sidecar.append("b.log", b"three\n")
    arrives(store, "three")
    path.unlink()
    path.symlink_to(path)
    sidecar.append("b.log", b"four\n")
    arrives(store, "four")
    path.unlink()
    (sidecar.folder / "elsewhere").write_text("five\n")
    path.symlink_to(sidecar.folder / "elsewhere")
    arrives(store, "five")
    assert sidecar.stop() == 0
    assert store.taken == ["one", "two", "three", "four", "five"]
