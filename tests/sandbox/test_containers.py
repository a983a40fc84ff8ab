"""Containers: commands, exit codes, signals, orphans, users and what a root is made of."""

from __future__ import annotations

import os
import signal

import pytest

from podweave.engines.errors import EngineError
from podweave.sandbox import processes
from tests.sandbox.machine import Machine, listener, python, shell
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


# Users and rights


def test_root_by_default_with_the_usual_capabilities(machine: Machine) -> None:
    outcome = machine.run("id -u; id -g; grep -E 'Cap(Eff|Bnd)' /proc/self/status")
    user, group, *capabilities = outcome.output.split()
    assert (user, group) == ("0", "0")
    assert capabilities == ["CapEff:", "00000000a80425fb", "CapBnd:", "00000000a80425fb"]


def test_run_as_user_and_group(machine: Machine) -> None:
    security = {"runAsUser": 1234, "runAsGroup": 4321}
    outcome = machine.run(
        "id -u; id -g; grep CapEff /proc/self/status; touch /tmp/x /v/y && stat -c %u /v/y",
        securityContext=security,
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        pod={"volumes": [{"name": "v", "emptyDir": {}}]},
    )
    assert outcome.output.split() == ["1234", "4321", "CapEff:", "0000000000000000", "1234"]


def test_the_container_s_user_beats_the_pod_s(machine: Machine) -> None:
    pod = machine.pod(
        shell("id -u", securityContext={"runAsUser": 1001}),
        shell("id -u"),
        securityContext={"runAsUser": 1002},
    )
    assert (pod.run("main").output, pod.run("c1").output) == ("1001\n", "1002\n")


def test_non_root_without_a_user_is_not_root(machine: Machine) -> None:
    assert machine.run("id -u", securityContext={"runAsNonRoot": True}).output == "65532\n"


def test_non_root_and_user_0_is_refused(machine: Machine) -> None:
    pod = machine.pod(shell("id", securityContext={"runAsNonRoot": True, "runAsUser": 0}))
    with pytest.raises(EngineError, match="runAsNonRoot") as caught:
        pod.start()
    assert caught.value.reason == "CreateContainerConfigError"


@pytest.mark.only("root")
def test_groups(machine: Machine) -> None:
    outcome = machine.run(
        "id -G",
        pod={
            "securityContext": {
                "runAsUser": 1234,
                "runAsGroup": 1,
                "fsGroup": 77,
                "supplementalGroups": [88],
            }
        },
    )
    assert outcome.output == "1 77 88\n"


def test_capabilities_added_and_dropped(machine: Machine) -> None:
    security = {"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}
    outcome = machine.run("grep -E 'Cap(Eff|Bnd)' /proc/self/status", securityContext=security)
    assert outcome.output.split()[1::2] == ["0000000000001000"] * 2


def test_no_new_privileges(machine: Machine) -> None:
    grep = "grep NoNewPrivs /proc/self/status"
    assert (
        machine.run(grep, securityContext={"allowPrivilegeEscalation": False}).output.split()[1]
        == "1"
    )
    assert machine.run(grep).output.split()[1] == "0"


@pytest.mark.only("root")
def test_privileged(machine: Machine) -> None:
    outcome = machine.run(
        "grep CapEff /proc/self/status; ls /dev/kmsg; cat /proc/timer_list | head -1 | wc -l",
        securityContext={"privileged": True},
    )
    _, held, device, readable = outcome.output.split()
    assert int(held, 16) & 1 << 21  # SYS_ADMIN
    assert (device, readable) == ("/dev/kmsg", "1")


@pytest.mark.only("user")
def test_privileged_needs_root(machine: Machine) -> None:
    pod = machine.pod(shell("id", securityContext={"privileged": True}))
    with pytest.raises(EngineError, match=r"privileged.*root"):
        pod.start()


# Environment and directory


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


def test_working_directory_is_made_when_missing(machine: Machine) -> None:
    assert machine.run("pwd", workingDir="/var/lib/not-there/x").output == "/var/lib/not-there/x\n"
    assert not os.path.exists("/var/lib/not-there")


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


# Root


def test_the_machine_s_files_do_not_change(machine: Machine) -> None:
    before = os.listdir("/etc"), os.stat("/etc").st_mtime_ns
    outcome = machine.run(
        "echo x > /etc/podweave-test; rm -f /etc/hostname /etc/passwd; "
        "mkdir /usr/podweave-test; ls /etc/podweave-test; ls /etc/hostname"
    )
    assert "/etc/podweave-test\n" in outcome.output
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


def test_listener_on_a_low_port_as_a_user(machine: Machine) -> None:
    container = machine.pod(
        listener("127.0.0.1", 80, "x", securityContext={"runAsUser": 1000})
    ).start()
    container.wait_for("listening")
