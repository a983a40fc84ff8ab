"""What a conversation is: it is told events and answers with commands. No I/O.

A conversation lives from a client's first byte to the moment when everything that follows can
be relayed as it is. The driver tells it what happens and does what it answers, in order:

    begin()             the client is there                        (a server-first protocol dials)
    from_client(data)   bytes of the client; only while `wants_client` is true
    client_ended()      the client sends no more (half-close)
    connected(target)   a connection to an upstream; also a second time, after a retry or a switch
    secured(binding)    TLS is on, as Secure had asked for
    from_upstream(data) bytes of the upstream
    failed(error)       no upstream, no TLS, a deadline, an end too early: what to tell the client
    waited(error)       the client was waited for too long: what to tell it

    ToClient, ToUpstream   send these bytes
    Dial                   connect, to where the profile of now says, or to a known place
    Secure                 begin TLS with the upstream
    Relay                  the conversation is over: bytes both ways from now on
    Rejected               the upstream doesn't accept the login: once more if the Secret changed
    Unready                the upstream is there but says "not now": again while there is time
    Refuse                 these are the last words for the client; the upstream has failed
    Blameless              the same, and the upstream has not: it is the client's own fault, say
    Close                  end in order, nothing more to say

Dial, Secure and those that end the conversation come last in an answer. A retry or a switch of
the profile drops the upstream and connects anew, unless `committed`: then the client has seen
something of this upstream. While `timed`, the connect timeout counts: set it to false when what
is waited for may be the client's. Then, and before the first Dial, it is the login timeout that
counts, and an upstream that ends meanwhile has not failed.

Everything is the conversation's to bound: it keeps no more of anybody's bytes than a start-up
needs. Bytes may come in any pieces, and the answer must not depend on it. A message that breaks
the protocol is answered, never raised.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.ambassador.sessions.credentials import Login
    from podweave.helpers.dialing.connector import DialError


class Target:
    """The upstream of a new connection, and what is configured for it.

    `label` is HOST:PORT for messages. `address` is the peer that has really been connected:
    the name `host` may lead to several. `login` is None where the client's own is to be passed
    on. `loopback`: no network between the ambassador and the upstream.
    """

    __slots__ = ("address", "database", "host", "label", "login", "loopback", "profile", "tls")

    def __init__(
        self,
        label: str,
        *,
        profile: str = "",
        host: str = "",
        address: tuple[str, int] = ("", 0),
        tls: bool = False,
        loopback: bool = False,
        login: Login | None = None,
        database: str = "",
    ) -> None:
        self.label = label
        self.profile = profile
        self.host = host
        self.address = address
        self.tls = tls
        self.loopback = loopback
        self.login = login
        self.database = database


class Command:
    __slots__ = ()


class ToClient(Command):
    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class ToUpstream(Command):
    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Dial(Command):
    """`place`: a Target that an earlier conversation was connected to; there, and nowhere else."""

    __slots__ = ("place",)

    def __init__(self, place: Target | None = None) -> None:
        self.place = place


class Secure(Command):
    """Nothing of the upstream's may have been read beyond its consent to TLS."""

    __slots__ = ()


class Relay(Command):
    """What has been read and not passed on goes first. `closed` is called when it is over.

    `inspector` sees, and may change, the bytes that follow: see inspection.Inspector.
    """

    __slots__ = ("closed", "inspector", "to_client", "to_upstream")

    def __init__(
        self,
        to_client: bytes = b"",
        to_upstream: bytes = b"",
        closed: Callable[[], object] | None = None,
        inspector: Inspector | None = None,
    ) -> None:
        self.to_client = to_client
        self.to_upstream = to_upstream
        self.closed = closed
        self.inspector = inspector


class Refuse(Command):
    """`farewell` is the protocol's own error; empty: the client's connection is reset."""

    __slots__ = ("error", "farewell")

    def __init__(self, error: DialError, farewell: bytes = b"") -> None:
        self.error = error
        self.farewell = farewell


class Rejected(Refuse):
    """The upstream has refused the login; the farewell is for when the Secret is as it was."""

    __slots__ = ()


class Unready(Refuse):
    """The upstream is starting or full; the farewell is for when the time is over."""

    __slots__ = ()


class Blameless(Refuse):
    """An upstream must not be ejected for what its clients do, or for how they are switched."""

    __slots__ = ()


class Close(Command):
    __slots__ = ()


class Conversation:
    """The base: a client who goes away ends it, and a failure resets the client."""

    __slots__ = ("committed", "timed", "wants_client")

    def __init__(self) -> None:
        self.wants_client = True
        self.committed = False
        self.timed = True

    def begin(self) -> Sequence[Command]:
        return ()

    def from_client(self, data: bytes) -> Sequence[Command]:
        raise NotImplementedError

    def client_ended(self) -> Sequence[Command]:
        return (Close(),)

    def connected(self, target: Target) -> Sequence[Command]:
        raise NotImplementedError

    def secured(self, certificate: bytes | None) -> Sequence[Command]:
        """`certificate` is the server's (DER), for the binding of an authentication to it."""
        raise NotImplementedError

    def from_upstream(self, data: bytes) -> Sequence[Command]:
        raise NotImplementedError

    def failed(self, error: DialError) -> Sequence[Command]:
        return (Refuse(error),)

    def waited(self, error: DialError) -> Sequence[Command]:
        return (Blameless(error),)
