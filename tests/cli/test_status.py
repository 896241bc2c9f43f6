"""`filemill status`, without --watch."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.store.results import Tick, Work

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup


def on_terminal(monkeypatch: pytest.MonkeyPatch, *, columns: int, lines: int = 24) -> None:
    """Simulate a terminal. Call it inside a test, since pytest replaces standard output after the fixtures."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("shutil.get_terminal_size", lambda **_: os.terminal_size((columns, lines)))


def test_empty_list_has_totals_and_a_hint(cli: Cli) -> None:
    outcome = cli("status")
    assert outcome.code == 0
    assert outcome.out == "0 files: 0 PENDING, 0 PROCESSING, 0 PROCESSED, 0 FAILED\n"
    assert outcome.err == (
        "filemill: The list is empty. Add files with `filemill submit PATH`, or in the window, "
        "which `filemill` opens.\n"
    )


def test_empty_list_as_json_is_empty_and_the_hint_is_apart(cli: Cli) -> None:
    outcome = cli("status", "--json")
    assert (outcome.code, outcome.out, len(outcome.complaints)) == (0, "", 1)
    assert "Add files with `filemill submit PATH`" in outcome.err


def test_table_has_a_line_a_job_and_the_totals(cli: Cli, three: list[str], tmp_path: Path) -> None:
    outcome = cli("status")
    assert (outcome.code, outcome.err) == (0, "")
    header, *rows, totals = outcome.out.splitlines()
    assert header.split() == ["ID", "STATUS", "LINES", "SIZE", "FILE"]
    assert [row.split(None, 5) for row in rows] == [
        [three[0], "PENDING", "4", "B", str(tmp_path / "one.txt")],
        [three[1], "PROCESSED", "2", "4", "B", str(tmp_path / "two.txt")],
        [three[2], "FAILED", "4", "B", str(tmp_path / "three.txt"), "- The file no longer exists"],
    ]
    assert {row.index(str(tmp_path)) for row in rows} == {header.index("FILE")}
    assert totals == "3 files: 1 PENDING, 0 PROCESSING, 1 PROCESSED, 1 FAILED"


def test_table_fits_the_terminal(cli: Cli, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, columns=80)
    outcome = cli("status")
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith(three[2][:8])).endswith("three.txt")
    assert "          The file no longer exists" in lines
    assert three[2] not in outcome.out


def test_job_in_work_shows_its_progress(cli: Cli, three: list[str], setup: JobSetup) -> None:
    row, token = setup.start(three[0])
    Work(setup.program.database).progress([Tick(row, token, 1, 4)])
    assert "PROCESSING 25%" in cli("status", three[0]).out


def test_json_has_exactly_the_promised_fields(cli: Cli, three: list[str], tmp_path: Path) -> None:
    jobs = cli("status", "--json").jobs
    assert [job["status"] for job in jobs] == ["PENDING", "PROCESSED", "FAILED"]
    created = [job.pop("created_at") for job in jobs]
    assert all(text.endswith("Z") and "T" in text for text in created)
    assert jobs[1] == {
        "id": three[1],
        "file_path": str(tmp_path / "two.txt"),
        "status": "PROCESSED",
        "reason": "",
        "lines_count": 2,
        "file_size": 4,
        "attempts": 1,
        "generation": 1,
        "message_id": "m-1",
        "started_at": "2023-11-14T22:13:20.000Z",
        "finished_at": "2023-11-14T22:13:21.500Z",
        "processor": "lines",
        "result": {},
    }
    assert jobs[2]["reason"] == "The file no longer exists"


def test_ids_select_jobs_by_unambiguous_prefixes(cli: Cli, three: list[str]) -> None:
    outcome = cli("status", "--json", three[2], three[0][:13].upper(), three[2])
    assert [job["id"] for job in outcome.jobs] == [three[2], three[0]]


def test_selected_jobs_are_shown_as_a_table_without_totals(cli: Cli, three: list[str]) -> None:
    outcome = cli("status", three[1])
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["ID", three[1]]


@pytest.mark.parametrize("text", ["0123", "zz", "caf\udce9", "a\nb", "-", "%", "'; drop table job; --", "a" * 5000])
def test_unknown_id_is_a_sentence_and_exits_with_1(cli: Cli, three: list[str], text: str) -> None:
    if any(job_id.startswith(text) for job_id in three):
        pytest.skip("this run's ids happen to begin so")
    outcome = cli("status", "--", text)
    assert (outcome.code, outcome.out) == (1, "")
    (line,) = outcome.complaints
    assert line.startswith("filemill: No file in the list has the ID “")


def test_known_jobs_are_shown_beside_an_unknown_one(cli: Cli, three: list[str]) -> None:
    outcome = cli("status", "--json", "zz", three[0])
    assert outcome.code == 1
    assert [job["id"] for job in outcome.jobs] == [three[0]]
    assert outcome.err == "filemill: No file in the list has the ID “zz”.\n"


def test_ambiguous_prefix_is_a_sentence_and_exits_with_1(tmp_path: Path, cli: Cli) -> None:
    for number in range(17):  # of seventeen ids, at least two begin with the same hexadecimal digit
        (tmp_path / f"{number}").touch()
    ids = cli.submit("--recursive", tmp_path)
    starts = [job_id[0] for job_id in ids]
    twice = next(start for start in starts if starts.count(start) > 1)
    outcome = cli("status", twice)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"filemill: The ID “{twice}” is ambiguous: give more characters.\n"


def test_removed_job_is_not_shown(cli: Cli, three: list[str]) -> None:
    cli("remove", three[0])
    assert [job["id"] for job in cli("status", "--json").jobs] == three[1:]
    assert cli("status", three[0]).code == 1
