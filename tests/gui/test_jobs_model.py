from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Status
from desktop_app.domain.query import BY_ADDING, Filter, Sort, SortTerm
from desktop_app.gui.filtering.search_names import read_search
from desktop_app.gui.table import model as jobs_model
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, STATUS, UNREAD
from desktop_app.gui.table.model import JobsModel
from desktop_app.gui.tasks import Tasks
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.wording import Wording
    from tests.gui.jobs_database import JobsDatabase

ASCENDING, DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_model, "SOON_MS", 0)
    monkeypatch.setattr(jobs_model, "GENTLE_MS", 0)


@pytest.fixture
def tasks(jobs_db: JobsDatabase) -> Iterator[Tasks]:
    made = Tasks(jobs_db.session, threads=2)
    yield made
    assert made.close(2000)


class ListModel:
    """A model, its tester, and its recorded signals."""

    def __init__(self, jobs_db: JobsDatabase, tasks: Tasks, wording: Wording, qtbot: QtBot) -> None:
        self.jobs_db = jobs_db
        self.qtbot = qtbot
        self.model = JobsModel(jobs_db.jobs, tasks, wording)
        self.tester = QAbstractItemModelTester(self.model, QAbstractItemModelTester.FailureReportingMode.Warning)
        self.cursor = jobs_db.jobs.changes.cursor()
        self.problems: list[str] = []
        self.model.problem.connect(self.problems.append)

    def sort(self, column: str, order: Qt.SortOrder) -> None:
        key = COLUMNS[COLUMN_OF_ID[column]].sort_key
        assert key is not None
        self.model.set_order(Sort((SortTerm(key, order is DESCENDING),)))

    def load(self, column: str = "added", order: Qt.SortOrder = ASCENDING) -> None:
        with self.qtbot.waitSignal(self.model.rows_changed):
            self.sort(column, order)
        self.qtbot.waitUntil(lambda: self.model.is_loaded)

    def look(self) -> None:
        """Apply changes as the feed does."""
        changes = self.jobs_db.jobs.changes.since(self.cursor)
        self.cursor = changes.cursor
        self.model.apply(changes)

    def texts(self, column: str = "name") -> list[str]:
        number = COLUMN_OF_ID[column]
        return [self.model.index(row, number).data() for row in range(self.model.rowCount())]


@pytest.fixture
def list_model(jobs_db: JobsDatabase, tasks: Tasks, wording: Wording, qtbot: QtBot) -> ListModel:
    return ListModel(jobs_db, tasks, wording, qtbot)


def test_list_is_empty_and_not_loaded_until_it_is_read(list_model: ListModel) -> None:
    list_model.jobs_db.add("a.txt")
    assert list_model.model.rowCount() == 0
    loaded = [list_model.model.is_loaded]
    list_model.load()
    assert [*loaded, list_model.model.is_loaded] == [False, True]
    assert list_model.texts() == ["a.txt"]


@pytest.mark.parametrize("order", [ASCENDING, DESCENDING])
def test_first_rows_are_shown_while_the_rest_is_read(
    list_model: ListModel, slow_reading: threading.Event, order: Qt.SortOrder
) -> None:
    keys = list_model.jobs_db.add("a", "b", "c", "d", "e")
    list_model.sort("added", order)
    list_model.qtbot.waitUntil(lambda: list_model.model.rowCount() == 3)
    names = ["a", "b", "c", "d", "e"] if order == ASCENDING else ["e", "d", "c", "b", "a"]
    assert list_model.texts() == names[:3]
    assert not list_model.model.is_loaded
    assert not list_model.model.is_current
    # What happens in the meantime is neither lost nor shown twice.
    added = list_model.jobs_db.add("f")
    list_model.jobs_db.intake.remove(keys[1:2])
    list_model.look()
    second = QPersistentModelIndex(list_model.model.index(1, 0))
    key = list_model.model.ids[1]
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: list_model.model.is_loaded and added[0] in list_model.model.ids)
    now = ["a", "c", "d", "e", "f"]
    list_model.qtbot.waitUntil(lambda: list_model.texts() == (now if order == ASCENDING else now[::-1]))
    assert list_model.model.ids[second.row()] == key


