from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.domain.errors import StoreError, StoreFullError
from desktop_app.domain.job import NewFile
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui import operations as operations_module
from desktop_app.gui.adding import adder as adding
from desktop_app.gui.adding.add_flow import notice_of
from desktop_app.gui.adding.adder import Adder, AddReport, Proposal
from desktop_app.gui.adding.dropping import DropTarget, dragged_names, drop_text, pasted_names
from desktop_app.gui.operations import Operations
from desktop_app.gui.tasks import Tasks
from desktop_app.gui.widgets.notice import Kind
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.adding.review import SelectionResult, SelectionRules
from desktop_app.services.loops import StopRequest
from desktop_app.sources.file_list import FileList
from desktop_app.sources.scan import Refusal, ScanResult
from desktop_app.store import adding as intake_module
from desktop_app.store.adding import Intake
from desktop_app.store.models import BatchRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase


@pytest.fixture
def operations() -> Operations:
    return Operations()


def shown(operations: Operations) -> list[str]:
    return [operation.text for operation in operations.shown]


@pytest.fixture
def adder(
    jobs_db: JobsDatabase, operations: Operations, wording: Wording, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Adder]:
    monkeypatch.setattr(operations_module, "SHOWN_AFTER_MS", 0)
    scans, writes = Tasks(jobs_db.session, threads=2), Tasks(jobs_db.session, threads=1)
    yield Adder(jobs_db.intake, scans=scans, writes=writes, operations=operations, wording=wording)
    assert scans.close(2000)
    assert writes.close(2000)


def names(jobs_db: JobsDatabase) -> list[str]:
    return [job.name for job in jobs_db.jobs.all()]


def batches(jobs_db: JobsDatabase) -> list[str]:
    with jobs_db.database.read():
        return [name for (name,) in jobs_db.database.run(BatchRow.select(BatchRow.name).tuples())]


def finished(adder: Adder, qtbot: QtBot, *paths: object) -> AddReport:
    with qtbot.waitSignal(adder.finished) as done:
        adder.add([str(path) for path in paths])
    report = done.args[0]
    assert isinstance(report, AddReport)
    return report


ALL = SelectionRules()


def proposed(adder: Adder, qtbot: QtBot, *paths: object, always_review: bool = False) -> Proposal:
    with qtbot.waitSignal(adder.proposed) as asked:
        adder.add([str(path) for path in paths], always_review=always_review)
    proposal = asked.args[0]
    assert isinstance(proposal, Proposal)
    return proposal


def accepted(adder: Adder, qtbot: QtBot, proposal: Proposal, rules: SelectionRules = ALL, **words: Any) -> AddReport:
    with qtbot.waitSignal(adder.finished) as done:
        adder.accept(proposal, picked(proposal, rules), **{"name": "batch", "again": False, **words})
    report = done.args[0]
    assert isinstance(report, AddReport)
    return report


def picked(proposal: Proposal, rules: SelectionRules = ALL) -> SelectionResult:
    found = proposal.review.pick(rules, lambda: False)
    assert found is not None
    return found


