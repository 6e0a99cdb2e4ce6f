"""The receiver exam: what a webhook receiver is asked, and how its answers are graded.

Accepting is what Banked takes for it, 2xx and 3xx; refusing is 4xx, for all else Banked would try again (facts 4.4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.domain.grades import DEFAULT_LIMIT, Expectation, Outcome
from simulator.domain.messages import SOUND, Twist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator.domain.messages import Message, Reply

PROMPTLY = "Put the event in a queue and answer 2xx at once; do the work afterwards."
"""What to change in a receiver that works before it answers."""

_NEARLY = 0.95
"""The share of its time after which a receiver that has not answered was late; before, something else broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that a receiver is sent, or its probe is asked, and what should come of it.

    Questions about one `payment` are about the same made-up payment, and of those the ones with one `event` are the
    same delivery; without a name it is a payment of its own. `signature` is what becomes of the signature header.
    There are `copies` side by side, each of another payment. `advice` says what to change in a receiver that fails.
    """

    name: str
    title: str
    sent: str
    expected: Expectation
    advice: str
    payment: str = ""
    event: str = "payment_sent"
    twist: Twist = SOUND
    signature: Callable[[str], str] | None = None
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is examined: the URL of its hooks, its signature key, and seconds within which it must answer.

    `probe` is the URL that tells a payment's state, with `{payment_id}` for the payment's id, or empty.
    """

    url: str
    key: str
    probe: str = ""
    limit: float = DEFAULT_LIMIT
    verify_tls: bool = True

    def probe_url(self, payment_id: str) -> str:
        """Where the state of a payment is told."""
        if "{payment_id}" in self.probe:
            return self.probe.replace("{payment_id}", payment_id)
        return f"{self.probe}{'&' if '?' in self.probe else '?'}payment_id={payment_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to one message of a question."""

    question: Question
    message: Message
    reply: Reply

    @property
    def is_right(self) -> bool:
        """Whether the receiver did what it should."""
        status = self.reply.status
        if status is None:
            return False
        match self.question.expected:
            case Expectation.MUST_ACCEPT:
                return 200 <= status < 400
            case Expectation.MUST_REFUSE | Expectation.SHOULD_REFUSE:
                return 400 <= status < 500
            case _:
                return 200 <= status < 500

    @property
    def is_late(self) -> bool:
        """Whether there is no answer because its time was over."""
        allowed = self.message.patience + self.message.pause
        return self.reply.status is None and self.reply.ms >= allowed * 1000 * _NEARLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How a question went: what was answered, if anything, and a sentence about it, if there is something to say."""

    question: Question
    outcome: Outcome
    status: int | None = None
    ms: float | None = None
    error: str = ""
    sentence: str = ""

    @property
    def is_failed_must(self) -> bool:
        """Whether a receiver fails because of it.

        A crash is a failure in any case; but who hangs up on a body that is too large may do well.
        """
        crashed = self.question.expected is Expectation.SHOULD_REFUSE if self.status is None else self.status >= 500
        return self.outcome is Outcome.FAILED and (crashed or self.question.expected.value.startswith("must"))


@dataclass(frozen=True, slots=True)
class ExamResult:
    """How a receiver did."""

    url: str
    findings: tuple[Finding, ...]

    @property
    def failed_musts(self) -> tuple[str, ...]:
        """The names of the questions because of which it fails."""
        return tuple(finding.question.name for finding in self.findings if finding.is_failed_must)

    @property
    def passed(self) -> bool:
        """Whether it did all that it must."""
        return not self.failed_musts


def graded(answers: Sequence[Answer], first: Answer | None = None) -> Finding:
    """How the question went that got these answers, one for each of its copies: the worst of them counts.

    `first` is what came back to the first correct event: who refuses that for some reason refuses others for it.
    """
    question = answers[0].question
    wrong = [answer for answer in answers if not answer.is_right]
    shown = (wrong or answers)[0]
    return Finding(
        question=question,
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        status=shown.reply.status,
        ms=max(answer.reply.ms for answer in answers),
        error=shown.reply.error,
        sentence=_of_wrong(wrong, len(answers), first) if wrong else _of_right(shown),
    )


def _of_right(answer: Answer) -> str:
    status = answer.reply.status or 0
    if answer.question.expected is Expectation.MUST_ACCEPT and status >= 300:
        return (
            f"It answered {status}, which counts as delivered, but nobody goes where it leads: answer 200 right here."
        )
    return ""


def _of_wrong(wrong: Sequence[Answer], of: int, first: Answer | None) -> str:
    answer = wrong[0]
    status, expected = answer.reply.status, answer.question.expected
    which = f"{len(wrong)} of {of}: " if of > 1 else ""
    if first and not first.is_right and expected is Expectation.MUST_ACCEPT and status == first.reply.status:
        return f"{which}It answered {status}, as to the first correct event: mend that, and ask again."
    if status is not None:
        return f"{which}It answered {status}. {_advice(answer)}"
    if answer.is_late:
        return f"{which}It did not answer within {answer.message.patience:g} s. {_advice(answer)}"
    return f"{which}It did not answer ({answer.reply.error or 'for no known reason'}). {_advice(answer)}"


def _advice(answer: Answer) -> str:
    """What to change: what the question says, unless something simpler is in the way."""
    question, status = answer.question, answer.reply.status
    is_plain = question.twist == SOUND and question.copies == 1
    match question.expected:
        case Expectation.MUST_REFUSE | Expectation.SHOULD_REFUSE if not answer.is_late and (status or 500) >= 500:
            return f"A bad message must not crash it, or Banked sends it 25 times again: answer 4xx. {question.advice}"
        case Expectation.MUST_ACCEPT if answer.is_late and is_plain:
            return PROMPTLY
        case Expectation.MUST_ACCEPT if status is None and is_plain:
            return "Let the receiver listen at this URL, and answer whatever comes."
        case Expectation.MUST_ACCEPT if status == 410:
            return f"410 tells Banked never to try again. {question.advice}"
    return question.advice


def graded_in_time(question: Question, answers: Sequence[Answer]) -> Finding:
    """Whether all answers of an exam came in time."""
    late = [answer for answer in answers if answer.is_late]
    slowest = max((answer.reply.ms for answer in answers if not answer.message.pause), default=None)
    if late:
        limit = f"{late[0].message.patience:g} s"
        titles = ", ".join(dict.fromkeys(f"“{answer.question.title}”" for answer in late))
        sentence = f"No answer within {limit} to: {titles}. {question.advice}"
        return Finding(question=question, outcome=Outcome.FAILED, ms=slowest, sentence=sentence)
    if all(answer.reply.status is None for answer in answers):
        return unasked(question, "Not checked, as nothing was answered.")
    return Finding(question=question, outcome=Outcome.PASSED, ms=slowest)


def graded_state(question: Question, state: str, reply: Reply) -> Finding:
    """Whether the probe, in `reply`, tells that the payment is sent."""
    right = state == "sent"
    return Finding(
        question=question,
        outcome=Outcome.PASSED if right else Outcome.FAILED,
        status=reply.status,
        ms=reply.ms,
        sentence="" if right else f"The probe tells {state[:64]!r} in place of 'sent'. {question.advice}",
    )


def unasked(question: Question, why: str) -> Finding:
    """That a question was not asked, or its answer is not known."""
    return Finding(question=question, outcome=Outcome.NOT_CHECKED, sentence=why)


def state_told(reply: Reply) -> str | None:
    """The state that a probe tells: the `state` of a JSON object, a JSON string, or plain text; None for none."""
    if reply.status != 200:
        return None
    try:
        told = json.loads(reply.body)
    except (ValueError, RecursionError):
        told = reply.body.strip()
    if isinstance(told, dict):
        told = told.get("state")
    return told if isinstance(told, str) and told else None
