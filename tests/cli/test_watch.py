"""`filemill status --watch`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

import pytest

from desktop_app.cli import status as watch
from desktop_app.cli.output import OutputClosedError
from desktop_app.store import change_feed
from tests.cli.test_status import on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup

CLEAR = "\x1b[H\x1b[J"


class Script:
    """Stop signals for which each pause performs the next step of the test; the last one stops."""

    def __init__(self, steps: Sequence[Callable[[], object]]) -> None:
        self._steps = list(steps)
        self.pauses: list[float] = []

    def __call__(self) -> Self:
        return self

    def close(self) -> None: ...

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        if not self._steps:
            return False
        self._steps.pop(0)()
        return True


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Script]:
    def make(*steps: Callable[[], object]) -> Script:
        script = Script(steps)
        monkeypatch.setattr(watch, "StopSignals", script)
        return script

    return make


def test_pipe_gets_a_line_for_each_changed_job(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script]
) -> None:
    meanwhile(lambda: setup.finish(three[0], lines=7), lambda: None, lambda: setup.program.editor.retry([3]))
    outcome = cli("status", "--watch")
    assert (outcome.code, outcome.err) == (0, "")
    header, *rows = outcome.out.splitlines()
    assert header.startswith("ID")
    assert [row.split()[:2] for row in rows] == [
        [three[0], "PENDING"],
        [three[1], "PROCESSED"],
        [three[2], "FAILED"],
        [three[0], "PROCESSED"],
        [three[2], "PENDING"],
    ]


def test_json_lines_are_the_changed_jobs_even_on_a_terminal(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch, columns=80)
    meanwhile(lambda: setup.finish(three[0]))
    jobs = cli("status", "--watch", "--json").jobs
    assert [(job["id"], job["status"]) for job in jobs[3:]] == [(three[0], "PROCESSED")]


def test_only_chosen_jobs_are_watched(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script]
) -> None:
    meanwhile(lambda: setup.finish(three[0]), lambda: setup.program.editor.retry([2]))
    jobs = cli("status", "--watch", "--json", three[1]).jobs
    assert [(job["id"], job["status"]) for job in jobs] == [(three[1], "PROCESSED"), (three[1], "PENDING")]


def test_flood_of_changes_is_read_from_the_list(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "MAX_CHANGES", 1)

    def both() -> None:
        setup.finish(three[0])
        setup.program.editor.retry([2])

    meanwhile(both)
    jobs = cli("status", "--watch", "--json").jobs
    assert [(job["id"], job["status"]) for job in jobs[3:]] == [(three[0], "PROCESSED"), (three[1], "PENDING")]


def test_removed_job_is_passed_over(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script]
) -> None:
    meanwhile(lambda: setup.program.editor.remove([1]))
    assert len(cli("status", "--watch", "--json").jobs) == 3


def test_unknown_id_ends_at_once(cli: Cli, meanwhile: Callable[..., Script]) -> None:
    script = meanwhile()
    assert cli("status", "--watch", "zz").code == 1
    assert script.pauses == []


def test_watch_ends_when_its_reader_ends(
    cli: Cli, three: list[str], meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = meanwhile(lambda: None)
    monkeypatch.setattr(watch, "reader_gone", lambda: True)
    assert cli("status", "--watch", "--json").code == 0
    assert script.pauses == []


def test_reader_that_ends_before_a_change_is_written_causes_no_bug_report(
    three: list[str], setup: JobSetup, meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()

    def go_and_change() -> None:
        os.close(reading)
        setup.finish(three[0])

    meanwhile(go_and_change)
    with os.fdopen(writing, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        with pytest.raises(OutputClosedError):
            watch.watch(
                setup.program.jobs,
                watch._Feed(setup.program.jobs, None, as_json=True),
                steady=setup.program.clock.steady,
            )


def test_terminal_is_redrawn_only_after_changes(
    cli: Cli, three: list[str], setup: JobSetup, meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch, columns=80)
    meanwhile(lambda: None, lambda: setup.finish(three[0]), lambda: None)
    nothing, first, second = cli("status", "--watch").out.split(CLEAR)
    assert nothing == ""
    assert first.startswith("3 files: 1 PENDING, 0 PROCESSING, 1 PROCESSED, 1 FAILED\n")
    assert second.startswith("3 files: 0 PENDING, 0 PROCESSING, 2 PROCESSED, 1 FAILED\n")
    assert [line[:8] for line in first.splitlines()[2:] if line[0] != " "] == [job_id[:8] for job_id in three]


@pytest.mark.parametrize("name", ["dumb", ""])
def test_terminal_without_cursor_movement_gets_lines(
    cli: Cli, three: list[str], meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:  # fmt: skip
    on_terminal(monkeypatch, columns=80)
    if name:
        monkeypatch.setenv("TERM", name)
    else:
        monkeypatch.delenv("TERM")
    meanwhile()
    assert CLEAR not in cli("status", "--watch").out


def test_long_list_shows_running_and_failed_jobs_first_and_fits(
    cli: Cli, tmp_path: Path, setup: JobSetup, meanwhile: Callable[..., Script],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for number in range(20):
        (tmp_path / f"file{number:02}").touch()
    ids = cli.submit("--recursive", tmp_path)
    setup.finish(ids[0])
    setup.fail(ids[7], "Gone")
    setup.fail(ids[8], "A reason that is far too long for what is left of a line behind the name of the file")
    setup.start(ids[12])
    on_terminal(monkeypatch, columns=80, lines=12)
    meanwhile()
    shown = cli("status", "--watch").out.removeprefix(CLEAR).splitlines()
    assert len(shown) < 12
    first = [line[:8] for line in shown[2:-1] if line[0] != " "]
    assert first[:3] == [ids[12][:8], ids[8][:8], ids[7][:8]]
    assert first[3:] == [job_id[:8] for job_id in ids[1 : 1 + len(first) - 3]]
    assert shown[-1] == f"... and {20 - len(first)} more"


def test_empty_screen_says_how_to_add_files(
    cli: Cli, meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch, columns=80)
    meanwhile()
    outcome = cli("status", "--watch")
    assert outcome.out.splitlines()[2].startswith("The list is empty. Add files with")
    assert outcome.err == ""


def test_chosen_jobs_are_drawn_in_their_order(
    cli: Cli, three: list[str], meanwhile: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch, columns=80)
    meanwhile()
    shown = cli("status", "--watch", three[1], three[0]).out.splitlines()
    assert [line[:8] for line in shown[2:]] == [three[0][:8], three[1][:8]]


def test_slow_list_is_read_less_often(
    setup: JobSetup, meanwhile: Callable[..., Script], capsys: pytest.CaptureFixture[str]
) -> None:
    script = meanwhile()
    times = iter([0.0, 2.0])
    watch.watch(setup.program.jobs, watch._Feed(setup.program.jobs, None, as_json=True), steady=lambda: next(times))
    assert script.pauses == [10.0]
    assert capsys.readouterr() == ("", "")
