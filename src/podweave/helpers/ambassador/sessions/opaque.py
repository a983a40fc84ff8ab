"""Bytes that nobody looks at, over TLS to the upstream: the conversation is a handshake only."""

from __future__ import annotations

from podweave.helpers.ambassador.sessions.interface import Conversation, Dial, Relay, Secure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.ambassador.sessions.interface import Command, Target


class OpaqueConversation(Conversation):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        # Its bytes stay in the kernel until there is somebody to give them to.
        self.wants_client = False

    def begin(self) -> Sequence[Command]:
        return (Dial(),)

    def connected(self, target: Target) -> Sequence[Command]:
        return (Secure(),) if target.tls else (Relay(),)

    def secured(self, certificate: bytes | None) -> Sequence[Command]:
        return (Relay(),)
