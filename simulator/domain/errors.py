"""What the simulated world refuses, in the words of its own rules (no HTTP here)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Refusal(Exception):
    """A request that the rules do not allow; `str()` is the sentence for its reader.

    `parameter` is the slash path of the field at fault ("line_items/0/amount"), empty when no single field is.
    """

    def __init__(self, sentence: str, parameter: str = "") -> None:
        super().__init__(sentence)
        self.parameter = parameter


class Refusals(Exception):
    """Several refusals of one request, all to be told at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(" ".join(str(refusal) for refusal in refusals))
        self.refusals = tuple(refusals)


class Unauthenticated(Refusal):
    """Nobody we know, or not who they claim to be."""


class NotAuthorised(Refusal):
    """Somebody we know, who may not do this."""


class NotFound(Refusal):
    """No such thing in this merchant's world; `known` are the names there are, if they can be told."""

    def __init__(self, kind: str, id_: str, parameter: str = "", known: Collection[str] = ()) -> None:
        hint = f" There are: {', '.join(known)}." if known else ""
        super().__init__(f"There is no {kind} {id_[:64]}.{hint}", parameter)


class IllegalAction(Refusal):
    """An action that the present state does not allow."""

    def __init__(self, subject: str, state: str, action: str, legal: Collection[str], parameter: str = "") -> None:
        self.state = state
        self.legal = tuple(legal)
        allowed = f"possible are: {', '.join(self.legal)}" if self.legal else "this state is final"
        super().__init__(f"A {subject} in state {state} cannot {action}; {allowed}.", parameter)


class NothingToDo(Refusal):
    """Something asked for that nothing is waiting for."""


class NotRefundable(Refusal):
    """A payment that cannot be refunded at all."""


class InvalidAmount(Refusal):
    """A sum of money that cannot be paid, or paid back."""


class InvalidCurrency(Refusal):
    """Currencies that cannot be paid together."""


class InvalidAccount(Refusal):
    """A bank account that cannot be used here."""


class InvalidProvider(Refusal):
    """A bank that is unknown or unavailable."""


class InvalidScenario(Refusal):
    """A scenario that there is not."""


class InvalidWebhook(Refusal):
    """A webhook that cannot be beside those there are."""


class InvalidTime(Refusal):
    """A time, or a length of time, that no clock can show or go through."""


class Superseded(Refusal):
    """Something begun before the merchant was reset, which must not arrive after it."""


class StillWaiting(Refusal):
    """Something waited for that has not happened; `because` are the sentences that say why."""

    def __init__(self, sentence: str, because: Sequence[str]) -> None:
        super().__init__(" ".join([sentence, *because]))
        self.because = tuple(because)


class InvalidGoal(Refusal):
    """Something that cannot be waited for."""


class InvalidContents(Refusal):
    """Something in a snapshot that no world can be like."""


class TooManyFaults(Refusal):
    """A merchant has as many faults as anybody needs."""


class TooManyWaits(Refusal):
    """More are waiting than the simulator can serve."""


class IdempotencyConflict(Refusal):
    """An idempotency key that was used for another request, or cannot be one."""


class InProgress(Refusal):
    """A request with the same idempotency key is being worked on right now."""


class InvalidScope(Refusal):
    """A token asked for an application that is not the merchant's."""


class TooManyMerchants(Refusal):
    """The simulator is full."""


class StoreUnavailable(Refusal):
    """Nothing can be looked up or kept for the moment."""


class UnusableStore(Exception):
    """What there is to keep things in cannot be worked with; `str()` is the sentence that says what to do."""


class DuplicateId(Exception):
    """An id was given twice: a mistake of the simulator or of its fixtures, never of a caller."""
