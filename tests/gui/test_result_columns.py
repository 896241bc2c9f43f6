"""Fields of results in the window: as columns, keys in the filter box, totals and exported fields."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop_app.domain.fields import Field, Value, result_fields
from desktop_app.gui.table.columns import COLUMN_OF_ID, COLUMNS, NAME, Columns
from desktop_app.gui.wording import Wording
from desktop_app.store.models import FieldRow
from desktop_app.store.processors import keep_fields
from tests.gui.conftest import ENGLISH
from tests.gui.test_header import FIRST_SHOWN, click, menu_of, open_wide, shown
from tests.helpers import NEW_JOB
from tests.helpers.processors import PROCESSORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from desktop_app.domain.job import Job
    from desktop_app.gui.ports import ProcessorInfo
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory
    from tests.gui.jobs_database import JobsDatabase

PAGES, FORMAT = Field("pages", int, "Pages"), Field("format", str, "Format")
FIRST, SECOND = len(COLUMNS), len(COLUMNS) + 1


def store_result(jobs_db: JobsDatabase, key: int, *fields: Field, processor: str = "pdf", **values: Value) -> None:
    """Write a result as a worker would."""
    with jobs_db.database.write():
        keep_fields(jobs_db.database, {(processor, field.name): field for field in fields or (PAGES, FORMAT)})
    jobs_db.change(key, processor=processor, result=json.dumps(values))


def submenu(menu: QMenu, title: str, *titles: str) -> dict[str, QAction]:
    """Return the actions of a submenu in submenus by their texts."""
    for action in menu.actions():
        inner = action.menu()
        if action.text() == title and isinstance(inner, QMenu):
            return submenu(inner, *titles) if titles else {each.text(): each for each in inner.actions()}
    raise AssertionError([action.text() for action in menu.actions()])


@pytest.fixture
def keys(windows: WindowFactory) -> list[int]:
    """Return the keys of files with results, the last one without."""
    added = windows.jobs_db.add("a.pdf", "b.pdf", "c.pdf", "d.pdf")
    for key, pages, form in zip(added, (1200, 7, 30), ("PDF 1.7", "", "PDF 1.4"), strict=False):
        store_result(windows.jobs_db, key, pages=pages, format=form)
    return added


@pytest.fixture
def window(windows: WindowFactory, keys: list[int]) -> MainWindow:
    return open_wide(windows, active=True)


def test_fields_of_results_are_hidden_columns_which_a_menu_lists_by_processor(window: MainWindow) -> None:
    header = window.view.header
    assert shown(header) == FIRST_SHOWN
    actions = submenu(menu_of(header), "Results", "pdf")
    assert {title: action.isChecked() for title, action in actions.items()} == {"Format": False, "Pages": False}
    actions["Pages"].trigger()
    assert shown(header) == [*FIRST_SHOWN, "result.pages"]
    number = window.view.model().columnCount() - 1
    cells = [window.view.model().index(row, number).data() for row in range(4)]
    assert cells == ["1,200", "7", "30", ""]
    assert submenu(menu_of(header), "Results", "pdf")["Pages"].isChecked()


def test_list_is_sorted_by_a_click_on_the_title_of_a_field(
    window: MainWindow, windows: WindowFactory, qtbot: QtBot
) -> None:
    header = window.view.header
    window.view.show_field("pages")
    click(header, SECOND)
    qtbot.waitUntil(lambda: windows.names() == ["d.pdf", "b.pdf", "c.pdf", "a.pdf"])
    click(header, SECOND)
    qtbot.waitUntil(lambda: windows.names() == ["a.pdf", "c.pdf", "b.pdf", "d.pdf"])
    offered = [action.text() for action in menu_of(header, sorting=True).actions()]
    assert "Pages" in offered
    assert "Format" not in offered


def test_layout_and_order_with_fields_are_remembered(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    header = window.view.header
    window.view.show_field("pages")
    header.moveSection(header.visualIndex(SECOND), 1)
    header.resizeSection(SECOND, 123)
    click(header, SECOND)
    qtbot.waitUntil(lambda: windows.names()[0] == "d.pdf")
    window.close()
    again = windows.open()
    assert shown(again.view.header)[:2] == ["name", "result.pages"]
    assert again.view.header.sectionSize(SECOND) == 123
    assert windows.names() == ["d.pdf", "b.pdf", "c.pdf", "a.pdf"]


def test_column_appears_with_the_first_result_while_the_window_is_open(
    windows: WindowFactory, keys: list[int], qtbot: QtBot
) -> None:
    window = open_wide(windows, active=True)
    header, model = window.view.header, windows.controller().model
    window.view.selectAll()
    before = shown(header)
    store_result(windows.jobs_db, keys[3], Field("width", int, "Width", "px"), processor="image", width=640)
    qtbot.waitUntil(lambda: model.columnCount() == len(COLUMNS) + 3)
    assert shown(header) == before
    width = model.columns.of_field("width")
    assert width is not None
    assert header.isSectionHidden(width)
    assert model.index(3, width).data() == "640\u00a0px"
    assert window.view.selected_rows() == [(0, 3)]
    assert window.view.selectionModel().isSelected(model.index(0, width)), "whole rows stay selected"
    window.view.show_field("width")
    assert shown(header) == [*before, "result.width"]


def test_choice_for_a_field_that_is_not_known_yet_is_kept(
    windows: WindowFactory, keys: list[int], qtbot: QtBot
) -> None:
    window = open_wide(windows)
    window.view.show_field("pages")
    window.view.header.resizeSection(SECOND, 130)
    layout = window.view.header.column_layout()
    window.close()
    windows.jobs_db.database.release()
    with windows.jobs_db.database.write():
        windows.jobs_db.database.run(FieldRow.delete())
    second = open_wide(windows)
    header = second.view.header
    assert header.count() == len(COLUMNS)
    assert {column.id: column.shown for column in header.column_layout()}["result.pages"]
    store_result(windows.jobs_db, keys[0], PAGES, pages=5)
    qtbot.waitUntil(lambda: header.count() == len(COLUMNS) + 1)
    assert shown(header)[-1] == "result.pages"
    assert header.sectionSize(FIRST) == 130
    assert [column for column in header.column_layout() if column.id == "result.pages"] == [
        column for column in layout if column.id == "result.pages"
    ]
    header.reset()
    assert header.column_layout() == []


def test_no_column_is_shown_for_an_unknown_field(window: MainWindow) -> None:
    before = shown(window.view.header)
    window.view.show_field("nothing")
    window.view.show_field("lines_count")
    window.view.show_field("file_size")
    assert shown(window.view.header) == before


# --- cells


def columns_of(*declared: tuple[str, Field]) -> Columns:
    columns = Columns()
    columns.update(result_fields(declared))
    return columns


def job(processor: str = "pdf", /, **values: Value) -> Job:
    return replace(NEW_JOB, processor=processor, result_text=json.dumps(values))


@pytest.mark.parametrize(
    ("field", "value", "text", "plain", "hint"),
    [
        (PAGES, 1234, "1,234", "1234", ""),
        (Field("width", int, "Width", "px"), 640, "640\u00a0px", "640", ""),
        (Field("weight", int, "Weight", "bytes"), 3_400_000, "3.4 MB", "3400000", "3,400,000 bytes"),
        (Field("ratio", float, "Ratio"), 0.25, "0.25", "0.25", ""),
        (Field("verified", bool, "Verified"), True, "Yes", "true", ""),
        (Field("verified", bool, "Verified"), False, "No", "false", ""),
        (FORMAT, "<b>A</b>", "<b>A</b>", "<b>A</b>", "<b>A</b>"),
    ],
)
def test_values_are_formatted_by_their_kind_and_unit(
    wording: Wording, field: Field, value: Value, text: str, plain: str, hint: str
) -> None:
    column = columns_of(("pdf", field))[FIRST]
    done = job(**{field.name: value})
    assert (column.text(wording, done), column.plain_text(wording, done), column.hint(wording, done)) == (
        text,
        plain,
        hint,
    )
    assert column.numeric is (field.kind in {int, float})
    assert not column.text(wording, job())
    assert not column.plain_text(wording, job())
    assert all(column.samples(wording)) or not column.numeric


def test_fields_of_two_processors_with_one_name_share_a_column(wording: Wording) -> None:
    columns = columns_of(
        ("audio", Field("length", int, "", "s")), ("pdf", Field("length", int, "Length", "pages")), ("zip", PAGES)
    )
    assert len(columns) == len(COLUMNS) + 2
    assert (columns[FIRST].heading, columns[FIRST].id) == ("Length", "result.length")
    texts = [columns[FIRST].text(wording, job(name, length=5)) for name in ("audio", "pdf")]
    assert texts == ["5\u00a0s", "5\u00a0pages"]
    assert columns[FIRST].hint(wording, job("pdf", length=5)) == "5\u00a0pages"
    assert columns[FIRST].hint(wording, job("audio", length=5)) == ""


def test_changed_result_repaints_only_the_columns_of_results() -> None:
    columns = columns_of(("pdf", PAGES), ("pdf", FORMAT))
    assert columns.changed(job(pages=1), job(pages=2)) == {FIRST, SECOND}
    assert columns.changed(job(pages=1), job(pages=1)) == frozenset()
    assert columns.changed(job(), job("image")) == {COLUMN_OF_ID["processor"], FIRST, SECOND}


def test_field_that_changes_keeps_its_column() -> None:
    columns = columns_of(("pdf", PAGES))
    unchanged = columns[FIRST]
    assert columns.update(result_fields([("pdf", PAGES)])) == frozenset()
    assert columns[FIRST] is unchanged
    assert columns.update(result_fields([("pdf", FORMAT), ("pdf", PAGES)], ["pages"])) == {FIRST}
    field = columns[FIRST].field
    assert field is not None
    assert field.is_fast
    assert columns.of_sort("result.format") == columns.of_field("format") == SECOND


def test_title_of_the_processor_is_shown() -> None:
    column = COLUMNS[COLUMN_OF_ID["processor"]]
    wording = Wording(ENGLISH, lambda: PROCESSORS)
    assert [column.text(wording, job(name)) for name in ("words", "lines", "command:webp")] == [
        "Words & phrases",
        "Lines and size",
        "command:webp",
    ]


def test_processors_are_read_once_for_each_that_this_computer_does_not_have() -> None:
    reads: list[int] = []

    def read() -> Sequence[ProcessorInfo]:
        reads.append(len(reads))
        return PROCESSORS

    wording = Wording(ENGLISH, read)
    shown = [wording.processor(name) for name in ("command:a", "command:b", "words") * 3]
    assert shown == ["command:a", "command:b", "Words & phrases"] * 3
    assert len(reads) == 2


# --- making a column fast


def open_menu_at(window: MainWindow, number: int) -> QMenu:
    header = window.view.header
    place = QPoint(header.sectionViewportPosition(number) + 5, 5)
    QApplication.sendEvent(
        header.viewport(),
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, header.viewport().mapToGlobal(place)),
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_column_is_made_fast_in_the_menu_of_its_title(window: MainWindow, windows: WindowFactory, qtbot: QtBot) -> None:
    def toggle() -> bool:
        menu = open_menu_at(window, SECOND)
        action = next(action for action in menu.actions() if action.text() == "Make This Column Fast")
        was_checked = action.isChecked()
        action.trigger()
        menu.close()
        return was_checked

    def is_fast() -> bool:
        return {field.name: field.is_fast for field in windows.controller().fields.counts}["pages"]

    window.view.show_field("pages")
    menu = open_menu_at(window, NAME)
    assert "Make This Column Fast" not in [action.text() for action in menu.actions()]
    menu.close()
    assert not toggle()
    qtbot.waitUntil(is_fast)
    names = [name for (name,) in windows.jobs_db.database._peewee.execute_sql("SELECT name FROM sqlite_master")]  # type: ignore[no-untyped-call]
    assert "job_result_pages" in names
    assert toggle()
    qtbot.waitUntil(lambda: not is_fast())
    windows.settle()
    assert not windows.controller().operations.is_busy


# --- filter, totals, export


def test_fields_can_be_typed_into_the_filter_box_as_soon_as_they_are_known(
    window: MainWindow, windows: WindowFactory, keys: list[int], qtbot: QtBot
) -> None:
    window.filter.setText("pages:>20")
    qtbot.waitUntil(lambda: windows.names() == ["a.pdf", "c.pdf"])
    window.filter.setText("width:640")
    qtbot.waitUntil(lambda: bool(window.filter.search.problems))
    store_result(windows.jobs_db, keys[1], Field("width", int, "Width", "px"), processor="image", width=640)
    qtbot.waitUntil(lambda: windows.names() == ["b.pdf"])
    assert window.filter.search.problems == ()
    window.filter.setText("processor:pdf pages:7..30")
    qtbot.waitUntil(lambda: windows.names() == ["c.pdf"])
    window.filter.setText("")
    QTest.keyClicks(window.filter, "pag")
    assert window.filter.popup.first.term == "pages:"


def test_totals_of_the_visible_fields_are_shown_for_the_selection(window: MainWindow, qtbot: QtBot) -> None:
    def text() -> str:
        return window.status.selection.text()

    window.view.selectAll()
    qtbot.waitUntil(lambda: text() == "4 selected · 4.0 kB")
    window.view.show_field("pages")
    window.view.show_field("format")
    qtbot.waitUntil(lambda: text() == "4 selected · 4.0 kB · Pages: 1,237")
    window.view.select_rows(3, 3)
    qtbot.waitUntil(lambda: text() == "1 selected · 1.0 kB")


@pytest.fixture
def exported(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Callable[[bool], list[dict[str, str]]]:
    def export(shown_columns: bool) -> list[dict[str, str]]:
        window.menu_actions.export.trigger()
        dialog = window.export.dialog
        assert dialog is not None
        target = tmp_path / f"{shown_columns}.csv"
        dialog.columns[shown_columns].setChecked(True)
        dialog.format.setCurrentIndex(0)
        dialog.path.setText(str(target))
        dialog.button.click()
        qtbot.waitUntil(target.exists)
        with target.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return export


def test_shown_fields_are_exported(window: MainWindow, exported: Callable[[bool], list[dict[str, str]]]) -> None:
    window.view.show_field("pages")
    assert [row["pages"] for row in exported(True)] == ["1200", "7", "30", ""]
    assert "format" not in exported(True)[0]


def test_all_fields_are_exported_as_columns_in_which_nothing_is_a_formula(
    window: MainWindow, windows: WindowFactory, keys: list[int], exported: Callable[[bool], list[dict[str, str]]]
) -> None:
    store_result(windows.jobs_db, keys[3], Field("name", str, "Name"), processor="zip", name="=1+1")
    rows = exported(False)
    assert [row["pages"] for row in rows] == ["1200", "7", "30", ""]
    assert [row["format"] for row in rows] == ["PDF 1.7", "", "PDF 1.4", ""]
    assert rows[3]["result.name"] == "'=1+1"
    assert [row["processor"] for row in rows] == ["pdf", "pdf", "pdf", "zip"]
    assert "result" not in rows[0]