def test_rows_of_an_outdated_order_are_not_shown(list_model: ListModel, slow_reading: threading.Event) -> None:
    list_model.jobs_db.add("b", "a", "d", "c")
    list_model.sort("added", ASCENDING)
    list_model.sort("name", ASCENDING)
    slow_reading.set()
    seen: list[list[str]] = []
    list_model.model.rows_changed.connect(lambda: seen.append(list_model.texts()))
    list_model.qtbot.waitUntil(lambda: list_model.model.is_loaded)
    assert seen == [["a", "b", "c"], ["a", "b", "c", "d"]]


def load_before(slow_reading: threading.Event, list_model: ListModel, *names: str) -> None:
    """Load a list of these files; only then begins the slow reading."""
    slow_reading.set()
    list_model.jobs_db.add(*names)
    list_model.load()
    slow_reading.clear()


def test_first_rows_of_another_order_are_shown_above_placeholders(
    list_model: ListModel, slow_reading: threading.Event
) -> None:
    """The scroll range stays as it is: the same files are listed."""
    load_before(slow_reading, list_model, "b", "a", "d", "c", "e")
    model = list_model.model
    kept, lost = (QPersistentModelIndex(model.index(row, 0)) for row in (1, 4))
    rearranged = QSignalSpy(model.rearranged)
    list_model.sort("name", ASCENDING)
    list_model.qtbot.waitUntil(lambda: model.shown_order == model.order)
    assert list_model.texts() == ["a", "b", "c", UNREAD, UNREAD]
    assert list_model.texts("status")[2:] == ["Pending", None, None]
    assert (model.text(3, 0), model.job(3), len(model.ids)) == (None, None, 3)
    assert (model.is_loaded, model.is_current) == (False, False)
    assert (kept.row(), lost.isValid()) == (0, False)
    at_placeholder = QPersistentModelIndex(model.index(4, 0))
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: model.is_current)
    assert list_model.texts() == ["a", "b", "c", "d", "e"]
    assert (kept.row(), at_placeholder.isValid()) == (0, False)
    assert rearranged.count() == 1


def test_rows_that_stay_are_not_read_again_when_the_others_are_known(
    list_model: ListModel, slow_reading: threading.Event
) -> None:
    load_before(slow_reading, list_model, "b", "a", "d", "c", "e")
    model = list_model.model
    list_model.sort("name", ASCENDING)
    list_model.qtbot.waitUntil(lambda: model.shown_order == model.order)
    moved, changed = QSignalSpy(model.layoutChanged), QSignalSpy(model.dataChanged)
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: model.is_current)
    assert list_model.texts() == ["a", "b", "c", "d", "e"]
    assert [(first.row(), last.row()) for first, last, _ in map(changed.at, range(changed.count()))] == [(3, 4)]
    assert moved.count() == 0


def test_first_rows_of_another_filter_are_shown_alone(list_model: ListModel, slow_reading: threading.Event) -> None:
    slow_reading.set()
    keys = list_model.jobs_db.add("a", "b", "c", "d", "e", "f")
    for key in keys[1:]:
        list_model.jobs_db.finish(key)
    list_model.load()
    slow_reading.clear()
    model = list_model.model
    model.set_filter(Filter(statuses=frozenset({Status.PROCESSED})))
    list_model.qtbot.waitUntil(lambda: model.shown_filter == model.filter)
    assert (list_model.texts(), model.is_current) == (["b", "c", "d"], False)
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: model.is_current)
    assert list_model.texts() == ["b", "c", "d", "e", "f"]


def test_a_few_matches_are_read_only_once(list_model: ListModel, slow_reading: threading.Event) -> None:
    load_before(slow_reading, list_model, "a", "b", "c", "d", "e")  # reading all of them again would wait
    list_model.model.set_filter(Filter(search=read_search("e")))
    list_model.qtbot.waitUntil(lambda: list_model.model.is_current)
    assert list_model.texts() == ["e"]


