"""What the admin endpoint of an ambassador answers and does.

GET  /metrics        for Prometheus
GET  /profile        the profile in use, and who is connected
POST /profile        use another: its name, or {"profile": …, "existing": …, "grace": …}
GET  /state          all there is to know, for a person's eyes by way of the command line
GET  /faults         the faults on purpose, by profile
POST /faults         set them: {"profile": …, "latency": 0.2, …}; without any fault: clear
POST /quitquitquit   end as after SIGTERM; /quit is the same
"""

from __future__ import annotations

import json
import time

from podweave.helpers.admin import Answer
from podweave.helpers.ambassador.policies import OnSwitch
from podweave.helpers.ambassador.settings import EXISTING
from podweave.helpers.configuration import ConfigurationError, Section
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from podweave.helpers.admin import Handler
    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.ambassador.reloading import Reloading
    from podweave.helpers.ambassador.switchboard import Switchboard


class Commands:
    def __init__(
        self, board: Switchboard, reloading: Reloading, stop: Callable[[], object]
    ) -> None:
        """`stop` begins the end."""
        self._board = board
        self._reloading = reloading
        self._stop = stop
        self.stopping = False

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "GET /metrics": self._metrics,
            "GET /profile": self._show_profile,
            "POST /profile": self._switch,
            "GET /state": self._state,
            "GET /faults": self._show_faults,
            "POST /faults": self._set_faults,
            "POST /quitquitquit": self._quit,
            "POST /quit": self._quit,
        }

    def _metrics(self, content: bytes) -> Answer:
        return Answer(200, self._board.render_metrics(), prometheus.CONTENT_TYPE)

    def _show_profile(self, content: bytes) -> Answer:
        board = self._board
        return _json(
            {
                "profile": board.profile.name,
                "profiles": list(board.profiles),
                "open": board.open_connections(),
                "held": len(board.held),
            }
        )

    def _switch(self, content: bytes) -> Answer:
        name = content.decode("utf-8", "replace").strip()
        on_switch = None
        if name.startswith("{"):
            try:
                name, on_switch = self._wanted_switch(_object(content))
            except ConfigurationError as error:
                return _bad(error)
        if name not in self._board.profiles:
            return self._no_profile(name)
        return _json(self._board.switch(name, on_switch))

    def _wanted_switch(self, section: Section) -> tuple[str, OnSwitch]:
        configured = self._board.settings.on_switch
        name = section.text("profile")
        on_switch = OnSwitch(configured.existing, configured.grace)
        if "existing" in section:
            on_switch.existing = section.text("existing", among=EXISTING)
        on_switch.grace = section.seconds("grace", configured.grace)
        section.end()
        return name, on_switch

    def _state(self, content: bytes) -> Answer:
        board = self._board
        state: dict[str, Any] = {
            "name": board.settings.name,
            "protocol": board.settings.protocol,
            "datapath": "kernel" if board.kernel and board.kernel.diverting else "proxy",
            "profile": board.profile.name,
            "since": _ago(board, board.profile_since),
            "profiles": list(board.profiles),
            "open": board.open_connections(),
            "held": len(board.held),
            "upstreams": [
                _upstream(board, profile, each)
                for profile in board.profiles.values()
                for each in profile.all_upstreams()
                if profile is board.profile or each.state.open
            ],
            "stopping": self.stopping,
        }
        if board.faults is not None and (faults := board.faults.show()):
            state["faults"] = faults
        if self._reloading.error:
            state["configuration_error"] = self._reloading.error
        if self._reloading.waits_for_restart:
            state["restart_needed_for"] = self._reloading.waits_for_restart
        return _json(state)

    def _show_faults(self, content: bytes) -> Answer:
        return _json(self._board.faults.show() if self._board.faults is not None else {})

    def _set_faults(self, content: bytes) -> Answer:
        try:
            wanted = dict(_object(content).rest())
            name = wanted.pop("profile", self._board.profile.name)
            if not isinstance(name, str) or name not in self._board.profiles:
                return self._no_profile(name)
            concerned = self._board.control_faults().set(name, wanted)
            self._board.faults_changed()
        except ConfigurationError as error:
            return _bad(error)
        faults = self._board.control_faults().show().get(name, {})
        return _json({"profile": name, "faults": faults, "open": concerned})

    def _quit(self, content: bytes) -> Answer:
        self._stop()
        return Answer(200, b"stopping\n")

    def _no_profile(self, name: object) -> Answer:
        known = ", ".join(self._board.profiles)
        return Answer(404, f"there is no profile {name!r}; there is {known}\n".encode())


def _upstream(board: Switchboard, profile: Profile, upstream: Upstream) -> dict[str, Any]:
    state = upstream.state
    now = board.loop.now()
    if state.down:
        word = "down"
    elif state.ejected_until > now:
        word = "ejected"
    elif state.up is None:
        word = "unknown"
    else:
        word = "up" if state.up else "failing"
    shown: dict[str, Any] = {
        "address": upstream.label,
        "profile": profile.name,
        "state": word,
        "open": state.open,
        "weight": upstream.weight,
        "priority": upstream.priority,
    }
    if state.up is not None:
        shown["since"] = _ago(board, state.since)
    if state.ejected_until > now:
        shown["ejected_seconds"] = round(state.ejected_until - now, 1)
    if not state.up and state.reason:
        shown["failures"] = state.failures
        shown["reason"] = state.reason
        shown["message"] = state.message
    return shown


def _ago(board: Switchboard, moment: float) -> str:
    """A moment of the loop's clock as one of the calendar, RFC 3339."""
    seconds = time.time() - (board.loop.now() - moment)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _object(content: bytes) -> Section:
    try:
        value = json.loads(content) if content.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("", f"is not JSON: {error}") from error
    return Section(value)


def _bad(error: ConfigurationError) -> Answer:
    return Answer(400, f"{error}\n".encode())


def _json(value: object) -> Answer:
    return Answer(200, (json.dumps(value) + "\n").encode(), "application/json")
