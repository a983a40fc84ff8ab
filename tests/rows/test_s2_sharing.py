"""S2: a Pod has one IP shared by its containers; its volumes can be shared by all of them;
containers talk over localhost, and not beyond the Pod."""

from __future__ import annotations

from pathlib import Path

from tests.installations import Installation

SERVE = "busybox httpd -f -p {address}8080 -h /srv/www"

TWO = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - {{name: www, emptyDir: {{}}}}
  containers:
  - name: server
    image: example/server
    command: [sh, -c, "echo {name} > /srv/www/index.html; exec {serve}"]
    volumeMounts: [{{name: www, mountPath: /srv/www}}]
    readinessProbe:
      exec: {{command: [busybox, wget, -qO-, "http://127.0.0.1:8080/"]}}
      periodSeconds: 1
  - name: client
    image: example/client
    command: [sleep, "300"]
    volumeMounts: [{{name: www, mountPath: /elsewhere/in/here}}]
"""


def pod(name: str, address: str = "127.0.0.1:") -> str:
    return TWO.format(name=name, serve=SERVE.format(address=address))


def ask(installation: Installation, name: str, *command: str, container: str = "client") -> str:
    return installation.run("exec", "-c", container, name, "--", *command).stdout


def test_s2_one_address_and_hostname_for_all_containers(installation: Installation) -> None:
    installation.run("up", installation.write("pod.yaml", pod("blue")))
    (status,) = (each["status"] for each in installation.pods())
    for container in ("server", "client"):
        addresses = ask(installation, "blue", "ip", "-o", "addr", container=container)
        assert status["podIP"] in addresses
        assert ask(installation, "blue", "hostname", container=container) == "blue\n"
    namespaces = {
        ask(installation, "blue", "readlink", f"/proc/self/ns/{kind}", container=container)
        for kind in ("net", "ipc", "uts")
        for container in ("server", "client")
    }
    assert len(namespaces) == 3


def test_s2_volumes_are_shared_each_at_its_own_path(installation: Installation) -> None:
    installation.run("up", installation.write("pod.yaml", pod("blue")))
    assert ask(installation, "blue", "cat", "/elsewhere/in/here/index.html") == "blue\n"
    ask(installation, "blue", "sh", "-c", "echo changed > /elsewhere/in/here/index.html")
    changed = ask(installation, "blue", "cat", "/srv/www/index.html", container="server")
    assert changed == "changed\n"


def test_s2_containers_talk_over_localhost(installation: Installation) -> None:
    installation.run("up", installation.write("pod.yaml", pod("blue", "")))
    answer = ask(installation, "blue", "busybox", "wget", "-qO-", "http://localhost:8080/")
    assert answer == "blue\n"


def test_s2_two_pods_may_listen_on_one_port(installation: Installation) -> None:
    for name in ("blue", "green"):
        installation.run("up", installation.write(f"{name}.yaml", pod(name, "")))
    for name in ("blue", "green"):
        answer = ask(installation, name, "busybox", "wget", "-qO-", "http://127.0.0.1:8080/")
        assert answer == f"{name}\n"


def test_s2_localhost_ends_at_the_pod(installation: Installation) -> None:
    """What listens on one Pod's loopback can't be reached from another Pod's."""
    installation.run("up", installation.write("blue.yaml", pod("blue")))
    alone = (
        pod("green")
        .replace("exec busybox httpd", "sleep 300 #")
        .replace('busybox, wget, -qO-, "http://127.0.0.1:8080/"', '"true"')
    )
    installation.run("up", installation.write("green.yaml", alone))
    address = next(
        each["status"]["podIP"]
        for each in installation.pods()
        if each["metadata"]["name"] == "blue"
    )
    for target in ("127.0.0.1", address):
        result = installation.run(
            *("exec", "-c", "client", "green", "--"),
            *("busybox", "wget", "-T", "2", "-qO-", f"http://{target}:8080/"),
            check=False,
        )
        assert result.returncode != 0, target
        assert "blue" not in result.stdout


def test_s2_processes_and_files_are_each_containers_own(installation: Installation) -> None:
    before = Path("/etc/hostname").read_bytes()
    installation.run("up", installation.write("pod.yaml", pod("blue")))
    ask(installation, "blue", "sh", "-c", "echo mine > /etc/of-client; echo x >> /etc/hostname")
    result = installation.run(
        *("exec", "-c", "server", "blue", "--", "cat", "/etc/of-client"), check=False
    )
    assert result.returncode != 0

    assert Path("/etc/hostname").read_bytes() == before
