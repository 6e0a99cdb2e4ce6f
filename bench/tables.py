"""Measured numbers, and the Markdown table that shows their medians."""

from collections.abc import Mapping, Sequence
from statistics import median

from wrk import Load

WITHOUT_DECIMALS = 100


class Samples:
    """What was measured: for each figure and each contender one number a round."""

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.numbers: dict[str, dict[str, list[float]]] = {}

    def add(self, figure: str, contender: str, number: float) -> None:
        """Note one number."""
        self.numbers.setdefault(figure, {}).setdefault(contender, []).append(number)

    def add_load(self, calls: str, contender: str, load: Load) -> None:
        """Note how a contender did under a kind of call; failed calls are a figure only when there are any."""
        self.add(f"{calls}: per second", contender, load.per_second)
        self.add(f"{calls}: p50, ms", contender, load.p50_ms)
        self.add(f"{calls}: p99, ms", contender, load.p99_ms)
        if load.failed:
            self.add(f"{calls}: FAILED CALLS", contender, load.failed)

    def median(self, figure: str, contender: str) -> float | None:
        """Return the middle one of the rounds, or nothing where nothing was measured."""
        numbers = self.numbers[figure].get(contender)
        return median(numbers) if numbers else None

    def ratio(self, figure: str, contender: str, other: str) -> float | None:
        """Return the middle one of the rounds' ratios.

        Each compares what was measured within the same seconds, so that it matters little whether the machine was fast
        or slow just then. Nothing where a round lacks a number.
        """
        numbers, others = (self.numbers[figure].get(name, []) for name in (contender, other))
        if not numbers or len(numbers) != len(others) or not all(others):
            return None
        return median(number / beside for number, beside in zip(numbers, others, strict=True))


def table(samples: Samples, contender: str, against: Sequence[str], targets: Mapping[str, str]) -> str:
    """Compare a contender with others.

    `targets` are what its ratio to the others should be, by figure, as text.
    """
    heads = ["", *against, contender, *(f"÷ {other}" for other in against), "target"]
    lines = [_row(heads), _row(["---", *["---:"] * (len(heads) - 2), "---"])]
    for figure in samples.numbers:
        medians = [_number(samples.median(figure, name)) for name in (*against, contender)]
        ratios = [_ratio(samples.ratio(figure, contender, other)) for other in against]
        lines.append(_row([figure, *medians, *ratios, targets.get(figure, "")]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:#.3g}".rstrip(".") if number < WITHOUT_DECIMALS else f"{number:,.0f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"
