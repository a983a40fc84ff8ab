"""Names to addresses: /etc/hosts, then DNS, with a cache that outlives a failing server.

An answer is kept for its TTL and asked for again by the first dial after that. While the new
question fails or is slow, the old answer is served; only "there is no such name" ends it. Nothing
is resolved before it is needed, and a failure is remembered for a second only.

/etc/hosts is looked at as long as somebody waits, too: who knows nothing of a name asks no server
while that file is being rewritten, and has the answer as soon as it is listed there.
"""

from __future__ import annotations

import time

from podweave.helpers.dialing.connector import DialError, address_family
from podweave.helpers.dialing.lookup import Lookup
from podweave.helpers.dialing.system_files import HostsFile, SystemFile
from podweave.helpers.wire.name_files import parse_resolv_conf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.dialing.system_files import Clock
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
LOOK_SECONDS = 0.05
"""Between two looks at /etc/hosts for those who wait."""


class Resolver:
    def __init__(
        self,
        loop: Loop,
        *,
        resolv_conf: str = "/etc/resolv.conf",
        hosts: str = "/etc/hosts",
        port: int = 53,
        clock: Clock = time.time,
    ) -> None:
        """`clock` is the calendar's, which files have their times from."""
        self._loop = loop
        self._port = port
        self._resolv_conf = SystemFile(resolv_conf, clock)
        self._settings = parse_resolv_conf("")
        self._hosts = HostsFile(hosts, clock)
        self._names: dict[str, _Name] = {}
        self._early: list[tuple[str, Question]] = []
        """Who waits for a file that is being rewritten."""
        self._timer: Timer | None = None

    def resolve(self, name: str, done: Callable[[Result], object]) -> Question:
        """Call `done` with the addresses or the error, from the loop, unless cancelled."""
        question = Question(done)
        self._read_files()
        if listed := self._hosts.addresses(name):
            question.answer_soon(self._loop, listed)
        else:
            self._ask(name, question)
            self._look_again()
        return question

    def doubt(self, name: str) -> None:
        """None of the addresses of `name` can be reached: look it up again before the next use."""
        self._name(name).doubt()

    def close(self) -> None:
        """Give up the look-ups that are under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._early.clear()
        for name in self._names.values():
            name.close()

    def _read_files(self) -> None:
        text = self._resolv_conf.new_text()
        if text is not None:
            self._settings = parse_resolv_conf(text)
            # Only addresses: the system would ask DNS for anything else, and block on it.
            servers = [server for server in self._settings.servers if address_family(server)]
            self._settings.servers = servers or ["127.0.0.1"]
        self._hosts.look()

    def _ask(self, name: str, question: Question) -> None:
        known = self._name(name)
        if not known.addresses and (self._hosts.unclear or self._resolv_conf.unclear):
            self._early.append((name, question))
        else:
            known.ask(question, self._settings)

    def _look_again(self) -> None:
        """Look at the files before long, where somebody waits."""
        if self._timer is None and (
            self._early or any(each.asked for each in self._names.values())
        ):
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        self._read_files()
        early, self._early = self._early, []
        for name, question in early:
            if listed := self._hosts.addresses(name):
                question.answer(listed)
            elif question.waits:
                self._ask(name, question)
        for key, known in list(self._names.items()):
            if known.asked and (listed := self._hosts.addresses(key)):
                known.answer(listed)
        self._look_again()

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

    @property
    def waits(self) -> bool:
        return self._done is not None

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
        self.addresses: list[str] = []
        """As last heard from a server, however long ago."""
        self._failure: DialError | None = None
        self._good_until = 0.0
        self._asked = 0.0
        self._questions: list[Question] | None = None
        self._lookup: Lookup | None = None

    @property
    def asked(self) -> bool:
        """A look-up is under way."""
        return self._questions is not None

    def ask(self, question: Question, settings: ResolverSettings) -> None:
        if self._loop.now() < self._good_until:
            known = self.addresses or self._failure
            assert known is not None
            question.answer_soon(self._loop, known)
            return
        if self._questions is None:
            self._questions = []
            self._asked = self._loop.now()
            self._lookup = Lookup(self._loop, settings, self._name, self._port, self._looked_up)
        self._questions.append(question)
        if self.addresses:
            waited = self._loop.now() - self._asked
            delay = max(STALE_WAIT_SECONDS - waited, 0.0)
            question.answer_soon(self._loop, self.addresses, delay)

    def answer(self, listed: list[str]) -> None:
        """No server needs to be asked any more."""
        questions, self._questions = self._questions or [], None
        self.close()
        self._lookup = None
        for question in questions:
            question.answer(listed)

    def close(self) -> None:
        if self._lookup is not None:
            self._lookup.cancel()

    def doubt(self) -> None:
        if self.addresses and self._loop.now() - self._asked > MIN_TTL:
            self._good_until = 0.0

    def _looked_up(self, result: Result, ttl: int) -> None:
        questions, self._questions = self._questions or [], None
        self._lookup = None
        now = self._loop.now()
        if isinstance(result, list):
            self.addresses = result
            self._failure = None
            self._good_until = now + min(max(ttl, MIN_TTL), MAX_TTL)
        else:
            if result.reason == "EAI_NONAME":
                self.addresses = []
            self._failure = result
            self._good_until = now + (STALE_SECONDS if self.addresses else FAILURE_SECONDS)
        known = self.addresses or result
        for question in questions:
            question.answer(known)
