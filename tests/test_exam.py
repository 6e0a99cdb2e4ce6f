"""The receiver exam against real receivers: a good one passes, and of the others each one's bug is found."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator.bootstrap import build_examiner
from simulator.domain.exam import Receiver
from simulator.domain.exam_questions import QUESTIONS
from simulator.domain.grades import Outcome
from tests import receivers
from tests.processes import COMMAND
from tests.receivers import KEY, listening

if TYPE_CHECKING:
    from simulator.domain.exam import ExamResult

HURRIED = tuple(
    replace(asked, twist=replace(asked.twist, pause=0.2)) if asked.twist.pause else asked for asked in QUESTIONS
)
README = Path(__file__).parent.parent / "README.md"
BAD_MESSAGES = {
    "wrong_signature",
    "other_key",
    "missing_signature",
    "malformed_signature",
    "cut_signature",
    "half_right_signature",
    "tampered_body",
    "broken_body",
}


def examined(kind: type[receivers.GoodReceiver], *, limit: float = 5.0, probed: bool = True) -> ExamResult:
    with listening(kind) as address:
        probe = f"{address}/payments/{{payment_id}}" if probed else ""
        receiver = Receiver(url=f"{address}/hooks", key=KEY, probe=probe, limit=limit)
        return build_examiner().examine(receiver, HURRIED)


def failed(result: ExamResult) -> set[str]:
    return {finding.question.name for finding in result.findings if finding.outcome is Outcome.FAILED}


def sentence(result: ExamResult, name: str) -> str:
    return next(finding.sentence for finding in result.findings if finding.question.name == name)


def test_a_good_receiver_passes_in_everything() -> None:
    result = examined(receivers.GoodReceiver)
    assert [finding.outcome for finding in result.findings] == [Outcome.PASSED] * len(QUESTIONS)
    assert [finding.sentence for finding in result.findings] == [""] * len(QUESTIONS)
    assert result.passed


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (receivers.Trusting, BAD_MESSAGES | {"stale_timestamp"}),
        (receivers.AcceptingUnsigned, {"missing_signature"}),
        (receivers.RewritingCompactly, {"other_spelling"}),
        (receivers.ParsingFirst, {"broken_body"}),
        (receivers.CrashingWithoutFullStop, {"malformed_signature"}),
        (receivers.ComparingBeginnings, {"cut_signature"}),
        (receivers.ComparingSome, {"half_right_signature"}),
        (receivers.RefusingRepetitions, {"repetition"}),
        (receivers.SwallowedByLargeBodies, {"huge_body", "after_huge_body", "burst"}),
        (receivers.DroppingInBursts, {"burst"}),
    ],
)
def test_a_classic_bug_is_found_where_it_is(kind: type[receivers.GoodReceiver], found: set[str]) -> None:
    result = examined(kind, probed=False)
    assert failed(result) == found
    assert not result.passed
    assert all(sentence(result, name) for name in found)


@pytest.mark.parametrize(
    ("kind", "found"), [(receivers.Ageless, "stale_timestamp"), (receivers.Typeless, "wrong_content_type")]
)
def test_what_a_receiver_only_should_do_is_found_and_does_not_fail_it(
    kind: type[receivers.GoodReceiver], found: str
) -> None:
    result = examined(kind, probed=False)
    assert failed(result) == {found}
    assert result.passed


def test_who_writes_json_again_is_told_to_verify_the_raw_bytes() -> None:
    result = examined(receivers.Rewriting)
    assert {"correct_event", "other_spelling"} <= failed(result)
    assert "raw bytes" in sentence(result, "correct_event")
    assert "as to the first correct event" in sentence(result, "burst")
    assert "did not accept" in sentence(result, "state_after_sent")


def test_who_goes_back_to_pending_is_found_by_the_probe() -> None:
    result = examined(receivers.GoingBack)
    assert failed(result) == {"state_after_late_pending"}
    assert "'pending' in place of 'sent'" in sentence(result, "state_after_late_pending")
    assert result.passed


def test_without_a_probe_states_are_not_checked() -> None:
    result = examined(receivers.GoingBack, probed=False)
    unchecked = {each.question.name for each in result.findings if each.outcome is Outcome.NOT_CHECKED}
    assert unchecked == {"state_after_sent", "state_after_repetition", "state_after_late_pending"}
    assert "give a probe" in sentence(result, "state_after_sent")


def test_who_works_before_answering_is_late_and_nothing_more_is_asked() -> None:
    result = examined(receivers.Working, limit=0.3)
    assert failed(result) == {"correct_event", "in_time"}
    assert "queue" in sentence(result, "correct_event")
    assert {each.outcome for each in result.findings[1:-1]} == {Outcome.NOT_CHECKED}


def test_who_serves_one_after_the_other_falls_over_in_a_burst() -> None:
    result = examined(receivers.OneByOne, limit=1.0, probed=False)
    assert failed(result) == {"burst", "in_time"}
    assert re.match(
        r"\d+ of 20: It did not answer within 1 s\. Serve connections side by side", sentence(result, "burst")
    )


def test_who_hangs_up_on_a_body_that_is_too_large_and_goes_on_passes() -> None:
    result = examined(receivers.HangingUp, probed=False)
    assert result.passed
    assert failed(result) <= {"huge_body"}


def test_a_redirect_passes_with_a_word_about_it() -> None:
    result = examined(receivers.Redirecting, probed=False)
    assert result.passed
    assert failed(result) == set()
    assert "302, which counts as delivered" in sentence(result, "correct_event")


def test_where_nobody_listens_nothing_more_is_asked() -> None:
    result = build_examiner().examine(Receiver(url="http://127.0.0.1:1/hooks", key=KEY, limit=2))
    assert result.failed_musts == ("correct_event",)
    assert "Let the receiver listen at this URL" in result.findings[0].sentence


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, "exam", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_the_command_prints_a_plain_table_when_it_is_read_by_a_program() -> None:
    with listening(receivers.GoodReceiver) as address:
        done = command(f"{address}/hooks", "--key", KEY, "--probe", f"{address}/payments/{{payment_id}}")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["Question", "Expected", "Answer", "Result"]
    assert re.fullmatch(r"A correct event +must accept +200 \d+ ms +passed", lines[1])
    assert lines[-1] == f"The receiver passes ({len(QUESTIONS)} passed)."
    assert "\x1b" not in done.stdout


def test_the_commands_status_is_1_when_a_must_failed_and_the_sentence_says_what_to_change() -> None:
    with listening(receivers.AcceptingUnsigned) as address:
        done = command(f"{address}/hooks", "--key", KEY)
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"^No signature +must refuse +200 \d+ ms +FAILED$", done.stdout, re.MULTILINE)
    assert "No signature: It answered 200. Refuse a message without the header banked-signature" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "The receiver does not pass; musts failed: 1 (18 passed, 3 not checked, 1 failed)."
    )


def test_the_command_prints_json_for_programs() -> None:
    with listening(receivers.Ageless) as address:
        done = command(f"{address}/hooks", "--key", KEY, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert {name: told[name] for name in told if name != "findings"} == {
        "target_url": f"{address}/hooks",
        "passed": True,
        "failed_musts": [],
    }
    findings = {finding["question"]: finding for finding in told["findings"]}
    assert list(findings) == [asked.name for asked in QUESTIONS]
    assert findings["stale_timestamp"] == {
        "question": "stale_timestamp",
        "title": "Stale timestamp",
        "sent": "an event that was rightly signed a day ago",
        "expected": "should_refuse",
        "outcome": "failed",
        "status": 200,
        "ms": findings["stale_timestamp"]["ms"],
        "error": None,
        "sentence": (
            "It answered 200. Refuse a timestamp that is more than some minutes old: "
            "the message may have been kept to be replayed."
        ),
    }


def test_the_table_of_the_readme_is_what_is_printed() -> None:
    with listening(receivers.Hasty) as address:
        done = command(f"{address}/hooks", "--key", KEY)
    [shown] = re.findall(r"^\$ banked-simulator exam .+\n((?s:.+?))^```$", README.read_text("utf-8"), re.MULTILINE)
    assert without_times(done.stdout) == without_times(shown)


def without_times(table: str) -> str:
    return re.sub(" +", " ", re.sub(r"[\d,]+ ms", "* ms", table))


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://127.0.0.1:1/hooks"],
        ["--key", KEY],
        ["http://127.0.0.1:1/hooks", "--key", ""],
        ["http://127.0.0.1:1/hooks", "--key", "\udcff"],
        ["ftp://shop.example/hooks", "--key", KEY],
        ["http://127.0.0.1:1/hooks", "--key", KEY, "--probe", "payments"],
        ["http://127.0.0.1:1/hooks", "--key", KEY, "--timeout", "0"],
        ["http://127.0.0.1:1/hooks", "--key", KEY, "--timeout", "nan"],
    ],
)
def test_a_slip_of_the_pen_is_status_2(arguments: list[str]) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
