"""`filemill retry` and `filemill remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup

HINT = "filemill: The files are processed as soon as the window or `filemill worker` is running.\n"


def statuses(cli: Cli) -> list[str]:
    return [job["status"] for job in cli("status", "--json").jobs]


def test_retry_failed_submits_failed_files(cli: Cli, three: list[str], setup: JobSetup) -> None:
    outcome = cli("retry", "--failed")
    assert (outcome.code, outcome.out, outcome.err) == (0, "Retrying 1 file.\n", HINT)
    assert statuses(cli) == ["PENDING", "PROCESSED", "PENDING"]
    assert setup.job(three[2]).generation == 2


def test_retry_of_ids_includes_processed_files(cli: Cli, three: list[str]) -> None:
    assert cli("retry", three[1], three[2]).out == "Retrying 2 files.\n"
    assert statuses(cli) == ["PENDING"] * 3


def test_retry_skips_unfinished_files_and_reports_them(cli: Cli, three: list[str], setup: JobSetup) -> None:
    outcome = cli("retry", three[0], three[2])
    assert outcome.code == 0
    assert outcome.complaints[0] == "filemill: 1 file left alone: only PROCESSED and FAILED files can be retried."
    assert (setup.job(three[0]).generation, setup.job(three[2]).generation) == (1, 2)


def test_retry_with_nothing_failed_does_nothing(cli: Cli) -> None:
    outcome = cli("retry", "--failed")
    assert (outcome.code, outcome.out, outcome.err) == (0, "Retrying 0 files.\n", "")


def test_one_unknown_id_prevents_all_changes(cli: Cli, three: list[str]) -> None:
    for command in ("retry", "remove"):
        outcome = cli(command, three[2], "zz")
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err == "filemill: No file in the list has the ID “zz”. Nothing was changed.\n"
    assert statuses(cli) == ["PENDING", "PROCESSED", "FAILED"]


def test_remove_processed_removes_processed_files(cli: Cli, three: list[str], tmp_path: Path) -> None:
    outcome = cli("remove", "--processed")
    assert outcome.code == 0
    assert outcome.out == "Removed 1 file from the list. The files themselves are not changed.\n"
    assert statuses(cli) == ["PENDING", "FAILED"]
    assert (tmp_path / "two.txt").exists()


def test_remove_all_empties_the_list_and_no_folder(cli: Cli, three: list[str], tmp_path: Path) -> None:
    assert cli("remove", "--all").out.startswith("Removed 3 files from the list.")
    assert statuses(cli) == []
    assert len(list(tmp_path.iterdir())) == 3


def test_remove_of_ids_removes_exactly_these(cli: Cli, three: list[str]) -> None:
    assert cli("remove", three[0][:13], three[2]).code == 0
    assert statuses(cli) == ["PROCESSED"]
