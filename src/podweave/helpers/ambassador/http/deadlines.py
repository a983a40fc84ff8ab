"""What of a request takes too long."""

from __future__ import annotations

from podweave.helpers.ambassador.http.client_connection import AWAITING, SENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.incoming import Incoming
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection


def overdue(client: Incoming, outgoing: UpstreamConnection, now: float) -> str:
    """What has taken too long, of a request that is under way; empty when nothing has."""
    times = client.plan.route.times
    if (
        times.response
        and not outgoing.responding
        and client.phase is AWAITING
        and now - client.awaiting_since > times.response
    ):
        return f"no response within {times.response:g} s"
    if times.request and now - client.since > times.request:
        return f"the request isn't answered within {times.request:g} s"
    moving = client.phase is SENDING or outgoing.responding
    if times.idle and moving and now - max(client.active_at, client.since) > times.idle:
        return f"no content for {times.idle:g} s"
    return ""
