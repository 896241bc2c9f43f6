"""A window with a list in which every action has something to do, and fakes of what the actions call outside of it."""

# ruff: noqa: N802 - fakes of Qt's own have Qt's names
from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter, Sort
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui import programs
from desktop_app.store.models import JobRow, OutboxRow
from tests.gui.jobs_database import NOW_MS
from tests.helpers.fakes import received

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory

WAITING, ALSO_WAITING, GONE, ALSO_GONE, LOCKED, DONE, RUNNING = (f"{letter}.txt" for letter in "abcdefg")
NAMES = (WAITING, ALSO_WAITING, GONE, ALSO_GONE, LOCKED, DONE, RUNNING)
"""The files in the order of the list."""


def open_urls_with(monkeypatch: pytest.MonkeyPatch, open_url: Callable[[QUrl], bool]) -> None:
    """Replace what opens files and folders: on Linux, commands of the desktop."""
    monkeypatch.setattr(programs, "_OPENERS", ())
    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)


class ActionScene:
    """The window, with the focus on its list and nothing selected.

    Attributes:
        opened: The URLs opened in other programs.
        revealed: The files shown in the file manager.
        last: Closed after the action was tried.
    """

    def __init__(self, windows: WindowFactory, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.windows = windows
        self.folder = folder
        self.opened: list[str] = []
        self.revealed: list[Any] = []
        self.last = ExitStack()
        open_urls_with(monkeypatch, self._open)
        monkeypatch.setattr(QDBusConnection, "sessionBus", lambda: self)
        self._fill()
        QGuiApplication.clipboard().clear()
        self.window: MainWindow = windows.open_active()
        windows.settle()
        assert self.names == list(NAMES)

    def _open(self, url: QUrl) -> bool:
        self.opened.append(url.toLocalFile())
        return True

    def _fill(self) -> None:
        for name in NAMES:
            (self.folder / name).write_text("x\n")
        jobs_db = self.windows.jobs_db
        keys = dict(zip(NAMES, jobs_db.add(*(str(self.folder / name) for name in NAMES)), strict=True))
        jobs_db.fail([keys[GONE], keys[ALSO_GONE]])
        jobs_db.fail(keys[LOCKED], Reason(ReasonCode.MAY_NOT_READ))
        jobs_db.finish(keys[DONE])
        jobs_db.change(keys[RUNNING], status=Status.PROCESSING, started_at=NOW_MS)

    # --- the file manager, called over D-Bus

    def isConnected(self) -> bool:
        return True

    def call(self, message: QDBusMessage, *_: object) -> QDBusMessage:
        self.revealed += message.arguments()[0]
        return message.createReply()

    # --- preparations

    def select(self, first: str, last: str = "") -> None:
        """Select only the rows from one to another."""
        self.window.view.select_rows(self.names.index(first), self.names.index(last or first))

    def toggle(self, name: str, *, on: bool) -> None:
        """Check or uncheck an action."""
        self.action(name).setChecked(on)

    @property
    def row_padding(self) -> int:
        """The height of a row without its text."""
        view = self.window.view
        return view.rowHeight(0) - view.fontMetrics().height()

    def offer_tray(self) -> None:
        """Simulate a desktop with a tray."""
        self.window.progress.tray._is_available = lambda: True
        self.window.menu_actions.keep_in_tray.setVisible(True)

    def run_out_of_sight(self) -> None:
        """Put the running file far below the visible rows."""
        self.windows.jobs_db.add_many(60)
        self.until_settled()
        self.windows.jobs_db.change(self.windows.controller().model.ids[50], status=Status.PROCESSING)
        self.windows.jobs_db.change(self.windows.controller().model.ids[NAMES.index(RUNNING)], status=Status.PENDING)
        self.until_settled()

    def copy_outside(self, name: str) -> None:
        """Put a file on the clipboard as a file manager does."""
        (self.folder / name).write_text("x\n")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(self.folder / name))])
        QGuiApplication.clipboard().setMimeData(mime)

    def remove(self, name: str) -> None:
        """Remove a file from the list as a user does."""
        self.select(name)
        self.window.menu_actions.remove.trigger()
        self.until_settled()

    def choose_batch(self) -> None:
        """Choose the only batch in the sidebar."""
        self.window.sidebar.choose(Filter(batches=frozenset(batch.id for batch in self.windows.jobs_db.jobs.batches())))
        self.until_settled()

    @property
    def edits_name(self) -> bool:
        """Whether the name of a batch is being edited."""
        return any(entry.editor is not None for entry in self.window.sidebar.entries())

    def filter_by(self, status: Status) -> None:
        """Show only the files of a status."""
        self.window.sidebar.choose_status(status)
        self.until_settled()

    def undo(self) -> None:
        self.windows.controller().commands.undo.undo()
        self.until_settled()

    def receive_foreign(self) -> None:
        self.windows.connection.foreign_messages.note(received("{}", message_id="m1"), "not ours")
        self.window.connection.foreign.count()

    def until_settled(self) -> None:
        self.windows.controller().feed.look()
        self.windows.settle()

    # --- results

    def action(self, name: str) -> QAction:
        """Return an action by its name in `Actions`, by the index of a status view, or Undo and Redo."""
        if name in {"undo", "redo"}:
            keys = {"undo": "Ctrl+Z", "redo": "Ctrl+Y"}[name]
            found = self.window.findChildren(QAction)
            return next(action for action in found if action.shortcut().toString() == keys)
        if name.startswith("view "):
            return self.window.menu_actions.status_views[int(name.removeprefix("view "))]
        made = getattr(self.window.menu_actions, name)
        assert isinstance(made, QAction)
        return made

    @property
    def names(self) -> list[str]:
        """Return the names in the list."""
        return self.windows.names()

    @property
    def selected(self) -> list[str]:
        rows = self.window.view.selected_rows()
        return [self.names[row] for first, last in rows for row in range(first, last + 1)]

    @property
    def sees_running(self) -> bool:
        """Return whether a running file is visible."""
        view, model = self.window.view, self.windows.controller().model
        first, last = view.rowAt(0), view.rowAt(view.viewport().height() - 1)
        jobs = [model.job(row) for row in range(first, last + 1 if last >= 0 else model.rowCount())]
        return any(job is not None and job.status is Status.PROCESSING for job in jobs)

    @property
    def clipboard(self) -> str:
        return QGuiApplication.clipboard().text()

    def names_of(self, status: Status) -> list[str]:
        """Return the names of the jobs with this status in the database."""
        jobs = self.windows.jobs_db.jobs.all(Filter(statuses=frozenset({status})), Sort.by("name"))
        return [job.name for job in jobs]

    @property
    def first_to_send(self) -> str:
        with self.windows.jobs_db.database.read():
            query = OutboxRow.select(JobRow.file_path).join(JobRow).order_by(OutboxRow.position)
            return next(str(path).rpartition("/")[2] for (path,) in self.windows.jobs_db.database.run(query.tuples()))

    def dialog(self, kind: type[QDialog] = QDialog) -> QDialog | None:
        """Return the open dialog of this class."""
        found = (widget for widget in self.window.findChildren(kind) if widget.isVisible())
        return next(found, None)

    def asks_for(self, mode: QFileDialog.FileMode) -> bool:
        dialog = self.dialog(QFileDialog)
        return isinstance(dialog, QFileDialog) and dialog.fileMode() is mode

    def titled(self, title: str) -> bool:
        """Return whether a dialog with this title is open."""
        dialog = self.dialog()
        return dialog is not None and dialog.windowTitle() == title

    def keyboard_is_in(self, part: str) -> bool:
        pane, focused = getattr(self.window, part), QApplication.focusWidget()
        return focused is not None and (pane is focused or pane.isAncestorOf(focused))

    def close(self) -> None:
        """Close everything. Call it inside the test: pytest-qt destroys windows before fixtures end."""
        self.last.close()
        for dialog in self.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()
        self.window.menu_actions.keep_in_tray.setChecked(False)
        # A destroyed window waits for its threads while holding the GIL, which they need.
        looking_up = self.window.connection.step()
        looking_up.begin()
        self.windows._qtbot.waitUntil(looking_up.has_ended, timeout=20_000)
