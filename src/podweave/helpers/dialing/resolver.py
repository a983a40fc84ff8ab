"""Names to addresses: /etc/hosts, then DNS, with a cache that outlives a failing server.

An answer is kept for its TTL and asked for again by the first dial after that. While the new
question fails or is slow, the old answer is served; only "there is no such name" ends it. Nothing
is resolved before it is needed, and a failure is remembered for a second only.
"""

from __future__ import annotations

import os

from podweave.helpers.dialing.connector import DialError, address_family
from podweave.helpers.dialing.lookup import Lookup
from podweave.helpers.wire.name_files import parse_hosts, parse_resolv_conf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.loop import Loop, Timer
    from podweave.helpers.wire.name_files import ResolverSettings

    Result = list[str] | DialError

MIN_TTL = 1
MAX_TTL = 300
"""A longer one would only keep a change from being seen; a question costs next to nothing."""

FAILURE_SECONDS = 1.0
STALE_WAIT_SECONDS = 0.5
"""How long a refresh may take before those who wait get the old answer."""
STALE_SECONDS = 5.0
"""After a failed refresh the old answer is served this long before the next one."""

_FILE_LIMIT = 1 << 20


class Resolver:
    def __init__(
        self,
        loop: Loop,
        *,
        resolv_conf: str = "/etc/resolv.conf",
        hosts: str = "/etc/hosts",
        port: int = 53,
    ) -> None:
        self._loop = loop
        self._port = port
        self._resolv_conf = _File(resolv_conf)
        self._settings = parse_resolv_conf("")
        self._hosts_file = _File(hosts)
        self._hosts: dict[str, list[str]] = {}
        self._names: dict[str, _Name] = {}

    def resolve(self, name: str, done: Callable[[Result], object]) -> Question:
        """Call `done` with the addresses or the error, from the loop, unless cancelled."""
        question = Question(done)
        self._read_files()
        listed = self._hosts.get(name.lower().removesuffix("."))
        if listed:
            question.answer_soon(self._loop, listed)
        else:
            self._name(name).ask(question, self._settings)
        return question

    def doubt(self, name: str) -> None:
        """None of the addresses of `name` can be reached: look it up again before the next use."""
        self._name(name).doubt()

    def close(self) -> None:
        """Give up the look-ups that are under way."""
        for name in self._names.values():
            name.close()

    def _read_files(self) -> None:
        text = self._resolv_conf.new_text()
        if text is not None:
            self._settings = parse_resolv_conf(text)
            # Only addresses: the system would ask DNS for anything else, and block on it.
            servers = [server for server in self._settings.servers if address_family(server)]
            self._settings.servers = servers or ["127.0.0.1"]
        text = self._hosts_file.new_text()
        if text is not None:
            self._hosts = {
                name: [address for address in addresses if address_family(address)]
                for name, addresses in parse_hosts(text).items()
            }

    def _name(self, name: str) -> _Name:
        key = name.lower()
        if key not in self._names:
            self._names[key] = _Name(self._loop, name, self._port)
        return self._names[key]


class Question:
    """Somebody who waits for addresses."""

    __slots__ = ("_done", "_timer")

    def __init__(self, done: Callable[[Result], object]) -> None:
        self._done: Callable[[Result], object] | None = done
        self._timer: Timer | None = None

    def cancel(self) -> None:
        self._done = None
        if self._timer is not None:
            self._timer.cancel()

    def answer(self, result: Result) -> None:
        done = self._done
        self.cancel()
        if done is not None:
            done(result)

    def answer_soon(self, loop: Loop, result: Result, delay: float = 0.0) -> None:
        self._timer = loop.call_later(delay, lambda: self.answer(result))


class _Name:
    """What is known of one name."""

    def __init__(self, loop: Loop, name: str, port: int) -> None:
        self._loop = loop
        self._name = name
        self._port = port
        self._addresses: list[str] = []
        self._failure: DialError | None = None
        self._good_until = 0.0
        self._asked = 0.0
        self._questions: list[Question] | None = None
        self._lookup: Lookup | None = None

    def ask(self, question: Question, settings: ResolverSettings) -> None:
        if self._loop.now() < self._good_until:
            known = self._addresses or self._failure
            assert known is not None
            question.answer_soon(self._loop, known)
            return
        if self._questions is None:
            self._questions = []
            self._asked = self._loop.now()
            self._lookup = Lookup(self._loop, settings, self._name, self._port, self._looked_up)
        self._questions.append(question)
        if self._addresses:
            waited = self._loop.now() - self._asked
            delay = max(STALE_WAIT_SECONDS - waited, 0.0)
            question.answer_soon(self._loop, self._addresses, delay)

    def close(self) -> None:
        if self._lookup is not None:
            self._lookup.cancel()

    def doubt(self) -> None:
        if self._addresses and self._loop.now() - self._asked > MIN_TTL:
            self._good_until = 0.0

    def _looked_up(self, result: Result, ttl: int) -> None:
        questions, self._questions = self._questions or [], None
        self._lookup = None
        now = self._loop.now()
        if isinstance(result, list):
            self._addresses = result
            self._failure = None
            self._good_until = now + min(max(ttl, MIN_TTL), MAX_TTL)
        else:
            if result.reason == "EAI_NONAME":
                self._addresses = []
            self._failure = result
            self._good_until = now + (STALE_SECONDS if self._addresses else FAILURE_SECONDS)
        known = self._addresses or result
        for question in questions:
            question.answer(known)


class _File:
    """A file that is read again when it has changed. An absent one is as good as empty."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def new_text(self) -> str | None:
        """The text, or None when it is what it was at the last call."""
        try:
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return None
            with open(self._path, "rb") as stream:
                text = stream.read(_FILE_LIMIT).decode("utf-8", "replace")
        except OSError:
            # Just being replaced: what was read last holds.
            return None
        self._seen = seen
        return text
