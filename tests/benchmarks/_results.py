"""The results of benchmarks, which a script prints, and `make bench` collects in one table.

A script calls `at_least`, `at_most`, `note` and `missing`. When `make bench` runs it, each result is appended to the
file named in an environment variable as well, so a script that fails later does not lose its results.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILE_VARIABLE = "FILEMILL_BENCHMARK_RESULTS"
NONE = "–"
_HEAD = ("what", "measured", "against", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table.

    Attributes:
        what: What was measured.
        measured: The value with its unit, or why there is none.
        against: What it is compared with, with its value.
        ratio: The value divided by the other one; None if there is none.
        goal: The goal.
        is_ok: Whether the goal is reached; None if there is no goal.
        is_missing: Whether it could not be measured.
    """

    what: str
    measured: str
    against: str = NONE
    ratio: float | None = None
    goal: str = NONE
    is_ok: bool | None = None
    is_missing: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of the columns."""
        verdict = "missing" if self.is_missing else {None: "", True: "ok", False: "**short**"}[self.is_ok]
        ratio = NONE if self.ratio is None else f"{self.ratio:.2f}"
        return self.what, self.measured, self.against, ratio, self.goal, verdict


def amount(value: float, unit: str) -> str:
    """Return a number with three digits or more, and its unit."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def at_least(what: str, measured: float, unit: str, *, peer: str, against: float, goal: float | None) -> Result:
    """Report a measurement that should be at least this many times as large as that of a peer.

    Args:
        what: What was measured.
        measured: The value.
        unit: The unit of both values.
        peer: What the value is compared with.
        against: The value of the peer, measured in the same run.
        goal: The least ratio; None if there is no goal.
    """
    ratio = measured / against
    return report(
        Result(
            what,
            amount(measured, unit),
            f"{peer}: {amount(against, unit)}",
            ratio,
            NONE if goal is None else f"≥ {goal:g}",
            None if goal is None else ratio >= goal,
        )
    )


def at_most_times(what: str, measured: float, unit: str, *, peer: str, against: float, goal: float) -> Result:
    """Report a measurement that should be at most this many times as large as that of a peer."""
    ratio = measured / against
    compared = f"{peer}: {amount(against, unit)}"
    return report(Result(what, amount(measured, unit), compared, ratio, f"≤ {goal:g}", ratio <= goal))


def at_most(what: str, measured: float, unit: str, goal: float) -> Result:
    """Report a measurement that should not exceed a limit."""
    return report(
        Result(
            what,
            amount(measured, unit),
            NONE,
            measured / goal,
            f"≤ {round(goal, 2):,g} {unit}".strip(),
            measured <= goal,
        )
    )


def note(what: str, measured: str) -> Result:
    """Report a measurement without a goal."""
    return report(Result(what, measured))


def missing(what: str, why: str) -> Result:
    """Report that something could not be measured."""
    return report(Result(what, why, is_missing=True))


def report(result: Result) -> Result:
    """Print a result, and append it to the file of `make bench`, if any."""
    what, *rest = result.cells
    print(f"  {what:<62} {' · '.join(cell.strip('*') for cell in rest if cell not in {NONE, ''})}", flush=True)
    if path := os.environ.get(FILE_VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
    return result


def read_results(path: Path) -> list[Result]:
    """Return the results in a file; none if there is no file."""
    if not path.exists():
        return []
    return [Result(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def as_markdown(results: Iterable[Result]) -> str:
    """Return a table in Markdown, whose columns are also aligned as plain text."""
    rows = [_HEAD, *(tuple(cell.replace("|", "\\|") for cell in result.cells) for result in results)]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(_HEAD))]
    lines = [_row(row, widths) for row in rows]
    return "\n".join([lines[0], _row(["-" * width for width in widths], widths), *lines[1:]])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"
