from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import StoreError
from desktop_app.domain.query import Filter
from desktop_app.gui.commands import edit as clip_module
from desktop_app.gui.commands.edit import clip_of_paths, clip_of_rows
from desktop_app.gui.commands.list_commands import ListCommands
from desktop_app.gui.operations import Operations
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS
from desktop_app.gui.tasks import Tasks
from desktop_app.gui.widgets.notice import Kind, Notice
from desktop_app.services.adding.job_editor import JobEditor
from desktop_app.services.support.export import spreadsheet_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.wording import Wording
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase


@pytest.fixture
def commands(jobs_db: JobsDatabase, wording: Wording) -> Iterator[ListCommands]:
    reads, writes = Tasks(jobs_db.session, threads=1), Tasks(jobs_db.session, threads=1)
    operations = Operations()
    yield ListCommands(jobs_db.jobs, jobs_db.intake, reads=reads, writes=writes, operations=operations, wording=wording)
    assert writes.close(2000)
    assert reads.close(2000)


def said(commands: ListCommands, qtbot: QtBot, do: Callable[[], object]) -> Notice:
    heard: list[Notice] = []
    commands.notice.connect(heard.append)
    with qtbot.waitSignal(commands.notice):
        do()
    commands.notice.disconnect(heard.append)
    return heard[0]


def keys(*values: int) -> array[int]:
    return array("q", values)


