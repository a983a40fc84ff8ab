"""Stack traces and other lines that belong to the event before them.

A Joiner is asked about each line that doesn't begin an event by itself. It knows the traces of
Java, Python, Go, Node, .NET, PHP, Ruby and C++, and that an indented line continues. Which lines
of an untouched file are one event is in events.py, which asks a Joiner too.

`enrich` takes the joined lines apart: what belongs to the message, what is the trace, and the
error's type and message in it.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.reading import JOINED_LIMIT

__all__ = ["JOINED_LIMIT", "Joiner", "enrich", "looks_logged"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.logs.fields import Record

_BLOCKS = (b"__CURSOR=", b"Start-Date: ")
"""Begin an entry of an exported journal and of apt's history, whose other lines follow."""
_SLOW = re.compile(rb"# (?:Time: \d{4}-|User@Host: )")
"""Begins an entry of MySQL's slow query log; MariaDB's times may be absent, and begin nothing."""
# java.util.logging's head, whose message is on the next line, behind its level.
_HEADED = re.compile(rb"[A-Z][a-z]{2} \d{1,2}, \d{4},? 1?\d:\d\d:\d\d(?: |\xe2\x80\xaf)[AP]M ")
# PostgreSQL's csvlog, where a text has newlines
_RECORD = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z0-9+\-]{2,6},")
_MESSAGE = re.compile(rb"[^\W\d_]{3,16}: ")
_TRACEBACK = b"Traceback (most recent call last)"
_GO_START = re.compile(rb"(?:panic: |fatal error: |goroutine \d+ \[)")
_GOROUTINE = re.compile(rb"goroutine \d+ \[")
_CHAINED = (b"During handling of the above exception", b"The above exception was the direct")
_GO = re.compile(rb"goroutine \d+ \[|\[signal |created by |panic: |exit status \d")
# Heads that begin a trace beneath a log line: an exception's class with its package.
_CLASS = rb"(?:[A-Za-z_$][\w$]*[.\\])+[A-Za-z_$][\w$]*"
_HEAD = re.compile(
    rb'(?:Exception in thread "[^"\n]*" |Unhandled exception\. )?'
    + _CLASS
    + rb"(?:Exception|Error|Throwable|Failure|Fault|Interrupt|Warning)?(?::|$)"
)
_NODE_HEAD = re.compile(rb"(?:Uncaught )?[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?(?::|$)")
# Of node, and of many others: only beneath a line that says that something failed.
_BARE_HEAD = re.compile(rb"(?:Uncaught )?Error(?: \[\w+\])?: ")
_FAILED = re.compile(rb"(?i:error|fatal|critical|exception|fail)")
_TOLD = 512
_UNCAUGHT = (b'Exception in thread "', b"Unhandled exception. ")
# An object that is printed on lines of its own, as `order: {`
_OPENING = (b"{", b"[")
_CONTINUES = re.compile(
    rb"Caused by: |Suppressed: |Wrapped by: |\.\.\. \d+ (?:more|common)"
    rb"|Stack trace:|\[stacktrace\]|#\d+ |--- End of |[}\])]+[,;]?$"
    rb"|PHP Stack trace:|PHP +\d+\. |\[previous exception\]|from \S+:\d+:in "
    rb"|PC: @ |@ +0x[0-9a-f]|\*\*\* (?:Aborted at|SIG[A-Z]+ )|={7} (?:Backtrace|Memory map)"
    rb"|SUMMARY: [A-Z]\w+Sanitizer"
)
# node prints where an uncaught error was thrown, the line, a caret, and then the error.
_NODE_PLACE = re.compile(rb"(?:/|file:|node:|[A-Za-z]:\\)\S*:\d+$")
_THROWN = re.compile(rb"(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)\b|Node\.js v")
_SANITIZER = re.compile(rb"==\d+==|={20,}$")
# How a line begins that an application logged: with a time, a level, a priority, an object.
_LOGGED = re.compile(
    rb"[\[(<]?\d{2,4}[-/.:]\d|\d{10}|[IWEF]\d{4} \d|\{\"|<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d "
    rb"|[a-z_@]+=\S"
    rb"|[\[(<]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|SEVERE|PANIC)\b"
)
_PYTHON_END = re.compile(rb"[A-Za-z_][\w.]*(?::|$)")


