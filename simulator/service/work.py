"""A unit of work: everything that changes in a merchant's world at one instant, for one reason, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from simulator.domain.clock import NEVER
from simulator.domain.errors import Superseded
from simulator.domain.events import Event, Kind
from simulator.domain.ids import client_key_of, reference_of, token_of, uuid_of
from simulator.domain.timers import Timer, TimerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import TracebackType

    from simulator.domain.deliveries import Errand
    from simulator.domain.emails import Posting
    from simulator.domain.events import Cause
    from simulator.domain.merchants import Merchant
    from simulator.domain.ports import World
    from simulator.service.simulation import Simulation

_CALLS = frozenset({Kind.REQUEST, Kind.PAGE})


class Work:
    """An open world; leaving it by an exception undoes all that was done in it, else the changes are made known.

    `at` is the instant on the merchant's clock at which everything in it happens: now, unless a past is told.
    `because` is the number of the event that makes it happen. What `is_past` has been known to everybody for long.
    """

    world: World
    at: datetime
    real_at: datetime

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self.simulation = simulation
        self.because: int | None = None
        self.is_past = False
        self._key = merchant_key
        self._cause = cause
        self._topics: set[str] = set()
        self._retimed = False
        self._told: int | None = None
        self._began: Cause | None = None
        self._letter_box: list[Posting] = []
        self.errands: list[Errand] = []

    def __enter__(self) -> Self:
        """Open the world; Superseded when it was reset since the cause."""
        self._transaction = self.simulation.store.transaction(self._key)
        self.world = self._transaction.__enter__()
        try:
            merchant = self.world.merchant()
            if self._cause is not None and self._cause.generation != merchant.generation:
                raise Superseded(f"The merchant {self._key} was reset while this was under way.")  # noqa: TRY301  one way out
            self.real_at = self.simulation.clock.now()
            self.at = max(merchant.clock.at(self.real_at), self.world.latest())
            if self._cause is not None:
                self._begin(self._cause)
        except BaseException as error:
            self._transaction.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Keep or undo it all, then wake whoever waits for it."""
        if self._retimed and error is None:
            self._set_alarm()
        self._transaction.__exit__(kind, error, at)
        if error is not None and self._began is not None:
            self._began.event = None
        if error is None and self._topics:
            self._topics.add(self._key)
            self.simulation.bell.ring(self._topics)
        if error is None:
            for posting in self._letter_box:
                self.simulation.post.take(posting)
            for errand in self.errands:
                self.simulation.courier.take(errand)

    def _set_alarm(self) -> None:
        """Set the alarm while nobody else can change the timers."""
        try:
            timer = self.world.next_timer()
            self.simulation.alarm.set(self._key, self.merchant.clock.when(timer.due) if timer else None)
        except BaseException as failure:
            self._transaction.__exit__(type(failure), failure, failure.__traceback__)
            raise

    def _begin(self, cause: Cause) -> None:
        """Write down the call that causes this work, unless earlier work did."""
        if cause.event is None and cause.call is not None:
            cause.event = self.tell(cause.kind, **cause.call)
            self._began = cause
        self.because = cause.event

    @property
    def merchant(self) -> Merchant:
        """The merchant whose world this is."""
        return self.world.merchant()

    def new_id(self, kind: str) -> str:
        """A UUID for a new `kind` of thing."""
        return self._new_name(uuid_of, kind)

    def new_token(self) -> str:
        """An access token."""
        return self._new_name(token_of, "token")

    def new_client_key(self) -> str:
        """The token of a client key."""
        return self._new_name(client_key_of, "client_key")

    def _new_name(self, name_of: Callable[..., str], kind: str) -> str:
        """The next name that nothing has; a snapshot may have brought some before their time."""
        while True:
            name = name_of(self.merchant.seed, self._key, kind, self.world.count(kind))
            if self.world.is_free(name):
                return name

    def new_reference(self) -> str:
        """A reference, as Banked makes them up."""
        return reference_of(self.merchant.seed, self._key, "reference", self.world.count("reference"))

    def tell(self, kind: str, subject: str | None = None, *, because: int | None = None, **data: Any) -> int:
        """Write a line in the event log, by default because of what caused this work; return its number.

        A mere call wakes nobody who waits for news of its subject. What lies before the newest event is written down
        when that happened, so that the log is in the order of the clock.
        """
        number = self.world.last_event() + 1
        at = max(self.at, self.world.latest())
        self.world.record(Event(number, at, self.real_at, kind, subject, because or self.because, data))
        self._topics.add(self._key if subject is None or kind in _CALLS else subject)
        self._told = number
        return number

    def blame(self, kind: str, subject: str | None = None, **data: Any) -> None:
        """Write a line in the event log, because of which all else in this work happens."""
        self.because = self.tell(kind, subject, **data)

    def post(self, posting: Posting) -> None:
        """Let an e-mail go out once all of this work is kept."""
        self._letter_box.append(posting)

    def send(self, errand: Errand) -> None:
        """Let a webhook's message go out once all of this work is kept."""
        self.errands.append(errand)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Leaving this by an exception undoes all that was done in it, also what was to go out, and nothing before."""
        posted, sent = len(self._letter_box), len(self.errands)
        try:
            with self.world.savepoint():
                yield
        except BaseException:
            del self._letter_box[posted:], self.errands[sent:]
            raise

    def touch(self, topic: str) -> None:
        """Let whoever waits for news of `topic` look again."""
        self._topics.add(topic)

    def schedule(self, kind: TimerKind, subject: str, seconds: float) -> None:
        """Let something happen to `subject` in so many seconds, because of what was told last."""
        because = self._told or self.because
        try:
            due = self.at + timedelta(seconds=seconds)
        except OverflowError:
            due = NEVER
        self.world.add(Timer(due, self.world.count("timer"), kind, subject, because))
        self._retimed = True

    def cancel(self, subject: str, *kinds: TimerKind) -> None:
        """Let nothing of these kinds happen to `subject` any more."""
        for timer in self.world.timers([subject]):
            if timer.kind in kinds:
                self.world.remove(timer)
                self._retimed = True

    def retime(self) -> None:
        """Let the timers be looked at again, because the clock was set."""
        self._retimed = True
