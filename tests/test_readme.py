"""The README's tour: its commands are run, and answer what it says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from click import Option

from simulator.cli import serve
from simulator.domain.states import PAYMENT_TRANSITIONS
from tests.processes import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    r'|(?<="real_at": ")[^"]+'
    r"|127\.0\.0\.1:\d+"
)


def tour() -> Iterator[tuple[str, str | None]]:
    """Each `sh` block of the tour, with the `json` block that follows it."""
    text = README.read_text()
    section = text[text.index("## A tour") : text.index("## Settings")]
    blocks = BLOCK.findall(section)
    for (kind, block), (next_kind, next_block) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "sh":
            yield block, next_block if next_kind == "json" else None


def alike(text: str) -> object:
    """The JSON with ids, times and ports made equal."""
    return json.loads(VARYING.sub("*", text))


def test_the_tour_does_what_it_says(tmp_path: Path) -> None:
    with running_simulator() as address:
        take_tour(address, tmp_path)


def take_tour(address: str, folder: Path) -> None:
    """Run all commands at the simulator with this address, and see that they answer what is written."""
    steps = list(tour())
    assert len(steps) > 5
    script = "\necho; echo =====\n".join(command for command, _ in steps)
    script = script.replace("http://127.0.0.1:2265", address)
    done = subprocess.run(["bash", "-eu", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    for (command, expected), answer in zip(steps, done.stdout.split("====="), strict=True):
        if expected is not None:
            assert alike(answer) == alike(expected), command


def test_the_diagram_is_the_table() -> None:
    drawn = {
        (start, action): end
        for start, end, actions in re.findall(r"^    (\w+) --> (\w+): (.+)$", README.read_text(), re.MULTILINE)
        for action in actions.split(", ")
    }
    assert drawn == {(start, action): edge.to for (start, action), edge in PAYMENT_TRANSITIONS.items()}


def test_every_setting_is_in_the_table() -> None:
    told = set(re.findall(r"^\| `(--[a-z-]+)` \| `(\w+)` \|", README.read_text(), re.MULTILINE))
    assert told == {(option.opts[0], option.envvar) for option in serve.params if isinstance(option, Option)}


def test_the_fixtures_shown_are_those_in_the_file() -> None:
    text = README.read_text()
    shown = next(block for kind, block in BLOCK.findall(text[text.index("## Settings") :]) if kind == "json")
    assert json.loads(shown) == json.loads((README.parent / "fixtures" / "bakery.json").read_text())
