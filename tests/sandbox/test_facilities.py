"""The sandbox's pure parts: tables it parses, sets it computes, addresses it chooses."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.engines.local.setup import addresses, limits, machine_tree
from podweave.engines.local.setup.machine_tree import Piece
from podweave.model.pods import Container, Pod
from podweave.sandbox import capabilities, cgroups, mounts, network, paths, programs
from podweave.sandbox.mounts import Mount
from podweave.sandbox.system_calls import SandboxError

# Mount tables


def test_a_mount_table() -> None:
    text = (
        "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
        "30 27 0:6 /sub /with\\040space rw - tmpfs none rw,size=4k\n"
    )
    assert mounts.parse_table(text) == [
        Mount(27, 1, "/", "/", "rw,relatime", "ext4", "/dev/vda", "rw,discard"),
        Mount(30, 27, "/sub", "/with space", "rw", "tmpfs", "none", "rw,size=4k"),
    ]


@given(st.text(max_size=300))
def test_any_text_is_a_table(text: str) -> None:
    mounts.parse_table(text)
    mounts.parse_table("1 2 3 / " + text + " - x y")


def test_this_machine_s_own_table() -> None:
    assert "/" in [entry.target for entry in mounts.read_table()]


def test_hidden_mounts() -> None:
    table = [
        Mount(1, 0, "/", "/", "", "ext4", "a"),
        Mount(2, 1, "/", "/mnt/deep", "", "ext4", "b"),
        Mount(3, 1, "/", "/mnt", "", "ext4", "c"),  # hides 2
        Mount(4, 3, "/", "/mnt/seen", "", "ext4", "d"),
        Mount(5, 1, "/", "/x", "", "ext4", "e"),
        Mount(6, 5, "/", "/x", "", "ext4", "f"),  # hides 5
    ]
    assert [entry.id for entry in mounts.visible(table)] == [1, 3, 4, 6]


def test_the_mtu_of_this_network_namespace() -> None:
    assert network.mtu_of("lo") == int(Path("/sys/class/net/lo/mtu").read_text())
    with pytest.raises(SandboxError, match="read mtu of"):
        network.mtu_of("no-such-link")


# Pieces of a root


def test_pieces_as_root() -> None:
    table = [
        Mount(1, 0, "/", "/", "", "ext4", "a"),
        Mount(2, 1, "/", "/proc", "", "proc", "proc"),
        Mount(3, 1, "/", "/usr", "", "xfs", "b"),
        Mount(4, 1, "/", "/run/lock", "", "tmpfs", "c"),
        Mount(5, 1, "/", "/etc/passwd", "", "ext4", "d"),
        Mount(6, 1, "/", "/var/lib/docker/x", "", "overlay", "e"),
    ]
    pieces = machine_tree.survey(table, in_user_namespace=False)
    assert [(piece.kind, piece.path) for piece in pieces] == [
        ("layer", "/"),
        ("bind", "/etc/passwd"),
        ("layer", "/usr"),
    ]


def test_pieces_in_a_user_namespace() -> None:
    table = [Mount(1, 0, "/", "/", "", "ext4", "a"), Mount(2, 1, "/", "/usr/share/x", "", "x", "b")]
    pieces = {
        piece.path: piece.kind for piece in machine_tree.survey(table, in_user_namespace=True)
    }
    assert pieces["/etc"] == "layer"
    assert pieces["/usr"] == "directory"  # a mount beneath: descended into
    assert pieces["/usr/bin"] == "layer"
    assert pieces["/usr/share"] in ("directory", "bind")
    assert not set(machine_tree.OWN) & set(pieces)
    for path, kind in pieces.items():
        assert (kind == "link") == os.path.islink(path), path


def test_an_image_around_itself_is_alone(tmp_path: Path) -> None:
    for name in ("etc", "new", tmp_path.parts[1]):
        (tmp_path / name).mkdir()
    pieces = [Piece("layer", "/etc"), Piece("layer", "/" + tmp_path.parts[1])]
    etc, around, new = machine_tree.with_image(pieces, str(tmp_path))
    assert etc.lower == (f"{tmp_path}/etc", "/etc")
    assert around.lower == (f"{tmp_path}/{tmp_path.parts[1]}",)
    assert (new.path, new.lower) == ("/new", (f"{tmp_path}/new",))


# Paths


def test_paths_in_a_root(tmp_path: Path) -> None:
    (tmp_path / "abs").symlink_to("/inner")
    (tmp_path / "inner").mkdir()
    (tmp_path / "up").symlink_to("../../../inner")
    root = str(tmp_path)
    for path in ("/abs/x/y", "/up/x/y", "../../inner/x/y"):
        found = paths.make_in_root(root, path, directory=True)
        assert os.readlink(f"/proc/self/fd/{found}") == f"{root}/inner/x/y"
        os.close(found)
    os.close(paths.make_in_root(root, "/inner/file", directory=False))
    assert (tmp_path / "inner/file").read_bytes() == b""
    for path in ("abs", "up", "..", "inner/../.."):
        with pytest.raises(SandboxError) as caught:
            paths.open_beneath(root, path)
        assert caught.value.errno == 18  # EXDEV


def test_a_dangling_link_is_no_way_to_make_files(tmp_path: Path) -> None:
    (tmp_path / "trap").symlink_to("nowhere")
    with pytest.raises(SandboxError):
        paths.make_in_root(str(tmp_path), "/trap", directory=False)
    assert os.listdir(tmp_path) == ["trap"]


# Capabilities


def test_capability_sets() -> None:
    default = capabilities.DEFAULT
    assert capabilities.mask(default) == 0xA80425FB
    assert capabilities.allowed([], []) == default
    assert capabilities.allowed([], ["ALL"]) == frozenset()
    assert capabilities.allowed(["NET_ADMIN"], ["ALL"]) == {"NET_ADMIN"}
    assert capabilities.allowed(["cap_sys_time"], []) == default | {"SYS_TIME"}
    assert capabilities.allowed(["ALL"], ["MKNOD"]) == set(capabilities.NAMES) - {"MKNOD"}
    with pytest.raises(capabilities.UnknownCapabilityError, match="FLY"):
        capabilities.allowed(["FLY"], [])


# Control groups


def resources(**fields: dict[str, str]) -> Container:
    return msgspec.convert({"name": "c", "resources": fields}, Container)


def test_limits_of_a_container() -> None:
    assert not limits.limits_of(Container(name="c"))
    found = limits.limits_of(
        resources(requests={"cpu": "100m"}, limits={"cpu": "250m", "memory": "64Mi"})
    )
    assert found == cgroups.Limits(cpus=0.25, shares=102, memory=64 << 20)
    # A limit without a request is the request.
    assert limits.limits_of(resources(limits={"cpu": "2"})).shares == 2048
    assert limits.limits_of(resources(requests={"cpu": "1m"})).shares == 2


def test_own_groups() -> None:
    text = "4:memory:/a/b\n3:cpu,cpuacct:/c\n1:name=systemd:/x:y\n0::/u\n"
    assert cgroups.own_groups(text) == {
        "memory": "/a/b",
        "cpu": "/c",
        "cpuacct": "/c",
        "name=systemd": "/x:y",
        "": "/u",
    }


def test_version_1(tmp_path: Path) -> None:
    for name in ("cpu/mine", "memory/mine"):
        (tmp_path / name).mkdir(parents=True)
    table = [
        Mount(1, 0, "/", f"{tmp_path}/cpu", "", "cgroup", "x", "rw,cpu,cpuacct"),
        Mount(2, 0, "/outer", f"{tmp_path}/memory", "", "cgroup", "x", "rw,memory"),
    ]
    found = cgroups.find(table, {"cpu": "/mine", "memory": "/outer/mine"}, 0)
    assert found == cgroups.Hierarchy(
        1, {"cpu": f"{tmp_path}/cpu/mine", "memory": f"{tmp_path}/memory/mine"}
    )
    assert cgroups.find([], {}, 0) is None


def test_version_2(tmp_path: Path) -> None:
    """On directories that look like it: files that the kernel would have put there."""
    service = tmp_path / "user.slice/user-7.slice/user@7.service"
    (service / "app.slice/x.scope").mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (service / "cgroup.procs").write_text("")
    (service / "cgroup.controllers").write_text("cpu memory pids\n")
    table = [Mount(1, 0, "/", str(tmp_path), "", "cgroup2", "x", "rw")]
    root = cgroups.find(table, {"": "/"}, 0)
    assert root == cgroups.Hierarchy(2, {"cpu": str(tmp_path), "memory": str(tmp_path)})
    path = "/user.slice/user-7.slice/user@7.service/app.slice/x.scope"
    user = cgroups.find(table, {"": path}, 7)
    assert user is not None
    assert set(user.bases.values()) == {str(service)}
    # A session's scope was not delegated to the user.
    assert cgroups.find(table, {"": "/user.slice/user-7.slice/session-1.scope"}, 7) is None

    for place in (service, service / "podweave", service / "podweave/pod"):
        place.mkdir(exist_ok=True)
        (place / "cgroup.subtree_control").write_text("")
    leaf = service / "podweave/pod/main-0"
    leaf.mkdir()
    for name in ("cpu.max", "cpu.weight", "memory.max"):
        (leaf / name).write_text("")
    wanted = cgroups.Limits(cpus=0.5, shares=1024, memory=1 << 20)
    group = cgroups.make(user, "podweave/pod/main-0", wanted)
    assert group.member_files == [f"{leaf}/cgroup.procs"]
    assert (leaf / "cpu.max").read_text() == "50000 100000"
    assert (leaf / "cpu.weight").read_text() == "39"
    assert (leaf / "memory.max").read_text() == str(1 << 20)
    assert (service / "cgroup.subtree_control").read_text() == "+cpu +memory"
    (leaf / "memory.events").write_text("low 0\noom 2\noom_kill 3\n")
    assert cgroups.out_of_memory_kills(group) == 3


def test_version_2_with_a_part_of_the_controllers_delegated(tmp_path: Path) -> None:
    """As systemd up to version 251 delegates to users."""
    service = tmp_path / "user@7.service"
    leaf = service / "podweave/pod/main-0"
    leaf.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (service / "cgroup.controllers").write_text("memory pids\n")
    for place in (service, service / "podweave", service / "podweave/pod"):
        (place / "cgroup.subtree_control").write_text("")
    (service / "cgroup.procs").write_text("")
    (leaf / "memory.max").write_text("")
    table = [Mount(1, 0, "/", str(tmp_path), "", "cgroup2", "x", "rw")]
    found = cgroups.find(table, {"": "/user@7.service/app.slice"}, 7)
    assert found == cgroups.Hierarchy(2, {"memory": str(service)})
    cgroups.make(found, "podweave/pod/main-0", cgroups.Limits(cpus=0.5, memory=4096))
    # A controller that isn't there would make the kernel refuse the others, too.
    assert (service / "cgroup.subtree_control").read_text() == "+memory"
    assert (leaf / "memory.max").read_text() == "4096"

    (service / "cgroup.controllers").write_text("pids\n")
    assert cgroups.find(table, {"": "/user@7.service/app.slice"}, 7) is None


def test_limits_name_the_controllers_they_take() -> None:
    assert cgroups.Limits(shares=2).controllers == {"cpu"}
    assert cgroups.Limits(cpus=1, memory=1).controllers == {"cpu", "memory"}
    assert not cgroups.Limits()


# Addresses


def route(text: str, link: str = "eth0") -> tuple[str, int, int]:
    network = ipaddress.IPv4Network(text)
    return link, int(network.network_address), int(network.netmask)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "10.213.0.0/16"),
        (["0.0.0.0/0", "192.0.2.0/24"], "10.213.0.0/16"),
        (["10.0.0.0/8"], "172.30.0.0/16"),
        (["10.213.7.0/24"], "172.30.0.0/16"),
        (["10.0.0.0/8", "172.16.0.0/12"], "192.168.213.0/24"),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], "10.213.0.0/16"),
    ],
)
def test_a_free_range(taken: list[str], expected: str) -> None:
    found = addresses.free_range([route(text) for text in taken], "pw")
    assert str(found) == expected


def test_other_pods_do_not_take_the_range() -> None:
    found = addresses.free_range([route("10.213.4.5/32", "pw0123456789")], "pw")
    assert str(found) == "10.213.0.0/16"


@given(st.text(max_size=20))
def test_candidates_are_hosts_of_the_range(seed: str) -> None:
    small = addresses.RANGES[2]
    found = list(addresses.candidates(seed, small))
    assert len(set(found)) == len(found) == 253
    assert addresses.gateway_of(small) not in found
    assert all(ipaddress.IPv4Address(one) in small for one in found)


def test_link_names_fit_and_stay() -> None:
    name = addresses.link_name("/var/lib/podweave/pods/default_orders")
    assert len(name) < 16
    assert name == addresses.link_name("/var/lib/podweave/pods/default_orders")


def test_routes_of_this_machine() -> None:
    for _, destination, mask in network.routes():
        assert destination & mask == destination


def test_host_names() -> None:
    pod = msgspec.convert(
        {"metadata": {"name": "a" * 70}, "spec": {"containers": [], "subdomain": "db"}}, Pod
    )
    name = addresses.hostname(pod, "node")
    assert name == "a" * 63
    text = addresses.hosts_file(pod, "orders", "10.0.0.1", "10.0.0.254", None).decode()
    assert "10.0.0.1\torders.db.default.svc.cluster.local\torders\n" in text
    assert "10.0.0.254\thost.podweave.internal\n" in text


def test_name_servers() -> None:
    text = "# comment\nnameserver 10.0.0.53\nsearch x\nnameserver fe80::1%eth0\n"
    assert addresses.nameservers(text) == ["10.0.0.53", "fe80::1%eth0"]
    data, reachable = addresses.resolv_conf()
    assert reachable == bool(addresses.nameservers(data.decode()))


# Programs and errors


def test_a_program_s_failure_is_told() -> None:
    assert programs.run(["cat"], "text\n") == "text\n"
    with pytest.raises(SandboxError, match=r"run ls /nope: .*No such file"):
        programs.run(["ls", "/nope"])
    with pytest.raises(SandboxError, match="podweave-nope"):
        programs.run(["podweave-nope"])


def test_errors_name_operation_path_and_reason() -> None:
    error = SandboxError("mount overlay on", "/x", 22, "a hint")
    assert str(error) == "mount overlay on /x: Invalid argument (a hint)"
    assert (error.operation, error.path, error.errno) == ("mount overlay on", "/x", 22)
