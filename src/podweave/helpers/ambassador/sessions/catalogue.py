"""Which protocol begins with which conversation. Loaded only when one is needed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.sessions.interface import Conversation


_SPOKEN = ("postgres", "mysql", "redis")
_INSPECTED = ("mysql", "redis")
"""With a login of a Secret, what follows the start-up is looked at, too."""


class Conversations:
    """Starts one for each client; what they must know of each other is kept here."""

    __slots__ = ("_postgres", "_protocol")

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._postgres: Callable[[], Conversation] | None = None

    def needed(self, profiles: Iterable[Profile]) -> bool:
        """Whether clients can't just be relayed, in one of the profiles at least.

        A client that is held may be switched to that one.
        """
        # What is wrong is said in the protocol's own words, also where nothing else is needed.
        return self._protocol in _SPOKEN or any(
            profile.tls is not None or profile.credentials is not None or profile.database
            for profile in profiles
        )

    def load(self, profiles: Iterable[Profile]) -> None:
        """Import what a client needs: the first one shouldn't wait for it, and an import needs a
        descriptor, which may be short later."""
        import podweave.helpers.ambassador.sessions.driver
        import podweave.helpers.ambassador.sessions.lingering

        inspected = self._protocol in _INSPECTED
        for profile in profiles:
            if inspected and profile.credentials is not None:
                import podweave.helpers.ambassador.inspection
            if profile.tls is not None:
                import podweave.helpers.ambassador.tls_leg

                if inspected:
                    import podweave.helpers.ambassador.inspected_tls_leg  # noqa: F401
        self.start()

    def start(self) -> Conversation:
        if self._protocol == "postgres":
            if self._postgres is None:
                self._postgres = _postgres()
            return self._postgres()
        if self._protocol == "mysql":
            from podweave.helpers.ambassador.sessions.mysql import MysqlConversation

            return MysqlConversation()
        if self._protocol == "redis":
            from podweave.helpers.ambassador.sessions.redis import RedisConversation

            return RedisConversation()
        from podweave.helpers.ambassador.sessions.opaque import OpaqueConversation

        return OpaqueConversation()


def _postgres() -> Callable[[], Conversation]:
    from podweave.helpers.ambassador.sessions.cancel_keys import CancelKeys
    from podweave.helpers.ambassador.sessions.postgres import PostgresConversation
    from podweave.helpers.ambassador.sessions.salted_passwords import SaltedPasswords

    keys, salt = CancelKeys(), SaltedPasswords()
    return lambda: PostgresConversation(keys, salt)
