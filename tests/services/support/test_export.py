"""Exports for spreadsheets and programs are exact, complete and safe to open."""

from __future__ import annotations

import csv
import errno
import html
import io
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

import pytest

from desktop_app.config.atomic_write import NotWrittenError, write_whole
from desktop_app.domain.job import Job, Status
from desktop_app.services.support.export import ALL_FIELDS, FIELDS, csv_writer, json_writer
from tests.helpers import NEW_JOB

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

JOB = replace(
    NEW_JOB,
    id="0c8b3f1e-0000-4000-8000-000000000001",
    file_path="/in/file.txt",
    status=Status.PROCESSED,
    file_size=1234567,
    lines_count=42,
    bytes_done=1234567,
    attempts=1,
    message_id="m-1",
    receive_count=1,
    created_at=1_793_000_000_000,
    started_at=1_793_000_001_000,
    finished_at=1_793_000_001_250,
    revision=7,
    modified_ns=1_793_000_000_999_999_999,
    batch_name="2026",
)
NAMES = [
    "=cmd|' -C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1;2)",
    "\uff1d1+1",
    "00123",
    "007.txt",
    "1e5",
    "3-4",
    "TRUE",
    'say "hi", twice;.txt',
    "two\nlines.txt",
    "tab\there.txt",
    "Grüße – 文.txt",
    "caf\udce9.txt",
    " leading space.txt",
]
SHOWN = [
    "'=cmd|' -C calc'!A0",
    "'+1+1",
    "'-2+3",
    "'@SUM(1;2)",
    "'\uff1d1+1",
    "'00123",
    "007.txt",
    "'1e5",
    "'3-4",
    "'TRUE",
    NAMES[10],
    "two\\nlines.txt",
    "tab\\there.txt",
    "Grüße – 文.txt",
    "caf\\xe9.txt",
    " leading space.txt",
]


def jobs_named(names: Iterable[str]) -> list[Job]:
    return [replace(JOB, row_id=number, file_path=f"/in/{name}") for number, name in enumerate(names)]


def csv_text(jobs: Iterable[Job], fields: tuple[str, ...] = FIELDS, separator: str = ",") -> str:
    stream = io.StringIO(newline="")
    csv_writer(fields, separator)(stream, jobs)
    return stream.getvalue()


@pytest.mark.parametrize("separator", [",", ";"])
def test_names_are_read_back_from_csv_as_shown_and_never_as_formulas(separator: str) -> None:
    text = csv_text(jobs_named(NAMES), ("name", "file_size"), separator)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))
    assert rows == [["name", "file_size"], *([shown, "1234567"] for shown in SHOWN)]


def test_every_field_can_be_exported_and_numbers_are_integers() -> None:
    (row,) = csv.DictReader(io.StringIO(csv_text([JOB], ALL_FIELDS).removeprefix("\ufeff"), newline=""))
    assert row == {
        "id": JOB.id,
        "file_path": "/in/file.txt",
        "status": "PROCESSED",
        "reason": "",
        "lines_count": "42",
        "file_size": "1234567",
        "attempts": "1",
        "generation": "1",
        "message_id": "m-1",
        "created_at": "2026-10-26T07:33:20.000Z",
        "started_at": "2026-10-26T07:33:21.000Z",
        "finished_at": "2026-10-26T07:33:21.250Z",
        "name": "file.txt",
        "bytes_done": "1234567",
        "took_ms": "250",
        "queue": "local",
        "receive_count": "1",
        "sent_at": "",
        "next_try_at": "",
        "modified_at": "2026-10-26T07:33:20.999Z",
        "batch": "'2026",
        "processor": "lines",
    }


def test_json_has_the_true_bytes_of_a_name() -> None:
    stream = io.StringIO()
    json_writer(("file_path", "file_size", "sent_at"))(stream, jobs_named(NAMES))
    told = json.loads(stream.getvalue())
    assert [one["file_path"] for one in told] == [f"/in/{name}" for name in NAMES]
    assert told[0] == {"file_path": f"/in/{NAMES[0]}", "file_size": 1234567, "sent_at": None}


def full(stream: TextIO) -> None:
    stream.write("new")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_keeps_the_old_file_and_is_reported(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(NotWrittenError, match=r"list\.csv can't be written: No space left") as told:
        write_whole(target, full)
    assert told.value.code == errno.ENOSPC
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("list.csv", "old")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_real_full_disk_is_a_known_error(tmp_path: Path) -> None:
    with pytest.raises(NotWrittenError) as told:
        write_whole(tmp_path / "list.csv", lambda _: _write_to_full_device())
    assert told.value.code == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def _write_to_full_device() -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write("x" * 100_000)


def test_existing_file_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(NotWrittenError) as told:
        write_whole(target, lambda _: None, replace=False)
    assert told.value.code == errno.EEXIST
    assert target.read_text(encoding="utf-8") == "old"


def test_exception_while_writing_is_raised_and_no_file_is_left(tmp_path: Path) -> None:
    def stop(stream: TextIO) -> None:
        stream.write("half")
        raise KeyError

    with pytest.raises(KeyError):
        write_whole(tmp_path / "list.csv", stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
@pytest.mark.timeout(180)
def test_libreoffice_reads_it_as_it_was_written(tmp_path: Path) -> None:
    """The file is opened as by a double-click, saved as a spreadsheet, and read from there."""
    source = tmp_path / "list.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv_writer(("name", "file_size", "created_at"))(stream, jobs_named(NAMES))
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--headless",
            "--infilter=CSV:44,34,76",  # comma, quotation mark, UTF-8: suggested by its dialog for this file
            "--convert-to",
            "fods",
            "--outdir",
            str(tmp_path),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=170,
    )
    table = re.findall(
        r"<table:table-row.*?</table:table-row>", (tmp_path / "list.fods").read_text(encoding="utf-8"), re.DOTALL
    )
    rows = [
        [html.unescape(cell.replace("<text:s/>", " ")) for cell in re.findall(r"<text:p>(.*?)</text:p>", row)]
        for row in table
    ]
    kinds = {tuple(re.findall(r'office:value-type="(\w+)"', row)) for row in table[1:]}
    assert "table:formula" not in "".join(table)
    assert rows[0] == ["name", "file_size", "created_at"]
    assert [row[0] for row in rows[1:]] == SHOWN
    assert kinds == {("string", "float", "string")}
