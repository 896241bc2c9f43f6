from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel, QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy

from desktop_app.domain.errors import StoreError
from desktop_app.domain.job import Status
from desktop_app.domain.query import BY_ADDING, Filter, Sort
from desktop_app.gui.table import model as jobs_model
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS
from desktop_app.gui.table.model import JobsModel
from desktop_app.gui.tasks import Tasks
from desktop_app.store.job_list import JobList

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.wording import Wording
    from tests.gui.world import World

ASCENDING, DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_model, "SOON_MS", 0)
    monkeypatch.setattr(jobs_model, "GENTLE_MS", 0)


@pytest.fixture
def tasks(world: World) -> Iterator[Tasks]:
    made = Tasks(world.session, threads=2)
    yield made
    assert made.close(2000)


class Bench:
    """A model, its tester, and what it said."""

    def __init__(self, world: World, tasks: Tasks, wording: Wording, qtbot: QtBot) -> None:
        self.world = world
        self.qtbot = qtbot
        self.model = JobsModel(world.jobs, tasks, wording)
        self.tester = QAbstractItemModelTester(self.model, QAbstractItemModelTester.FailureReportingMode.Warning)
        self.cursor = world.jobs.changes.cursor()
        self.problems: list[str] = []
        self.model.problem.connect(self.problems.append)

    def load(self, column: str = "added", order: Qt.SortOrder = ASCENDING) -> None:
        with self.qtbot.waitSignal(self.model.listed):
            self.model.sort(COLUMN_OF_ID[column], order)

    def look(self) -> None:
        """As the feed does."""
        changes = self.world.jobs.changes.since(self.cursor)
        self.cursor = changes.cursor
        self.model.apply(changes)

    def texts(self, column: str = "name") -> list[str]:
        number = COLUMN_OF_ID[column]
        return [self.model.index(row, number).data() for row in range(self.model.rowCount())]


@pytest.fixture
def bench(world: World, tasks: Tasks, wording: Wording, qtbot: QtBot) -> Bench:
    return Bench(world, tasks, wording, qtbot)


def test_list_is_empty_and_not_loaded_until_it_is_read(bench: Bench) -> None:
    bench.world.add("a.txt")
    assert bench.model.rowCount() == 0
    loaded = [bench.model.is_loaded]
    bench.load()
    assert [*loaded, bench.model.is_loaded] == [False, True]
    assert bench.texts() == ["a.txt"]


def test_cells_show_what_the_database_says(bench: Bench) -> None:
    key = bench.world.add("a.txt", size=18_204)[0]
    bench.world.finish(key, lines=12_340)
    bench.load()
    cells = [bench.model.index(0, number).data() for number in range(len(COLUMNS))]
    assert cells[:5] == ["a.txt", "Processed", "", "12,340", "18.2 kB"]
    assert cells[6] == "0.8\N{NO-BREAK SPACE}s"
    titles = [bench.model.headerData(number, Qt.Orientation.Horizontal) for number in range(len(COLUMNS))]
    assert titles[:7] == ["Name", "Status", "Progress", "Lines", "Size", "Added", "Took"]
    assert titles[7:] == [
        *("Reason", "Folder", "Type", "Finished", "Modified", "Attempts", "Batch", "Queue", "Message ID", "Job ID")
    ]
    assert bench.model.headerData(0, Qt.Orientation.Vertical) is None
    assert bench.model.headerData(99, Qt.Orientation.Horizontal) is None


def test_numbers_are_aligned_to_the_right_like_their_titles(bench: Bench) -> None:
    bench.world.add("a.txt")
    bench.load()
    for number, column in enumerate(COLUMNS):
        cell = bench.model.index(0, number).data(Qt.ItemDataRole.TextAlignmentRole)
        title = bench.model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
        assert bool(Qt.AlignmentFlag(cell) & Qt.AlignmentFlag.AlignRight) is column.numeric
        assert cell == title


def test_progress_is_told_in_words_too(bench: Bench) -> None:
    key = bench.world.add("a.txt", size=1000)[0]
    bench.world.change(key, status=Status.PROCESSING, bytes_done=710)
    bench.load()
    index = bench.model.index(0, COLUMN_OF_ID["progress"])
    assert index.data() == "71\N{NO-BREAK SPACE}%"
    assert index.data(Qt.ItemDataRole.DecorationRole) is None


