"""Containers: commands, exit codes, signals, orphans, what is executed in them."""

from __future__ import annotations

import os
import signal

import pytest

from podweave.engines.errors import EngineError
from podweave.sandbox import processes
from tests.sandbox.machine import Machine, python, shell
from tests.waiting import wait_until


def test_output_and_exit_code(machine: Machine) -> None:
    outcome = machine.run("echo out; echo err >&2; exit 3")
    assert outcome.output == "out\nerr\n"
    assert outcome.messages == [{"running": True}, {"exit": 3}]


def test_a_command_ended_by_a_signal(machine: Machine) -> None:
    # $$ in a manifest is one $.
    assert machine.run("kill -s SEGV $$$$").last == {"signal": signal.SIGSEGV}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["nope"], 'exec: "nope": executable file not found in $PATH'),
        (["/nope/x"], 'exec: "/nope/x": stat /nope/x: no such file or directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
        (["/etc"], 'exec: "/etc": is a directory'),
    ],
)
def test_a_command_that_cannot_start(machine: Machine, command: list[str], message: str) -> None:
    outcome = machine.pod({"command": command}).run()
    assert outcome.messages == [{"start_error": message, "exit": 128, "reason": "StartError"}]


def test_a_script_whose_interpreter_is_missing(machine: Machine) -> None:
    script = f"{machine.directory}/script"
    with open(script, "w", encoding="utf-8") as file:
        file.write("#!/nope/interpreter\n")
    os.chmod(script, 0o755)
    last = machine.pod({"command": [script]}).run().last
    assert last["start_error"] == f'exec: "{script}": no such file or directory'


def test_no_command_says_which_engine_would_do(machine: Machine) -> None:
    pod = machine.pod({"args": ["-x"]})
    with pytest.raises(EngineError, match=r"container main has args but no command.*kubernetes"):
        pod.start()


def test_signals_reach_the_command(machine: Machine) -> None:
    pod = machine.pod(
        shell("trap 'echo got term; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    )
    container = pod.start()
    container.wait_for("ready")
    pod.sandbox.signal(container.started, signal.SIGTERM)
    outcome = container.wait()
    assert outcome.output == "ready\ngot term\n"
    assert outcome.last == {"exit": 7}


def test_sigterm_ends_a_command_without_a_handler(machine: Machine) -> None:
    """As PID 1 it would be immune; here a process one of ours is PID 1."""
    container = machine.pod({"command": ["sleep", "60"]}).start()
    container.wait_running()
    container.sandbox.signal(container.started, signal.SIGTERM)
    assert container.wait().last == {"signal": signal.SIGTERM}


def test_a_signal_sent_right_after_the_start_is_not_lost(machine: Machine) -> None:
    container = machine.pod({"command": ["sleep", "60"]}).start()
    container.sandbox.signal(container.started, signal.SIGTERM)
    assert container.wait().last == {"signal": signal.SIGTERM}


def test_kill_ends_all_processes_without_an_outcome(machine: Machine) -> None:
    container = machine.pod(
        shell("trap '' TERM; (setsid sleep 61 &) ; echo ready; sleep 62")
    ).start()
    container.wait_for("ready")
    container.wait_running()
    container.sandbox.kill(container.started)
    assert container.wait().messages == [{"running": True}]
    assert processes.descendants(os.getpid()) == [container.sandbox._setup.agent.pid]


def test_orphans_are_reaped(machine: Machine) -> None:
    script = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)   # an orphan: its parent is gone
        os._exit(0)
    os.wait()
deadline = time.monotonic() + 20
def others():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if pid not in (1, os.getpid())]
while others() and time.monotonic() < deadline:
    time.sleep(0.01)
