"""What the ambassador counts."""

from __future__ import annotations

from podweave.helpers.wire.prometheus import Registry

_PREFIX = "podweave_ambassador"


class Metrics:
    def __init__(self) -> None:
        self.registry = Registry()
        counter, gauge = self.registry.counter, self.registry.gauge
        self.accepted = counter(
            f"{_PREFIX}_clients_accepted_total", "Connections accepted from clients."
        ).labels()
        self.held = gauge(
            f"{_PREFIX}_clients_held", "Clients that wait for their upstream's connection."
        ).labels()
        self.refused = counter(
            f"{_PREFIX}_clients_refused_total",
            "Clients sent away, by reason: no upstream or no login in time, or a limit.",
            "reason",
        )
        self.gone = counter(
            f"{_PREFIX}_clients_gone_total", "Clients that went away while they were held."
        ).labels()
        self.open = gauge(
            f"{_PREFIX}_connections_open", "Connections relayed now, by profile.", "profile"
        )
        self.relayed = counter(
            f"{_PREFIX}_connections_total", "Connections relayed, by profile.", "profile"
        )
        self.bytes = counter(
            f"{_PREFIX}_relayed_bytes_total", "Bytes relayed, by where they went.", "to"
        )
        self.dial_seconds = self.registry.histogram(
            f"{_PREFIX}_dial_seconds",
            "From a client's arrival, or the last switch, to its upstream's connection.",
        ).labels()
        self.dial_failures = counter(
            f"{_PREFIX}_dial_failures_total",
            "Attempts to connect that failed, by upstream and reason.",
            "profile",
            "upstream",
            "reason",
        )
        self.upstream_up = gauge(
            f"{_PREFIX}_upstream_up",
            "Whether the last attempt or check of the upstream succeeded.",
            "profile",
            "upstream",
        )
        self.upstream_usable = gauge(
            f"{_PREFIX}_upstream_usable",
            "1 for an upstream that is neither down by its health checks nor ejected.",
            "profile",
            "upstream",
        )
        self.upstream_connections = gauge(
            f"{_PREFIX}_upstream_connections",
            "Connections to the upstream, those that are being made included.",
            "profile",
            "upstream",
        )
        self.ejections = counter(
            f"{_PREFIX}_upstream_ejections_total",
            "Times that an upstream was left out for a while, because it kept failing.",
            "profile",
            "upstream",
        )
        self.profile = gauge(
            f"{_PREFIX}_profile_info", "1 for the profile that new connections use.", "profile"
        )
        self.switches = counter(
            f"{_PREFIX}_switches_total", "Changes of the profile while running."
        ).labels()
        self.cut = counter(
            f"{_PREFIX}_connections_cut_total",
            "Connections reset because the profile was switched.",
        ).labels()
        self.lost = counter(
            f"{_PREFIX}_connections_lost_total",
            "Connections ended because one end, `client` or `upstream`, was gone without a word.",
            "end",
        )
        self.reloads = counter(
            f"{_PREFIX}_configuration_reloads_total",
            "Changed configuration files, by what became of them.",
            "result",
        )
        self.reload_successful = gauge(
            f"{_PREFIX}_configuration_current",
            "1 while the configuration file as it is now is in use, 0 when it was refused.",
        ).labels()
        self.restart_needed = gauge(
            f"{_PREFIX}_configuration_restart_needed",
            "1 when the configuration has changed in what only a restart can follow.",
        ).labels()
        self.faults = gauge(
            f"{_PREFIX}_faults",
            "Faults on purpose: seconds, bytes a second, or a share.",
            "profile",
            "fault",
        )
        self.faulted = counter(
            f"{_PREFIX}_faults_injected_total",
            "Clients refused and connections reset on purpose.",
            "profile",
            "fault",
        )
        self.accept_pauses = counter(
            f"{_PREFIX}_accept_pauses_total",
            "Times that accepting had to pause, because descriptors or memory were short.",
        ).labels()
