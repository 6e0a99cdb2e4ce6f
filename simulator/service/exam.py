"""The examiner: asks a webhook receiver all questions of the exam, in real time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.domain.exam import (
    Answer,
    ExamResult,
    Finding,
    graded,
    graded_in_time,
    graded_state,
    state_told,
    unasked,
)
from simulator.domain.exam_questions import QUESTIONS
from simulator.domain.grades import Expectation
from simulator.domain.messages import Envelope, Message, Reply
from simulator.domain.signatures import SIGNATURE_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator.domain.exam import Question, Receiver
    from simulator.domain.ports import Clock, Ids, Sender

SETTLING = 1.0
"""Seconds after an answer in which a receiver may still do what it should better not do."""

_BETWEEN_LOOKS = 0.1

_NO_PROBE = "Not checked: give a probe, a URL that tells a payment's state."
_NOT_ACCEPTED = "Not checked, as the receiver did not accept a correct event."
_NO_ANSWER = "Not asked, as the receiver did not answer a correct event."


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Whoever examines receivers.

    `body` writes the message that tells of an event of the made-up payment with an id; `agent` is the User-Agent.
    """

    sender: Sender
    clock: Clock
    ids: Ids
    body: Callable[[str, str], bytes]
    agent: str

    def examine(self, receiver: Receiver, questions: Sequence[Question] = QUESTIONS) -> ExamResult:
        """Ask `receiver` all questions, one after the other, and grade what it answers.

        When the first message gets no answer, nothing more is asked.
        """
        sitting = _Sitting(self, receiver)
        return ExamResult(receiver.url, tuple(sitting.finding(question) for question in questions))


class _Sitting:
    """One exam of one receiver: the answers so far, and the ids of the payments and deliveries that it was told of."""

    def __init__(self, examiner: Examiner, receiver: Receiver) -> None:
        self._examiner, self._receiver = examiner, receiver
        self._answers: list[Answer] = []
        self._ids: dict[tuple[str, ...], str] = {}

    def finding(self, question: Question) -> Finding:
        """How a question went, or why it was not asked."""
        if question.expected is Expectation.MUST_BE_IN_TIME:
            return graded_in_time(question, self._answers)
        if self._answers and self._answers[0].reply.status is None:
            return unasked(question, _NO_ANSWER)
        if question.expected in (Expectation.SHOULD_BE_SENT, Expectation.SHOULD_STAY_SENT):
            return self._state(question)
        answers = self._asked(question)
        self._answers += answers
        return graded(answers, self._answers[0] if answers[0] is not self._answers[0] else None)

    def _asked(self, question: Question) -> list[Answer]:
        """Send all copies side by side."""
        messages = [self._message(question, str(copy)) for copy in range(question.copies)]
        with ThreadPoolExecutor(len(messages), "exam") as senders:
            replies = list(senders.map(self._reply, messages))
        return [Answer(question, message, reply) for message, reply in zip(messages, replies, strict=True)]

    def _reply(self, message: Message) -> Reply:
        return self._examiner.sender.send(message, nullcontext(True)) or Reply(error="it was not sent")

    def _look(self, url: str) -> Message:
        """The request for what the probe tells at `url`."""
        receiver, headers = self._receiver, (("User-Agent", self._examiner.agent),)
        return Message(
            url=url, headers=headers, body=b"", patience=receiver.limit, verify_tls=receiver.verify_tls, method="GET"
        )

    def _message(self, question: Question, copy: str) -> Message:
        examiner, receiver, payment = self._examiner, self._receiver, question.payment or question.name
        envelope = Envelope(
            url=receiver.url,
            key=receiver.key,
            sender=examiner.agent,
            delivery_id=self._id(payment, copy, question.event),
            patience=receiver.limit,
            verify_tls=receiver.verify_tls,
        )
        body = examiner.body(self._id(payment, copy), question.event)
        message = envelope.message(body, int(examiner.clock.now().timestamp()), question.twist)
        return _with_signature(message, question.signature) if question.signature else message

    def _id(self, *name: str) -> str:
        """The id of a payment or a delivery, the same whenever it is asked for."""
        if name not in self._ids:
            self._ids[name] = self._examiner.ids.new()
        return self._ids[name]

    def _state(self, question: Question) -> Finding:
        if not self._receiver.probe:
            return unasked(question, _NO_PROBE)
        if not self._answers or not self._answers[0].is_right:
            return unasked(question, _NOT_ACCEPTED)
        url = self._receiver.probe_url(self._id(question.payment, "0"))
        if question.expected is Expectation.SHOULD_BE_SENT:
            reply = self._watch(url, self._receiver.limit, lambda state: state == "sent")
        else:
            reply = self._watch(url, SETTLING, lambda state: state != "sent")
        state = state_told(reply)
        if state is None:
            return unasked(question, f"Not checked: the probe tells no state ({reply.status or reply.error}).")
        return graded_state(question, state, reply)

    def _watch(self, url: str, seconds: float, is_enough: Callable[[str], bool]) -> Reply:
        """Ask the probe again and again until it tells no state, or `is_enough`, or `seconds` are over."""
        end = time.monotonic() + seconds
        while True:
            reply = self._reply(self._look(url))
            state = state_told(reply)
            if state is None or is_enough(state) or time.monotonic() >= end:
                return reply
            time.sleep(_BETWEEN_LOOKS)


def _with_signature(message: Message, change: Callable[[str], str]) -> Message:
    """The message with another signature."""
    headers = ((name, change(value) if name == SIGNATURE_HEADER else value) for name, value in message.headers)
    return replace(message, headers=tuple(headers))
