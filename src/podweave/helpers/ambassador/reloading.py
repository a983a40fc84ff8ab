"""A changed configuration file is noticed, checked, and taken over as a whole or not at all.

The file is looked at every two seconds, which sees all the ways in which files change: a
ConfigMap's swapped symlink, a rename, a write in place. inotify would need a descriptor, a
watch on each folder of the way, and ctypes; and a change of a ConfigMap takes a minute to come
anyway. What is found bad at first sight may be half written: it is refused when it has stayed
so until the second look.
"""

from __future__ import annotations

import os

from podweave.helpers.ambassador.settings import Settings
from podweave.helpers.configuration import ConfigurationError, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop, Timer

LOOK_SECONDS = 2.0

AT_START_ONLY = ("name", "listen", "admin", "metrics", "datapath")
"""Keys that a running ambassador can't follow: it goes on with what it has, and says so."""

_Identity = tuple[int, int, int, int]


class Reloading:
    def __init__(
        self,
        loop: Loop,
        file: str,
        config: dict[str, Any],
        board: Switchboard,
        metrics: Metrics,
        journal: Journal,
    ) -> None:
        """`config` is what the program has been started with."""
        self._loop = loop
        self._file = file
        self._started_with = config
        self._config = config
        self._board = board
        self._metrics = metrics
        self._journal = journal
        self._seen = _identity(file)
        self._doubtful = False
        self.error = ""
        """Why the file as it is now was refused; empty while it is in use."""
        self.waits_for_restart: list[str] = []
        """Keys that have changed and that a running ambassador can't follow."""
        metrics.reload_successful.value = 1
        self._timer: Timer = loop.call_later(LOOK_SECONDS, self.look)

    def look(self) -> None:
        """See whether the file has changed, now."""
        self._timer.cancel()
        self._timer = self._loop.call_later(LOOK_SECONDS, self.look)
        identity = _identity(self._file)
        if identity == self._seen and not self._doubtful:
            return
        second_look = identity == self._seen
        self._seen = identity
        self._doubtful = False
        try:
            self._take(read(self._file))
        except ConfigurationError as error:
            if second_look:
                self._refuse(error)
            else:
                self._doubtful = True

    def _take(self, config: dict[str, Any]) -> None:
        if config == self._config:
            # Also when a bad file was put right by going back.
            self.error = ""
            self._metrics.reload_successful.value = 1
            return
        settings = Settings(config)
        if settings.protocol != self._config["protocol"]:
            was = self._config["protocol"]
            message = f"is {settings.protocol}, and {was} can't be changed at run time: restart"
            raise ConfigurationError("protocol", message)
        changed = sorted(
            key for key in {*config, *self._config} if config.get(key) != self._config.get(key)
        )
        waiting = [key for key in AT_START_ONLY if config.get(key) != self._started_with.get(key)]
        self._config = config
        answer = self._board.reconfigure(settings)
        self._metrics.reloads.add(1, "applied")
        self._metrics.reload_successful.value = 1
        self._metrics.restart_needed.value = int(bool(waiting))
        self.waits_for_restart = waiting
        self.error = ""
        self._journal.info("configuration-applied", changed=changed, **answer)
        if any(key in changed for key in waiting):
            self._journal.warning(
                "restart-needed",
                keys=waiting,
                message="these are taken over by a restart only; the rest is in use now",
            )

    def _refuse(self, error: ConfigurationError) -> None:
        self.error = str(error)
        self._metrics.reloads.add(1, "refused")
        self._metrics.reload_successful.value = 0
        self._journal.error(
            "configuration-refused",
            file=self._file,
            message=f"{error}; the ambassador goes on with the one before",
        )


def _identity(file: str) -> _Identity:
    """What is different when another file, or another content, stands there."""
    try:
        status = os.stat(file)
    except OSError as error:
        return (-1, error.errno or 0, 0, 0)
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
