"""The ambassador's process."""

from __future__ import annotations

import gc
import resource
import signal

from podweave.helpers.admin import Admin
from podweave.helpers.ambassador.commands import Commands
from podweave.helpers.ambassador.drain import Drain
from podweave.helpers.ambassador.listeners import ListenError, Listeners
from podweave.helpers.ambassador.metrics import Metrics
from podweave.helpers.ambassador.reloading import Reloading
from podweave.helpers.ambassador.settings import Settings
from podweave.helpers.ambassador.switchboard import Switchboard
from podweave.helpers.dialing.choice import connector
from podweave.helpers.dialing.connector import render_address
from podweave.helpers.journal import Journal
from podweave.helpers.loop import Loop
from podweave.helpers.metrics_endpoint import MetricsEndpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_CAP_NET_ADMIN = 12


def check(config: dict[str, Any]) -> None:
    """ConfigurationError when the configuration is wrong."""
    Settings(config)


def run(config: dict[str, Any], file: str) -> int:
    """Serve until SIGTERM or SIGINT. 0 when told to stop, 1 when an address is not to be had.

    `file` is where the configuration has been read from: it is watched for changes.
    """
    settings = Settings(config)
    journal = Journal("ambassador", settings.name)
    loop = Loop()
    metrics = Metrics()
    board = Switchboard(loop, settings, connector(loop), metrics, journal)
    process = _Process(loop, board, journal)
    reloading = Reloading(loop, file, config, board, metrics, journal)
    process.commands = Commands(board, reloading, process.stop)
    _raise_descriptor_limit()
    try:
        listeners = Listeners(loop, settings.listen, board.accept, metrics, journal)
        admin = _admin(loop, settings, process.commands)
        scraped = _scraped(loop, settings, board)
    except ListenError as error:
        journal.error("cannot-listen", address=error.address, reason=error.reason)
        return 1
    _try_kernel(loop, settings, board, journal)
    process.own_ports = listeners.ports + scraped.ports + settings.helper_ports
    if admin is not None:
        process.own_ports.append(admin.address[1])
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.on_signal(signum, process.interrupted)
    loop.on_signal(signal.SIGHUP, reloading.look)
    journal.info(
        "listening",
        addresses=listeners.addresses,
        admin=render_address(*admin.address) if admin else None,
        metrics=scraped.addresses,
        profile=settings.profile,
    )
    # What the start has made stays. A collection that went through it would hold up everybody's
    # bytes for a millisecond or two.
    gc.freeze()
    loop.run()
    if board.kernel is not None:
        board.kernel.close()
    listeners.close()
    if admin is not None:
        admin.close()
    scraped.close()
    journal.info("stopped", connections_reset=board.reset_all())
    return 0


class _Process:
    """What ends it: the first signal begins the drain, the second ends that, too."""

    commands: Commands

    def __init__(self, loop: Loop, board: Switchboard, journal: Journal) -> None:
        self._loop = loop
        self._board = board
        self._settings = board.settings
        self._journal = journal
        self._drain: Drain | None = None
        self.own_ports: list[int] = []

    def interrupted(self) -> None:
        if self._drain is not None:
            self._loop.stop()
        else:
            self.stop(self._others_listen if self._settings.stops_with_application else None)

    def stop(self, application_is_there: Callable[[], bool] | None = None) -> None:
        """Begin the end; asked for once more, it goes on as it does."""
        if self._drain is not None:
            return
        seconds = self._board.settings.drain
        open_connections = sum(self._board.open_connections().values())
        self._journal.info("draining", connections=open_connections, seconds=seconds)
        self.commands.stopping = True
        self._drain = Drain(self._loop, self._board, seconds, self._loop.stop, application_is_there)

    def _others_listen(self) -> bool:
        from podweave.helpers.ambassador.neighbours import others_listen

        return others_listen(self.own_ports)


def _admin(loop: Loop, settings: Settings, commands: Commands) -> Admin | None:
    if settings.admin is None:
        return None
    try:
        return Admin(loop, settings.admin, commands.handlers())
    except OSError as error:
        raise ListenError(render_address(*settings.admin), error) from error


def _scraped(loop: Loop, settings: Settings, board: Switchboard) -> MetricsEndpoint:
    try:
        return MetricsEndpoint(loop, settings.metrics, board.render_metrics)
    except OSError as error:
        raise ListenError(error.filename, error) from error


def _try_kernel(loop: Loop, settings: Settings, board: Switchboard, journal: Journal) -> None:
    """Take the kernel's data path where it is wanted and the Pod grants what it needs."""
    ports = [port for host, port in settings.listen if host == "127.0.0.1" and port]
    if settings.datapath == "proxy" or settings.protocol != "tcp" or not ports:
        return
    reason = "the capability NET_ADMIN is not granted"
    if _may_administer_network():
        from podweave.helpers.ambassador.kernel.datapath import KernelDatapath
        from podweave.helpers.ambassador.kernel.netfilter import NoKernelPathError

        try:
            kernel = KernelDatapath(
                loop, settings.name, ports[0], board.metrics, journal, board.attempted
            )
        except NoKernelPathError as error:
            reason = str(error)
        else:
            board.use_kernel(kernel)
            return
    tell = journal.warning if settings.datapath == "kernel" else journal.info
    tell("datapath", path="proxy", reason=reason)


def _may_administer_network() -> bool:
    """Whether CAP_NET_ADMIN is effective (capabilities(7)), seen without loading anything."""
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"CapEff:"):
                return bool(int(line.split()[1], 16) >> _CAP_NET_ADMIN & 1)
    return False


def _raise_descriptor_limit() -> None:
    """Two descriptors a connection: the soft limit of 1024 is there for programs with select()."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