def test_list_that_is_read_again_does_not_shrink_to_its_first_rows(
    list_model: ListModel, slow_reading: threading.Event
) -> None:
    slow_reading.set()
    list_model.jobs_db.add("b", "a", "d", "c", "e")
    list_model.load("name")
    slow_reading.clear()
    rows: list[int] = []
    list_model.model.rows_changed.connect(lambda: rows.append(list_model.model.rowCount()))
    list_model.model.reload()
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: rows != [])
    assert rows == [5]


def test_rows_removed_while_the_others_are_placeholders_stay_away(
    list_model: ListModel, slow_reading: threading.Event
) -> None:
    slow_reading.set()
    keys = list_model.jobs_db.add("b", "a", "d", "c", "e")
    list_model.load()
    list_model.look()
    slow_reading.clear()
    model = list_model.model
    list_model.sort("name", ASCENDING)
    list_model.qtbot.waitUntil(lambda: model.shown_order == model.order)
    list_model.jobs_db.intake.remove([keys[0], keys[4]])
    list_model.look()
    assert list_model.texts() == ["a", "c", UNREAD, UNREAD]
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: model.is_current and model.rowCount() == 3)
    assert list_model.texts() == ["a", "c", "d"]


def test_first_rows_are_not_shown_if_the_view_refuses(list_model: ListModel, slow_reading: threading.Event) -> None:
    slow_reading.set()
    keys = list_model.jobs_db.add("b", "a", "d", "c", "e")
    list_model.load()
    slow_reading.clear()
    asked: list[object] = []
    list_model.model.may_show_first = asked.append  # type: ignore[assignment] # returns None: no
    list_model.sort("name", ASCENDING)
    list_model.qtbot.waitUntil(lambda: asked != [])
    assert asked == [{keys[1], keys[0], keys[3]}]
    assert list_model.texts() == ["b", "a", "d", "c", "e"]
    slow_reading.set()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["a", "b", "c", "d", "e"])


def test_cells_show_the_values_in_the_database(list_model: ListModel) -> None:
    key = list_model.jobs_db.add("a.txt", size=18_204)[0]
    list_model.jobs_db.finish(key, lines=12_340)
    list_model.load()
    cells = [list_model.model.index(0, number).data() for number in range(len(COLUMNS))]
    assert cells[:5] == ["a.txt", "Processed", "", "12,340", "18.2 kB"]
    assert cells[6] == "0.8\N{NO-BREAK SPACE}s"
    titles = [list_model.model.headerData(number, Qt.Orientation.Horizontal) for number in range(len(COLUMNS))]
    assert titles[:7] == ["Name", "Status", "Progress", "Lines", "Size", "Added", "Duration"]
    assert titles == [column.heading for column in COLUMNS]
    assert list_model.model.headerData(0, Qt.Orientation.Vertical) is None
    assert list_model.model.headerData(99, Qt.Orientation.Horizontal) is None


def test_numbers_are_aligned_to_the_right_like_their_titles(list_model: ListModel) -> None:
    list_model.jobs_db.add("a.txt")
    list_model.load()
    for number, column in enumerate(COLUMNS):
        cell = list_model.model.index(0, number).data(Qt.ItemDataRole.TextAlignmentRole)
        title = list_model.model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
        assert bool(Qt.AlignmentFlag(cell) & Qt.AlignmentFlag.AlignRight) is column.numeric
        assert cell == title


def test_progress_is_also_given_as_text(list_model: ListModel) -> None:
    key = list_model.jobs_db.add("a.txt", size=1000)[0]
    list_model.jobs_db.change(key, status=Status.PROCESSING, bytes_done=710)
    list_model.load()
    index = list_model.model.index(0, COLUMN_OF_ID["progress"])
    assert index.data() == "71%"
    assert index.data(Qt.ItemDataRole.DecorationRole) is None