def fill(folder: Path, count: int, pattern: str = "{}.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / pattern.format(number)).write_text("x")
    return folder


def test_files_and_folders_with_their_subfolders_are_added(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    deep = tmp_path / "in" / "deep"
    deep.mkdir(parents=True)
    for file in (tmp_path / "in" / "a.txt", deep / "b.txt", tmp_path / "c.txt"):
        file.write_text("x")
    report = finished(adder, qtbot, tmp_path / "in", tmp_path / "c.txt")
    assert report == AddReport(added=3)
    assert names(jobs_db) == ["a.txt", "b.txt", "c.txt"]
    assert jobs_db.control.wait_to_send(0.1, StopRequest())
    assert not adder.busy


def test_batch_has_a_name_of_its_own(adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot) -> None:
    fill(tmp_path / "in", 3, "{}")
    for at, named in enumerate((["in"], ["in/0", "in/1", "in/2"], ["in/0", "in"], ["in"], ["in/2"])):
        for name in "012":
            os.utime(tmp_path / "in" / name, ns=(at, at))  # otherwise they are already in the list
        finished(adder, qtbot, *(tmp_path / name for name in named))
    assert batches(jobs_db) == ["in", "3 files from in", "3 files from in (2)", "in (2)", "2"]


def test_name_of_a_batch_can_be_used_again_when_its_files_are_no_longer_on_the_list(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tmp_path / "in", 3)
    finished(adder, qtbot, tmp_path / "in")
    jobs_db.intake.remove(jobs_db.jobs.ids())
    finished(adder, qtbot, tmp_path / "in")
    assert batches(jobs_db) == ["in", "in"]


def test_name_of_a_batch_tells_what_was_added_of_what_was_found(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tmp_path / "in", 3)
    finished(adder, qtbot, tmp_path / "in" / "1.txt")
    proposal = proposed(adder, qtbot, tmp_path / "in")
    assert picked(proposal).names == ("2 files from in", "in")
    assert picked(proposal, SelectionRules(only="2*; 1*")).names == ("2.txt", "2 files from in")
    assert picked(proposal, SelectionRules(only="1*")).names == ("", "1.txt")
    assert accepted(adder, qtbot, proposal, name="").name == "2 files from in"
    assert batches(jobs_db) == ["1.txt", "2 files from in"]


@pytest.mark.skipif(os.name == "nt", reason="desktops mount network locations on Linux")
def test_batch_of_a_network_location_has_a_readable_name_without_a_password(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for mount in ("smb-share:server=nas,share=in,user=me/my files", "sftp:host=nas,user=me"):
        (tmp_path / "gvfs" / mount).mkdir(parents=True)
        fill(tmp_path / "gvfs" / mount, 2)
    for address in ("smb://me:hunter2@nas/in/my%20files", "sftp://me:hunter2@nas"):
        adder.add([address])
        qtbot.waitUntil(lambda: not adder.busy)
    assert batches(jobs_db) == ["my files", "sftp:host=nas,user=me"]


def test_file_whose_name_is_not_utf8_is_added(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    path = os.fsencode(tmp_path) + b"/bad\xff.txt"
    Path(os.fsdecode(path)).write_bytes(b"x")
    assert finished(adder, qtbot, os.fsdecode(path)).added == 1
    assert names(jobs_db) == ["bad\\xff.txt"]
    assert batches(jobs_db) == ["bad\\xff.txt"]


def test_refused_items_are_reported_and_the_others_added(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "a").write_text("x")
    proposal = proposed(adder, qtbot, tmp_path / "a", tmp_path / "gone", "/dev/null")
    assert [refusal.path for refusal in picked(proposal).refused] == [str(tmp_path / "gone"), "/dev/null"]
    assert names(jobs_db) == []
    report = accepted(adder, qtbot, proposal)
    assert report.added == 1
    assert names(jobs_db) == ["a"]


def test_no_review_is_proposed_if_no_file_can_be_added(adder: Adder, tmp_path: Path, qtbot: QtBot) -> None:
    report = finished(adder, qtbot, tmp_path / "gone", "/dev/null")
    assert [refusal.path for refusal in report.refused] == [str(tmp_path / "gone"), "/dev/null"]


def test_up_to_fifty_files_are_added_without_a_review(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    assert finished(adder, qtbot, fill(tmp_path / "few", 50)).added == 50
    proposal = proposed(adder, qtbot, fill(tmp_path / "many", 51))
    assert (proposal.place, len(proposal.review.result.files)) == ("many", 51)
    adder.dismiss(proposal.number)
    assert not adder.busy
    assert len(names(jobs_db)) == 50


def test_a_review_can_be_requested_for_a_single_file(adder: Adder, tmp_path: Path, qtbot: QtBot) -> None:
    assert len(proposed(adder, qtbot, fill(tmp_path / "in", 1), always_review=True).review.result.files) == 1


def test_accepted_selection_and_batch_name_are_used(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tmp_path / "in", 3)
    fill(tmp_path / "in" / "deep", 2, "{}.csv")
    proposal = proposed(adder, qtbot, tmp_path / "in", always_review=True)
    assert accepted(adder, qtbot, proposal, SelectionRules(only="*.csv"), name="tables") == AddReport(added=2)
    assert names(jobs_db) == ["0.csv", "1.csv"]
    assert batches(jobs_db) == ["tables"]


def test_unchanged_files_are_skipped_or_processed_again(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tmp_path / "in", 2)
    finished(adder, qtbot, tmp_path / "in" / "0.txt")
    proposal = proposed(adder, qtbot, tmp_path / "in")
    assert picked(proposal).listed == 1
    assert accepted(adder, qtbot, proposal) == AddReport(added=1, listed=1)
    proposal = proposed(adder, qtbot, tmp_path / "in")
    assert accepted(adder, qtbot, proposal, again=True) == AddReport(added=2, again=2)
    assert names(jobs_db) == ["0.txt", "1.txt", "0.txt", "1.txt"]


@pytest.mark.parametrize(
    ("setting", "report"), [("skip", AddReport(added=1, listed=1)), ("add", AddReport(added=2, again=1))]
)
def test_setting_for_unchanged_files_is_followed_without_a_review(
    adder: Adder, tmp_path: Path, qtbot: QtBot, setting: str, report: AddReport
) -> None:
    fill(tmp_path / "in", 2)
    finished(adder, qtbot, tmp_path / "in" / "0.txt")
    adder._duplicates = lambda: setting
    assert proposed(adder, qtbot, tmp_path / "in", always_review=True).again is (setting == "add")
    assert finished(adder, qtbot, tmp_path / "in") == report


def test_files_added_during_a_review_are_not_added_twice(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tmp_path / "in", 2)
    first = proposed(adder, qtbot, tmp_path / "in", always_review=True)
    second = proposed(adder, qtbot, tmp_path / "in", always_review=True)
    assert accepted(adder, qtbot, first) == AddReport(added=2)
    assert accepted(adder, qtbot, second) == AddReport(listed=2)
    assert names(jobs_db) == ["0.txt", "1.txt"]


def test_stop_keeps_open_reviews(adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot) -> None:
    proposal = proposed(adder, qtbot, fill(tmp_path / "in", 1), always_review=True)
    adder.stop()
    assert accepted(adder, qtbot, proposal) == AddReport(added=1)
    assert len(names(jobs_db)) == 1


def test_waiting_for_a_review_is_not_shown_as_work(
    adder: Adder, operations: Operations, tmp_path: Path, qtbot: QtBot
) -> None:
    proposal = proposed(adder, qtbot, fill(tmp_path / "in", 1), always_review=True)
    assert not operations.is_busy
    adder.dismiss(proposal.number)


def test_adding_nothing_does_nothing(adder: Adder) -> None:
    adder.add([])
    assert not adder.busy


def test_empty_folder_adds_no_batch(adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    assert finished(adder, qtbot, tmp_path / "empty") == AddReport()
    assert batches(jobs_db) == []


class SlowScan:
    """A scan that finds files until it is stopped or released."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(
        self, paths: list[str], *, recursive: bool, cancelled: Callable[[], bool], on_found: Callable[[int], None]
    ) -> ScanResult:
        assert recursive
        on_found(3118)
        while not cancelled() and not self.go_on.wait(0.005):
            pass
        return ScanResult(FileList([NewFile(paths[0], 1, 1)]), (), cancelled=cancelled())


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowScan:
    made = SlowScan()
    monkeypatch.setattr(adding, "scan", made)
    return made


def test_long_scan_shows_its_progress_and_can_be_stopped(
    adder: Adder, operations: Operations, jobs_db: JobsDatabase, slow: SlowScan, qtbot: QtBot
) -> None:
    adder.add(["/big/in"])
    qtbot.waitUntil(lambda: shown(operations) == ["Scanning in… 3,118 files"])
    with qtbot.waitSignal(adder.finished) as done:
        operations.shown[0].stop()
    assert done.args[0].cancelled
    assert names(jobs_db) == []
    assert shown(operations) == []
    assert not slow.go_on.is_set()


def test_simultaneous_scans_are_shown_together(
    adder: Adder, operations: Operations, jobs_db: JobsDatabase, slow: SlowScan, qtbot: QtBot
) -> None:
    adder.add(["/big/in"])
    adder.add(["/big/out"])
    qtbot.waitUntil(lambda: shown(operations) == ["Scanning in… 3,118 files", "Scanning out… 3,118 files"])
    slow.go_on.set()
    qtbot.waitUntil(lambda: not adder.busy)
    assert sorted(names(jobs_db)) == ["in", "out"]
    assert shown(operations) == []


def test_writing_is_shown_and_is_completed_when_the_window_is_closed(
    adder: Adder,
    operations: Operations,
    jobs_db: JobsDatabase,
    slow: SlowScan,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    add = JobEditor.add

    def slow_add(*args: object, **words: object) -> object:
        assert go_on.wait(30)
        return add(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(JobEditor, "add", slow_add)
    adder.add(["/big/in"])
    slow.go_on.set()
    qtbot.waitUntil(lambda: shown(operations) == ["Adding 0 of 1 file…"])
    adder.stop()
    with qtbot.waitSignal(adder.finished) as done:
        go_on.set()
    assert done.args[0] == AddReport(added=1)
    assert names(jobs_db) == ["in"]


def test_stopped_writing_keeps_what_was_added(
    adder: Adder,
    operations: Operations,
    jobs_db: JobsDatabase,
    tmp_path: Path,
    qtbot: QtBot,
    wording: Wording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake_module, "ROWS_A_PART", 20)
    went_on = threading.Event()
    insert = Intake._insert

    def insert_slowly(self: Intake, rows: Sequence[Sequence[object]], common: Mapping[str, object]) -> None:
        insert(self, rows, common)
        assert went_on.wait(30)

    monkeypatch.setattr(Intake, "_insert", insert_slowly)
    proposal = proposed(adder, qtbot, fill(tmp_path / "in", 60))
    with qtbot.waitSignal(adder.finished) as done:
        adder.accept(proposal, picked(proposal), name="in", again=False)
        qtbot.waitUntil(lambda: shown(operations) == ["Adding 0 of 60 files…"])
        operations.shown[0].stop()
        went_on.set()
    assert done.args[0] == AddReport(added=20, cancelled=True)
    assert len(names(jobs_db)) == 20
    text = notice_of(done.args[0], wording, object, object, object).text
    assert text == "Stopped. 20 files added to “in”."


def test_short_adds_are_not_shown(
    adder: Adder, operations: Operations, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations_module, "SHOWN_AFTER_MS", 60_000)
    changed: list[bool] = []
    operations.changed.connect(lambda: changed.append(True))
    (tmp_path / "a").write_text("x")
    finished(adder, qtbot, tmp_path / "a")
    assert shown(operations) == []
    assert not changed


def test_partial_add_on_a_full_disk_is_reported_and_can_be_completed_later(
    adder: Adder, jobs_db: JobsDatabase, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Intake._insert
    parts: list[int] = []

    def insert_once(self: Intake, rows: Sequence[Sequence[object]], common: Mapping[str, object]) -> None:
        parts.append(len(rows))
        if len(parts) > 1:
            raise StoreFullError("The disk is full.")
        insert(self, rows, common)

    monkeypatch.setattr(intake_module, "ROWS_A_PART", 200)

    fill(tmp_path / "in", 250)
    with monkeypatch.context() as broken:
        broken.setattr(Intake, "_insert", insert_once)
        report = accepted(adder, qtbot, proposed(adder, qtbot, tmp_path / "in"))
    assert report == AddReport(200, problem="Only 200 of 250 files were added. The disk is full.")
    assert report.batch
    assert parts == [200, 50]
    assert len(names(jobs_db)) == 200
    assert jobs_db.control.wait_to_send(0.1, StopRequest())
    assert accepted(adder, qtbot, proposed(adder, qtbot, tmp_path / "in")) == AddReport(50, listed=200)


def test_unwritable_database_is_reported(
    adder: Adder, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(JobEditor, "add", refuse)
    (tmp_path / "a").write_text("x")
    assert finished(adder, qtbot, tmp_path / "a") == AddReport(problem="The disk is full.")
    assert not adder.busy


GONE = Refusal("/in/<b>gone\n", Reason(ReasonCode.NO_SUCH_FILE))


@pytest.mark.parametrize(
    ("report", "text", "kind", "actions"),
    [
        (AddReport(1200, name="in\n"), "1,200 files added to “in\\n”.", Kind.INFO, 2),
        (AddReport(1, name="a.txt"), "“a.txt” was added.", Kind.INFO, 2),
        (AddReport(1200, name="1,200 files from in"), "Added 1,200 files from in.", Kind.INFO, 2),
        (AddReport(12), "Added 12 files.", Kind.INFO, 2),
        (
            AddReport(2, name="in", listed=1200),
            "2 files added to “in”. Skipped because already in the list: 1,200.",
            Kind.INFO,
            2,
        ),
        (
            AddReport(2, name="in", again=1),
            "2 files added to “in”. Added again although already in the list: 1.",
            Kind.INFO,
            2,
        ),
        (AddReport(listed=1), "Nothing was added: 1 file is already in the list and unchanged.", Kind.INFO, 0),
        (AddReport(), "Nothing was added: no files were found.", Kind.INFO, 0),
        (AddReport(cancelled=True), "Stopped. Nothing was added.", Kind.INFO, 0),
        (AddReport(0, (GONE,)), "“<b>gone\\n” can't be added: The file does not exist.", Kind.WARNING, 0),
        (AddReport(0, (GONE, GONE)), "None of these 2 items can be added.", Kind.WARNING, 1),
        (AddReport(4, problem="Only 4 of 9 files. Full."), "Only 4 of 9 files. Full.", Kind.PROBLEM, 2),
        (AddReport(problem="The disk is full."), "Nothing was added: The disk is full.", Kind.PROBLEM, 0),
    ],
)
def test_notice_reports_the_result_of_an_add(
    wording: Wording, report: AddReport, text: str, kind: Kind, actions: int
) -> None:
    notice = notice_of(report, wording, lambda: None, lambda: None, lambda: None)
    assert (notice.text, notice.kind, len(notice.actions)) == (text, kind, actions)
    assert notice.passing is (kind is Kind.INFO)


def mime(*urls: str, text: str = "") -> QMimeData:
    data = QMimeData()
    if urls:
        data.setUrls([QUrl(url) for url in urls])
    if text:
        data.setText(text)
    return data


def test_dropped_urls_are_parsed_like_those_on_the_command_line() -> None:
    urls = ("file:///in/a%20b", "file:///in/bad%FF", "file://localhost/c", "file://server/etc/passwd", "smb://nas/d")
    assert dragged_names(mime(*urls)) == [
        *("/in/a b", "/in/bad\udcff", "/c", "file://server/etc/passwd", "smb://nas/d"),
    ]


def test_drop_is_accepted_if_an_item_can_be_added(windows: WindowFactory, tmp_path: Path) -> None:
    (tmp_path / "a b").touch()
    local, other, network, web = f"file://{tmp_path}/a%20b", "file://server/a", "smb://nas/a", "https://example.org/a"
    window = windows.open()
    added: list[list[str]] = []
    target = window.findChild(DropTarget)
    assert target is not None
    target.dropped.disconnect()
    target.dropped.connect(added.append)
    for urls, wanted in [
        ((local,), [f"{tmp_path}/a b"]),
        ((local, other, web), [f"{tmp_path}/a b", other, web]),
        ((network,), [network]),
        ((other,), None),
        ((web, other), None),
    ]:
        added.clear()
        drop(window, mime(*urls))
        assert added == ([] if wanted is None else [wanted]), urls


def drop(window: QWidget, data: QMimeData) -> None:
    place, copy, left, none = (
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, QDragEnterEvent(place.toPoint(), copy, data, left, none))
    QApplication.sendEvent(window, QDropEvent(place, copy, data, left, none))


def test_copied_files_are_preferred_to_copied_text() -> None:
    assert pasted_names(mime("file:///in/a", "https://example.org/x", text="/b")) == ["/in/a", "https://example.org/x"]
    assert pasted_names(mime(text="/in/a\nprose\n")) == ["/in/a"]
    assert pasted_names(mime()) == []
    gnome = mime()
    gnome.setData("x-special/gnome-copied-files", b"copy\nfile:///in/a%20b")
    assert pasted_names(gnome) == ["/in/a b"]


def test_ten_thousand_pasted_lines_do_not_freeze_the_window() -> None:
    lines = mime(text="".join(f'"/data/in/file {number}.csv"\n' for number in range(10_000)))
    began = time.perf_counter()
    assert len(pasted_names(lines)) == 10_000
    assert time.perf_counter() - began < 0.25  # some 0.01 s here


def test_drop_text_counts_files_and_folders(wording: Wording, tmp_path: Path) -> None:
    folders = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        folders.append(str(folder))
    assert drop_text(folders, wording) == "Drop to add 3 folders"
    assert drop_text(folders[:1], wording) == "Drop to add 1 folder"
    assert drop_text([*folders[:1], "/x"], wording) == "Drop to add 1 file and 1 folder"
    assert drop_text(["/x", "/y"], wording) == "Drop to add 2 files"
    assert drop_text(["/x"] * 1200, wording) == "Drop to add 1,200 items"
    assert drop_text(["/x", "smb://nas/y"], wording) == "Drop to add 2 items"
    assert "Only files" in drop_text([], wording)
