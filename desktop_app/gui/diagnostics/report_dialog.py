"""The support report dialog, in which the user reviews the report and chooses its parts before saving it.

The report itself is always in English, because the developers read it.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication, QTextCursor
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.atomic_write import NotWrittenError, whole_file
from desktop_app.domain.sentences import display_text
from desktop_app.gui.export.exporter import why_not_written
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    arrange_dialog,
    open_file_dialog,
    plain_label,
    read_only_text,
    spaced,
)
from desktop_app.gui.widgets.notice import Notice, NoticeAction
from desktop_app.services.support.report import Part, Section, SupportReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory


_PURPOSE = "report"

_SIZE = (900, 620)

_NARROW = 560

_WAITING = "The queue is being asked…"


class ReportDialog(QDialog):
    """Shows the report while it is being collected, and saves the selected parts.

    Signals:
        notice(Notice): The report was saved.

    Args:
        report: The report to show.
        tasks: The thread pool on which the parts are collected and saved.
        memory: The stored state of the window, with the folder in which the last report was saved.
        show_file: Called with the paths of files, to show them in the file manager.
        parent: The parent.
    """

    notice = Signal(object)

    def __init__(
        self,
        report: SupportReport,
        tasks: Tasks,
        memory: WindowMemory,
        show_file: Callable[[Sequence[str]], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._report = report
        self._tasks = tasks
        self._memory = memory
        self._show_file = show_file
        self._sections: dict[Part, Section] = {}
        self.setWindowTitle(tr("Support Report"))
        self.parts = {part: QCheckBox(translated(part.value), self) for part in Part}
        self.names = QCheckBox(tr("File &names"), self)
        self.search = QLineEdit(self, placeholderText=tr("Search the report"), clearButtonEnabled=True)
        self.text = read_only_text(tr("The report"), self)
        self.state = plain_label("", self)
        self._arrange()
        self.finished.connect(report.stop)
        tasks.run(report.collect, self._add_sections, self._show_error)

    def _arrange(self) -> None:
        introduction = plain_label(
            tr(
                "This is what will be saved. Nothing is sent anywhere. Review it, and clear what you don't "
                "want to share."
            ),
            self,
        )
        self.search.setAccessibleName(tr("Search the report"))
        self.search.textChanged.connect(self._find_first)
        self.search.returnPressed.connect(self.find_next)
        left = spaced(QVBoxLayout(), 4)
        for part, box in self.parts.items():
            box.setChecked(True)
            box.setVisible(part in {Part.PROGRAM, Part.QUEUE})
            box.toggled.connect(self._show)
            left.addWidget(box)
        left.addSpacing(12)
        self.names.setToolTip(tr("File names and paths are replaced with [path] unless this is selected"))
        self.names.toggled.connect(self._show)
        left.addWidget(self.names)
        left.addStretch(1)
        right = spaced(QVBoxLayout(), 8)
        right.addWidget(self.search)
        right.addWidget(self.text, 1)
        self._middle = middle = spaced(QHBoxLayout(), 16)
        middle.addLayout(left)
        middle.addLayout(right, 1)
        self.state.hide()
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(introduction)
        column.addLayout(middle, 1)
        column.addWidget(self.state)
        arrange_dialog(self, column, self._make_buttons(), name="report", size=_SIZE)
        self.search.setFocus()  # Qt would choose Copy, because Save is still disabled

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = ButtonRow(self)
        self.save = QPushButton(tr("&Save…"), buttons)
        self.save.setObjectName("primary")
        self.save.setEnabled(False)
        self.copy_all = QPushButton(tr("&Copy"), buttons)
        for button in (self.save, self.copy_all):
            button.setAutoDefault(False)  # the Return key finds the next match
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.save.clicked.connect(self.choose_file)
        self.copy_all.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        return buttons

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts beside the text, or above it if the dialog is narrow."""
        super().resizeEvent(event)
        directions = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._middle.setDirection(directions[event.size().width() >= _NARROW])

    # --- collecting

    def _add_sections(self, sections: list[Section]) -> None:
        self._sections = {section.part: section for section in sections}
        self._sections[Part.QUEUE] = Section(Part.QUEUE, _WAITING, _WAITING)
        self.save.setEnabled(True)
        self._show()
        self._tasks.run(self._report.ask_queue, self._set_queue_section, self._show_error)

    def _set_queue_section(self, section: Section) -> None:
        self._sections[Part.QUEUE] = section
        self._show()

    def _show_error(self, error: KnownError) -> None:
        self._show_state(translated(error.text))

    def _show_state(self, text: str) -> None:
        """Show a message below the report and announce it to screen readers, or hide it if the text is empty."""
        self.state.setText(text)
        self.state.setVisible(bool(text))
        if text:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @property
    def is_complete(self) -> bool:
        """Return whether all parts have been collected, including the state of the queue."""
        queue = self._sections.get(Part.QUEUE)
        return queue is not None and queue.text != _WAITING

    # --- showing

    @Slot()
    def _show(self) -> None:
        for part, box in self.parts.items():
            box.setVisible(part in self._sections)
        bar = self.text.verticalScrollBar()
        position = bar.value()
        self.text.setPlainText(self.content())
        bar.setValue(position)

    def content(self) -> str:
        """Return the report with the selected parts, as it is shown, copied and saved."""
        names = self.names.isChecked()
        texts = [self._report.head(names=names)]
        for part, box in self.parts.items():
            section = self._sections.get(part)
            if section is not None and box.isChecked():
                texts.append(f"--- {part.value}\n{section.with_names if names else section.text}\n")
        return "\n".join(texts)

    @Slot(str)
    def _find_first(self, _typed: str) -> None:
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.find_next()

    @Slot()
    def find_next(self) -> None:
        """Select the next match; after the last one, start again from the beginning."""
        typed = self.search.text()
        if not typed:
            self._show_state("")
            return
        found = self.text.find(typed)
        if not found:
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            found = self.text.find(typed)
        self._show_state("" if found else tr("“{words}” was not found in the report.").format(words=typed))

    # --- user actions

    @Slot()
    def copy(self) -> None:
        """Copy the report, as it is shown, to the clipboard."""
        QGuiApplication.clipboard().setText(self.content())
        self._show_state(tr("Copied the report."))

    @Slot()
    def choose_file(self) -> None:
        """Open the system's file dialog for choosing where to save the report."""
        moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
        name = tr("Filemill report {moment}").format(moment=moment)
        suggested = str(Path(self._memory.folder(_PURPOSE)) / f"{name}.zip")
        dialog = QFileDialog(self, tr("Save Support Report"), suggested)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([tr("ZIP archives (*.zip)"), tr("Text files (*.txt)")])
        dialog.setDefaultSuffix("zip")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("txt" if "*.txt" in chosen else "zip"))
        dialog.fileSelected.connect(self.save_as)
        open_file_dialog(dialog)

    @Slot(str)
    def save_as(self, path: str) -> None:
        """Save the report as it is shown: as text if the path ends in `.txt`, otherwise as a ZIP archive."""
        target = Path(path)
        self._memory.set_folder(_PURPOSE, str(target.parent))
        self._tasks.run(
            partial(save_report, target, self.content()), partial(self._saved, target), partial(self._not_saved, target)
        )

    def _saved(self, target: Path, _: None) -> None:
        text = tr("Saved the support report as “{name}”.").format(name=display_text(target.name))
        show = NoticeAction(tr("Show in Folder"), partial(self._show_file, [str(target)]))
        self.notice.emit(Notice(text, actions=(show,)))
        self.accept()

    def _not_saved(self, target: Path, error: KnownError) -> None:
        if isinstance(error, NotWrittenError):
            self._show_state(why_not_written(target, error))
        else:
            self._show_error(error)


def save_report(target: Path, text: str) -> None:
    """Write a report to a file. Can be called on any thread.

    Args:
        target: The file: a text file if its suffix is `.txt`, otherwise a ZIP archive.
        text: The report.

    Raises:
        NotWrittenError: If the file can't be written.
    """
    content = text.encode("utf-8", "backslashreplace")
    with whole_file(target) as stream:
        if target.suffix.lower() == ".txt":
            stream.write(content)
            return
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("filemill-report.txt", content)
