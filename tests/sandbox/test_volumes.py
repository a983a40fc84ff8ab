"""Volumes: each source, sharing, sub-paths that stay inside, what is gone and what is kept."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from podweave.engines.errors import EngineError
from podweave.sandbox import processes
from tests.sandbox.machine import Machine, shell


def mounted(volume: str, path: str = "/v", **more: Any) -> dict[str, Any]:
    return {"volumeMounts": [{"name": volume, "mountPath": path, **more}]}


def volumes(**source: Any) -> list[dict[str, Any]]:
    return [{"name": "v", **source}]


def test_an_empty_directory_is_shared_at_each_container_s_own_path(machine: Machine) -> None:
    pod = machine.pod(
        shell(
            "echo shared > /var/log/orders/x; stat -c %a /var/log/orders",
            **mounted("v", "/var/log/orders"),
        ),
        shell("cat /in/x", **mounted("v", "/in", readOnly=True)),
        shell("touch /in/y", **mounted("v", "/in", readOnly=True)),
        volumes=volumes(emptyDir={}),
    )
    assert pod.run("main").output == "777\n"
    assert pod.run("c1").output == "shared\n"
    assert "Read-only file system" in pod.run("c2").output
    assert os.listdir(f"{pod.directory}/volumes/v") == ["x"]
    pod.sandbox.destroy()
    assert not os.path.exists(f"{pod.directory}/volumes")


def test_users_share_an_empty_directory(machine: Machine) -> None:
    pod = machine.pod(
        shell("echo line >> /v/log", securityContext={"runAsUser": 1001}, **mounted("v")),
        shell(
            "cat /v/log; echo checkpoint > /v/done && cat /v/done",
            securityContext={"runAsUser": 65532},
            **mounted("v"),
        ),
        volumes=volumes(emptyDir={}),
    )
    pod.run("main")
    assert pod.run("c1").output == "line\ncheckpoint\n"


def test_memory(machine: Machine) -> None:
    pod = machine.pod(
        shell(
            "head -c 100 /dev/zero > /v/x; stat -f -c %T /v; head -c 2000000 /dev/zero > /v/y",
            **mounted("v"),
        ),
        shell("wc -c < /v/x", **mounted("v")),
        volumes=volumes(emptyDir={"medium": "Memory", "sizeLimit": "1Mi"}),
    )
    output = pod.run("main").output
    assert output.startswith("tmpfs\n")
    assert "No space left" in output
    assert pod.run("c1").output == "100\n"
    assert not os.path.exists(f"{pod.directory}/private/volumes")  # seen by the Pod alone


def test_config_map(machine: Machine) -> None:
    pod = machine.pod(
        shell(
            "ls -A /v; cat /v/b.conf; readlink /v/b.conf; stat -Lc %a /v/a; touch /v/x",
            **mounted("v"),
        ),
        shell(
            "cat /etc/app/b; ls /etc/app; stat -Lc %a /etc/app/b", **mounted("items", "/etc/app")
        ),
        shell("cat /etc/ssl/one; ls /etc/ssl | wc -l", **mounted("v", "/etc/ssl/one", subPath="a")),
        volumes=[
            {"name": "v", "configMap": {"name": "c"}},
            {
                "name": "items",
                "configMap": {
                    "name": "c",
                    "defaultMode": 0o400,
                    "items": [{"key": "b.conf", "path": "b", "mode": 0o440}],
                },
            },
        ],
        settings={"config_maps": {"c": {"a": "1", "b.conf": "two\n"}}},
    )
    lines = pod.run("main").output.splitlines()
    assert [line for line in lines if not line.startswith("..2")][:3] == ["..data", "a", "b.conf"]
    assert lines[4:7] == ["two", "..data/b.conf", "644"]
    assert "Read-only file system" in lines[7]
    assert pod.run("c1").output == "two\nb\n440\n"
    output = pod.run("c2").output
    assert output.startswith("1")
    assert int(output[1:]) > 1  # the directory around it is still there


def test_secret(machine: Machine) -> None:
    pod = machine.pod(
        shell("cat /v/password; stat -f -c %T /v", **mounted("v")),
        volumes=volumes(secret={"secretName": "s"}),
        settings={"secrets": {"s": {"password": "hunter2\n"}}},
    )
    assert pod.run().output == "hunter2\ntmpfs\n"
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        assert pod.directory not in file.read()


@pytest.mark.parametrize("kind", ["configMap", "secret"])
def test_missing_objects(machine: Machine, kind: str) -> None:
    field = "name" if kind == "configMap" else "secretName"
    with pytest.raises(EngineError, match=r'volume v: .* "nope" not found'):
        machine.pod(shell("true"), volumes=volumes(**{kind: {field: "nope"}}))
    pod = machine.pod(
        shell("ls -A /v | grep -v '^[.][.]'", **mounted("v")),
        volumes=volumes(**{kind: {field: "nope", "optional": True}}),
    )
    assert pod.run().output == ""


def test_downward_api(machine: Machine) -> None:
    files = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "deep/name", "fieldRef": {"fieldPath": "metadata.name"}},
        {
            "path": "cpu",
            "resourceFieldRef": {
                "containerName": "main",
                "resource": "limits.cpu",
                "divisor": "1m",
            },
        },
    ]
    pod = machine.pod(
        shell(
            "cat /v/labels; echo; cat /v/deep/name; echo; cat /v/cpu",
            resources={"limits": {"cpu": "250m"}},
            **mounted("v"),
        ),
        metadata={"labels": {"b": 'say "hi"', "app": "x"}},
        volumes=volumes(downwardAPI={"items": files}),
    )
    assert pod.run().output == 'app="x"\nb="say \\"hi\\""\npod\n250'


def test_projected(machine: Machine) -> None:
    sources = [
        {"configMap": {"name": "c"}},
        {"secret": {"name": "s", "items": [{"key": "k", "path": "sub/k"}]}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"serviceAccountToken": {"path": "token"}},
    ]
    pod = machine.pod(
        shell("cat /v/a /v/sub/k /v/name; test -e /v/token || echo ' none'", **mounted("v")),
        volumes=volumes(projected={"sources": sources}),
        settings={"config_maps": {"c": {"a": "A"}}, "secrets": {"s": {"k": "K"}}},
    )
    assert pod.run().output == "AKpod none\n"
    assert any("no service account token" in notice for notice in pod.sandbox.notices)


def test_host_path(machine: Machine) -> None:
    made = f"{machine.directory}/made/deep"
    pod = machine.pod(
        shell("echo out > /v/x", **mounted("v")),
        volumes=volumes(hostPath={"path": made, "type": "DirectoryOrCreate"}),
    )
    pod.run()
    with open(f"{made}/x", encoding="utf-8") as file:
        assert file.read() == "out\n"
    pod.sandbox.destroy()
    assert os.path.exists(f"{made}/x")


def test_host_path_of_a_file_and_a_socket(machine: Machine) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{machine.directory}/s.sock")
        pod = machine.pod(
            shell(
                "test -f /tmp/f && echo x >> /tmp/f; test -S /run/s && echo socket",
                volumeMounts=[
                    {"name": "f", "mountPath": "/tmp/f"},
                    {"name": "s", "mountPath": "/run/s"},
                ],
            ),
            volumes=[
                {
                    "name": "f",
                    "hostPath": {"path": f"{machine.directory}/f", "type": "FileOrCreate"},
                },
                {
                    "name": "s",
                    "hostPath": {"path": f"{machine.directory}/s.sock", "type": "Socket"},
                },
            ],
        )
        assert pod.run().output == "socket\n"
    with open(f"{machine.directory}/f", encoding="utf-8") as file:
        assert file.read() == "x\n"


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/etc/passwd", "Directory", "not a directory"),
        ("/etc", "File", "not a file"),
        ("/etc/passwd", "Socket", "not a Unix socket"),
        ("/dev/null", "BlockDevice", "not a block device"),
        ("/nope", "File", "No such file"),
        ("/etc", "Folder", "hostPath type 'Folder' is not one of"),
    ],
)
def test_host_paths_that_are_not_what_they_should_be(
    machine: Machine, path: str, kind: str, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        machine.pod(shell("true"), volumes=volumes(hostPath={"path": path, "type": kind}))


def test_a_claim_outlives_the_pod(machine: Machine) -> None:
    claim = volumes(persistentVolumeClaim={"claimName": "data"})
    for expected in ("", "kept\n"):
        pod = machine.pod(shell("cat /v/x; echo kept > /v/x", **mounted("v")), volumes=claim)
        assert pod.run().output.replace("cat: /v/x: No such file or directory\n", "") == expected
        pod.sandbox.destroy()
    assert os.listdir(f"{machine.directory}/state/claims/default/data") == ["x"]


def test_an_unknown_source(machine: Machine) -> None:
    with pytest.raises(EngineError, match=r"volume v: .*kubernetes engine"):
        machine.pod(shell("true"), volumes=volumes(nfs={"server": "x"}))


def test_sub_paths(machine: Machine) -> None:
    pod = machine.pod(
        shell(
            "mkdir -p /v/a; echo deep > /v/a/f; ln -s a /v/link; "
            "ln -s /etc /v/out; ln -s ../../.. /v/up",
            **mounted("v"),
        ),
        shell("cat /s/f", **mounted("v", "/s", subPath="a")),
        shell("cat /s/f", **mounted("v", "/s", subPath="link")),
        shell(
            "id -u > /s/x; cat /s/x",
            securityContext={"runAsUser": 1003},
            **mounted("v", "/s", subPath="new/one"),
        ),
        shell("ls /s", **mounted("v", "/s", subPath="out")),
        shell("ls /s", **mounted("v", "/s", subPath="up")),
        shell("ls /s", **mounted("v", "/s", subPath="out/ssl")),
        shell(
            "echo $(POD) > /s/name; cat /s/name",
            env=[{"name": "POD", "value": "p1"}],
            **mounted("v", "/s", subPathExpr="logs/$(POD)"),
        ),
        volumes=volumes(emptyDir={}),
    )
    assert pod.run("main").output == ""
    assert pod.run("c1").output == "deep\n"
    assert pod.run("c2").output == "deep\n"
    assert pod.run("c3").output == "1003\n"
    for name in ("c4", "c5", "c6"):
        last = pod.run(name).last
        assert "leads out of its volume" in last["start_error"], name
    assert pod.run("c7").output == "p1\n"
    assert os.path.isdir(f"{pod.directory}/volumes/v/logs/p1")


def test_a_mount_path_through_a_symlink_stays_in_the_container(machine: Machine) -> None:
    outcome = machine.run(
        "touch /var/run/app/x; ls /run/app",
        **mounted("v", "/var/run/app"),
        pod={"volumes": volumes(emptyDir={})},
    )
    assert outcome.output == "x\n"
    assert not os.path.exists("/run/app")


def test_nested_mounts(machine: Machine) -> None:
    mounts = [{"name": "b", "mountPath": "/outer/inner"}, {"name": "v", "mountPath": "/outer"}]
    pod = machine.pod(
        shell("touch /outer/1 /outer/inner/2; ls -R /outer | tr '\\n' ' '", volumeMounts=mounts),
        volumes=[*volumes(emptyDir={}), {"name": "b", "emptyDir": {}}],
    )
    assert pod.run().output.split() == ["/outer:", "1", "inner", "/outer/inner:", "2"]


@pytest.mark.only("root")
def test_group_of_volumes(machine: Machine) -> None:
    security = {"runAsUser": 1001, "runAsGroup": 1001, "fsGroup": 2002}
    pod = machine.pod(
        shell(
            "stat -c %g /v; touch /v/x; stat -c %g /v/x; cat /s/k; stat -Lc '%g %a' /s/k",
            volumeMounts=[{"name": "v", "mountPath": "/v"}, {"name": "s", "mountPath": "/s"}],
        ),
        securityContext=security,
        volumes=[
            *volumes(emptyDir={}),
            {"name": "s", "secret": {"secretName": "s", "defaultMode": 0o400}},
        ],
        settings={"secrets": {"s": {"k": "secret\n"}}},
    )
    assert pod.run().output == "2002\n2002\nsecret\n2002 440\n"


@pytest.mark.only("root")
def test_limits_are_enforced(machine: Machine) -> None:
    pod = machine.pod(
        shell("tail /dev/zero", resources={"limits": {"memory": "32Mi", "cpu": "500m"}}),
        shell("echo free"),
    )
    if pod.sandbox.notices:
        pytest.skip(pod.sandbox.notices[0])
    container = pod.start("main")
    container.wait()
    assert pod.sandbox.oom_killed(container.started)
    group = container.started.cgroup
    assert group is not None
    container.close()
    assert not os.path.exists(group)
    free = pod.start("c1")
    free.wait()
    assert not pod.sandbox.oom_killed(free.started)


@pytest.mark.only("user")
def test_limits_that_cannot_be_enforced_are_told(machine: Machine) -> None:
    pod = machine.pod(shell("echo runs", resources={"limits": {"memory": "32Mi"}}))
    enforced = bool(pod.sandbox._setup.groups.directories)
    assert enforced or any("not enforced" in notice for notice in pod.sandbox.notices)
    assert pod.run().output == "runs\n"


def test_long_paths(machine: Machine) -> None:
    """A Unix socket's address holds 107 bytes; state directories may be deeper."""
    machine.directory = f"{machine.directory}/{'d' * 100}"
    pod = machine.pod(shell("echo deep"))
    assert len(pod.directory) > 110
    assert pod.run().output == "deep\n"
    assert processes.descendants(os.getpid()) == [pod.sandbox._setup.agent.pid]
