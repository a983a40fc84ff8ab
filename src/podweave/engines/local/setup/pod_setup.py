"""The set-up of a Pod, in order: the one place that says what comes before what."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time

import msgspec

from podweave.engines.environment import Facts
from podweave.engines.errors import EngineError
from podweave.engines.local import sockets
from podweave.engines.local.setup import (
    addresses,
    broker,
    leftovers,
    limits,
    operations,
    outer_network,
    pod_steps,
    root_files,
    sysctls,
)
from podweave.engines.local.setup.agent import Agent
from podweave.engines.local.setup.container_sandbox import PodFacts
from podweave.engines.local.setup.operations import (
    AddAddress,
    Before,
    LinkUp,
    MakeDirectory,
    MakePrivate,
    Operation,
    SetHostname,
    Tmpfs,
    WriteSysctl,
)
from podweave.engines.local.setup.settings import Settings
from podweave.engines.local.setup.volumes import Places, VolumePlan, plan_volume
from podweave.model.pods import Container, Pod, PodSecurityContext
from podweave.sandbox import cgroups, mounts, network, processes
from podweave.sandbox.system_calls import SandboxError

_SHARED_MEMORY = 64 << 20
"""Bytes of /dev/shm, as container runtimes give."""
_LINK_SECONDS = 5.0


class PodSetup:
    """What is known of a Pod, from its manifest at first, and while the steps run ever more."""

    def __init__(
        self, pod: Pod, settings: Settings, directory: str, before: Before | None = None
    ) -> None:
        self.settings = settings
        self.directory = os.path.abspath(directory)
        self.before = before
        self.notices: list[str] = []
        self.in_user_namespace = os.geteuid() != 0
        self.pod = _named(pod, settings)
        self._node = addresses.node_name(settings.node_name)
        self._hostname = addresses.hostname(self.pod, self._node)
        self._host_ip = network.outgoing_address() or "127.0.0.1"
        self._means, why = (
            ("host", "")
            if pod.spec.host_network
            else outer_network.choose(root=not self.in_user_namespace)
        )
        if self._means == "none":
            self._tell_no_network(why)
        self._range = addresses.free_range(network.routes(), addresses.LINK_PREFIX)
        self.ip = self._first_ip()
        self._agent: Agent | None = None
        self._network: int | None = None
        self._broker: int | None = None
        self._broker_listener: socket.socket | None = None
        self._shared: PodFacts | None = None
        self._volumes = self._plan_volumes()
        self._table = mounts.read_table()
        self._groups = self._find_groups()
        # Not in the plan: what the agent does when there is no way out after all.
        self._isolated: list[Operation] = [
            operations.WaitForLink(outer_network.LINK, seconds=0.1),
            AddAddress("lo", self.ip),
        ]
        self._inside = self._steps_inside()

    # What the manifest says

    @property
    def agent(self) -> Agent:
        if self._agent is None:
            raise EngineError("the Pod has ended")
        return self._agent

    @property
    def own_network(self) -> bool:
        return not self.pod.spec.host_network

    @property
    def own_processes(self) -> bool:
        """Whether each container has a PID namespace of its own."""
        return not (self.pod.spec.host_pid or self.pod.spec.share_process_namespace)

    @property
    def _kinds(self) -> list[str]:
        spec = self.pod.spec
        kinds = ["mnt"]
        if self.own_network:
            # Like the kubelet: a Pod on the machine's network has the machine's hostname.
            kinds += ["net", "uts"]
        if not spec.host_ipc:
            kinds.append("ipc")
        if spec.share_process_namespace and not spec.host_pid:
            kinds.append("pid")
        return kinds

    def _first_ip(self) -> str:
        if not self.own_network:
            return self._host_ip
        ip = next(addresses.candidates(self.directory, self._range))
        return outer_network.slirp_address(ip) if self._means == "slirp4netns" else ip

    def _tell_no_network(self, why: str) -> None:
        rest = (
            "only helpers reach beyond it" if self.settings.helpers else "nothing reaches beyond it"
        )
        self.notices.append(f"the Pod has no network but its own, {rest}: {why}")

    # The order of the set-up

    def steps(self) -> list[Operation]:
        """Everything up to the first container, in order."""
        directory = self.directory
        return [
            MakeDirectory(directory, 0o700),
            leftovers.RecordSandbox(
                directory,
                addresses.link_name(directory) if self._means == "veth" else None,
                ()
                if self._groups is None
                else tuple(limits.pod_directories(self._groups, directory)),
            ),
            *(
                MakeDirectory(f"{directory}/{name}", 0o755)
                for name in ("logs", "private", "root", "termination", "volumes")
            ),
            *(step for volume in self._volumes.values() for step in volume.outside),
            pod_steps.StartAgent(self),
            *(
                pod_steps.Inside(self, index)
                for index in range(len(self._inside) - len(self._isolated))
            ),
            *(
                [pod_steps.ConnectOutside(self, self._means)]
                if self._means not in ("host", "none")
                else []
            ),
            *([pod_steps.StartBroker(self)] if self.settings.helpers else []),
        ]

    def _record(self) -> leftovers.RecordSandbox:
        groups: tuple[str, ...] = ()
        if self._groups is not None:
            groups = tuple(limits.pod_directories(self._groups, self.directory))
        link = addresses.link_name(self.directory) if self._means == "veth" else None
        return leftovers.RecordSandbox(self.directory, link, groups)

    def _steps_inside(self) -> list[Operation]:
        """The steps that the agent takes, within the Pod's namespaces."""
        private = f"{self.directory}/private"
        steps: list[Operation] = [
            MakePrivate(),
            Tmpfs(private),
            Tmpfs(
                f"{private}/shm",
                mode=0o1777,
                size=_SHARED_MEMORY,
                flags=mounts.NOSUID | mounts.NODEV | mounts.NOEXEC,
            ),
        ]
        for volume in self._volumes.values():
            steps += volume.inside
        if self.own_network:
            steps += [SetHostname(self._hostname), LinkUp("lo")]
            # As containerd: whoever an app runs as, it may listen on port 80 of its Pod.
            steps.append(WriteSysctl("net.ipv4.ip_unprivileged_port_start", "0"))
            if self._means == "none":
                steps.append(AddAddress("lo", self.ip))
        steps += [WriteSysctl(name, value) for name, value in sysctls.wanted(self.pod.spec)]
        return steps + self._isolated

    def _plan_volumes(self) -> dict[str, VolumePlan]:
        places = Places(
            disk=f"{self.directory}/volumes",
            private=f"{self.directory}/private",
            claims=f"{self.settings.state}/claims",
        )
        security = self.pod.spec.security_context or PodSecurityContext()
        # With one id in the user namespace there is no other group to give anything to.
        group = None if self.in_user_namespace else security.fs_group
        plans = {}
        for volume in self.pod.spec.volumes or ():
            plan = plan_volume(volume, places, self._facts(), group)
            if plan.notice:
                self.notices.append(plan.notice)
            plans[volume.name] = plan
        return plans

    def _find_groups(self) -> cgroups.Hierarchy | None:
        spec = self.pod.spec
        everyone = [*(spec.init_containers or ()), *spec.containers]
        wanted = {name for each in everyone for name in limits.limits_of(each).controllers}
        if not wanted:
            return None
        found = limits.hierarchy(self._table)
        if found is None:
            self._tell_no_limits("this user may not make control groups")
        elif lacking := wanted - set(found.bases):
            names = " and ".join(sorted(lacking))
            self._tell_no_limits(f"the cgroup controller {names} is not there for this user")
        return found

    def _tell_no_limits(self, why: str) -> None:
        self.notices.append(f"requests and limits of containers are not enforced: {why}")

    def group_for(self, container: Container, attempt: int) -> cgroups.Group | None:
        """A control group for a container that is about to start; None without limits."""
        wanted = limits.limits_of(container)
        if self._groups is None or not wanted:
            return None
        path = f"{limits.pod_path(self.directory)}/{container.name}-{attempt}"
        try:
            return cgroups.make(self._groups, path, wanted)
        except SandboxError as error:
            self._tell_no_limits(str(error))
            self._groups = None
            return None

    # What containers need to know

    def _facts(self) -> Facts:
        return Facts(
            pod=self.pod,
            namespace=self.pod.metadata.namespace or self.settings.namespace,
            node_name=self._node,
            pod_ip=self.ip,
            host_ip=self._host_ip,
            machine_cpus=os.cpu_count() or 1,
            machine_memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            config_maps=self.settings.config_maps,
            secrets=self.settings.secrets,
        )

    def shared(self) -> PodFacts:
        """What the containers' plans are made from. Settled once the steps have run."""
        if self._shared is None:
            # The agent's: what the machine mounts from then on doesn't show in there.
            table = mounts.read_table(None if self._agent is None else self._agent.pid)
            resolv_conf, resolves = addresses.resolv_conf(host_network=not self.own_network)
            if not resolves and self._means not in ("host", "none"):
                self.notices.append(
                    "the Pod has no name server: this machine's is on its loopback, which the Pod "
                    "doesn't reach"
                )
            self._shared = PodFacts(
                facts=self._facts(),
                directory=self.directory,
                in_user_namespace=self.in_user_namespace,
                hostname=self._hostname,
                table=tuple(table),
                pieces=tuple(
                    root_files.survey(
                        table,
                        in_user_namespace=self.in_user_namespace,
                        hidden=self.directory,
                    )
                ),
                places={name: plan.place for name, plan in self._volumes.items()},
                hosts=addresses.hosts_file(
                    self.pod,
                    self._hostname,
                    self.ip,
                    outer_network.machine_address(self._means, self.ip, self._range),
                    self._machine_hosts(),
                ),
                resolv_conf=resolv_conf,
                archive=self.settings.archive,
                images=self.settings.images,
                broker=bool(self.settings.helpers),
            )
        return self._shared

    def _machine_hosts(self) -> bytes | None:
        if self.own_network:
            return None
        try:
            with open("/etc/hosts", "rb") as file:
                return file.read()
        except OSError:
            return b""

    # Its processes

    def start_agent(self) -> None:
        listener = self._listen("agent.sock")
        try:
            self._agent = Agent.start(
                self._kinds, self._inside, listener, user_namespace=self.in_user_namespace
            )
        finally:
            listener.close()

    def perform(self, index: int) -> None:
        self.agent.perform(index)

    def inside(self, index: int) -> Operation:
        return self._inside[index]

    def connect_outside(self) -> None:
        """Give the Pod its way out; without one it still runs."""
        try:
            if self._means == "veth":
                wanted = addresses.candidates(self.directory, self._range)
                self.ip = outer_network.connect_veth(
                    self.agent, self.directory, self._range, wanted
                )
            else:
                self._network = outer_network.start_user_network(
                    self._means, self.agent, self.ip, self._range
                )
                self._await_link(self._network)
        except SandboxError as error:
            self._tell_no_network(str(error))
            self._means = "none"
            self.agent.perform(len(self._inside) - 1)

    def _await_link(self, keeper: int) -> None:
        """Until pasta or slirp4netns has set up the Pod's link, or has ended instead."""
        deadline = time.monotonic() + _LINK_SECONDS
        while True:
            try:
                self.agent.perform(len(self._inside) - 2)
                return
            except SandboxError as error:
                ended = processes.has_ended(keeper)
                if ended:
                    self._network = None
                    raise SandboxError(f"run {self._means}", "", errno.ECHILD) from error
                if error.errno != errno.ETIMEDOUT or time.monotonic() > deadline:
                    raise

    def start_broker(self) -> None:
        if self._broker_listener is None:
            self._broker_listener = self._listen("broker.sock")
        self._broker = broker.start(self._broker_listener)

    def _listen(self, name: str) -> socket.socket:
        """For helpers, which run as users of their own."""
        return sockets.listen(self.directory, name, socket.SOCK_SEQPACKET, everyone=True)

    def finish(self) -> None:
        """All steps have run."""
        self._shared = None
        self.shared()
        self.agent.serve()

    def reaped(self, pid: int) -> bool:
        if pid == self._broker:
            self.start_broker()
            return True
        if pid == self._network:
            self._network = None
            self._tell_no_network(f"{self._means} ended")
            return True
        if self._agent is not None and pid == self._agent.pid:
            raise EngineError("the Pod's agent ended unexpectedly", reason="SandboxChanged")
        return False

    def end(self) -> None:
        """Kill the Pod's own processes and let go of its namespaces."""
        agent, self._agent = self._agent, None
        pids = [] if agent is None else [agent.pid]
        pids += [pid for pid in (self._broker, self._network) if pid is not None]
        self._network = None
        self._broker = None
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            processes.reap(pid)
        if agent is not None:
            agent.close()
        if self._broker_listener is not None:
            self._broker_listener.close()
            self._broker_listener = None


def _named(pod: Pod, settings: Settings) -> Pod:
    metadata = msgspec.structs.replace(
        pod.metadata,
        name=pod.metadata.name or "pod",
        namespace=pod.metadata.namespace or settings.namespace,
        uid=pod.metadata.uid or _new_uid(),
    )
    return msgspec.structs.replace(pod, metadata=metadata)


def _new_uid() -> str:
    """A random UUID (version 4). The module `uuid` costs more to load than the Pod's agent."""
    number = int.from_bytes(os.urandom(16), "big")
    number = number & ~(0xF << 76) | 4 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
