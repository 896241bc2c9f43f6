from __future__ import annotations

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QDate, QDateTime, QLocale, QSizeF, QTime
from PySide6.QtGui import QTextDocument

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui import wording as wording_module
from desktop_app.gui.i18n import user_locale
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, STATUS, Columns
from desktop_app.gui.wording import progress_of, tool_tip
from tests.helpers import NEW_JOB, a_reason

if TYPE_CHECKING:
    from desktop_app.domain.job import Job
    from desktop_app.gui.wording import Wording

NB = "\N{NO-BREAK SPACE}"
NNB = "\N{NARROW NO-BREAK SPACE}"
DASH = "\N{EN DASH}"
JOB = replace(NEW_JOB, file_path="/in/notes.txt", file_size=18_204, created_at=1_700_000_000_000)


def job(**fields: Any) -> Job:
    return replace(JOB, **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, f"Pending {DASH} Waiting to be sent"),
        ({"sent_at": 5}, f"Pending {DASH} In queue"),
        ({"reason": a_reason("Another program has it open.")}, f"Pending {DASH} Another program has it open."),
        ({"status": Status.PROCESSING}, "Processing"),
        ({"status": Status.PROCESSING, "bytes_done": 7_646}, f"Processing {DASH} Reading 42%"),
        ({"status": Status.PROCESSING, "bytes_done": 18_204}, f"Processing {DASH} Finishing"),
        ({"status": Status.PROCESSING, "bytes_done": 5, "file_size": None}, "Processing"),
        ({"status": Status.PROCESSED}, "Processed"),
        (
            {"status": Status.FAILED, "reason": a_reason("The file no longer exists")},
            f"Failed {DASH} The file no longer exists",
        ),
        ({"status": Status.FAILED}, "Failed"),
        ({"status": Status.FAILED, "reason": a_reason("a\nb")}, f"Failed {DASH} a\\nb"),
    ],
)
def test_status_cell_contains_word_and_reason(wording: Wording, fields: dict[str, Any], text: str) -> None:
    assert wording.status(job(**fields)) == text


def test_pending_job_shows_the_time_of_the_next_attempt(wording: Wording) -> None:
    at = moment_of(QDate.currentDate())
    assert wording.status(job(next_try_at=at)) == f"Pending {DASH} Next attempt at 2:03{NNB}PM"
    assert wording.reason(job(next_try_at=at, reason=a_reason("In use."))) == f"Next attempt at 2:03{NNB}PM: In use."
    counted = wording.status(job(next_try_at=at, reason=Reason(ReasonCode.TEXT, {"text": "In use"}).tried_again(2, 5)))
    assert counted == f"Pending {DASH} Attempt 2 of 5 at 2:03{NNB}PM: In use"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, f"0.1{NB}s"),
        (40, f"0.1{NB}s"),
        (840, f"0.8{NB}s"),
        (9_999, f"10.0{NB}s"),
        (42_000, f"42{NB}s"),
        (130_000, f"2{NB}min 10{NB}s"),
        (11_100_000, f"3{NB}h 5{NB}min"),
    ],
)
def test_durations_are_rounded_sensibly(wording: Wording, milliseconds: int, text: str) -> None:
    assert wording.span(milliseconds) == text


def moment_of(day: QDate) -> int:
    return QDateTime(day, QTime(14, 3, 22)).toMSecsSinceEpoch()


def test_times_have_a_date_unless_they_are_of_today_and_a_year_unless_it_is_this_one(wording: Wording) -> None:
    german, today = wording_module.Wording(QLocale(QLocale.Language.German)), QDate.currentDate()
    # The first of January is another day of this year, except on that day itself.
    other = QDate(today.year(), 1, 1 if today.dayOfYear() > 1 else 2)
    assert wording.moment(moment_of(today)) == f"2:03{NNB}PM"
    assert wording.moment(moment_of(other)) == f"1/{other.day()} 2:03{NNB}PM"
    assert wording.moment(moment_of(QDate(2023, 11, 27))) == f"11/27/23 2:03{NNB}PM"
    assert german.moment(moment_of(today)) == "14:03"
    assert german.moment(moment_of(other)) == f"0{other.day()}.01. 14:03"
    assert german.moment(moment_of(QDate(2023, 11, 27))) == "27.11.23 14:03"
    # The same rule where seconds matter, and in full where the exact moment does.
    assert wording.stamp(moment_of(today)) == f"2:03:22{NNB}PM"
    assert german.stamp(moment_of(QDate(2023, 11, 27))) == "27.11.23 14:03:22"
    assert wording.full_moment(moment_of(QDate(2023, 11, 27))) == f"Monday, November 27, 2023 2:03:22{NNB}PM"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (716, "716 bytes"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB")],
)
def test_sizes_have_one_form_whatever_their_number(wording: Wording, size: int, text: str) -> None:
    assert wording.size(size) == text


