"""The dialog that tries a command on one file, and shows what it has done."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QLocale, Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.sentences import command_line, display_text
from desktop_app.gui.desktop.file_manager import Opener
from desktop_app.gui.i18n import reason_text, tr, translated
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    SideBySide,
    WindowPlace,
    caption,
    plain_label,
    read_only_text,
    show_problem,
    spaced,
)
from desktop_app.services.command_trial import try_preset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.config.presets import Preset
    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.widgets.notice import Notice
    from desktop_app.services.command_trial import Trial

_SIZE = (680, 480)
_SHOWN_LINES = 30
_TICK_MS = 500
_FILES_LINES = 4


class TrialDialog(QDialog):
    """Runs a command for a file off the main thread, and shows what it has done. It can be stopped.

    It deletes itself, and the files that the command has written, once it is closed and the command has ended.

    Attributes:
        outcome, report, files, open_button, stop: What would happen to the file, what the command has done, the files
            that it has written, and the buttons.

    Args:
        preset: The preset.
        path: The path of the file.
        tasks: The pool.
        parent: The parent.
    """

    def __init__(self, preset: Preset, path: str, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self._preset = preset
        self._stop = Event()
        self._trial: Trial | None = None
        self._is_running = True
        self._is_closed = False
        self.setWindowTitle(tr("Try “{title}”").format(title=display_text(translated(preset.shown_title))))
        file = plain_label(display_text(path), self, "detailsCaption")
        self.outcome = plain_label("", self)
        self._bar = QProgressBar(self, minimum=0, maximum=0, textVisible=False)
        self._bar.setAccessibleName(tr("The command is running"))
        self.report = read_only_text(tr("What the command has done"), self)
        self.files = QListWidget(self)
        self.files.setObjectName("lines")
        self.files.setAccessibleName(tr("Files that it has written"))
        self.files.setFixedHeight(_FILES_LINES * (self.fontMetrics().height() + 8))
        self.open_button = QPushButton(tr("&Open"), self, autoDefault=False)
        self._written = QWidget(self)
        written = spaced(QVBoxLayout(self._written), 4)
        written.addWidget(caption(tr("&Files that it has written, which are deleted when you close this"), self.files))
        written.addWidget(SideBySide(self.files, self.open_button, self))
        self._written.hide()
        self._problem: QLabel = plain_label("", self)
        self._problem.hide()
        buttons = ButtonRow(self)
        self.stop = buttons.addButton(tr("&Stop"), QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        column = spaced(QVBoxLayout(self), 8, (16, 16, 16, 16))
        column.addWidget(file)
        column.addWidget(self.outcome)
        column.addWidget(self._bar)
        column.addWidget(self.report, 1)
        for widget in (self._written, self._problem, buttons):
            column.addWidget(widget)
        WindowPlace(self, "presetTrial", _SIZE)
        self.stop.clicked.connect(self._ask_to_stop)
        self._opener = Opener(tasks, self)
        self._opener.notice.connect(self._show_notice)
        self.open_button.clicked.connect(self._open)
        self.files.itemActivated.connect(self._open)
        self.finished.connect(self._close)
        self._since = QElapsedTimer()
        self._since.start()
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._show_time)
        self._timer.start()
        self._show_time()
        tasks.run(partial(_try, preset, path, self._stop), self._show_trial, self._show_error, self._end)

    @Slot()
    def _show_time(self) -> None:
        seconds = self._since.elapsed() // 1000
        self.outcome.setText(tr("The command has been running for %Ln second(s).", "", seconds))

    @Slot()
    def _ask_to_stop(self) -> None:
        self._stop.set()
        self.stop.setEnabled(False)

    def _end(self) -> None:
        """Show that the command has ended; delete the dialog if it was closed before."""
        self._is_running = False
        self._timer.stop()
        self._bar.hide()
        self.stop.hide()
        if self._is_closed:
            self.deleteLater()

    def _show_error(self, error: KnownError) -> None:
        self._end()
        self.outcome.setText(translated(error.text))

    def _show_trial(self, trial: Trial) -> None:
        self._end()
        self._trial = trial
        if self._is_closed:
            trial.close()
            return
        if trial.reason is None and trial.files and not self._preset.output:
            self.outcome.setText(
                tr(
                    "▲ The file would be Processed, but what the command has written would be deleted, since the "
                    "command has no output folder. Choose one, or use {out} in an argument."
                )
            )
        elif trial.reason is None:
            self.outcome.setText(tr("✓ The file would be Processed."))
        else:
            self.outcome.setText(tr("▲ The file would be Failed: {reason}").format(reason=reason_text(trial.reason)))
        self.report.setPlainText("\n\n".join(_report(trial)))
        for name in trial.files:
            item = QListWidgetItem(display_text(name))
            item.setData(Qt.ItemDataRole.UserRole, str(trial.folder / name))
            self.files.addItem(item)
        self._written.setVisible(bool(trial.files))
        if trial.files:
            self.files.setCurrentRow(0)

    @Slot()
    def _open(self) -> None:
        item = self.files.currentItem()
        if item is not None:
            show_problem(self._problem, "")
            self._opener.open([item.data(Qt.ItemDataRole.UserRole)])

    @Slot(object)
    def _show_notice(self, notice: Notice) -> None:
        show_problem(self._problem, notice.text)

    @Slot()
    def _close(self) -> None:
        """Stop the command, and delete what it has written."""
        self._is_closed = True
        self._stop.set()
        if self._trial is not None:
            self._trial.close()
        if not self._is_running:
            self.deleteLater()


def _try(preset: Preset, path: str, stop: Event) -> Trial:
    """Try a command. If it was asked to stop, the result may be discarded, so that nothing it has written may stay."""
    trial = try_preset(preset, path, stop.is_set)
    if stop.is_set():
        trial.close()
    return trial


def _report(trial: Trial) -> Iterator[str]:
    """Yield the parts of the text about what a command has done."""
    yield _part(tr("Command"), [command_line(trial.argv)])
    end = trial.end
    if end is not None:
        seconds = QLocale().toString(end.seconds, "f", 1)
        yield tr("Exit code {code} after {seconds} s").format(code=end.code, seconds=seconds)
    if trial.values:
        yield _part(tr("Result"), [f"{name} = {value}" for name, value in trial.values.items()])
    if end is not None:
        for title, text in ((tr("Standard output"), end.out), (tr("Standard error"), end.err)):
            if lines := text.splitlines()[-_SHOWN_LINES:]:
                yield _part(title, lines)


def _part(title: str, lines: list[str]) -> str:
    return "\n".join((title, *(f"    {display_text(line)}" for line in lines)))