class Joiner:
    """Says of line after line whether it continues the event. `reads`: a format reads a line."""

    __slots__ = ("_known", "_line", "_reads", "_state")

    def __init__(self, reads: Callable[[bytes], bool]) -> None:
        self._reads = reads
        self._line = b""
        self._state = ""
        self._known: bool | None = False

    def begin(self, line: bytes, known: bool | None = None) -> None:
        """An event begins. `known`: a format reads its line; None: asked when it matters."""
        self._line = line
        self._known = known
        self._state = ""
        if _TRACEBACK in line:
            self._state = "python"
        elif known and line.startswith(_BLOCKS):
            self._state = "block"
        elif known is not False and _SLOW.match(line):
            self._state = "time" if line.startswith(b"# Time") else "statement"
        elif known is not False and _HEADED.match(line):
            self._state = "headed"
        elif known is not False and _RECORD.match(line) and line.count(b'"') % 2:
            self._state = "quoted"
        elif known:
            return
        elif _GO_START.match(line):
            self._state = "go"
        elif _NODE_PLACE.match(line):
            self._state = "node"
        elif _SANITIZER.match(line):
            self._state = "sanitizer"

    @property
    def within(self) -> bool:
        """What kind of line continues depends on the lines before."""
        return bool(self._state)

    def continues(self, line: bytes) -> bool:
        """The line belongs to the event that began last."""
        if self._state == "block":
            return not line.startswith(_BLOCKS)
        if self._state == "time":
            # The time stands before the first of several statements.
            self._state = "statement"
            return True
        if self._state == "statement":
            return _SLOW.match(line) is None
        if self._state == "quoted":
            if line.count(b'"') % 2:
                self._state = ""
            return True
        if self._state == "headed":
            self._state = ""
            if _MESSAGE.match(line):
                return True
        if not line or line.isspace() or line[0] in b" \t":
            return True
        if line.startswith(_TRACEBACK):
            # Without a log line before it, a traceback is an event of its own.
            if self._state == "chained" or self.known:
                self._state = "python"
                return True
            return False
        if self._state == "python":
            if line.startswith(b"> "):
                return True  # loguru's mark of the frame that caught it
            self._state = ""
            return _PYTHON_END.match(line) is not None
        if line.startswith(_CHAINED):
            self._state = "chained"
            return True
        if self._state == "go" and (_GO.match(line) or _is_go_frame(line)):
            return True
        if self._state == "node" and _THROWN.match(line):
            return True
        if _CONTINUES.match(line):
            return True
        if self._state == "sanitizer":
            return not looks_logged(line)
        if _GOROUTINE.match(line) and self.known:
            self._state = "go"
            return True
        if line.startswith(_UNCAUGHT):
            return False  # The runtime's own words: nobody logged it.
        if line in _OPENING:
            return self._line.endswith(b":") and self.known
        if _BARE_HEAD.match(line):
            return _FAILED.search(self._line[:_TOLD]) is not None and self.known
        return bool(_HEAD.match(line) or _NODE_HEAD.match(line)) and self.known

    @property
    def known(self) -> bool:
        if self._known is None:
            self._known = self._reads(self._line)
        return self._known


def looks_logged(line: bytes) -> bool:
    """The line begins as loggers begin theirs, so that a trace may stand beneath it."""
    return _LOGGED.match(line) is not None


def _is_go_frame(line: bytes) -> bool:
    # main.(*Server).serve(0xc000010000, {0x0, 0x0})
    return line.endswith(b")") and b"(" in line and b" " not in line.partition(b"(")[0]


_SEARCHED = 4096
"""Characters of a message in which an error's name is looked for: the search isn't linear."""

_TRACE = re.compile(
    r"^(?:[ \t]+at \S|[ \t]*Traceback \(most|[ \t]+File \"|goroutine \d+ \[|[ \t]*Caused by: "
    r"|#\d+ |[ \t]+from \S+:\d|[ \t]*\.\.\. \d+ (?:more|common)|Stack trace:|\[stacktrace\]|panic: "
    r"|(?:Exception in thread \"[^\"\n]*\" )?(?:[A-Za-z_$][\w$]*[.\\])+[\w$]+(?::|$)"
    r"|(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?(?::|$))",
    re.MULTILINE,
)
_PYTHON_LAST = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$", re.MULTILINE)
_ERROR = re.compile(
    r"((?:[A-Za-z_$][\w$]*[.\\])*[A-Za-z_$][\w$]*(?:Exception|Error|Throwable|Failure|Fault)[\w$]*)"
    r"(?:: (.*))?"
)
_BARE = re.compile(r"(?:^|(?<=\s))(Error)(?: \[\w+\])?: (.*)")
_HEADLINE = re.compile(r"((?:[A-Za-z_$][\w$]*[.\\])+[A-Za-z_$][\w$]*)(?:: (.*))?$")
_GO_PANIC = re.compile(r"^(panic|fatal error): (.*)", re.MULTILINE)
_RUBY = re.compile(r"^(?:.*:\d+:in .*?: )?(.*) \((\w+(?:::\w+)*)\)$")


def enrich(record: Record, first: bytes, continuation: list[bytes]) -> None:
    """Put an event's further lines into its record. `first` is its first line."""
    text = b"\n".join(continuation).decode("utf-8", "replace").rstrip()
    if not text:
        return
    message = record.get("message", "")
    headless = "level" not in record and "time" not in record
    match = _TRACE.search(text)
    if match is None and headless and first.startswith((b"panic: ", b"Traceback ", b"fatal e")):
        match = re.compile("").match(text)
    if match is None:
        record["message"] = f"{message}\n{text}" if message else text
        statement = record.get("db_statement")
        if statement and message.endswith(statement):
            record["db_statement"] = f"{statement}\n{text}"
        return
    above = text[: match.start()].rstrip("\n")
    trace = text[match.start() :]
    if above:
        record["message"] = f"{message}\n{above}"
    if headless:
        record["level"] = "error"
    if message.startswith("Traceback (most recent"):
        trace = f"{message}\n{trace}"
    kind, said = _error(message, trace)
    if kind is not None:
        record.setdefault("error_type", kind)
    if said:
        record.setdefault("error_message", said)
    record.setdefault("stack_trace", trace)


def _error(message: str, trace: str) -> tuple[str | None, str | None]:
    if "Traceback (most recent" in trace or "Traceback (most recent" in message:
        found = [(match[1], match[2]) for match in _PYTHON_LAST.finditer(trace)]
        return found[-1] if found else (None, None)
    panic = _GO_PANIC.search(trace) or _GO_PANIC.search(message)
    if panic is not None:
        return panic[1], panic[2]
    head = trace.split("\n", 1)[0][:_SEARCHED]
    message = message[:_SEARCHED]
    match = None
    if not head.startswith((" ", "\t")):
        match = _ERROR.search(head) or _HEADLINE.search(head) or _BARE.search(head)
    if match is None:
        ruby = _RUBY.match(message)
        if ruby is not None:
            return ruby[2], ruby[1]
        match = _ERROR.search(message) or _HEADLINE.search(message) or _BARE.search(message)
    return (None, None) if match is None else (match[1], match[2])