def test_reason_tells_only_what_is_exceptional(wording: Wording) -> None:
    usual: tuple[dict[str, Any], ...] = (
        {},
        {"sent_at": 5},
        {"status": Status.PROCESSING, "bytes_done": 7_646},
        {"status": Status.PROCESSED},
    )
    for fields in usual:
        assert (wording.reason(job(**fields)), wording.has_reason(job(**fields))) == ("", False)
    wording.queue = "local"
    exceptional = (
        {"status": Status.FAILED, "reason": a_reason("Gone")},
        {"next_try_at": 5},
        {"reason": a_reason("In use")},
        {"queue": "eu-west-1 ingest"},
    )
    for fields in exceptional:
        assert wording.reason(job(**{"queue": "local"} | fields))
        assert wording.has_reason(job(**{"queue": "local"} | fields))


def test_numbers_follow_the_locale(wording: Wording) -> None:
    german = wording_module.Wording(QLocale(QLocale.Language.German))
    assert wording.number(1_234_567) == "1,234,567"
    assert german.number(1_234_567) == "1.234.567"
    assert wording.files(1) == "1 file"
    assert wording.files(1200) == "1,200 files"
    assert wording.size(18_204) == "18.2 kB"
    assert german.size(1_234_567) == "1,2 MB"


def test_percentage_is_rounded_down(wording: Wording) -> None:
    assert wording.percent(0.999) == "99%"
    assert wording.percent(1.0) == "100%"


def test_locale_without_separators_is_replaced_by_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QLocale, "system", QLocale.c)
    assert user_locale().language() == QLocale.Language.English
    monkeypatch.setattr(QLocale, "system", lambda: QLocale(QLocale.Language.German))
    assert user_locale().language() == QLocale.Language.German


@pytest.mark.parametrize(
    ("fields", "done"),
    [
        ({"status": Status.PROCESSING, "bytes_done": 9_102}, 0.5),
        ({"status": Status.PROCESSING, "bytes_done": 99_999}, 1.0),
        ({"status": Status.PROCESSING, "file_size": 0}, None),
        ({"status": Status.PROCESSING, "file_size": None}, None),
        ({"status": Status.PROCESSED, "bytes_done": 18_204}, None),
    ],
)
def test_progress_is_known_only_for_running_jobs_with_a_size(fields: dict[str, Any], done: float | None) -> None:
    assert progress_of(job(**fields)) == done


def test_row_for_screen_readers(wording: Wording) -> None:
    failed = job(status=Status.FAILED, reason=Reason(ReasonCode.FILE_GONE))
    assert wording.row(failed) == "notes.txt, Failed, The file no longer exists, 18.2 kB"
    assert wording.row(job(status=Status.PROCESSED, lines_count=1)) == "notes.txt, Processed, 1 line, 18.2 kB"
    running = job(status=Status.PROCESSING, bytes_done=9_102, file_size=18_204)
    assert wording.row(running) == "notes.txt, Processing, 50%, 18.2 kB"
    assert wording.row(job(status=Status.PROCESSED, lines_count=1200, file_size=None)).endswith("1,200 lines")


def test_cell_without_a_value_is_empty(wording: Wording) -> None:
    fresh = job(file_size=None)
    texts = {column.id: column.text(wording, fresh) for column in COLUMNS}
    unknown = {"reason", "progress", "lines", "size", "took", "finished", "modified", "attempts", "messageId"}
    assert {name for name, text in texts.items() if not text} == unknown
    assert not any(COLUMNS[COLUMN_OF_ID[name]].plain_text(wording, fresh) for name in ("lines", "size", "took"))
    assert not COLUMNS[COLUMN_OF_ID["size"]].hint(wording, fresh)