print(os.getpid(), os.getppid(), others())
"""
    assert machine.pod(python(script)).run().output == "2 1 []\n"


def test_processes_left_behind_end_with_the_command(machine: Machine) -> None:
    container = machine.pod(shell("setsid sleep 63 & exec true")).start()
    assert container.wait().last == {"exit": 0}
    assert processes.descendants(os.getpid()) == [container.sandbox._setup.agent.pid]


def test_each_container_sees_only_its_own_processes(machine: Machine) -> None:
    pod = machine.pod(shell("sleep 64"), shell("ls /proc | grep '^[0-9]' | sort -n | tr '\\n' ' '"))
    pod.start("main").wait_running()
    seen = pod.run("c1").output.split()
    assert "1" in seen
    assert len(seen) <= 7  # process one and the pipeline itself


def test_shared_process_namespace(machine: Machine) -> None:
    pod = machine.pod(
        shell("exec sleep 65"),
        shell(
            "for i in $(seq 200); do pgrep -x sleep >/dev/null && break; sleep 0.05; done; "
            "cat /proc/1/comm; pgrep -x sleep | wc -l"
        ),
        shareProcessNamespace=True,
    )
    main = pod.start("main")
    main.wait_running()
    assert pod.run("c1").output == "podweave-agent\n1\n"
    pod.sandbox.kill(main.started)
    main.wait()
    wait_until(
        lambda: processes.descendants(os.getpid()) == [pod.sandbox._setup.agent.pid],
        60,
        "only the agent is left",
    )


def test_a_new_process_one_cannot_be_read_by_the_app(machine: Machine) -> None:
    outcome = machine.run("cat /proc/1/environ; cat /proc/1/mem | head -c1; ls -l /proc/1/fd")
    assert "Permission denied" in outcome.output or "Operation not permitted" in outcome.output
    assert "PATH" not in outcome.output


def test_no_descriptor_leaks_into_the_app(machine: Machine) -> None:
    with open(f"{machine.directory}/secret", "w", encoding="utf-8") as secret:
        os.set_inheritable(secret.fileno(), True)
        listing = machine.run(
            "exec /usr/bin/python3 -c 'import os; print(sorted(os.listdir(\"/proc/self/fd\")))'"
        )
    assert listing.output == "['0', '1', '2', '3']\n"  # 3 is the listing itself


def test_signal_state_is_fresh(machine: Machine) -> None:
    outcome = machine.run("grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status; readlink /proc/self/fd/0")
    words = outcome.output.split()
    assert [int(words[1], 16), int(words[3], 16)] == [0, 0]
    assert words[-1] == "/dev/null"


def test_termination_message(machine: Machine) -> None:
    pod = machine.pod(
        shell("echo because > /dev/termination-log", securityContext={"runAsUser": 1234}),
        shell("echo $(stat -c %F /tmp/msg) > /tmp/msg", terminationMessagePath="/tmp/msg"),
    )
    for name, message in (("main", "because\n"), ("c1", "regular empty file\n")):
        container = pod.start(name)
        assert container.wait().output == ""
        with open(container.started.termination_log, encoding="utf-8") as file:
            assert file.read() == message


# Execute


def test_execute(machine: Machine) -> None:
    pod = machine.pod(
        shell(
            "touch /tmp/mark; echo ready; sleep 66",
            securityContext={"runAsUser": 1500},
            env=[{"name": "A", "value": "1"}],
            workingDir="/usr",
        )
    )
    container = pod.start()
    container.wait_for("ready")
    code, output = pod.execute(
        container, "sh", "-c", "id -u; echo $A; pwd; ls /tmp/mark; cat /proc/1/comm; exit 5"
    )
    assert (code, output.splitlines()) == (5, ["1500", "1", "/usr", "/tmp/mark", "podweave-one"])
    assert pod.execute(container, "nope") == (
        127,
        'exec: "nope": executable file not found in $PATH\n',
    )
    assert pod.execute(container, "sh", "-c", "kill -KILL $$")[0] == -9


def test_execute_in_an_ended_container_is_an_error(machine: Machine) -> None:
    pod = machine.pod(shell("true"))
    container = pod.start()
    container.wait()
    container.close()
    with pytest.raises(EngineError, match="not running"):
        pod.execute(container, "true")


def test_executed_processes_end_with_the_container(machine: Machine) -> None:
    pod = machine.pod(shell("read x < /dev/zero"))
    container = pod.start()
    container.wait_running()
    pid = pod.sandbox.execute(container.started, ["sleep", "67"])
    pod.sandbox.kill(container.started)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def test_a_terminal_of_the_container_s_own(machine: Machine) -> None:
    pod = machine.pod(shell("echo ready; sleep 68", securityContext={"runAsUser": 1500}))
    container = pod.start()
    container.wait_for("ready")
    master, slave = pod.sandbox.open_terminal(container.started)
    pid = pod.sandbox.execute(
        container.started,
        ["sh", "-c", "tty; echo > /dev/tty; stty size"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        tty=True,
    )
    os.close(slave)
    output = b""
    try:
        while part := os.read(master, 4096):
            output += part
    except OSError:
        pass  # EIO: the last user of the slave is gone
    assert os.waitpid(pid, 0)[1] == 0
    assert output.split()[0] == b"/dev/pts/0"


# Environment


def test_nothing_of_the_machine_s_environment_leaks_in(machine: Machine) -> None:
    os.environ["PODWEAVE_TEST_SECRET"] = "x"
    outcome = machine.pod({"command": ["env"], "env": [{"name": "A", "value": "1"}]}).run()
    assert sorted(outcome.output.splitlines()) == [
        "A=1",
        "HOME=/root",
        "HOSTNAME=pod",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]


def test_expansion_in_command_and_arguments(machine: Machine) -> None:
    outcome = machine.pod(
        {
            "command": ["echo", "$(A)", "$$(A)"],
            "args": ["$(B)", "$(NOPE)"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}],
        }
    ).run()
    assert outcome.output == "1 $(A) 12 $(NOPE)\n"
