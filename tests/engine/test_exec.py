"""`podweave exec`: exit codes, input, terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.engine.pods import pod, sleeper
from tests.installations import Installation
from tests.waiting import wait_until


@pytest.fixture
def here(installation: Installation) -> Installation:
    annotations = {"kubectl.kubernetes.io/default-container": "second"}
    containers = (
        sleeper("first", env=[{"name": "WHO", "value": "1"}]),
        sleeper("second", env=[{"name": "WHO", "value": "2"}]),
    )
    text = pod("here", *containers, metadata={"annotations": annotations})
    installation.run("up", installation.write("pod.yaml", text))
    return installation


def run(
    installation: Installation, *arguments: str, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    return installation.run("exec", *arguments, stdin=stdin, check=False)


def test_exit_code_and_both_outputs_are_the_commands(here: Installation) -> None:
    result = run(here, "here", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.returncode, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_a_signal_is_told_as_a_shell_tells_it(here: Installation) -> None:
    assert run(here, "here", "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_a_command_that_is_not_there(here: Installation) -> None:
    result = run(here, "here", "--", "no-such-command")
    assert result.returncode == 127
    assert "no-such-command" in result.stderr


def test_the_default_container_is_the_annotations(here: Installation) -> None:
    assert run(here, "here", "--", "sh", "-c", "echo $WHO").stdout == "2\n"
    assert run(here, "-c", "first", "here", "--", "sh", "-c", "echo $WHO").stdout == "1\n"
    wrong = run(here, "-c", "third", "here", "--", "true")
    assert wrong.returncode == 2
    assert "first, second" in wrong.stderr


def test_input_is_passed_on_with_i_only(here: Installation) -> None:
    assert run(here, "-i", "here", "--", "cat", stdin="given\n").stdout == "given\n"
    assert run(here, "here", "--", "cat", stdin="given\n").stdout == ""


def test_a_large_output_arrives_whole(here: Installation) -> None:
    result = run(here, "here", "--", "sh", "-c", "yes 0123456789 | head -n 200000")
    assert len(result.stdout) == 200000 * 11


def test_a_command_is_named(here: Installation) -> None:
    assert run(here, "here").returncode == 2


def test_a_terminal_has_a_name_and_our_size(here: Installation) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    process = subprocess.Popen(
        here.command("exec", "-it", "here", "--", "sh"),
        env={**here.environment, "TERM": "vt100"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    os.set_blocking(master, False)
    said = b""

    def has(text: bytes) -> bool:
        nonlocal said
        try:
            said += os.read(master, 65536)
        except (BlockingIOError, OSError):
            pass
        return text in said

    try:
        os.write(master, b"tty; stty size; echo $TERM; test -t 0 && echo is a terminal\n")
        wait_until(lambda: has(b"\r\nis a terminal"), 60, "the shell answers")
        assert b"/dev/pts/" in said
        assert b"33 77" in said
        assert b"vt100" in said
        # Interrupts the command inside, not podweave.
        os.write(master, b"sleep 100; echo interrupted $?\n")
        wait_until(lambda: has(b"sleep 100"), 60, "the command is typed")
        wait_until(
            lambda: "sleep 100" in run(here, "here", "--", "ps", "-eo", "args").stdout,
            60,
            "the command runs",
        )
        os.write(master, b"\x03")

        def goes_on() -> bool:
            # Again and again: the terminal and the shell drop what is typed around an interrupt.
            os.write(master, b"echo go on\n")
            return has(b"\r\ngo on")

        wait_until(goes_on, 60, "the shell goes on")
        os.write(master, b"exit 5\n")
        wait_until(lambda: has(b"never") or process.poll() is not None, 60, "the end")
        assert process.returncode == 5
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_command_ends_when_its_caller_goes(one: Installation) -> None:
    one.run("up", one.write("pod.yaml", pod("here", sleeper())))
    seconds = str(200000 + os.getpid())
    process = subprocess.Popen(
        one.command("exec", "here", "--", "sleep", seconds),
        env=one.environment,
        stdin=subprocess.DEVNULL,
    )

    def runs() -> bool:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if path.read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                    return True
            except OSError:
                pass
        return False

    wait_until(runs, 60, "the command runs")
    process.kill()
    process.wait()
    wait_until(lambda: not runs(), 60, "the command has ended")


def test_a_pod_that_has_ended_runs_nothing(one: Installation) -> None:
    app = {"name": "app", "command": ["true"]}
    one.run("up", one.write("pod.yaml", pod("over", app, restartPolicy="Never")))
    result = run(one, "over", "--", "true")
    assert result.returncode == 2
    assert "doesn't run any more" in result.stderr
