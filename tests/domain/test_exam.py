"""The receiver exam: what is asked, and how answers are graded."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from simulator.domain.exam import (
    Answer,
    ExamResult,
    Finding,
    Question,
    Receiver,
    graded,
    graded_in_time,
    graded_state,
    state_told,
    unasked,
)
from simulator.domain.exam_questions import HUGE, QUESTIONS, half_right, halved, padded, raised, respelt, shortened
from simulator.domain.grades import Expectation, Outcome
from simulator.domain.messages import Message, Reply, Twist

MESSAGE = Message(url="http://shop.example/hooks", headers=(), body=b"{}", patience=2)
BODY = '{"amount":400,"amount_formatted":"£4.00","url":"https://shop.example/é"}'.encode()


def question(expected: Expectation, **details: object) -> Question:
    asked = Question(name="asked", title="Asked", sent="something", expected=expected, advice="Do better.")
    return replace(asked, **details)  # type: ignore[arg-type]


def answer(expected: Expectation, status: int | None, **reply: object) -> Answer:
    return Answer(question(expected), MESSAGE, Reply(status=status, **reply))  # type: ignore[arg-type]


def outcome(expected: Expectation, status: int | None) -> Outcome:
    return graded([answer(expected, status)]).outcome


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_2xx_and_3xx_accept(status: int) -> None:
    assert outcome(Expectation.MUST_ACCEPT, status) is Outcome.PASSED
    assert outcome(Expectation.MUST_REFUSE, status) is Outcome.FAILED
    assert outcome(Expectation.SHOULD_REFUSE, status) is Outcome.FAILED
    assert outcome(Expectation.SHOULD_ANSWER, status) is Outcome.PASSED


@pytest.mark.parametrize("status", [400, 401, 413, 499])
def test_4xx_refuses(status: int) -> None:
    assert outcome(Expectation.MUST_ACCEPT, status) is Outcome.FAILED
    assert outcome(Expectation.MUST_REFUSE, status) is Outcome.PASSED
    assert outcome(Expectation.SHOULD_REFUSE, status) is Outcome.PASSED
    assert outcome(Expectation.SHOULD_ANSWER, status) is Outcome.PASSED


@pytest.mark.parametrize("status", [100, 500, 503, None])
@pytest.mark.parametrize("expected", [each for each in Expectation if "sent" not in each and "time" not in each])
def test_nothing_else_is_right_for_anything(expected: Expectation, status: int | None) -> None:
    assert outcome(expected, status) is Outcome.FAILED


@pytest.mark.parametrize(
    ("expected", "status", "fails"),
    [
        (Expectation.MUST_ACCEPT, 400, True),
        (Expectation.MUST_REFUSE, 200, True),
        (Expectation.SHOULD_REFUSE, 200, False),
        (Expectation.SHOULD_REFUSE, 500, True),
        (Expectation.SHOULD_REFUSE, None, True),
        (Expectation.SHOULD_REFUSE, 400, False),
        (Expectation.SHOULD_ANSWER, 500, True),
        (Expectation.SHOULD_ANSWER, None, False),
        (Expectation.SHOULD_ANSWER, 413, False),
        (Expectation.MUST_ACCEPT, 200, False),
    ],
)
def test_a_receiver_fails_by_what_it_must_do_and_by_crashes(
    expected: Expectation, status: int | None, *, fails: bool
) -> None:
    finding = graded([answer(expected, status)])
    assert finding.is_failed_must is fails
    result = ExamResult("http://shop.example/hooks", (finding,))
    assert result.passed is not fails
    assert result.failed_musts == (("asked",) if fails else ())


def test_a_redirect_is_accepted_with_a_word_about_it() -> None:
    assert "answer 200" in graded([answer(Expectation.MUST_ACCEPT, 307)]).sentence
    assert graded([answer(Expectation.MUST_ACCEPT, 204)]).sentence == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (answer(Expectation.MUST_ACCEPT, 404), "It answered 404. Do better."),
        (answer(Expectation.MUST_ACCEPT, 410), "It answered 410. 410 tells Banked never to try again. Do better."),
        (
            answer(Expectation.MUST_REFUSE, 500),
            (
                "It answered 500. A bad message must not crash it, or Banked sends it 25 times again: answer 4xx. "
                "Do better."
            ),
        ),
        (
            answer(Expectation.MUST_ACCEPT, None, error="connection refused", ms=3),
            "It did not answer (connection refused). Let the receiver listen at this URL, and answer whatever comes.",
        ),
        (
            answer(Expectation.MUST_ACCEPT, None, error="timed out", ms=2001),
            "It did not answer within 2 s. Put the event in a queue and answer 2xx at once; do the work afterwards.",
        ),
        (answer(Expectation.MUST_REFUSE, None, error="timed out", ms=2001), "It did not answer within 2 s. Do better."),
        (answer(Expectation.SHOULD_ANSWER, None, error="cut", ms=3), "It did not answer (cut). Do better."),
    ],
)
def test_a_failure_says_what_to_change(wrong: Answer, sentence: str) -> None:
    assert graded([wrong]).sentence == sentence


def test_of_many_answers_the_worst_counts() -> None:
    answers = [
        answer(Expectation.MUST_ACCEPT, 200, ms=5),
        answer(Expectation.MUST_ACCEPT, 503, ms=1),
        answer(Expectation.MUST_ACCEPT, 200, ms=9),
    ]
    finding = graded(answers)
    assert (finding.outcome, finding.status, finding.ms) == (Outcome.FAILED, 503, 9)
    assert finding.sentence == "1 of 3: It answered 503. Do better."


def test_who_refuses_correct_events_for_the_same_reason_is_told_so_once() -> None:
    first, again = answer(Expectation.MUST_ACCEPT, 401), answer(Expectation.MUST_ACCEPT, 401)
    assert graded([again], first).sentence == (
        "It answered 401, as to the first correct event: mend that, and ask again."
    )
    assert graded([answer(Expectation.MUST_ACCEPT, 500)], first).sentence == "It answered 500. Do better."


def test_late_is_who_used_up_all_its_time() -> None:
    in_time = question(Expectation.MUST_BE_IN_TIME)
    prompt = answer(Expectation.MUST_ACCEPT, 200, ms=7)
    late = answer(Expectation.MUST_REFUSE, None, error="timed out", ms=2000)
    broken = answer(Expectation.MUST_REFUSE, None, error="cut", ms=20)
    assert graded_in_time(in_time, [prompt, broken]).outcome is Outcome.PASSED
    assert graded_in_time(in_time, [prompt]).ms == 7
    assert graded_in_time(in_time, [broken]).outcome is Outcome.NOT_CHECKED
    finding = graded_in_time(in_time, [prompt, late, late])
    assert finding.is_failed_must
    assert finding.sentence == "No answer within 2 s to: “Asked”. Do better."


def test_a_pause_of_the_senders_is_not_the_receivers_time() -> None:
    paused = Answer(question(Expectation.MUST_ACCEPT), replace(MESSAGE, pause=5), Reply(error="cut", ms=5020))
    assert not paused.is_late


def test_a_payment_should_be_sent_and_stay_it() -> None:
    asked = question(Expectation.SHOULD_STAY_SENT)
    reply = Reply(status=200, ms=4)
    assert graded_state(asked, "sent", reply) == Finding(question=asked, outcome=Outcome.PASSED, status=200, ms=4)
    finding = graded_state(asked, "pending", reply)
    assert (finding.outcome, finding.is_failed_must) == (Outcome.FAILED, False)
    assert finding.sentence == "The probe tells 'pending' in place of 'sent'. Do better."


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ('{"id":"1","state":"sent"}', "sent"),
        ('"sent"', "sent"),
        ("sent\n", "sent"),
        ('{"status":"sent"}', None),
        ('{"state":7}', None),
        ("", None),
        ("7", None),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_probe_tells_a_state_in_json_or_as_text(body: str, state: str | None) -> None:
    assert state_told(Reply(status=200, body=body)) == state


def test_a_probe_that_answers_an_error_tells_nothing() -> None:
    assert state_told(Reply(status=404, body="sent")) is None


def test_the_id_of_the_payment_goes_where_the_probe_says_or_behind_it() -> None:
    def url(probe: str) -> str:
        return Receiver(url="http://shop.example/hooks", key="secret", probe=probe).probe_url("p1")

    assert url("http://shop.example/payments/{payment_id}/state") == "http://shop.example/payments/p1/state"
    assert url("http://shop.example/state") == "http://shop.example/state?payment_id=p1"
    assert url("http://shop.example/state?a=b") == "http://shop.example/state?a=b&payment_id=p1"


def test_each_question_has_a_name_of_its_own_and_says_what_to_change() -> None:
    assert len({asked.name for asked in QUESTIONS}) == len({asked.title for asked in QUESTIONS}) == len(QUESTIONS)
    assert all(asked.advice.endswith(".") and asked.sent and not asked.sent.endswith(".") for asked in QUESTIONS)
    assert {asked.expected for asked in QUESTIONS} == set(Expectation)


def test_the_first_question_is_a_plain_correct_event_and_the_last_about_all() -> None:
    assert (QUESTIONS[0].expected, QUESTIONS[0].twist) == (Expectation.MUST_ACCEPT, Twist())
    assert QUESTIONS[-1].expected is Expectation.MUST_BE_IN_TIME


def test_json_is_respelt_as_no_serialiser_writes_it() -> None:
    told = respelt(BODY)
    assert json.loads(told) == json.loads(BODY)
    assert b"\\/" in told
    assert told.isascii()
    assert told not in {json.dumps(json.loads(BODY), indent=indent).encode() for indent in (None, 1, 2, 4)}


def test_a_raised_amount_is_still_json_and_half_a_body_is_not() -> None:
    assert json.loads(raised(BODY)) == {**json.loads(BODY), "amount": 9400}
    with pytest.raises(ValueError, match="line 1 column"):
        json.loads(halved(BODY))


def test_a_padded_body_is_json_of_ten_megabytes() -> None:
    assert len(padded(BODY)) == HUGE
    assert json.loads(padded(BODY)).items() > json.loads(BODY).items()


def test_spoilt_signatures_begin_like_the_right_one() -> None:
    right = "100." + "0123456789abcdef" * 4
    assert shortened(right) == "100.01234567"
    half = half_right(right)
    assert half[:36] == right[:36]
    assert len(half) == len(right)
    assert not any(a == b for a, b in zip(half[36:], right[36:], strict=True))


def test_what_was_not_asked_is_no_failure() -> None:
    finding = unasked(question(Expectation.MUST_ACCEPT), "Not asked.")
    assert (finding.outcome, finding.is_failed_must, finding.sentence) == (Outcome.NOT_CHECKED, False, "Not asked.")
