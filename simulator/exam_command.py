"""The command `banked-simulator exam`: examines a webhook receiver, with no server running."""

from __future__ import annotations

import json
from collections import Counter
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from simulator.config import is_web_url
from simulator.domain.grades import DEFAULT_LIMIT, LONGEST_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.domain.exam import ExamResult, Finding

_COLOURS = {"passed": "green", "failed": "red", "not_checked": "yellow"}
_WIDTH = 100
_TOO_MANY = 4

_EXAMPLES = """\b
Examples:
  banked-simulator exam http://127.0.0.1:3000/hooks --key my-signature-key
  banked-simulator exam http://127.0.0.1:3000/hooks --key my-signature-key \\
    --probe 'http://127.0.0.1:3000/payments/{payment_id}' --json
"""


def _web_url(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str:
    if text and not is_web_url(text):
        raise click.BadParameter(f"{text!r} is not an http or https URL.")
    return text or ""


def _text(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not text or not text.isprintable():
        raise click.BadParameter("It must be some printable characters.")
    return text


def _seconds(_context: click.Context, _parameter: click.Parameter, seconds: float) -> float:
    if not 0 < seconds <= LONGEST_LIMIT:
        raise click.BadParameter(f"{seconds:g} is not more than 0 and at most {LONGEST_LIMIT:g}.")
    return seconds


@click.command(epilog=_EXAMPLES)
@click.argument("url", callback=_web_url)
@click.option("--key", required=True, callback=_text, help="The signature key of the receiver's webhook.")
@click.option(
    "--probe",
    callback=_web_url,
    metavar="URL",
    help="What tells a payment's state, as JSON with `state` or as text; {payment_id} in it is replaced.",
)
@click.option(
    "--timeout",
    type=float,
    default=DEFAULT_LIMIT,
    show_default=True,
    callback=_seconds,
    metavar="SECONDS",
    help="Within which time the receiver must answer.",
)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of a table.")
def exam(**options: Any) -> None:
    """Examine the webhook receiver at URL: which messages it accepts, which it refuses, and how fast.

    The status is 1 when the receiver failed in something that it must do.
    """
    from simulator.bootstrap import build_examiner  # noqa: PLC0415  costs start-up time
    from simulator.domain.exam import Receiver  # noqa: PLC0415  likewise

    receiver = Receiver(
        url=options["url"],
        key=options["key"],
        probe=options["probe"],
        limit=options["timeout"],
        verify_tls=not options["insecure"],
    )
    result = build_examiner().examine(receiver)
    if options["as_json"]:
        from simulator.web.schemas.exam import exam_view  # noqa: PLC0415  likewise

        click.echo(json.dumps(exam_view(result), ensure_ascii=False, indent=2))
    else:
        click.echo(report(result))
    raise SystemExit(0 if result.passed else 1)


def report(result: ExamResult) -> str:
    """A table of all questions, the sentences about them, and the verdict, with colours for terminals."""
    return "\n\n".join((_table(result.findings), *_sentences(result.findings), _verdict(result)))


def _table(findings: Iterable[Finding]) -> str:
    heads = ("Question", "Expected", "Answer", "Result")
    rows = [(finding, _cells(finding)) for finding in findings]
    widths = [max(map(len, column)) for column in zip(heads, *(cells for _, cells in rows), strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    lines = [click.style(line(heads), bold=True)]
    for finding, cells in rows:
        before, mark = line(cells).removesuffix(cells[-1]), cells[-1]
        lines.append(before + click.style(mark, fg=_COLOURS[finding.outcome], bold=finding.is_failed_must))
    return "\n".join(lines)


def _cells(finding: Finding) -> tuple[str, ...]:
    question = finding.question
    answer = [str(finding.status or ("no answer" if finding.error else ""))]
    if finding.ms is not None:
        answer.append(f"{finding.ms:,.0f} ms")
    mark = "FAILED" if finding.is_failed_must else _words(finding.outcome)
    return question.title, _words(question.expected), " ".join(filter(None, answer)), mark


def _sentences(findings: Iterable[Finding]) -> Iterator[str]:
    """What there is to say, each sentence once, after the questions that it is about."""
    titles: dict[str, list[str]] = {}
    for finding in findings:
        if finding.sentence:
            titles.setdefault(finding.sentence, []).append(finding.question.title)
    for sentence, about in titles.items():
        heading = ", ".join(about) if len(about) < _TOO_MANY else f"{len(about)} questions"
        yield fill(f"{heading}: {sentence}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _verdict(result: ExamResult) -> str:
    counts = Counter(_words(finding.outcome) for finding in result.findings)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    failed = len(result.failed_musts)
    verdict = "The receiver passes" if result.passed else f"The receiver does not pass; musts failed: {failed}"
    return click.style(f"{verdict} ({told}).", fg="green" if result.passed else "red", bold=True)


def _words(name: str) -> str:
    return name.replace("_", " ")
