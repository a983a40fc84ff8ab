"""The set-up of a Pod, in order: the one place that says what comes before what."""

from __future__ import annotations

import os
import signal
import socket

from podweave.engines.environment import Facts
from podweave.engines.errors import EngineError
from podweave.engines.local import sockets
from podweave.engines.local.setup import (
    addresses,
    broker,
    leftovers,
    machine_tree,
    operations,
    outer_network,
    pod_steps,
    sysctls,
)
from podweave.engines.local.setup.agent import Agent
from podweave.engines.local.setup.container_sandbox import PodFacts
from podweave.engines.local.setup.identity import named
from podweave.engines.local.setup.limits import PodGroups
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
from podweave.engines.local.setup.pod_network import PodNetwork
from podweave.engines.local.setup.settings import Settings
from podweave.engines.local.setup.volumes import Places, VolumePlan, plan_volume
from podweave.model.pods import Pod, PodSecurityContext
from podweave.sandbox import mounts, processes

_SHARED_MEMORY = 64 << 20
"""Bytes of /dev/shm, as container runtimes give."""


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
        self.pod = named(pod, settings.namespace)
        self._node = addresses.node_name(settings.node_name)
        self._hostname = addresses.hostname(self.pod, self._node)
        self.network = PodNetwork(
            self.directory,
            own=self.own_network,
            root=not self.in_user_namespace,
            tell=self._tell_no_network,
        )
        self._agent: Agent | None = None
        self._broker: int | None = None
        self._broker_listener: socket.socket | None = None
        self._shared: PodFacts | None = None
        self._volumes = self._plan_volumes()
        self._table = mounts.read_table()
        self.groups = PodGroups(self.pod, self.directory, self._table, self._tell_no_limits)
        # Not in the plan: what the agent does when there is no way out after all.
        self._isolated: list[Operation] = [
            operations.WaitForLink(outer_network.LINK, seconds=0.1),
            AddAddress("lo", self.network.ip),
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
                addresses.link_name(directory) if self.network.means == "veth" else None,
                self.groups.directories,
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
                [pod_steps.ConnectOutside(self, self.network.means)]
                if self.network.leads_out
                else []
            ),
            *([pod_steps.StartBroker(self)] if self.settings.helpers else []),
        ]

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
            if self.network.means == "none":
                steps.append(AddAddress("lo", self.network.ip))
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

    def _tell_no_limits(self, why: str) -> None:
        self.notices.append(f"requests and limits of containers are not enforced: {why}")

    # What containers need to know

    def _facts(self) -> Facts:
        return Facts(
            pod=self.pod,
            namespace=self.pod.metadata.namespace or self.settings.namespace,
            node_name=self._node,
            pod_ip=self.network.ip,
            host_ip=self.network.host_ip,
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
            if not resolves and self.network.leads_out:
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
                    machine_tree.survey(
                        table,
                        in_user_namespace=self.in_user_namespace,
                        hidden=self.directory,
                    )
                ),
                places={name: plan.place for name, plan in self._volumes.items()},
                hosts=addresses.hosts_file(
                    self.pod,
                    self._hostname,
                    self.network.ip,
                    self.network.machine_address,
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
        link, isolated = range(len(self._inside))[-2:]
        self.network.connect(self.agent, link, isolated)

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
        if self.network.reaped(pid):
            return True
        if self._agent is not None and pid == self._agent.pid:
            raise EngineError("the Pod's agent ended unexpectedly", reason="SandboxChanged")
        return False

    def end(self) -> None:
        """Kill the Pod's own processes and let go of its namespaces."""
        agent, self._agent = self._agent, None
        pids = [] if agent is None else [agent.pid]
        pids += [pid for pid in (self._broker, self.network.forget()) if pid is not None]
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