@pytest.mark.parametrize(
    ("path", "shown", "hint"),
    [
        ("/in/<b>x.txt", "<b>x.txt", "<qt>/in/&lt;b&gt;x.txt</qt>"),
        ("/in/two\nlines", "two\\nlines", "<qt>/in/two\\nlines</qt>"),
        ("/in/bad\udcff.bin", "bad\\xff.bin", "<qt>/in/bad\\xff.bin</qt>"),
        ("/in/quote\"s'", "quote\"s'", "<qt>/in/quote&quot;s&#x27;</qt>"),
        ("/in/\u202egnp.exe", "\\u202egnp.exe", "<qt>/in/\\u202egnp.exe</qt>"),
    ],
)
def test_hostile_names_are_shown_as_plain_text(bench: Bench, path: str, shown: str, hint: str) -> None:
    bench.world.add(path)
    bench.load()
    index = bench.model.index(0, 0)
    assert index.data() == shown
    assert index.data(Qt.ItemDataRole.ToolTipRole) == hint


def test_first_cell_speaks_the_row_and_the_others_their_title(bench: Bench) -> None:
    bench.world.fail(bench.world.add("a.txt", size=18_204)[0], "Gone")
    bench.load()
    spoken = [bench.model.index(0, number).data(Qt.ItemDataRole.AccessibleTextRole) for number in range(len(COLUMNS))]
    assert spoken[0] == "a.txt, Failed, Gone, 18.2 kB"
    assert spoken[1] == "Status: Failed \N{EN DASH} Gone"
    assert spoken[3] == "Lines: "


def test_changes_come_as_one_range_and_from_the_database(bench: Bench) -> None:
    keys = bench.world.add_many(20)
    bench.load()
    bench.texts()
    bench.look()
    spy = QSignalSpy(bench.model.dataChanged)
    bench.world.finish([keys[3], keys[9], keys[12]], lines=5)
    bench.world.fail(keys[7])
    bench.look()
    assert spy.count() == 1
    first, last = spy.at(0)[:2]
    assert (first.row(), last.row()) == (3, 12)
    assert (first.column(), last.column()) == (0, len(COLUMNS) - 1)
    assert bench.texts("lines")[9] == "5"
    assert bench.texts("status")[7].startswith("Failed")


def test_nothing_is_emitted_for_rows_that_nobody_looked_at(bench: Bench) -> None:
    keys = bench.world.add_many(600)
    bench.load()
    bench.model.index(0, 0).data()
    bench.look()
    spy = QSignalSpy(bench.model.dataChanged)
    bench.world.finish(keys[-1], lines=5)
    bench.look()
    assert spy.count() == 0
    assert bench.model.index(599, COLUMN_OF_ID["lines"]).data() == "5"


@pytest.mark.parametrize(("order", "row"), [(ASCENDING, 3), (DESCENDING, 0)])
def test_new_rows_come_in_one_insertion(bench: Bench, order: Qt.SortOrder, row: int) -> None:
    bench.world.add_many(3)
    bench.load("added", order)
    bench.look()
    spy = QSignalSpy(bench.model.rowsInserted)
    bench.world.add("new1.txt", "new2.txt")
    bench.look()
    assert spy.count() == 1
    assert spy.at(0)[1:] == [row, row + 1]
    expected = ["file0.txt", "file1.txt", "file2.txt", "new1.txt", "new2.txt"]
    assert bench.texts() == (expected if order is ASCENDING else expected[::-1])


def test_removed_rows_vanish_and_the_selection_stays_on_its_files(bench: Bench) -> None:
    keys = bench.world.add_many(10)
    bench.load()
    bench.look()
    selection = QItemSelectionModel(bench.model)
    selection.select(bench.model.index(7, 0), QItemSelectionModel.SelectionFlag.Select)
    spy = QSignalSpy(bench.model.rowsRemoved)
    bench.world.intake.remove([keys[1], keys[2], keys[5]])
    bench.look()
    assert [spy.at(n)[1:] for n in range(spy.count())] == [[5, 5], [1, 2]]
    assert [index.data() for index in selection.selectedIndexes()] == ["file7.txt"]
    assert bench.texts() == [f"file{n}.txt" for n in (0, 3, 4, 6, 7, 8, 9)]


def test_rows_removed_in_many_places_are_loaded_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_model, "_MAX_RUNS", 2)
    keys = bench.world.add_many(10)
    bench.load()
    bench.look()
    bench.world.intake.remove(keys[::2])
    with bench.qtbot.waitSignal(bench.model.listed):
        bench.look()
    assert bench.texts() == [f"file{n}.txt" for n in (1, 3, 5, 7, 9)]


