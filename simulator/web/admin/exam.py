"""/__admin/merchants/<key>/exam: what a webhook receiver makes of messages, good and bad."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.service.tester import TesterService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.exam import ExamView, NewExam, exam_view, receiver

routes = Blueprint("exam", __name__)


@routes.post("/merchants/<key>/exam")
@operation("Examine a webhook receiver", body=NewExam, answers={200: ExamView, 404: None})
def examine(key: str) -> Response:
    """Send a receiver messages that it must accept and others that it must refuse, and grade what it answers."""
    from simulator.service.exam import Examiner  # noqa: PLC0415  costs start-up time, and few receivers are examined
    from simulator.web.exam_bodies import body  # noqa: PLC0415  likewise

    this = simulation()
    TesterService(this).merchant(key)
    examiner = Examiner(sender=this.sender, clock=this.clock, ids=this.ids, body=body, agent=this.user_agent)
    return answer(exam_view(examiner.examine(receiver(read_object()))))