def test_retry_reports_retried_and_skipped_files(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b, c = jobs_db.add("a", "b", "c")
    jobs_db.fail(a)
    jobs_db.finish(b)
    notice = said(commands, qtbot, lambda: commands.retry(keys(a, b, c)))
    assert notice.text == "2 files will be processed again. Skipped because unfinished: 1."
    assert jobs_db.statuses() == ["PENDING"] * 3
    assert said(commands, qtbot, lambda: commands.retry(keys(a))).text.startswith("Nothing to retry")


def test_retry_failed_does_not_change_other_files(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b, c = jobs_db.add("a", "b", "c")
    jobs_db.fail([a, c])
    jobs_db.finish(b)
    notice = said(commands, qtbot, commands.retry_failed)
    assert notice.text == "2 files will be processed again."
    assert jobs_db.statuses() == ["PENDING", "PROCESSED", "PENDING"]
    assert said(commands, qtbot, commands.retry_failed).text == "There are no files to retry."


def test_remove_undo_redo(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b = jobs_db.add("a", "b")
    notice = said(commands, qtbot, lambda: commands.remove(keys(a)))
    assert notice.text == "Removed 1 file from the list. Nothing was changed on disk."
    assert list(jobs_db.jobs.ids()) == [b]
    assert commands.undo.undoText() == "Remove 1 File"
    with qtbot.waitSignals([commands.revealed, commands.written]):
        notice.actions[0].run()
    assert list(jobs_db.jobs.ids()) == [a, b]
    said(commands, qtbot, commands.undo.redo)
    assert list(jobs_db.jobs.ids()) == [b]


def test_removals_are_undone_one_by_one(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b = jobs_db.add("a", "b")
    for key in (a, b):
        said(commands, qtbot, lambda key=key: commands.remove(keys(key)))  # type: ignore[misc]
    said(commands, qtbot, commands.undo.undo)
    assert list(jobs_db.jobs.ids()) == [b]
    said(commands, qtbot, commands.undo.undo)
    assert list(jobs_db.jobs.ids()) == [a, b]
    assert not commands.undo.canUndo()


def test_files_of_a_filter_are_retried(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b = jobs_db.add("a", "b")
    jobs_db.add("c")
    jobs_db.fail([a, b])
    (batch,) = (batch.id for batch in jobs_db.jobs.batches() if batch.counts.total == 2)
    notice = said(commands, qtbot, lambda: commands.retry_filtered(Filter(batches=frozenset({batch}))))
    assert notice.text == "2 files will be processed again."
    assert jobs_db.statuses() == ["PENDING"] * 3


def test_processed_files_are_removed_and_restored(commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot) -> None:
    a, b, c = jobs_db.add("a", "b", "c")
    jobs_db.finish([a, c])
    said(commands, qtbot, commands.remove_processed)
    assert list(jobs_db.jobs.ids()) == [b]
    assert said(commands, qtbot, commands.remove_processed).text == "There are no files to remove."
    said(commands, qtbot, commands.undo.undo)
    assert list(jobs_db.jobs.ids()) == [a, b, c]
    assert not commands.undo.canUndo()


def test_empty_selection_does_nothing(commands: ListCommands) -> None:
    commands.remove(keys())
    commands.retry(keys())
    assert commands.undo.count() == 0


@pytest.mark.parametrize("method", ["remove", "retry", "restore"])
def test_error_is_reported_and_the_removal_can_still_be_undone(
    commands: ListCommands, jobs_db: JobsDatabase, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    (a,) = jobs_db.add("a")
    jobs_db.fail(a)

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    if method == "restore":
        said(commands, qtbot, lambda: commands.remove(keys(a)))
    with monkeypatch.context() as broken:
        broken.setattr(JobEditor, method, refuse)
        do = {"remove": lambda: commands.remove(keys(a)), "retry": lambda: commands.retry(keys(a))}
        notice = said(commands, qtbot, do.get(method, commands.undo.undo))
    assert (notice.text, notice.kind) == ("The disk is full.", Kind.PROBLEM)
    assert [action.text for action in notice.actions] == ["Try Again"]
    assert list(jobs_db.jobs.ids()) == ([] if method == "restore" else [a])


def test_rows_are_copied_with_exact_values(jobs_db: JobsDatabase, wording: Wording) -> None:
    a, b = jobs_db.add("a.txt", "=SUM(A1).txt", size=18_204)
    jobs_db.finish(a, lines=1_234)
    columns = [COLUMNS[COLUMN_OF_ID[name]] for name in ("name", "status", "lines", "size")]
    assert clip_of_rows(jobs_db.jobs, keys(a, b), columns, wording).text.splitlines() == [
        "Name\tStatus\tLines\tSize",
        "a.txt\tProcessed\t1234\t18204",
        "'=SUM(A1).txt\tPending\t\t18204",
    ]


def test_copied_cells_contain_no_tabs_or_line_breaks(jobs_db: JobsDatabase, wording: Wording) -> None:
    (a,) = jobs_db.add("tab\tand\nline.txt")
    clip = clip_of_rows(jobs_db.jobs, keys(a, 999), [COLUMNS[0]], wording)
    assert clip.text == "Name\ntab\\tand\\nline.txt\n"
    assert clip.rows == 1


@pytest.mark.parametrize("name", ["007", "+1", "@x", "\uff1dA1", "1-2"])
def test_copied_texts_are_not_formulas_in_a_spreadsheet(jobs_db: JobsDatabase, wording: Wording, name: str) -> None:
    (a,) = jobs_db.add(name, size=7)
    columns = [COLUMNS[COLUMN_OF_ID[column]] for column in ("name", "size")]
    clip = clip_of_rows(jobs_db.jobs, keys(a), columns, wording)
    assert clip.text == f"Name\tSize\n{spreadsheet_text(name)}\t7\n"
    assert clip.text.splitlines()[1].startswith("'")


def test_rows_are_copied_as_html_and_files_too(jobs_db: JobsDatabase, wording: Wording) -> None:
    ids = jobs_db.add("<b>.txt", "b c.txt")
    data = clip_of_rows(jobs_db.jobs, keys(*ids), [COLUMNS[0], COLUMNS[COLUMN_OF_ID["size"]]], wording).mime_data()
    assert data.text() == "Name\tSize\n<b>.txt\t1000\nb c.txt\t1000\n"
    assert "<tr><td>&lt;b&gt;.txt</td><td>1000</td></tr>" in data.html()
    assert [url.toLocalFile() for url in data.urls()] == ["/in/<b>.txt", "/in/b c.txt"]


def test_paths_are_copied_as_lines_and_as_files(jobs_db: JobsDatabase) -> None:
    ids = jobs_db.add("a b.txt", "two\nlines", "bad\udcff.bin")
    data = clip_of_paths(jobs_db.jobs, keys(*ids)).mime_data()
    assert data.text() == "/in/a b.txt\n/in/two\\nlines\n/in/bad\\xff.bin"
    assert not data.hasHtml()
    encoded = [bytes(url.toEncoded().data()).decode() for url in data.urls()]
    assert encoded == ["file:///in/a%20b.txt", "file:///in/two%0Alines", "file:///in/bad%FF.bin"]


def test_very_many_rows_are_copied_only_as_text(
    jobs_db: JobsDatabase, wording: Wording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_module, "MOST_RICH_ROWS", 1)
    ids = keys(*jobs_db.add("a", "b"))
    for clip in (clip_of_rows(jobs_db.jobs, ids, [COLUMNS[0]], wording), clip_of_paths(jobs_db.jobs, ids)):
        assert clip.rows == 2
        assert "b" in clip.text
        assert (clip.page, clip.addresses) == ("", ())


def test_copying_paths_is_reported(windows: WindowFactory) -> None:
    windows.jobs_db.add("a", "b")
    window = windows.open()
    window.view.selectAll()
    window.menu_actions.copy_path.trigger()
    windows.settle()
    assert window.notices.notice == Notice("Copied 2 paths.", passing=True)