@pytest.mark.parametrize(
    ("path", "shown", "hint"),
    [
        ("/in/<b>x.txt", "<b>x.txt", "/in/&lt;b&gt;x.txt"),
        ("/in/two\nlines", "two\\nlines", "/in/two\\nlines"),
        ("/in/bad\udcff.bin", "bad\\xff.bin", "/in/bad\\xff.bin"),
        ("/in/quote\"s'", "quote\"s'", "/in/quote&quot;s&#x27;"),
        ("/in/\u202egnp.exe", "\\u202egnp.exe", "/in/\\u202egnp.exe"),
    ],
)
def test_unusual_names_are_shown_as_plain_text(list_model: ListModel, path: str, shown: str, hint: str) -> None:
    list_model.jobs_db.add(path)
    list_model.load()
    index = list_model.model.index(0, 0)
    assert index.data() == shown
    assert index.data(Qt.ItemDataRole.ToolTipRole) == f'<div style="white-space: pre">{hint}</div>'


def test_first_cell_has_the_rows_accessible_text_and_the_others_their_titles(list_model: ListModel) -> None:
    list_model.jobs_db.fail(list_model.jobs_db.add("a.txt", size=18_204)[0])
    list_model.load()
    spoken = [
        list_model.model.index(0, number).data(Qt.ItemDataRole.AccessibleTextRole) for number in range(len(COLUMNS))
    ]
    assert spoken[0] == "a.txt, Failed, The file no longer exists, 18.2 kB"
    assert spoken[1] == "Status: Failed"
    assert spoken[3] == "Lines: "


def test_changes_are_emitted_for_each_block_of_rows(list_model: ListModel) -> None:
    """So that only these rows are painted again."""
    keys = list_model.jobs_db.add_many(20)
    list_model.load()
    list_model.texts()
    list_model.look()
    spy = QSignalSpy(list_model.model.dataChanged)
    list_model.jobs_db.finish([keys[3], keys[9], keys[8], keys[12]], lines=5)
    list_model.jobs_db.fail(keys[7])
    list_model.look()
    ranges = [spy.at(at)[:2] for at in range(spy.count())]
    assert {(first.row(), last.row()) for first, last in ranges} == {(3, 3), (7, 9), (12, 12)}
    columns = {number for first, last in ranges for number in range(first.column(), last.column() + 1)}
    assert columns >= {COLUMN_OF_ID[name] for name in ("status", "lines", "took", "reason", "finished")}
    assert columns.isdisjoint({COLUMN_OF_ID[name] for name in ("name", "size", "added", "batch", "jobId")})
    assert list_model.texts("lines")[9] == "5"
    assert list_model.texts("status")[7].startswith("Failed")