CHANGES: dict[str, Any] = {
    "row_id": 2, "id": "1", "batch_id": 2, "file_path": "/on/other.csv", "status": Status.PROCESSING,
    "reason": a_reason("Gone"), "file_size": 7, "lines_count": 3, "bytes_done": 4_000, "attempts": 5, "generation": 6,
    "queue": "eu-west-1 ingest", "message_id": "m-2", "receive_count": 8, "created_at": 1_600_000_000_000,
    "sent_at": 9, "started_at": 10, "finished_at": 20_000, "next_try_at": 1_500_000_000_000, "revision": 99,
    "modified_ns": 10**18, "resends": 1, "batch_name": "June", "processor": "checksum", "options": '{"a":1}',
    "processor_version": 2, "result_text": '{"pages":3}',
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in dataclass_fields(NEW_JOB)])
def test_cell_is_painted_again_when_its_text_changes(wording: Wording, name: str) -> None:
    wording.queue = "local"
    ended = {"started_at": 5, "finished_at": 7}
    for more in ({}, {"status": Status.PROCESSING, "bytes_done": 900}, {"status": Status.FAILED}, ended):
        before = job(**more)
        after = replace(before, **{name: CHANGES[name]})
        different = {
            number
            for number, column in enumerate(COLUMNS)
            if column.text(wording, before) != column.text(wording, after)
        }
        assert different <= Columns().changed(before, after)
        if wording.has_reason(before) != wording.has_reason(after):
            assert STATUS in Columns().changed(before, after)


def test_plain_values_are_exact(wording: Wording) -> None:
    done = job(
        status=Status.PROCESSED,
        lines_count=1_234,
        started_at=1000,
        finished_at=1812,
        modified_ns=12_345_678,
        attempts=2,
        batch_name="May orders",
        queue="eu-west-1 ingest",
        message_id="m-1",
    )
    plain = {column.id: column.plain_text(wording, done) for column in COLUMNS}
    assert plain == {
        "name": "notes.txt",
        "status": "Processed",
        "progress": "",
        "lines": "1234",
        "size": "18204",
        "added": "2023-11-14T22:13:20.000Z",
        "took": "0.812",
        "reason": "",
        "folder": "/in",
        "type": "txt",
        "finished": "1970-01-01T00:00:01.812Z",
        "modified": "1970-01-01T00:00:00.012Z",
        "attempts": "2",
        "batch": "May orders",
        "queue": "eu-west-1 ingest",
        "messageId": "m-1",
        "jobId": done.id,
        "processor": "lines",
    }


@pytest.mark.parametrize(
    ("fields", "column", "text"),
    [
        ({"queue": "local"}, "queue", "Local queue"),
        ({"queue": "eu-west-1 ingest"}, "queue", "ingest · eu-west-1"),
        ({"queue": "odd"}, "queue", "odd"),
        ({"file_path": "/in/Archive.TAR.GZ"}, "type", "gz"),
        ({"file_path": "/in/.hidden"}, "type", ""),
        ({"file_path": "/in/two\nlines/a"}, "folder", "/in/two\\nlines"),
        ({"attempts": 1_200}, "attempts", "1,200"),
        ({"status": Status.FAILED, "reason": a_reason("Gone")}, "reason", "Gone"),
        ({"sent_at": 5}, "reason", ""),
        ({"sent_at": 5}, "status", "Pending"),
        ({"status": Status.FAILED, "reason": a_reason("Gone")}, "status", "Failed"),
        ({"status": Status.PROCESSING, "bytes_done": 9_102}, "status", "Processing, 50%"),
    ],
)
def test_cells_have_the_text_of_their_column(wording: Wording, fields: dict[str, Any], column: str, text: str) -> None:
    assert COLUMNS[COLUMN_OF_ID[column]].text(wording, job(**fields)) == text


def test_batch_without_a_name_is_shown_by_its_time(wording: Wording) -> None:
    batch = COLUMNS[COLUMN_OF_ID["batch"]]
    assert batch.text(wording, job(batch_name="May")) == "May"
    assert batch.text(wording, job()) == wording.day_and_time(JOB.created_at)


@pytest.mark.usefixtures("qapp")
def test_tool_tip_is_wrapped_only_if_it_is_long() -> None:
    line = _tip_size("a").height()
    assert _tip_size("/home/someone/Documents/Data/Q2/data-6.json").height() == line
    assert _tip_size("a reason\na hint").height() > line
    long = _tip_size("/long" * 80)
    assert long.height() > 3 * line
    assert long.width() < 1000


def _tip_size(text: str) -> QSizeF:
    shown = QTextDocument()
    shown.setHtml(tool_tip(text))
    shown.adjustSize()
    return shown.size()


def test_tool_tips_contain_what_cells_abbreviate(wording: Wording) -> None:
    hints = {column.id: column.hint(wording, job()) for column in COLUMNS}
    assert hints["name"] == "/in/notes.txt"
    assert hints["size"] == "18,204 bytes"
    assert "2023" in hints["added"]
