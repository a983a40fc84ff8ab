"""The steps of a Pod's set-up that act on its processes; the others are plain operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from podweave.engines.local.setup.pod_setup import PodSetup


class StartAgent(msgspec.Struct, frozen=True):
    setup: PodSetup

    def describe(self) -> str:
        return "start the Pod's agent in new namespaces"

    def run(self) -> None:
        self.setup.start_agent()


class Inside(msgspec.Struct, frozen=True):
    """A step that the agent takes."""

    setup: PodSetup
    index: int

    def describe(self) -> str:
        return "in the Pod: " + self.setup.inside(self.index).describe()

    def run(self) -> None:
        self.setup.perform(self.index)


class ConnectOutside(msgspec.Struct, frozen=True):
    setup: PodSetup
    means: str

    def describe(self) -> str:
        how = {"veth": "a virtual cable and address translation"}.get(self.means, self.means)
        return f"connect the Pod to the network by {how}"

    def run(self) -> None:
        self.setup.connect_outside()


class StartBroker(msgspec.Struct, frozen=True):
    setup: PodSetup

    def describe(self) -> str:
        return "start the broker that dials upstreams for the helpers"

    def run(self) -> None:
        self.setup.start_broker()
