"""A profile at work: what is known of its requests and responses, and where they go."""

from __future__ import annotations

from podweave.helpers.ambassador.http import request_head, response_head
from podweave.helpers.ambassador.http.group import Group
from podweave.helpers.ambassador.http.memo import keep
from podweave.helpers.ambassador.http.redirects import turn_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.peers import Peer
    from podweave.helpers.ambassador.http.policy import HttpPolicy, Route
    from podweave.helpers.ambassador.http.response_head import Answer
    from podweave.helpers.ambassador.profiles import Profile


class Plan:
    """What is to be done with a request, by its head alone."""

    __slots__ = (
        "_head",
        "_written",
        "answers",
        "group",
        "idempotent",
        "keep_alive",
        "length",
        "minor",
        "peer",
        "raw",
        "route",
        "service",
        "to_head",
        "upgrade",
        "usual",
    )

    def __init__(self, service: Service, raw: bytes, head: request_head.Head, route: Route) -> None:
        self.raw = raw
        self._head = head
        self._written: dict[bytes, bytes] = {}
        self.service = service
        self.route = route
        self.group = service.groups[route.group]
        peers = self.group.peers
        self.peer = peers[0] if len(peers) == 1 else None
        """The only one there is to choose; None for several."""
        self.length = head.length or 0
        """Of the content: bytes or CHUNKED."""
        self.keep_alive = head.keep_alive
        self.minor = head.minor
        self.to_head = head.method == b"HEAD"
        self.idempotent = head.method in request_head.IDEMPOTENT
        self.upgrade = bool(head.upgrade)
        self.usual = self.keep_alive and head.minor == 1
        """The client gets what any client of the route gets: the answers that are kept."""
        self.answers = service.answers_of(route, to_head=self.to_head)

    @property
    def host(self) -> bytes:
        """Whom the client has asked; empty for HTTP/1.0 without a Host."""
        return self._head.host

    def asked_as(self, peer: Peer) -> bytes:
        """Whom the upstream is asked as."""
        return request_head.host_of(self._head, self.route, peer.authority)

    def write(self, peer: Peer) -> bytes:
        """The head for an upstream."""
        written = self._written.get(peer.authority)
        if written is None:
            via = self.service.policy.via
            written = request_head.write(self._head, self.route, via, peer.authority)
            self._written[peer.authority] = written
        return written


class Service:
    """Of one profile. `active`: new requests come here; without it connections aren't kept."""

    def __init__(self, front: Front, profile: Profile, policy: HttpPolicy) -> None:
        self.front = front
        self.profile = profile
        self.policy = policy
        self.active = False
        self.plans: dict[bytes, Plan] = {}
        self.groups = {"": Group(front, self, profile)}
        for name, group in policy.groups.items():
            self.groups[name] = Group(front, self, group)
        self.seconds = front.metrics.request_seconds.labels(profile.name)
        self._answers: dict[int, tuple[dict[bytes, Answer], dict[bytes, Answer]]]
        self._answers = {id(route): ({}, {}) for route in policy.routes}
        """By route: to HEAD the second, to all else the first."""

    def plan(self, head: bytes) -> Plan:
        """ProtocolError when the request can't be understood in one way only."""
        plan = self.plans.get(head)
        if plan is None:
            parsed = request_head.read(head)
            plan = Plan(self, head, parsed, request_head.choose_route(parsed, self.policy))
            keep(self.plans, head, plan)
        return plan

    def answers_of(self, route: Route, *, to_head: bool) -> dict[bytes, Answer]:
        return self._answers[id(route)][to_head]

    def answer(self, plan: Plan, head: bytes, peer: Peer, *, keep_alive: bool) -> Answer:
        """What becomes of the head of a response from `peer`. ProtocolError when it is broken."""
        usual = keep_alive and plan.usual
        if usual:
            known = plan.answers.get(head)
            if known is not None:
                return known
        parsed = response_head.read(head)
        turned = turn_back(parsed.fields, plan.route, plan.asked_as(peer), plan.host)
        if turned is not None:
            # It depends on the request, so that it isn't kept.
            parsed.fields = turned
            usual = False
        answer = response_head.write(
            parsed,
            plan.route.responses,
            to_head=plan.to_head,
            minor=plan.minor,
            keep_alive=keep_alive,
        )
        answer.count = self.front.metrics.requests.labels(self.profile.name, str(answer.status))
        if usual and answer.status >= 200 and answer.status not in plan.route.retries.statuses:
            keep(plan.answers, head, answer)
        return answer

    def waits_elsewhere(self, group: Group) -> bool:
        """Whether another group's requests wait for a connection, which the limit denies them."""
        return any(each.waiting for each in self.groups.values() if each is not group)

    def close_an_idle_one(self) -> None:
        for group in self.groups.values():
            for peer in group.peers:
                if peer.idle:
                    peer.idle[0].close()
                    return

    def retire(self) -> None:
        """New requests go elsewhere; those under way end where they are."""
        self.active = False
        self.plans.clear()
        for group in self.groups.values():
            group.close_idle()