@pytest.mark.parametrize("order", [ASCENDING, DESCENDING])
def test_rows_that_are_brought_back_return_to_their_place(bench: Bench, order: Qt.SortOrder) -> None:
    keys = bench.world.add_many(5)
    bench.load("added", order)
    bench.world.intake.remove([keys[2]])
    bench.look()
    assert bench.model.rowCount() == 4
    bench.world.intake.restore([keys[2]])
    with bench.qtbot.waitSignal(bench.model.listed):
        bench.look()
    assert bench.texts()[2] == "file2.txt"


def test_sorting_follows_sql_and_keeps_selection_and_current_row(bench: Bench) -> None:
    bench.world.add("file10.txt", "file9.txt", "Alpha.txt", "beta.txt")
    bench.load()
    selection = QItemSelectionModel(bench.model)
    selection.setCurrentIndex(bench.model.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
    selection.select(bench.model.index(1, 0), QItemSelectionModel.SelectionFlag.Select)
    bench.load("name")
    assert bench.texts() == ["Alpha.txt", "beta.txt", "file9.txt", "file10.txt"]
    assert [index.data() for index in selection.selectedIndexes()] == ["file9.txt"]
    assert selection.currentIndex().data() == "file10.txt"
    bench.load("name", DESCENDING)
    assert bench.texts()[0] == "file10.txt"


def test_column_widths_are_told_that_only_rows_were_sorted(bench: Bench) -> None:
    bench.world.add("b", "a")
    bench.load()
    hints: list[Any] = []
    bench.model.layoutChanged["QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint"].connect(  # type: ignore[index]
        lambda _, hint: hints.append(hint)
    )
    bench.load("name")
    assert hints == [QAbstractItemModel.LayoutChangeHint.VerticalSortHint]


def test_equal_rows_stay_in_the_order_they_were_added(bench: Bench) -> None:
    bench.world.add("c", "a", "b", size=5)
    bench.load("size", DESCENDING)
    assert bench.texts() == ["c", "a", "b"]


def test_same_order_again_is_not_loaded_again(bench: Bench) -> None:
    bench.world.add("a")
    bench.load()
    spy = QSignalSpy(bench.model.listed)
    bench.model.sort(COLUMN_OF_ID["added"], ASCENDING)
    bench.model.sort(-1)
    assert spy.count() == 0
    assert bench.model.order == BY_ADDING


def test_only_the_newest_order_is_taken(bench: Bench) -> None:
    bench.world.add("b", "a", "c")
    bench.load()
    spy = QSignalSpy(bench.model.layoutChanged)
    for column, order in (("name", ASCENDING), ("size", ASCENDING), ("name", DESCENDING)):
        bench.model.sort(COLUMN_OF_ID[column], order)
    bench.qtbot.waitUntil(lambda: bench.texts() == ["c", "b", "a"])
    assert spy.count() <= 1
    assert bench.model.order == Sort.by("name", descending=True)


def test_new_row_finds_its_place_in_a_sorted_list(bench: Bench) -> None:
    bench.world.add("a", "c")
    bench.load("name")
    bench.look()
    bench.world.add("b")
    bench.look()
    bench.qtbot.waitUntil(lambda: bench.texts() == ["a", "b", "c"])


def test_row_whose_status_changed_moves_in_a_list_sorted_by_status(bench: Bench) -> None:
    keys = bench.world.add("a", "b", "c")
    bench.load("status")
    bench.look()
    bench.world.finish(keys[0])
    bench.look()
    bench.qtbot.waitUntil(lambda: bench.texts() == ["b", "c", "a"])


def test_removed_row_vanishes_from_a_sorted_list_at_once(bench: Bench) -> None:
    keys = bench.world.add("c", "a", "b")
    bench.load("name")
    bench.world.intake.remove([keys[2]])
    bench.look()
    assert bench.texts() == ["a", "c"]


def test_too_many_changes_are_read_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = bench.world.add_many(10)
    bench.load()
    bench.texts()
    monkeypatch.setattr("desktop_app.store.change_feed.MAX_CHANGES", 3)
    bench.world.finish(keys, lines=3)
    bench.world.add_many(2)
    with bench.qtbot.waitSignal(bench.model.listed):
        bench.look()
    assert bench.model.rowCount() == 12
    assert bench.texts("lines") == ["3"] * 10 + [""] * 2


def test_rows_that_come_and_go_while_an_order_is_read_are_right_in_the_end(bench: Bench) -> None:
    keys = bench.world.add("a", "b", "c")
    bench.load()
    bench.look()
    bench.model.sort(COLUMN_OF_ID["added"], DESCENDING)  # is under way on the pool
    bench.world.add("d")
    bench.world.intake.remove([keys[0]])
    bench.look()
    bench.qtbot.waitUntil(lambda: bench.texts() == ["d", "c", "b"])


def test_row_removed_and_brought_back_while_an_order_is_read_is_listed(bench: Bench) -> None:
    keys = bench.world.add("a", "b", "c")
    bench.load()
    bench.look()
    bench.model.sort(COLUMN_OF_ID["added"], DESCENDING)  # is under way on the pool
    bench.world.intake.remove([keys[1]])
    bench.look()
    bench.world.intake.restore([keys[1]])
    bench.look()
    bench.model.reload()
    bench.qtbot.waitUntil(lambda: bench.texts() == ["c", "b", "a"])


def test_rows_added_before_the_first_load_came_are_not_lost(bench: Bench) -> None:
    bench.world.add("a")
    bench.model.sort(COLUMN_OF_ID["added"], ASCENDING)
    bench.world.add("b")
    bench.look()
    bench.qtbot.waitUntil(lambda: bench.texts() == ["a", "b"])


def test_list_that_becomes_empty_and_full_again(bench: Bench) -> None:
    keys = bench.world.add_many(3)
    bench.load()
    bench.look()
    bench.world.intake.remove(keys)
    bench.look()
    assert bench.model.rowCount() == 0
    bench.world.add("x")
    bench.look()
    assert bench.texts() == ["x"]


def test_database_that_cannot_be_read_is_said_and_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = bench.world.add_many(3)
    bench.load()
    bench.look()
    with monkeypatch.context() as broken:
        broken.setattr(JobList, "page", _refuse)
        bench.model.look_again()
        assert bench.texts() == [None] * 3
        assert bench.model.job(0) is None
        assert bench.problems == ["The disk is gone."]
    bench.world.finish(keys[1])
    bench.look()
    assert bench.texts() == ["file0.txt", "file1.txt", "file2.txt"]


def test_order_that_cannot_be_read_is_said_and_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.world.add("a")
    with monkeypatch.context() as broken:
        broken.setattr(JobList, "ids", _refuse)
        bench.model.sort(COLUMN_OF_ID["added"], ASCENDING)
        bench.qtbot.waitUntil(lambda: bench.problems != [])
    bench.qtbot.waitUntil(lambda: bench.texts() == ["a"])
    assert set(bench.problems) == {"The disk is gone."}


def test_trouble_with_an_order_that_is_no_longer_wanted_changes_nothing(
    bench: Bench, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = bench.world.add("a", "b", "c")
    bench.load()
    bench.look()
    refused, answered = threading.Event(), threading.Event()
    read = JobList.ids

    def ids(reader: JobList, where: Filter, order: Sort) -> array[int]:
        if order == Sort.by("name"):
            assert refused.wait(5)
            raise StoreError("The disk is gone.")
        found = read(reader, where, order)
        refused.set()
        assert answered.wait(5)
        return found

    monkeypatch.setattr(JobList, "ids", ids)
    bench.model.sort(COLUMN_OF_ID["name"], ASCENDING)
    bench.model.sort(COLUMN_OF_ID["added"], DESCENDING)
    bench.qtbot.waitUntil(lambda: len(tasks._waiting) == 1)  # the first has been heard
    bench.world.intake.remove([keys[1]])
    bench.look()
    with bench.qtbot.waitSignal(bench.model.listed):
        answered.set()
    assert bench.texts() == ["c", "a"]
    assert bench.problems == []


def _refuse(*_: object) -> None:
    raise StoreError("The disk is gone.")


def test_million_rows_are_counted_without_reading_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from array import array

    million = array("q", range(1, 1_000_001))
    monkeypatch.setattr(JobList, "ids", lambda *_: million)
    bench.tester.deleteLater()
    bench.load()
    assert bench.model.rowCount() == 1_000_000
    assert bench.model.flags(bench.model.index(999_999, 0)) & Qt.ItemFlag.ItemIsSelectable
    assert bench.model.flags(QModelIndex()) == Qt.ItemFlag.NoItemFlags
    assert bench.model.columnCount(bench.model.index(0, 0)) == 0


@pytest.mark.parametrize("row", [-1, 2, 1_000])
def test_row_that_is_not_there_has_no_job(bench: Bench, row: int) -> None:
    bench.world.add("a", "b")
    bench.load()
    assert bench.model.job(1) is not None
    assert bench.model.job(row) is None
