"""The receiver exam on the wire: whom to examine, and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields, validate

from simulator.domain.grades import DEFAULT_LIMIT, LONGEST_LIMIT, Expectation, Outcome
from simulator.web.schemas.fields import Answer, Flag, Number, Text, Url
from simulator.web.schemas.testers import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.domain.exam import ExamResult, Finding, Receiver


class Limit(Number):
    """Seconds within which a receiver must answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"exclusiveMinimum": 0, "maximum": LONGEST_LIMIT}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> float:
        limit = super()._deserialize(value, attr, data, **options)
        if not 0 < limit <= LONGEST_LIMIT:
            raise ValidationError(f"Must be seconds, more than 0 and at most {LONGEST_LIMIT:g}.")
        return limit


class NewExam(Command):
    """Whom to examine; `probe` may have `{payment_id}` in it."""

    target_url = Url(required=True)
    signature_key = Text(required=True)
    probe = Url(load_default="")
    timeout = Limit(load_default=DEFAULT_LIMIT)
    verify_tls = Flag(load_default=True)


class FindingView(Answer):
    """How a question went, as `exam_view` shows it, for the API description; `sentence` says what to change."""

    question = fields.String()
    title = fields.String()
    sent = fields.String()
    expected = fields.String(validate=validate.OneOf(tuple(Expectation)))
    outcome = fields.String(validate=validate.OneOf(tuple(Outcome)))
    status = fields.Integer(allow_none=True)
    ms = fields.Float(allow_none=True)
    error = fields.String(allow_none=True)
    sentence = fields.String(allow_none=True)


class ExamView(Answer):
    """What `exam_view` shows, for the API description."""

    target_url = fields.Url()
    passed = fields.Boolean()
    failed_musts = fields.List(fields.String())
    findings = fields.List(fields.Nested(FindingView))


_new_exam = NewExam()


def receiver(body: Mapping[str, Any]) -> Receiver:
    """The receiver that `POST …/exam` describes; ValidationError when it is none."""
    from simulator.domain.exam import Receiver  # noqa: PLC0415  costs start-up time, and few receivers are examined

    data = _new_exam.load(body)
    return Receiver(
        url=data["target_url"],
        key=data["signature_key"],
        probe=data["probe"],
        limit=data["timeout"],
        verify_tls=data["verify_tls"],
    )


def exam_view(result: ExamResult) -> dict[str, object]:
    """How a receiver did, as it is shown."""
    return {
        "target_url": result.url,
        "passed": result.passed,
        "failed_musts": result.failed_musts,
        "findings": [_finding_view(finding) for finding in result.findings],
    }


def _finding_view(finding: Finding) -> dict[str, object]:
    question = finding.question
    return {
        "question": question.name,
        "title": question.title,
        "sent": question.sent,
        "expected": question.expected,
        "outcome": finding.outcome,
        "status": finding.status,
        "ms": finding.ms,
        "error": finding.error or None,
        "sentence": finding.sentence or None,
    }