def test_many_scattered_changes_are_emitted_as_one_range(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add_many(100)
    list_model.load()
    list_model.texts()
    list_model.look()
    spy = QSignalSpy(list_model.model.dataChanged)
    list_model.jobs_db.finish(keys[2::3], lines=5)
    list_model.look()
    ranges = [spy.at(at)[:2] for at in range(spy.count())]
    assert {(first.row(), last.row()) for first, last in ranges} == {(2, 98)}


def test_change_that_no_column_shows_is_emitted(list_model: ListModel) -> None:
    """The details may show it."""
    (key,) = list_model.jobs_db.add("a.txt")
    list_model.load()
    list_model.texts()
    list_model.look()
    spy = QSignalSpy(list_model.model.dataChanged)
    list_model.jobs_db.change(key, receive_count=3)
    list_model.look()
    assert [(spy.at(at)[0].row(), spy.at(at)[0].column()) for at in range(spy.count())] == [(0, STATUS)]


def test_screen_reader_learns_that_the_row_has_changed(list_model: ListModel) -> None:
    """The text of the first column describes the whole row."""
    (key,) = list_model.jobs_db.add("a.txt")
    list_model.load()
    list_model.texts()
    list_model.look()
    spy = QSignalSpy(list_model.model.dataChanged)
    QAccessible.setActive(True)
    try:
        list_model.jobs_db.finish(key, lines=3)
        list_model.look()
    finally:
        QAccessible.setActive(False)
    ranges = [spy.at(at)[:2] for at in range(spy.count())]
    assert [(first.column(), last.column()) for first, last in ranges] == [(0, len(COLUMNS) - 1)]


def test_nothing_is_emitted_for_rows_that_are_not_cached(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add_many(600)
    list_model.load()
    list_model.model.index(0, 0).data()
    list_model.look()
    spy = QSignalSpy(list_model.model.dataChanged)
    list_model.jobs_db.finish(keys[-1], lines=5)
    list_model.look()
    assert spy.count() == 0
    assert list_model.model.index(599, COLUMN_OF_ID["lines"]).data() == "5"


@pytest.mark.parametrize(("order", "row"), [(ASCENDING, 3), (DESCENDING, 0)])
def test_new_rows_are_inserted_at_once(list_model: ListModel, order: Qt.SortOrder, row: int) -> None:
    list_model.jobs_db.add_many(3)
    list_model.load("added", order)
    list_model.look()
    spy = QSignalSpy(list_model.model.rowsInserted)
    list_model.jobs_db.add("new1.txt", "new2.txt")
    list_model.look()
    assert spy.count() == 1
    assert spy.at(0)[1:] == [row, row + 1]
    expected = ["file0.txt", "file1.txt", "file2.txt", "new1.txt", "new2.txt"]
    assert list_model.texts() == (expected if order is ASCENDING else expected[::-1])


def test_selection_stays_on_its_files_when_rows_are_removed(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add_many(10)
    list_model.load()
    list_model.look()
    selection = QItemSelectionModel(list_model.model)
    selection.select(list_model.model.index(7, 0), QItemSelectionModel.SelectionFlag.Select)
    spy = QSignalSpy(list_model.model.rowsRemoved)
    list_model.jobs_db.intake.remove([keys[1], keys[2], keys[5]])
    list_model.look()
    assert [spy.at(n)[1:] for n in range(spy.count())] == [[5, 5], [1, 2]]
    assert [index.data() for index in selection.selectedIndexes()] == ["file7.txt"]
    assert list_model.texts() == [f"file{n}.txt" for n in (0, 3, 4, 6, 7, 8, 9)]


def test_list_is_reloaded_when_many_separate_rows_are_removed(
    list_model: ListModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_model, "_MAX_BLOCKS", 2)
    keys = list_model.jobs_db.add_many(10)
    list_model.load()
    list_model.look()
    list_model.jobs_db.intake.remove(keys[::2])
    with list_model.qtbot.waitSignal(list_model.model.rows_changed):
        list_model.look()
    assert list_model.texts() == [f"file{n}.txt" for n in (1, 3, 5, 7, 9)]


@pytest.mark.parametrize("order", [ASCENDING, DESCENDING])
def test_restored_rows_return_to_their_positions(list_model: ListModel, order: Qt.SortOrder) -> None:
    keys = list_model.jobs_db.add_many(5)
    list_model.load("added", order)
    list_model.jobs_db.intake.remove([keys[2]])
    list_model.look()
    assert list_model.model.rowCount() == 4
    list_model.jobs_db.intake.restore([keys[2]])
    with list_model.qtbot.waitSignal(list_model.model.rows_changed):
        list_model.look()
    assert list_model.texts()[2] == "file2.txt"


def test_sorting_follows_sql_and_keeps_selection_and_current_row(list_model: ListModel) -> None:
    list_model.jobs_db.add("file10.txt", "file9.txt", "Alpha.txt", "beta.txt")
    list_model.load()
    selection = QItemSelectionModel(list_model.model)
    selection.setCurrentIndex(list_model.model.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
    selection.select(list_model.model.index(1, 0), QItemSelectionModel.SelectionFlag.Select)
    list_model.load("name")
    assert list_model.texts() == ["Alpha.txt", "beta.txt", "file9.txt", "file10.txt"]
    assert [index.data() for index in selection.selectedIndexes()] == ["file9.txt"]
    assert selection.currentIndex().data() == "file10.txt"
    list_model.load("name", DESCENDING)
    assert list_model.texts()[0] == "file10.txt"


def test_layout_change_has_the_hint_that_only_rows_were_sorted(list_model: ListModel) -> None:
    list_model.jobs_db.add("b", "a")
    list_model.load()
    hints: list[Any] = []
    list_model.model.layoutChanged["QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint"].connect(  # type: ignore[index]
        lambda _, hint: hints.append(hint)
    )
    list_model.load("name")
    assert hints == [QAbstractItemModel.LayoutChangeHint.VerticalSortHint]


def test_equal_rows_stay_in_the_order_they_were_added(list_model: ListModel) -> None:
    list_model.jobs_db.add("c", "a", "b", size=5)
    list_model.load("size", DESCENDING)
    assert list_model.texts() == ["c", "a", "b"]


def test_unchanged_order_is_not_loaded_again(list_model: ListModel) -> None:
    list_model.jobs_db.add("a")
    list_model.load()
    spy = QSignalSpy(list_model.model.rows_changed)
    list_model.sort("added", ASCENDING)
    assert spy.count() == 0
    assert list_model.model.order == BY_ADDING


def test_only_the_newest_order_is_shown(list_model: ListModel) -> None:
    list_model.jobs_db.add("b", "a", "c")
    list_model.load()
    spy = QSignalSpy(list_model.model.layoutChanged)
    for column, order in (("name", ASCENDING), ("size", ASCENDING), ("name", DESCENDING)):
        list_model.sort(column, order)
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["c", "b", "a"])
    assert spy.count() <= 1
    assert list_model.model.order == Sort.by("name", descending=True)


def test_new_row_is_sorted_into_a_sorted_list(list_model: ListModel) -> None:
    list_model.jobs_db.add("a", "c")
    list_model.load("name")
    list_model.look()
    list_model.jobs_db.add("b")
    list_model.look()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["a", "b", "c"])


def test_row_whose_status_changed_moves_in_a_list_sorted_by_status(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add("a", "b", "c")
    list_model.load("status")
    list_model.look()
    list_model.jobs_db.finish(keys[0])
    list_model.look()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["b", "c", "a"])


def test_removed_row_disappears_from_a_sorted_list_immediately(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add("c", "a", "b")
    list_model.load("name")
    list_model.jobs_db.intake.remove([keys[2]])
    list_model.look()
    assert list_model.texts() == ["a", "c"]


def test_list_is_reloaded_after_too_many_changes(list_model: ListModel, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = list_model.jobs_db.add_many(10)
    list_model.load()
    list_model.texts()
    monkeypatch.setattr("desktop_app.store.change_feed.MAX_CHANGES", 3)
    list_model.jobs_db.finish(keys, lines=3)
    list_model.jobs_db.add_many(2)
    with list_model.qtbot.waitSignal(list_model.model.rows_changed):
        list_model.look()
    assert list_model.model.rowCount() == 12
    assert list_model.texts("lines") == ["3"] * 10 + [""] * 2


def test_rows_added_and_removed_while_an_order_is_loaded_are_correct_afterwards(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add("a", "b", "c")
    list_model.load()
    list_model.look()
    list_model.sort("added", DESCENDING)  # it is running on the pool
    list_model.jobs_db.add("d")
    list_model.jobs_db.intake.remove([keys[0]])
    list_model.look()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["d", "c", "b"])


def test_row_removed_and_restored_while_an_order_is_loaded_is_listed(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add("a", "b", "c")
    list_model.load()
    list_model.look()
    list_model.sort("added", DESCENDING)  # it is running on the pool
    list_model.jobs_db.intake.remove([keys[1]])
    list_model.look()
    list_model.jobs_db.intake.restore([keys[1]])
    list_model.look()
    list_model.model.reload()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["c", "b", "a"])


def test_rows_added_during_the_first_load_are_not_lost(list_model: ListModel) -> None:
    list_model.jobs_db.add("a")
    list_model.sort("added", ASCENDING)
    list_model.jobs_db.add("b")
    list_model.look()
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["a", "b"])


def test_list_can_become_empty_and_be_filled_again(list_model: ListModel) -> None:
    keys = list_model.jobs_db.add_many(3)
    list_model.load()
    list_model.look()
    list_model.jobs_db.intake.remove(keys)
    list_model.look()
    assert list_model.model.rowCount() == 0
    list_model.jobs_db.add("x")
    list_model.look()
    assert list_model.texts() == ["x"]


def test_unreadable_database_is_reported_and_read_again(list_model: ListModel, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = list_model.jobs_db.add_many(3)
    list_model.load()
    list_model.look()
    with monkeypatch.context() as broken:
        broken.setattr(JobList, "page", _refuse)
        list_model.model.reread()
        assert list_model.texts() == ["…"] * 3
        assert list_model.model.job(0) is None
        assert list_model.problems == ["The disk is gone."]
    list_model.jobs_db.finish(keys[1])
    list_model.look()
    assert list_model.texts() == ["file0.txt", "file1.txt", "file2.txt"]


def test_unreadable_order_is_reported_and_loaded_again(list_model: ListModel, monkeypatch: pytest.MonkeyPatch) -> None:
    list_model.jobs_db.add("a")
    with monkeypatch.context() as broken:
        broken.setattr(JobList, "ids", _refuse)
        list_model.sort("added", ASCENDING)
        list_model.qtbot.waitUntil(lambda: list_model.problems != [])
    list_model.qtbot.waitUntil(lambda: list_model.texts() == ["a"])
    assert set(list_model.problems) == {"The disk is gone."}


def test_error_of_an_outdated_order_is_ignored(
    list_model: ListModel, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = list_model.jobs_db.add("a", "b", "c")
    list_model.load()
    list_model.look()
    refused, answered = threading.Event(), threading.Event()
    read = JobList.ids

    def ids(reader: JobList, where: Filter, order: Sort, *, limit: int | None = None) -> array[int]:
        if order == Sort.by("name"):
            assert refused.wait(5)
            raise StoreError("The disk is gone.")
        found = read(reader, where, order, limit=limit)
        refused.set()
        assert answered.wait(5)
        return found

    monkeypatch.setattr(JobList, "ids", ids)
    list_model.sort("name", ASCENDING)
    list_model.sort("added", DESCENDING)
    list_model.qtbot.waitUntil(lambda: len(tasks._waiting) == 1)  # the first signal was received
    list_model.jobs_db.intake.remove([keys[1]])
    list_model.look()
    with list_model.qtbot.waitSignal(list_model.model.rows_changed):
        answered.set()
    assert list_model.texts() == ["c", "a"]
    assert list_model.problems == []


def _refuse(*_: object, **__: object) -> None:
    raise StoreError("The disk is gone.")


def test_million_rows_are_counted_without_reading_them(list_model: ListModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from array import array

    million = array("q", range(1, 1_000_001))
    monkeypatch.setattr(JobList, "ids", lambda *_, limit=None: million[:limit])
    list_model.tester.deleteLater()
    list_model.load()
    assert list_model.model.rowCount() == 1_000_000
    assert list_model.model.flags(list_model.model.index(999_999, 0)) & Qt.ItemFlag.ItemIsSelectable
    assert list_model.model.flags(QModelIndex()) == Qt.ItemFlag.NoItemFlags
    assert list_model.model.columnCount(list_model.model.index(0, 0)) == 0


@pytest.mark.parametrize("row", [-1, 2, 1_000])
def test_row_that_does_not_exist_has_no_job(list_model: ListModel, row: int) -> None:
    list_model.jobs_db.add("a", "b")
    list_model.load()
    assert list_model.model.job(1) is not None
    assert list_model.model.job(row) is None
