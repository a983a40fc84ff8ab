"""Pods by Podman behind the common interface. Podman keeps all state: podweave has none here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from typing import Final

import msgspec

from podweave.engines.engine import (
    Engine,
    LogSource,
    PodExistsError,
    PodObject,
    PodOrder,
)
from podweave.engines.environment import Facts
from podweave.engines.errors import EngineError
from podweave.engines.log_files import LogFile
from podweave.engines.podman import volumes
from podweave.engines.podman.adaptation import RECORD, Adapted, PodRecord, adapt, podman_name
from podweave.engines.podman.pod_objects import container_name, pod_object
from podweave.engines.podman.program import PodmanError, PodmanProgram
from podweave.model.pods import Pod, Probe

INTERVAL: Final = 0.2
"""Seconds between two looks at a Pod that comes up; each starts podman twice."""

ASK_AGAIN: Final = 1.0
"""Seconds for which a Pod that was seen alive is taken to be so."""

HELPERS_SERVE: Final = 60.0
"""Seconds for which the application waits for its helpers."""

STARTING: Final = 4.0
"""Seconds that `podman exec` itself may take beyond a probe's timeout."""

SHORTEST_GRACE: Final = 2.0
"""Seconds that a helper gets to end, however long the application took."""

LAST_LINES: Final = 10
STOPPED_LAST: Final = ("adapter", "sidecar", "ambassador")
"""Helpers after the application, in this order: an adapter still has lines for the sidecar, and
who ships them may need the ambassador."""

PLAY: Final = ("kube", "play", "--start=false", "--log-driver=k8s-file", "-")
"""Files, in the kubelet's format: what `podman logs` prints has no mark between the parts of a
line that was written in parts."""

BUILD: Final = "podman build -f Containerfile -t {image} ."


