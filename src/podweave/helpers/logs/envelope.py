r"""Envelopes: layouts whose message is read further, as its program is known to write it.

Many programs write into one file through syslog. The envelope (time, host, program, pid) reads
every line; a program's own messages are layouts again, the envelope's head in front of theirs:

    head     %{SYSLOGDATE:time} %{SYSLOGHOST:host} %{SYSLOGTAG:process}(?:\[%{INT:pid?}\])?: ?
    message  Accepted %{WORD:method} for %{NOTSPACE:user} from ...

Lines of a known program are of that program's format, whether one of its messages reads them
or not. Which messages are tried is found from the program and the message's first word, so that
a program with many of them costs no more than one with few. They are made when first needed.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.fields import Record

_CAPTURING = re.compile(rb"(?<!\\)\((?!\?)")
_STAMP = re.compile(rb"%\{([A-Z0-9]+):time\}")
_TAG = re.compile(rb"%\{(?:SYSLOGTAG|NOTSPACE):process\??\}")
# Mail queues' ids are no words: postfix' short ones are hexadecimal, its long ones without vowels.
_ID = rb"(?:(?:[0-9A-F]{6,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}): )?"
WORD = _ID + rb"([^\s(=]*)"
_FIRST = re.compile(WORD)


class Message:
    """A message as a program writes it: `pattern` as in a layout.

    `words`: its first words, where they are always the same; the text up to a space, `(` or `=`.
    A pattern with a `message` of its own, or a `time` that goes before the envelope's, has it.
    """

    __slots__ = ("derive", "pattern", "words")

    def __init__(
        self, pattern: bytes, words: tuple[bytes, ...] = (), derive: tuple[Derive, ...] = ()
    ) -> None:
        self.pattern = pattern
        self.words = words
        self.derive = derive


class Program:
    """A program whose messages are known. `tags`: a regular expression for its name in syslog.

    `others`: what none of the messages reads is of its format as well.
    """

    __slots__ = ("messages", "name", "others", "tags")

    def __init__(
        self, name: str, tags: bytes, messages: tuple[Message, ...], others: bool = True
    ) -> None:
        self.name = name
        self.tags = tags
        self.messages = messages
        self.others = others


_ANYTHING = Message(rb"%{REST}")


class Envelope(Layout):
    """`head`: the pattern up to the message; `rest`: what follows it in lines of no program.

    `tag`: the field that names the program, or whatever else says how the message is laid out.
    `only`: it reads no lines but those of its programs.
    """

    def __init__(
        self,
        head: bytes,
        programs: Sequence[Program],
        *,
        rest: bytes = rb"%{REST:message}",
        derive: tuple[Derive, ...] = (),
        tag: str = "process",
        only: bool = False,
        general: bool = False,
    ) -> None:
        if only:
            tags = b"|".join(program.tags for program in programs)
            head = _TAG.sub(lambda _: b"%{BEGIN:process}(?:" + tags + b")%{END}", head)
        super().__init__(head + rest, derive=derive, general=general)
        self._head = head
        self._rest = rest
        self._programs = [(re.compile(program.tags), program) for program in programs]
        self.only = only
        self._reads_all = not only or all(program.others for program in programs)
        self._made: dict[tuple[int, int], Layout] = {}
        self._known = Memo(self._programs_of)
        names = [group.name for group in self.groups]
        self._process = names.index(tag) + 1
        self._message = names.index("message") + 1

    def batch_kind(self) -> type[ExactBatch]:
        from podweave.helpers.logs.envelope_batch import EnvelopeBatch

        return EnvelopeBatch

    @property
    def places(self) -> tuple[int, int]:
        """The columns of the tag and of the message."""
        return self._process - 1, self._message - 1

    @property
    def words(self) -> frozenset[bytes]:
        """The first words that make a difference to `further`; the others are like none."""
        return frozenset(
            word
            for _, program in self._programs
            for message in program.messages
            for word in message.words
        )

    def further(self, process: bytes, word: bytes) -> tuple[Layout, ...]:
        """The layouts for lines of that program; none where it isn't known."""
        layouts = []
        for program in self._known[process]:
            for number, message in enumerate(program.messages):
                if not message.words or word in message.words:
                    layouts.append(self._layout(program, number, message))
            if program.others:
                layouts.append(self._layout(program, -1, _ANYTHING))
        return tuple(layouts)

    def every(self) -> Iterator[Layout]:
        """All layouts of its programs' messages."""
        for _, program in self._programs:
            for number, message in enumerate(program.messages):
                yield self._layout(program, number, message)

    def reads(self, line: bytes, clock: Clock) -> bool:
        if self._reads_all:
            return self.line.fullmatch(line) is not None
        return self.record(line, clock) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        match = self.line.fullmatch(line)
        if match is None:
            return None
        word = _FIRST.match(match[self._message] or b"")
        for layout in self.further(match[self._process] or b"", word[1] if word else b""):
            record = layout.record(line, clock)
            if record is not None:
                if layout.format != self.format:
                    record["format"] = layout.format
                return record
        return None if self.only else self.read(match.groups(b""), clock)

    def _programs_of(self, process: bytes) -> tuple[Program, ...]:
        return tuple(program for tags, program in self._programs if tags.fullmatch(process))

    def _layout(self, program: Program, number: int, message: Message) -> Layout:
        layout = self._made.get((id(program), number))
        if layout is None:
            layout = self._made[id(program), number] = self._make(message)
            layout.format = program.name
        return layout

    def _make(self, message: Message) -> Layout:
        head = self._head
        if message is _ANYTHING:
            return Layout(head + self._rest, derive=self.derive)
        pattern = message.pattern
        if b":time}" in pattern:
            head = _STAMP.sub(_unstamped, head)
        if b":message}" not in pattern:
            pattern = b"%{BEGIN:message}" + pattern + b"%{END}"
        own = {name for name, _, _ in message.derive}
        if b":level}" in pattern or b":level?}" in pattern:
            own.add("level")
            head = head.replace(b"%{BEGIN:level}", b"%{BEGIN:severity_name}")
        envelope = tuple(part for part in self.derive if part[0] not in own)
        return Layout(head + pattern, derive=envelope + message.derive)


def _unstamped(match: re.Match[bytes]) -> bytes:
    pattern = STAMPS[match[1].decode("ascii")].pattern
    return b"(?:" + _CAPTURING.sub(b"(?:", pattern) + b")"
