"""A container's root: what it is made of, and while the machine's tree changes under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from podweave.engines.local.setup import machine_tree
from podweave.engines.local.setup.machine_tree import Piece, survey
from podweave.engines.local.setup.root_entry import SealRoot
from podweave.engines.local.setup.root_files import Root
from podweave.sandbox import mounts, namespaces
from podweave.sandbox.mounts import Mount
from tests.sandbox.machine import Machine, shell


def test_working_directory_is_made_when_missing(machine: Machine) -> None:
    assert machine.run("pwd", workingDir="/var/lib/not-there/x").output == "/var/lib/not-there/x\n"
    assert not os.path.exists("/var/lib/not-there")


def test_the_machine_s_files_do_not_change(machine: Machine) -> None:
    before = os.listdir("/etc"), os.stat("/etc").st_mtime_ns
    outcome = machine.run(
        "echo x > /etc/podweave-test; rm -f /etc/hostname /etc/passwd; "
        "mkdir /usr/podweave-test; ls /etc/podweave-test; ls /etc/hostname"
    )
    assert "/etc/podweave-test\n" in outcome.output
    if not any(entry.target.startswith("/etc/") for entry in mounts.read_table()):
        # Else this machine is a container itself, and as a user /etc's files are shown one by one.
        assert "hostname': No such file" in outcome.output
    assert (os.listdir("/etc"), os.stat("/etc").st_mtime_ns) == before
    assert not os.path.exists("/usr/podweave-test")


def test_what_is_for_everyone_can_be_written_to(machine: Machine) -> None:
    script = "for d in /tmp /var/tmp /dev/shm; do echo $d > $d/x; cat $d/x; done"
    assert machine.run(script).output == "/tmp\n/var/tmp\n/dev/shm\n"
    assert not os.path.exists("/var/tmp/x")


def test_a_restarted_container_has_a_fresh_layer(machine: Machine) -> None:
    pod = machine.pod(shell("cat /tmp/left 2>/dev/null || echo fresh; echo old > /tmp/left"))
    assert pod.run().output == "fresh\n"
    assert pod.run().output == "fresh\n"


def test_read_only_root(machine: Machine) -> None:
    outcome = machine.run(
        "for d in / /etc /usr /tmp /var /run; do touch $d/x 2>/dev/null && echo $d; done; "
        "touch /v/x && echo ok",
        securityContext={"readOnlyRootFilesystem": True},
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        pod={"volumes": [{"name": "v", "emptyDir": {}}]},
    )
    assert outcome.output == "ok\n"


def test_devices(machine: Machine) -> None:
    outcome = machine.run(
        "ls /dev | tr '\\n' ' '; echo; echo x > /dev/null && head -c4 /dev/zero | wc -c; "
        "test -w /dev/shm && cat /dev/fd/0"
    )
    listed, *rest = outcome.output.splitlines()
    names = set(listed.split())
    assert {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts"} <= names
    assert {"shm", "mqueue", "fd", "stdin", "stdout", "stderr"} <= names
    assert not {"mem", "kmsg", "vda", "sda", "loop0"} & names
    assert rest == ["4"]


def test_kernel_files_are_read_only(machine: Machine) -> None:
    outcome = machine.run("touch /sys/x; echo 1 > /proc/sys/kernel/panic; echo done")
    assert (
        outcome.output.count("Read-only file system") + outcome.output.count("Permission denied")
        == 2
    )


@pytest.mark.only("root")
def test_masked_kernel_files(machine: Machine) -> None:
    outcome = machine.run(
        "cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c; ls /proc/acpi 2>/dev/null"
    )
    assert outcome.output == "0\n"


def test_no_mount_of_the_machine_is_left_in_a_container(machine: Machine) -> None:
    targets = machine.run("cut -d' ' -f5 /proc/self/mountinfo").output.split()
    assert not [target for target in targets if target.startswith(machine.place("pod"))]


@pytest.mark.only("user")
@pytest.mark.mounted
def test_a_directory_with_mounts_beneath_stays_writable(machine: Machine) -> None:
    with open(f"{machine.directory}/file", "w", encoding="utf-8") as file:
        file.write("of the machine\n")
    outcome = machine.run(
        f"cat {machine.directory}/file; echo x > /tmp/new && cat /tmp/new; "
        "cut -d' ' -f5 /proc/self/mountinfo"
    )
    text, new, *targets = outcome.output.splitlines()
    assert (text, new) == ("of the machine", "x")
    assert not [target for target in targets if target.startswith(machine.place("pod"))]
    assert not os.path.exists("/tmp/new")


def test_ephemeral_storage_limit(machine: Machine) -> None:
    outcome = machine.run(
        "head -c 3000000 /dev/zero > /tmp/big; echo $?",
        resources={"limits": {"ephemeral-storage": "2Mi"}},
    )
    assert "No space left" in outcome.output
    assert outcome.output.endswith("1\n")


def test_an_image_directory_lies_over_the_machine_s_files(machine: Machine) -> None:
    image = f"{machine.directory}/image"
    os.makedirs(f"{image}/etc")
    os.makedirs(f"{image}/opt/app")
    with open(f"{image}/etc/podweave-image", "w", encoding="utf-8") as file:
        file.write("of the image\n")
    with open(f"{image}/opt/app/run", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho app\n")
    os.chmod(f"{image}/opt/app/run", 0o755)
    pod = machine.pod(
        shell(
            "cat /etc/podweave-image; /opt/app/run; test -e /etc/passwd && echo both", image="app:1"
        ),
        shell("ls /opt/app", image="other"),
        settings={"images": {"app:1": image}},
    )
    assert pod.run("main").output == "of the image\napp\nboth\n"
    assert "No such file" in pod.run("c1").output


def test_a_missing_mount_point_has_a_layer_to_be_made_in(tmp_path: Path) -> None:
    """As in a container that is this machine: /etc has mounts beneath, so much of it is shown."""
    for name in ("shown", "other", "mounted"):
        (tmp_path / name).mkdir()
    (tmp_path / "shown/there").touch()
    shown, other, mounted = (str(tmp_path / name) for name in ("shown", "other", "mounted"))
    root = Root(
        "/scratch",
        (Piece("bind", shown), Piece("bind", other), Piece("bind", mounted, recursive=True)),
        in_user_namespace=True,
    )
    found = root.with_room_for([f"{shown}/conf.d/one", f"{other}x/two", f"{mounted}/three"])
    assert [piece.kind for piece in found.pieces] == ["layer", "bind", "bind"]
    assert root.with_room_for([f"{shown}/there"]) == root


@pytest.mark.only("root")
@pytest.mark.parametrize("call", ["overlay", "bind", "make_read_only"])
def test_what_goes_away_meanwhile_is_left_out(
    machine: Machine, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container of another engine ends while a root is made: its mount point is removed."""
    shm = f"{machine.directory}/shm"
    os.mkdir(shm)
    remover = subprocess.Popen(
        ["sh", "-c", f"read line; rmdir {shm}; echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    namespaces.separate(["mnt"])
    mounts.make_private()
    mounts.tmpfs(shm)
    original = getattr(mounts, call)

    def remove_first(*arguments: Any, **options: Any) -> None:
        if remover.returncode is None:
            remover.communicate(b"\n", timeout=60)
        original(*arguments, **options)

    scratch = f"{machine.directory}/scratch"
    os.mkdir(scratch)
    mounts.tmpfs(scratch)
    kind = "layer" if call == "overlay" else "bind"
    root = Root(scratch, (Piece("layer", "/"), Piece(kind, shm, recursive=True)), False)
    first, layer, piece, run = root.assemble()
    first.run()
    layer.run()
    monkeypatch.setattr(mounts, call, remove_first)
    piece.run()
    assert remover.returncode == 0
    assert not os.path.exists(shm)
    run.run()
    SealRoot(root).run()


def test_a_directory_removed_during_the_survey_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone" / "mounted").mkdir(parents=True)
    table = [Mount(1, 0, "/", "/", "", "ext4", "a")]
    table.append(Mount(2, 1, "/", str(tmp_path / "gone" / "mounted"), "", "tmpfs", "b"))
    listed = os.listdir

    def list_and_lose(path: str) -> list[str]:
        names = listed(path)
        if path == str(tmp_path / "gone"):
            shutil.rmtree(path)
        return names

    monkeypatch.setattr(os, "listdir", list_and_lose)
    # However many temporary files there are beside it.
    monkeypatch.setattr(machine_tree, "_TOO_MANY", sys.maxsize)
    pieces = {piece.path for piece in survey(table, in_user_namespace=True)}
    assert not (tmp_path / "gone").exists()
    assert "/etc" in pieces
    assert str(tmp_path / "gone" / "mounted") not in pieces
