"""Whatever happens in whatever order, some things never do."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from podweave.engines.local.lifecycle.events import (
    Begin,
    ContainerCommand,
    Event,
    Exited,
    HookDone,
    Kill,
    PodFinished,
    ProbeDone,
    RunHook,
    RunProbe,
    Signal,
    StartContainer,
    Started,
    StartFailed,
    StopRequested,
    TimeReached,
)
from podweave.engines.local.lifecycle.pod import PodLife
from podweave.engines.local.lifecycle.status import pod_status
from tests.engine.playbook import KUBELET, sidecar, spec

probes = st.fixed_dictionaries(
    {"exec": st.just({"command": ["true"]})},
    optional={
        "initialDelaySeconds": st.integers(0, 5),
        "periodSeconds": st.integers(1, 5),
        "failureThreshold": st.integers(1, 3),
        "successThreshold": st.just(1),
        "terminationGracePeriodSeconds": st.integers(1, 5),
    },
)
hook = st.just({"exec": {"command": ["true"]}})
extras = st.fixed_dictionaries(
    {},
    optional={
        "startupProbe": probes,
        "readinessProbe": probes,
        "livenessProbe": probes,
        "lifecycle": st.fixed_dictionaries({}, optional={"postStart": hook, "preStop": hook}),
    },
)


@st.composite
def pods(draw: st.DrawFn) -> Any:
    inits: list[Any] = [
        sidecar(f"init{number}", **draw(extras)) if draw(st.booleans()) else f"init{number}"
        for number in range(draw(st.integers(0, 4)))
    ]
    mains = [{"name": f"main{n}", **draw(extras)} for n in range(draw(st.integers(1, 3)))]
    rest: dict[str, Any] = {"terminationGracePeriodSeconds": draw(st.integers(0, 10))}
    if draw(st.booleans()):
        rest["activeDeadlineSeconds"] = draw(st.integers(1, 100))
    policy = draw(st.sampled_from(["Always", "OnFailure", "Never"]))
    return spec(*mains, inits=inits, restartPolicy=policy, **rest)


class World(RuleBasedStateMachine):
    """Plays the sandbox: it keeps which runs there are, and which answers are owed."""

    @initialize(pod=pods())
    def begin(self, pod: Any) -> None:
        self.life = PodLife(pod, KUBELET)
        self.now = 0.0
        self.starting: dict[str, int] = {}
        self.running: dict[str, int] = {}
        self.probes: list[RunProbe] = []
        self.hooks: list[RunHook] = []
        self.stop_at: float | None = None
        self.finished = 0
        self.order = [each.name for each in self.life.inits]
        self.sidecars = [each.name for each in self.life.inits if each.role == "sidecar"]
        self.begun = self.passed = 0
        self.feed(Begin())

    def feed(self, event: Event) -> None:
        alive_before = {**self.starting, **self.running}
        for command in self.life.handle(event, self.now):
            assert not self.finished, "nothing is asked for after the end"
            if isinstance(command, StartContainer):
                assert command.container not in self.starting, "no second start"
                assert command.container not in self.running, "no second start"
                assert not self.life.stopping, "no start after the stop"
                self.starting[command.container] = command.attempt
            elif isinstance(command, PodFinished):
                assert not {**self.starting, **self.running}, "all have ended"
                self.finished += 1
            elif isinstance(command, ContainerCommand):
                assert command.attempt == alive_before.get(command.container), "of a run alive"
                self.note(command)
        if self.life.stopping and self.stop_at is None:
            self.stop_at = self.now

    def note(self, command: ContainerCommand) -> None:
        if isinstance(command, RunProbe):
            same = [each for each in self.probes if each == command]
            assert not same, "one probe of a kind at a time"
            self.probes.append(command)
        elif isinstance(command, RunHook):
            self.hooks.append(command)
        elif isinstance(command, Signal | Kill):
            # Out of turn only once the grace has run out.
            name = command.container
            if self.life.stopping and name in self.sidecars and self.in_grace(name):
                later = self.order[self.order.index(name) + 1 :]
                mains = [each.name for each in self.life.mains]
                assert not {*later, *mains} & {*self.starting, *self.running}, "reverse order"

    def in_grace(self, name: str) -> bool:
        life = next(each for each in self.life.inits if each.name == name)
        return life._keeps_turn and life._stop_by is not None and self.now < life._stop_by

    @rule(data=st.data(), fails=st.booleans())
    @precondition(lambda self: self.starting)
    def container_starts(self, data: st.DataObject, fails: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.starting)))
        attempt = self.starting.pop(name)
        if fails:
            reason = data.draw(st.sampled_from(["StartError", "CreateContainerConfigError"]))
            self.feed(StartFailed(name, attempt, "no", reason))
        else:
            self.running[name] = attempt
            self.feed(Started(name, attempt))

    @rule(data=st.data(), code=st.sampled_from([0, 0, 1]))
    @precondition(lambda self: self.running)
    def container_ends(self, data: st.DataObject, code: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.running)))
        self.feed(Exited(name, self.running.pop(name), code))

    @rule(data=st.data(), ok=st.booleans())
    @precondition(lambda self: self.probes)
    def probe_answers(self, data: st.DataObject, ok: bool) -> None:
        probe = self.probes.pop(data.draw(st.integers(0, len(self.probes) - 1)))
        self.feed(ProbeDone(probe.container, probe.attempt, probe.kind, ok))

    @rule(data=st.data(), ok=st.booleans())
    @precondition(lambda self: self.hooks)
    def hook_answers(self, data: st.DataObject, ok: bool) -> None:
        done = self.hooks.pop(data.draw(st.integers(0, len(self.hooks) - 1)))
        self.feed(HookDone(done.container, done.attempt, done.hook, ok))

    @rule(seconds=st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.feed(TimeReached())

    @rule()
    def time_wakes(self) -> None:
        if self.life.wake_at is not None:
            self.now = max(self.now, self.life.wake_at)
            self.feed(TimeReached())

    @rule(grace=st.none() | st.integers(0, 60))
    def stop(self, grace: int | None) -> None:
        self.feed(StopRequested(grace))

    @invariant()
    def the_machine_knows_what_runs(self) -> None:
        if hasattr(self, "life"):
            alive = {each.name for each in self.life.containers if each.alive}
            assert alive == {*self.starting, *self.running}

    @invariant()
    def status_can_be_told(self) -> None:
        if hasattr(self, "life"):
            status = pod_status(self.life, "10.0.0.1")
            assert status["phase"] in ("Pending", "Running", "Succeeded", "Failed")
            for each in status["containerStatuses"]:
                assert len(each["state"]) == 1

    @invariant()
    def a_waiting_machine_can_be_woken(self) -> None:
        """A machine that waits for time alone says when it wants to be woken."""
        if hasattr(self, "life") and not self.finished and not self.starting and not self.running:
            assert self.life.wake_at is not None

    def teardown(self) -> None:
        """From any state, a stop and dutiful answers finish the Pod, once."""
        if not hasattr(self, "life"):
            return
        if not self.finished:
            self.feed(StopRequested(0))
            self.now += 2
            self.feed(TimeReached())
            self.now += 2
            self.feed(TimeReached())
        for name, attempt in list({**self.starting, **self.running}.items()):
            self.starting.pop(name, None)
            self.running.pop(name, None)
            self.feed(Exited(name, attempt, 0, 9))
        assert self.finished == 1


def test_invariants() -> None:
    run_state_machine_as_test(
        World, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )
