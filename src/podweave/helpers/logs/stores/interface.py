"""What a store is to the engine that delivers to it: it sends a batch, and says what became of it.

A store is a protocol: it builds a request from a batch and reads the answer. It keeps no queue,
tries nothing again and drops nothing: back-off, splitting, dead letters, spill, the checkpoint and
the metrics are the engine's (`delivery`), alike for every kind.

A module `stores/KIND.py` has two functions, or classes that are called so:

    configure(section: Section) -> Settings      its part of the configuration, taken to the last
                                                 key; ConfigurationError for what is wrong
    make(settings: Settings, context: Context) -> Store

Settings is a class of its own (see `settings.py` for the keys that several kinds have), with an
attribute `place`: what names this store among those of its kind, such as its URL and index: where
it has no name, the checkpoint is kept under it (see delivery/sections.py). Nothing is connected or
opened by `make`: the first `send` does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.loop import Loop

    Done = Callable[["Outcome"], None]


class Limits:
    """How much goes into a batch. What comes first ends it.

    `bytes` are counted as they were read, before anything is wrapped around them.
    `seconds`: how long a record waits for company. A record that comes after that much silence
    waits for nobody.
    """

    __slots__ = ("bytes", "records", "seconds")

    def __init__(self, bytes: int, records: int, seconds: float) -> None:
        self.bytes = bytes
        self.records = records
        self.seconds = seconds


class Outcome:
    """What became of a batch. Made by the functions below.

    Records that are in neither `again` nor `rejected` are delivered.
    """

    __slots__ = ("after", "again", "divide", "reason", "rejected", "too_large")

    def __init__(
        self,
        *,
        again: Sequence[int] | None = (),
        rejected: Sequence[tuple[int, str]] = (),
        divide: bool = False,
        too_large: bool = False,
        after: float | None = None,
        reason: str = "",
    ) -> None:
        self.again = again
        """Numbers of the records to send again, ascending; None: all of them."""
        self.rejected = rejected
        """Records that the store will never take: number and reason. They become dead letters."""
        self.divide = divide
        self.too_large = too_large
        self.after = after
        """Not before so many seconds: what the store asked for (Retry-After)."""
        self.reason = reason
        """What is wrong, for the journal: short, and the same each time it is the same."""


DELIVERED = Outcome()
"""The store has every record."""


def failed(reason: str, after: float | None = None) -> Outcome:
    """Nothing is known to have arrived: send all of it again. For lost connections, timeouts,
    429, 5xx, and for what an operator can mend (401, a full disk)."""
    return Outcome(again=None, reason=reason, after=after)


def refused(reason: str) -> Outcome:
    """The request as it is will never be taken, by the fault of some record (400): the engine
    divides the batch until the record is found that is at fault. It becomes a dead letter."""
    return Outcome(again=None, divide=True, reason=reason)


def too_large(reason: str) -> Outcome:
    """More than the store takes at once (413): the engine divides the batch, and makes smaller
    ones from now on. A single record that is too large becomes a dead letter."""
    return Outcome(again=None, divide=True, too_large=True, reason=reason)


def partly(
    again: Sequence[int],
    rejected: Sequence[tuple[int, str]],
    reason: str,
    after: float | None = None,
) -> Outcome:
    """Some records are delivered, `again` are to be sent once more, `rejected` never."""
    return Outcome(again=again, rejected=rejected, reason=reason, after=after)


class Context:
    """What a store may use. `connector` is made when it is first asked for."""

    __slots__ = ("_connector", "clock", "journal", "loop", "name", "origin", "state")

    def __init__(
        self,
        loop: Loop,
        journal: Journal,
        origin: Origin,
        *,
        name: str,
        state: str,
        connector: Connector | None = None,
    ) -> None:
        self.loop = loop
        self.journal = journal
        self.origin = origin
        """This Pod. A batch has its own origin, which may be a Pod of before."""
        self.name = name
        """Names the store among those of this program, in the journal and in the metrics."""
        self.state = state
        """A directory for what must outlive the process; it may not be there yet."""
        self.clock = loop.now
        self._connector = connector

    @property
    def connector(self) -> Connector:
        """Dials out of the Pod."""
        if self._connector is None:
            from podweave.helpers.dialing.choice import connector

            self._connector = connector(self.loop)
        return self._connector


class Store:
    """Base of the stores; see the module's docstring for the rules."""

    kind = ""
    window = 1
    """How many batches may be under way at once. With more than one, a failure may change the
    order of records."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sent_bytes = 0
        """Bytes given to the network or to the disk, repeated ones too. The store counts them."""
        self.existing_records = 0
        """Records that were sent again and that it had already, if it knows."""
        self.dropped_records = 0
        """Records that it took and threw away, without saying which (OTLP's partial success)."""

    def send(self, batch: Batch, done: Done) -> None:
        """Begin to deliver. `done` is called exactly once, during this call or later from the
        loop; not after `close`. Called only while fewer than `window` batches are under way."""
        raise NotImplementedError

    def sync(self) -> bool:
        """Make what was delivered survive a crash of the machine; False if that failed now.
        Called before a checkpoint is saved. Nothing to do where the store is another machine."""
        return True

    def close(self) -> None:
        """Give back what is held. What is under way stays undelivered, and comes again."""
