"""`filemill export`."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

import pytest

from desktop_app.cli import export
from desktop_app.config.atomic_write import write_whole
from desktop_app.domain.errors import KnownError
from desktop_app.domain.job import Status
from desktop_app.services.support.export import csv_writer
from tests.helpers import a_reason

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli, JobSetup


@pytest.mark.parametrize("name", ["list.json", "LIST.JSON", "n" * 250 + ".json"])
def test_json_is_an_array_of_the_objects_of_status(cli: Cli, three: list[str], tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    outcome = cli("export", target)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"Exported 3 files to {target}.\n", "")
    text = target.read_text(encoding="utf-8")
    assert json.loads(text) == cli("status", "--json").jobs
    assert text.count("\n") == 5


def test_csv_is_utf8_with_mark_and_crlf_and_the_same_fields(cli: Cli, three: list[str], tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    assert cli("export", target).code == 0
    raw = target.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 4
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    expected = [
        {key: "" if value is None else str(value) for key, value in job.items() if key != "result"}
        for job in cli("status", "--json").jobs
    ]
    assert rows == expected


def test_empty_list_is_an_empty_array_and_a_header(cli: Cli, tmp_path: Path) -> None:
    assert cli("export", tmp_path / "list.json").out.startswith("Exported 0 files")
    assert json.loads((tmp_path / "list.json").read_text(encoding="utf-8")) == []
    cli("export", tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text(encoding="utf-8-sig").startswith("id,file_path,status")


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\\tx"),
        ("\rx", "'\\rx"),
        ("a=b", "a=b"),
        ('quote " and , comma', 'quote " and , comma'),
        ("two\nlines", "two\\nlines"),
        ("caf\udce9", "caf\\xe9"),
        ("文", "文"),
    ],
)
def test_csv_cell_can_not_become_a_formula_or_break_its_row(
    cli: Cli, three: list[str], setup: JobSetup, reason: str, cell: str
) -> None:
    stream = io.StringIO(newline="")
    job = replace(setup.job(three[0]), reason=a_reason(reason), status=Status.FAILED)
    csv_writer()(stream, [job])
    (row,) = csv.DictReader(io.StringIO(stream.getvalue().removeprefix("\ufeff"), newline=""))
    assert row["reason"] == cell
    assert stream.getvalue().count("\r\n") == 2


def test_existing_file_is_replaced_whole(cli: Cli, three: list[str], tmp_path: Path) -> None:
    target = tmp_path / "list.json"
    target.write_text("x" * 100_000, encoding="utf-8")
    assert cli("export", target).code == 0
    assert len(json.loads(target.read_text(encoding="utf-8"))) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows needs rights for links")
def test_link_is_followed(cli: Cli, three: list[str], tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert cli("export", tmp_path / "link.csv").code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").exists()


def test_missing_folder_is_a_sentence(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("export", tmp_path / "gone" / "list.csv")
    assert (outcome.code, outcome.out, len(outcome.complaints)) == (1, "", 1)
    assert "can't be written: No such file or directory" in outcome.err


def test_folder_of_the_same_name_is_a_sentence_and_is_kept(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "list.csv").mkdir()
    outcome = cli("export", tmp_path / "list.csv")
    assert (outcome.code, len(outcome.complaints)) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_pipe_of_the_same_name_is_a_sentence_and_is_kept(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    outcome = cli("export", tmp_path / "pipe.csv")
    assert outcome.code == 1
    assert outcome.err == f"filemill: {tmp_path}/pipe.csv can't be written: it is not a regular file.\n"
    assert (tmp_path / "pipe.csv").is_fifo()


def test_error_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    target.write_text("old", encoding="utf-8")

    def full_disk(stream: TextIO) -> None:
        stream.write("new")
        raise OSError(28, "No space left on device")

    with pytest.raises(KnownError, match="No space left"):
        write_whole(target, full_disk)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_progress_of_a_long_export_is_shown_on_a_terminal(
    cli: Cli, three: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_EVERY", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    outcome = cli("export", tmp_path / "list.csv")
    assert outcome.code == 0
    assert "Exporting" in outcome.err
