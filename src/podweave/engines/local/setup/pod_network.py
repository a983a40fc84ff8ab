"""A Pod's address and its way out: by which means, whether that holds, what there is without."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Final

from podweave.engines.local.setup import addresses, outer_network
from podweave.engines.local.setup.agent import Agent
from podweave.sandbox import network, processes
from podweave.sandbox.system_calls import SandboxError

_LINK_SECONDS: Final = 30.0
"""For pasta or slirp4netns to set up the link, on a machine that has much else to do."""


class PodNetwork:
    """`tell` is called with the reason when the Pod has no way out, now or later."""

    def __init__(
        self, directory: str, *, own: bool, root: bool, tell: Callable[[str], None]
    ) -> None:
        self._directory = directory
        self._tell = tell
        self._keeper: int | None = None
        self.host_ip: Final = network.outgoing_address() or "127.0.0.1"
        self.means, why = outer_network.choose(root=root) if own else ("host", "")
        self._range: Final = addresses.free_range(network.routes(), addresses.LINK_PREFIX)
        self.ip = self._first_ip()
        """As it is expected at first; from `connect` on, as it is."""
        if self.means == "none":
            tell(why)

    @property
    def leads_out(self) -> bool:
        """By a link of the Pod's own."""
        return self.means not in ("host", "none")

    @property
    def machine_address(self) -> str | None:
        """This machine, as the Pod sees it."""
        return outer_network.machine_address(self.means, self.ip, self._range)

    def connect(self, agent: Agent, link: int, isolated: int) -> None:
        """Give the Pod its way out; without one it still runs. `link` is the number of the agent's
        step that waits for the link, `isolated` of the one for a Pod that has none."""
        try:
            if self.means == "veth":
                wanted = addresses.candidates(self._directory, self._range)
                self.ip = outer_network.connect_veth(agent, self._directory, self._range, wanted)
            else:
                self._keeper = outer_network.start_user_network(
                    self.means, agent, self.ip, self._range
                )
                self._await_link(agent, self._keeper, link)
        except SandboxError as error:
            self._tell(str(error))
            self.means = "none"
            agent.perform(isolated)

    def reaped(self, pid: int) -> bool:
        """Whether the process that has ended was the one that keeps the link."""
        if pid != self._keeper:
            return False
        self._keeper = None
        self._tell(f"{self.means} ended")
        return True

    def forget(self) -> int | None:
        """The process that keeps the link, for the caller to end."""
        keeper, self._keeper = self._keeper, None
        return keeper

    def _first_ip(self) -> str:
        if self.means == "host":
            return self.host_ip
        ip = next(addresses.candidates(self._directory, self._range))
        return outer_network.slirp_address(ip) if self.means == "slirp4netns" else ip

    def _await_link(self, agent: Agent, keeper: int, link: int) -> None:
        """Until the link is there, or its keeper has ended instead."""
        deadline = time.monotonic() + _LINK_SECONDS
        while True:
            try:
                agent.perform(link)
                return
            except SandboxError as error:
                if processes.has_ended(keeper):
                    self._keeper = None
                    raise SandboxError(f"run {self.means}", "", errno.ECHILD) from error
                if error.errno != errno.ETIMEDOUT or time.monotonic() > deadline:
                    raise
