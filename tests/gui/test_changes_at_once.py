"""The list and its counts show a change at once; it is written behind them, and what is not written is taken back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QPushButton

from desktop_app.domain.errors import StoreFullError, StoreGoneError
from desktop_app.domain.job import Status
from desktop_app.domain.query import NO_FILTER, Filter
from desktop_app.gui import operations as operations_module
from desktop_app.gui.table.columns import COLUMN_OF_ID
from desktop_app.gui.widgets.notice import Kind
from desktop_app.store import adding as intake_module
from desktop_app.store.adding import Intake
from desktop_app.store.models import JobRow
from tests.gui.conftest import notice_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

PART = 20
ROWS = 5 * PART
PENDING = Filter(statuses=frozenset({Status.PENDING}))
FAILED = Filter(statuses=frozenset({Status.FAILED}))


class SlowWriter:
    """Lets the writer write one part at a time, and waits for what it writes."""

    def __init__(self, windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
        self._windows, self._qtbot = windows, qtbot
        self._allowed = threading.Semaphore(0)
        self._is_waiting = False
        self.error: Exception | None = None
        write = intake_module._in_parts

        def in_parts(keys: Any, part: Callable[[Any], int], proceed: Callable[[int], bool]) -> int:
            def slow_part(some: Any) -> int:
                self._is_waiting = True
                assert self._allowed.acquire(timeout=30)
                self._is_waiting = False
                if self.error is not None:
                    raise self.error
                return part(some)

            return write(keys, slow_part, proceed)

        monkeypatch.setattr(intake_module, "_in_parts", in_parts)

    def allow(self, parts: int = 1_000) -> None:
        self._allowed.release(parts)

    def write(self, parts: int, left: int, where: Filter = NO_FILTER) -> None:
        """Let some parts be written, and wait until so many jobs are on the list and the next part has begun."""
        self.allow(parts)
        self._qtbot.waitUntil(lambda: stored(self._windows, where) == left and self._is_waiting)

    def write_all(self) -> None:
        """Let everything be written, and wait for its end."""
        self.allow()
        wait_until_written(self._windows, self._qtbot)

    def remove_all_and_undo(self) -> None:
        """Remove all files, and undo that when it is written; nothing of the undo is written yet."""
        commands = self._windows.controller().commands
        self.allow(ROWS // PART)
        commands.remove(self._windows.controller().model.ids[:])
        wait_until_written(self._windows, self._qtbot)
        commands.undo.undo()


@pytest.fixture
def slow(windows: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowWriter]:
    monkeypatch.setattr(intake_module, "ROWS_A_PART", PART)
    monkeypatch.setattr(operations_module, "SHOWN_AFTER_MS", 0)
    made = SlowWriter(windows, qtbot, monkeypatch)
    yield made
    made.allow()


@pytest.fixture
def window(windows: WindowFactory, slow: SlowWriter) -> MainWindow:
    keys = windows.jobs_db.add_many(ROWS)
    windows.jobs_db.fail(keys[::2])
    return windows.open_active()


def stored(windows: WindowFactory, where: Filter = NO_FILTER) -> int:
    """Return how many jobs are on the list in the database."""
    jobs_db = windows.jobs_db
    with jobs_db.database.read():
        query = JobRow.select(JobRow.status).where(JobRow.removed_at.is_null()).tuples()
        statuses = [status for (status,) in jobs_db.database.run(query)]
    return sum(not where.statuses or status in where.statuses for status in statuses)


def rows(windows: WindowFactory) -> int:
    return windows.controller().model.rowCount()


def wait_for_counts(windows: WindowFactory, qtbot: QtBot, total: int, failed: int) -> None:
    controller = windows.controller()

    def are_right() -> bool:
        counts, groups = controller.totals.counts, controller.groups.counts
        batches = sum(batch.counts.total for batch in groups.batches)
        problems = sum(problem.count for problem in groups.problems)
        return (counts.total, counts.failed, batches, problems) == (total, failed, total, failed)

    qtbot.waitUntil(are_right)


def wait_until_written(windows: WindowFactory, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not windows.controller().operations.is_busy)
    windows.settle()


def buttons(window: MainWindow) -> list[str]:
    return [button.text() for button in window.notices.buttons]


def press(window: MainWindow, text: str) -> None:
    next(button for button in window.notices.buttons if button.text() == text).click()


def remove_all(window: MainWindow) -> None:
    window.view.selectAll()
    window.menu_actions.remove.trigger()


def test_removal_and_its_undo_are_shown_before_anything_is_written(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    remove_all(window)
    assert rows(windows) == 0
    wait_for_counts(windows, qtbot, 0, 0)
    assert window.selected.current.count == 0
    assert stored(windows) == ROWS
    windows.controller().commands.undo.undo()
    assert rows(windows) == ROWS
    wait_for_counts(windows, qtbot, ROWS, ROWS // 2)
    slow.write_all()
    assert (rows(windows), stored(windows)) == (ROWS, ROWS)
    windows.controller().commands.undo.redo()
    assert rows(windows) == 0
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (0, 0)
    wait_for_counts(windows, qtbot, 0, 0)


@pytest.mark.parametrize("column", ["added", "name", "status"])
def test_undo_works_while_the_removal_is_being_written(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot, column: str
) -> None:
    controller = windows.controller()
    window.view.header.setSortIndicator(COLUMN_OF_ID[column], window.view.header.sortIndicatorOrder())
    windows.settle()
    before = list(controller.model.ids)
    remove_all(window)
    slow.write(2, ROWS - 2 * PART)
    controller.commands.undo.undo()
    qtbot.waitUntil(lambda: list(controller.model.ids) == before)
    slow.write_all()
    assert list(controller.model.ids) == before
    assert stored(windows) == ROWS
    assert notice_text(window) == f"Restored {ROWS} files to the list."


def test_stopped_removal_keeps_what_is_written_and_shows_the_rest_again(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    remove_all(window)
    slow.allow(1)
    qtbot.waitUntil(
        lambda: [one.text for one in windows.controller().operations.shown] == ["Removing 20 of 100 files…"]
    )
    (stop,) = window.busy.findChildren(QPushButton)
    stop.click()
    slow.allow(1)
    wait_until_written(windows, qtbot)
    assert notice_text(window) == "Removed 40 of 100 files from the list."
    assert stored(windows) == ROWS - 2 * PART
    qtbot.waitUntil(lambda: rows(windows) == ROWS - 2 * PART)
    wait_for_counts(windows, qtbot, ROWS - 2 * PART, ROWS // 2 - PART)
    slow.allow()
    assert window.notices.notice is not None
    window.notices.notice.actions[0].run()
    assert rows(windows) >= ROWS - 2 * PART
    wait_until_written(windows, qtbot)
    qtbot.waitUntil(lambda: rows(windows) == ROWS)
    assert stored(windows) == ROWS


def test_failed_removal_takes_the_rest_back(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    remove_all(window)
    slow.write(1, ROWS - PART)
    slow.error = StoreFullError("The disk is full.")
    slow.allow(1)
    wait_until_written(windows, qtbot)
    assert window.notices.notice is not None
    assert window.notices.notice.kind is Kind.PROBLEM
    assert notice_text(window).endswith("The disk is full.")
    qtbot.waitUntil(lambda: rows(windows) == stored(windows) == ROWS - PART)
    wait_for_counts(windows, qtbot, ROWS - PART, ROWS // 2 - PART // 2)
    slow.error = None
    slow.allow()
    press(window, "Try Again")
    assert rows(windows) == 0
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (0, 0)
    press(window, "Undo")
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (ROWS, ROWS)


def test_button_undo_never_undoes_another_change(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    commands = windows.controller().commands
    slow.allow()
    commands.remove(windows.controller().model.ids[:2])
    wait_until_written(windows, qtbot)
    assert buttons(window) == ["Undo"]
    commands.rename_batch(1, "", "new")
    assert buttons(window) == []
    wait_until_written(windows, qtbot)
    commands.remove(windows.controller().model.ids[:2])
    commands.rename_batch(1, "new", "newer")
    wait_until_written(windows, qtbot)
    assert notice_text(window).startswith("Removed 2 files")
    assert buttons(window) == []


def test_rest_of_a_stopped_undo_can_be_restored(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    slow.remove_all_and_undo()
    slow.write(1, PART)
    qtbot.waitUntil(lambda: bool(controller.operations.shown))
    controller.operations.shown[0].stop()
    slow.write_all()
    assert rows(windows) == stored(windows) < ROWS
    press(window, "Restore All")
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (ROWS, ROWS)


def test_hidden_files_that_end_meanwhile_stay_hidden_and_keep_their_result(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    keys = list(controller.model.ids)
    remove_all(window)
    windows.jobs_db.finish(keys[-1])
    controller.feed.look()
    assert rows(windows) == 0
    wait_for_counts(windows, qtbot, 0, 0)
    assert rows(windows) == 0
    slow.write_all()
    controller.commands.undo.undo()
    wait_until_written(windows, qtbot)
    assert windows.jobs_db.jobs.page([keys[-1]])[keys[-1]].status is Status.PROCESSED


def test_retried_files_are_pending_at_once(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    window.menu_actions.retry_failed.trigger()
    wait_for_counts(windows, qtbot, ROWS, 0)
    statuses = {job.status for row in range(ROWS) if (job := controller.model.job(row)) is not None}
    assert statuses == {Status.PENDING}
    assert stored(windows, FAILED) == ROWS // 2
    controller.model.set_filter(FAILED)
    qtbot.waitUntil(lambda: rows(windows) == 0)
    controller.model.set_filter(PENDING)
    qtbot.waitUntil(lambda: rows(windows) == ROWS)
    slow.write(1, ROWS // 2 - PART, FAILED)
    controller.commands.stop()
    slow.write_all()
    assert notice_text(window) == "Stopped: 40 of 50 files will be processed again."
    qtbot.waitUntil(lambda: rows(windows) == ROWS - 10)
    wait_for_counts(windows, qtbot, ROWS, 10)


def test_closing_the_window_ends_a_removal_after_the_part_that_is_being_written(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    remove_all(window)
    slow.write(1, ROWS - PART)
    window.close()
    windows.controller().stop()
    slow.allow(1)
    qtbot.waitUntil(windows.controller().is_at_rest)
    assert stored(windows) == ROWS - 2 * PART
    assert len(list(windows.jobs_db.jobs.ids())) == ROWS - 2 * PART


def test_undone_addition_is_hidden_at_once_and_can_be_redone(
    windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    slow.allow(1_000)
    windows.jobs_db.add_many(3)
    window = windows.open_active()
    windows.jobs_db.add_many(ROWS)
    controller = windows.controller()
    controller.feed.look()
    assert rows(windows) == ROWS + 3
    newest = max(batch.id for batch in windows.jobs_db.jobs.batches())
    controller.commands.record_add(newest, ROWS)
    for _ in range(2):
        controller.commands.undo.undo()
        qtbot.waitUntil(lambda: rows(windows) == 3)
        controller.commands.undo.redo()
        qtbot.waitUntil(lambda: rows(windows) == ROWS + 3)
    wait_until_written(windows, qtbot)
    assert stored(windows) == ROWS + 3
    assert window.isVisible()


def test_part_is_written_only_in_the_database_that_the_keys_belong_to(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter
) -> None:
    """Keys of a database that has been replaced must not remove other files from the new one."""
    database = windows.jobs_db.database
    epoch = database.epoch
    intake = Intake(database)
    seen: list[int] = []

    def replace(done: int) -> bool:
        seen.append(done)
        database.epoch = epoch + 1
        return True

    slow.allow()
    with pytest.raises(StoreGoneError, match="replaced"):
        intake.remove(list(windows.controller().model.ids), now_ms=1, proceed=replace)
    database.epoch = epoch
    assert seen == [PART]
    assert window.isVisible()


def test_file_removed_by_another_program_does_not_come_back_with_undo(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    slow.allow()
    controller, others = windows.controller(), windows.jobs_db.intake
    keys = controller.model.ids[: PART // 2]
    others.remove(keys[:3])
    controller.commands.remove(keys)
    wait_until_written(windows, qtbot)
    controller.commands.undo.undo()
    wait_until_written(windows, qtbot)
    assert stored(windows) == ROWS - 3
    qtbot.waitUntil(lambda: rows(windows) == ROWS - 3)


def test_file_removed_by_another_program_during_undo_does_not_stay_on_the_list(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    keys = list(controller.model.ids)
    slow.remove_all_and_undo()
    slow.write(2, 2 * PART)
    windows.jobs_db.change(keys[:3], removed_at=1)
    controller.feed.look()
    slow.write_all()
    assert stored(windows) == ROWS - 3
    qtbot.waitUntil(lambda: rows(windows) == ROWS - 3)


def test_file_restored_by_another_program_during_a_removal_is_shown(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    keys = controller.model.ids[:]
    windows.jobs_db.change(keys[:3], removed_at=1)
    controller.commands.remove(keys)
    slow.write(2, ROWS - 2 * PART)
    windows.jobs_db.change(keys[:3], removed_at=None)
    controller.feed.look()
    assert rows(windows) == 0
    slow.write_all()
    assert stored(windows) == 3
    qtbot.waitUntil(lambda: rows(windows) == 3)


def test_undo_that_the_end_of_the_program_interrupts_is_finished_at_the_next_start(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    first = windows.controller()
    slow.remove_all_and_undo()
    slow.write(1, PART)
    window.close()
    first.stop()
    slow.allow(1)
    qtbot.waitUntil(first.is_at_rest)
    assert stored(windows) == 2 * PART
    slow.allow()
    again = windows.open_active()
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (ROWS, ROWS)
    assert notice_text(again) == f"Restored {ROWS - 2 * PART} files to the list."
    assert windows.jobs_db.intake.unrestored() == ([], frozenset())


@pytest.mark.parametrize("by", ["stop", "redo"])
def test_undo_that_the_user_ends_is_not_finished_at_the_next_start(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot, by: str
) -> None:
    controller = windows.controller()
    slow.remove_all_and_undo()
    slow.write(1, PART)
    if by == "stop":
        qtbot.waitUntil(lambda: bool(controller.operations.shown))
        controller.operations.shown[0].stop()
    else:
        slow.error = StoreFullError("The disk is full.")
        slow.allow(1)
        wait_until_written(windows, qtbot)
        slow.error = None
        controller.commands.undo.redo()
    slow.write_all()
    assert windows.jobs_db.intake.unrestored() == ([], frozenset())
    assert rows(windows) == stored(windows)
    assert window.isVisible()


def test_retry_during_undo_is_shown_until_it_is_written(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    slow.remove_all_and_undo()
    wait_for_counts(windows, qtbot, ROWS, ROWS // 2)
    controller.commands.retry(controller.model.ids[:])
    wait_for_counts(windows, qtbot, ROWS, 0)
    slow.write(3, 3 * PART)
    assert stored(windows, FAILED) > 0
    assert windows.jobs_db.jobs.counts().pending == ROWS
    slow.allow(2)
    qtbot.waitUntil(lambda: [operation.total for operation in controller.operations.shown] == [ROWS])
    assert stored(windows) == ROWS
    slow.write(1, ROWS // 2 - PART // 2, FAILED)
    windows.jobs_db.fail(controller.model.ids[0])
    assert windows.jobs_db.jobs.counts().failed == 1
    windows.jobs_db.change(controller.model.ids[0], status=Status.PENDING)
    slow.write_all()
    assert stored(windows, PENDING) == ROWS
    wait_for_counts(windows, qtbot, ROWS, 0)
    assert window.isVisible()


def test_files_found_in_a_database_that_was_replaced_are_not_removed_from_the_new_one(
    window: MainWindow, windows: WindowFactory, slow: SlowWriter, qtbot: QtBot
) -> None:
    controller = windows.controller()
    slow.allow()
    controller.commands.remove_filtered(FAILED)
    controller.feed.replaced.emit()
    wait_until_written(windows, qtbot)
    assert (rows(windows), stored(windows)) == (ROWS, ROWS)
    assert not controller.commands.undo.canUndo()
    assert window.isVisible()