class PodmanEngine(Engine):
    name = "podman"
    kubernetes = (1, 28)

    def __init__(self) -> None:
        """Raises EngineError where there is no Podman."""
        self.podman: Final = PodmanProgram()
        self._alive = True
        self._asked = -math.inf

    def plan(self, order: PodOrder) -> list[str]:
        import yaml

        adapted = adapt(order, _facts(order), self.podman.version())
        lines = []
        for name, volume in adapted.volumes.items():
            arguments = " ".join(volumes.creation(name, volume, adapted.name))
            lines.append(f"podman {arguments}")
            lines += [f"write {file.path} to volume {name}" for file in volume.files or ()]
        lines += [
            f"podman volume create --ignore --label {volumes.CLAIM}={name} {name}"
            for name in adapted.record.claims
        ]
        manifest = yaml.safe_dump(adapted.manifest, sort_keys=False, allow_unicode=True)
        lines += [f"podman {' '.join(PLAY)} <<'END'", *manifest.splitlines(), "END"]
        if not adapted.record.inits:
            lines += [
                f"podman start {container_name(adapted.record, name)}, and wait until it serves"
                for name in adapted.record.containers
                if name in adapted.record.helpers
            ]
        return [*lines, f"podman pod start {adapted.name}"]

    def start(self, order: PodOrder, *, until: Callable[[], float]) -> Iterator[PodObject]:
        name = self.create(order)
        pending = _probes(order.pod)
        last: PodObject | None = None
        while (pod := self.look(name, pending)) is not None:
            if pod != last:
                yield pod
            last = pod
            if pod["podweave"]["state"] == "finished" or time.monotonic() >= until():
                return
            if not self._probe(pod, pending):
                time.sleep(INTERVAL)

    def pods(self) -> list[PodObject]:
        found = self.podman.objects("pod", "ps", "--filter", f"label={RECORD}", "--format", "json")
        looks = (self.look(each["Name"]) for each in found)
        return [pod for pod in looks if pod is not None]

    def stop(self, pod: PodObject, *, grace: float | None, volumes: bool) -> None:
        name = _podmans_name(pod)
        if pod["podweave"]["state"] == "alive":
            seconds = pod["podweave"]["grace"] if grace is None else grace
            self._stop_in_order(pod, float(seconds))
        self._remove(name, pod["podweave"]["volumes"])
        if volumes:
            self._remove_claims(pod["podweave"]["claims"])

    def last_lines(self, pod: PodObject, container: str, count: int) -> list[str]:
        name = self._container(pod, container)
        code, printed = self.podman.combined("logs", "--tail", str(count), name)
        return [] if code else printed.splitlines()

    def execute(self, pod: PodObject, container: str, argv: list[str]) -> tuple[int, str]:
        return self.podman.combined("exec", self._container(pod, container), *argv)

    def attach(
        self, pod: PodObject, container: str, argv: list[str], *, interactive: bool, terminal: bool
    ) -> int:
        """Run a command in a container with this process' own input and output."""
        flags = ["--interactive"] if interactive else []
        flags += ["--tty"] if terminal else []
        name = self._container(pod, container)
        stdin = None if interactive else subprocess.DEVNULL
        try:
            command = ["podman", "exec", *flags, name, *argv]
            return subprocess.run(command, check=False, stdin=stdin).returncode
        except KeyboardInterrupt:
            return 130

    def log_source(self, pod: PodObject, container: str, *, former: bool) -> LogSource:
        if former:
            raise EngineError("Podman keeps all runs of a container in one log, without a mark")
        (found,) = self.podman.objects("container", "inspect", self._container(pod, container))
        return LogFile(found["HostConfig"]["LogConfig"]["Path"], container)

    def is_alive(self, pod: PodObject) -> bool:
        if time.monotonic() - self._asked > ASK_AGAIN:
            now = self.look(_podmans_name(pod))
            self._alive = now is not None and now["podweave"]["state"] == "alive"
            self._asked = time.monotonic()
        return self._alive

    def remove_all_claims(self) -> None:
        self._remove_claims(volumes.claims(self.podman))

    def create(self, order: PodOrder) -> str:
        """Make the Pod and start it, or leave nothing of it; returns Podman's name of it."""
        adapted = adapt(order, _facts(order), self.podman.version())
        if self.podman.succeeds("pod", "exists", adapted.name):
            raise PodExistsError(f"Pod {adapted.name} is there already")
        self._check_helper_images(order)
        try:
            self._create(adapted, order)
        except BaseException:
            self._remove(adapted.name, adapted.record.volumes)
            raise
        return adapted.name

    def _check_helper_images(self, order: PodOrder) -> None:
        """Asked here, because Podman would say that a registry doesn't let it in."""
        for container in order.pod.spec.containers:
            image = container.image or ""
            if container.name not in order.helpers or self.podman.succeeds(
                "image", "exists", image
            ):
                continue
            if not self.podman.succeeds("pull", "--quiet", image):
                raise EngineError(
                    f"Podman has no image {image}, and can't pull it; in podweave's sources, "
                    f"`{BUILD.format(image=image)}` builds it",
                    container=container.name,
                )

    def _create(self, adapted: Adapted, order: PodOrder) -> None:
        for name, volume in adapted.volumes.items():
            volumes.make(self.podman, name, volume, adapted.name)
        for name in adapted.record.claims:
            volumes.make_claim(self.podman, name)
        manifest = json.dumps(adapted.manifest)
        self.podman.run(*PLAY, text=manifest)
        if not adapted.record.inits:
            self._start_helpers(adapted, order.pod)
        try:
            self.podman.run("pod", "start", adapted.name)
        except PodmanError as error:
            raise self._explained(error, adapted) from error

    def _start_helpers(self, adapted: Adapted, pod: Pod) -> None:
        """As native sidecars: the application begins when they serve."""
        helpers = [each for each in pod.spec.containers if each.name in adapted.record.helpers]
        deadline = time.monotonic() + HELPERS_SERVE
        for container in helpers:
            name = container_name(adapted.record, container.name)
            self.podman.run("start", name)
            probe = container.startup_probe
            while probe is not None and not self._answers(name, probe):
                if time.monotonic() > deadline:
                    # Shown as any container that doesn't get ready.
                    return
                time.sleep(INTERVAL)

    def _explained(self, error: PodmanError, adapted: Adapted) -> EngineError:
        """With the last words of an init container, if it was that."""
        for container in adapted.record.inits:
            name = container_name(adapted.record, container)
            code, printed = self.podman.combined("logs", "--tail", str(LAST_LINES), name)
            state = self.podman.objects("container", "inspect", name) if code == 0 else []
            if state and state[0]["State"]["ExitCode"]:
                message = f"exit {state[0]['State']['ExitCode']}"
                if printed:
                    message += f"; the last it printed:\n{printed.rstrip()}"
                return EngineError(message, container=container)
        return error

    def look(self, name: str, pending: Collection[str] = ()) -> PodObject | None:
        """None when it has gone."""
        try:
            found = self.podman.objects("pod", "inspect", "--format", "[{{json .}}]", name)[0]
            ids = [each["Id"] for each in found["Containers"]]
            inspected = self.podman.objects("container", "inspect", *ids)
        except PodmanError:
            if self.podman.succeeds("pod", "exists", name):
                raise
            return None
        labels = dict(found["Labels"])
        try:
            record = msgspec.json.decode(labels.pop(RECORD), type=PodRecord)
        except (KeyError, msgspec.DecodeError) as error:
            raise EngineError(f"Pod {name} in Podman isn't of this podweave: {error}") from error
        return pod_object(record, labels, inspected, pending=pending, now=time.time())

    def _probe(self, pod: PodObject, pending: dict[str, list[Probe]]) -> bool:
        """Ask each probe that hasn't been passed; whether one more has."""
        statuses = pod["status"]["containerStatuses"]
        running = {each["name"] for each in statuses if "running" in each["state"]}
        passed = False
        for container in [each for each in pending if each in running]:
            probes = pending[container]
            while probes and self._answers(self._container(pod, container), probes[0]):
                probes.pop(0)
                passed = True
            if not probes:
                del pending[container]
        return passed

    def _answers(self, name: str, probe: Probe) -> bool:
        command = (probe.exec.command if probe.exec else None) or []
        seconds = (probe.timeout_seconds or 1) + STARTING
        return self.podman.combined("exec", name, *command, timeout=seconds)[0] == 0

    def _stop_in_order(self, pod: PodObject, grace: float) -> None:
        deadline = time.monotonic() + grace
        helpers = pod["podweave"]["helpers"]
        containers = pod["podweave"]["containers"]
        for kind in (None, *STOPPED_LAST):
            names = [self._container(pod, each) for each in containers if helpers.get(each) == kind]
            left = deadline - time.monotonic()
            if kind is not None:
                left = max(left, min(SHORTEST_GRACE, grace))
            if names:
                seconds = str(max(0, round(left)))
                self.podman.run("stop", "--ignore", "--time", seconds, *names)

    def _remove(self, name: str, its_volumes: list[str]) -> None:
        if self.podman.succeeds("pod", "exists", name):
            self.podman.run("pod", "rm", "--force", "--time", "0", name)
        volumes.remove(self.podman, its_volumes)

    def _remove_claims(self, names: list[str]) -> None:
        """One that another Pod still mounts stays: Podman says so."""
        volumes.remove(self.podman, names)

    def _container(self, pod: PodObject, container: str) -> str:
        return f"{_podmans_name(pod)}-{container}"


def _podmans_name(pod: PodObject) -> str:
    return podman_name(pod["metadata"]["namespace"], pod["metadata"]["name"])


def _probes(pod: Pod) -> dict[str, list[Probe]]:
    """What has to succeed once in each container until it counts as ready."""
    probes: dict[str, list[Probe]] = {}
    for container in pod.spec.containers:
        for probe in (container.startup_probe, container.readiness_probe):
            if probe is not None and probe.exec is not None and probe.exec.command:
                probes.setdefault(container.name, []).append(probe)
    return probes


def _facts(order: PodOrder) -> Facts:
    machine = os.uname().nodename
    return Facts(
        pod=order.pod,
        namespace=order.pod.metadata.namespace or "default",
        node_name=machine,
        # Whoever asks for these is refused before they are used.
        pod_ip="",
        host_ip="",
        machine_cpus=os.cpu_count() or 1,
        machine_memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        config_maps=order.config_maps,
        secrets=order.secrets,
    )
