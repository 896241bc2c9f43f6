"""The support report dialog: the user reviews the report and chooses its parts before it is saved.

The report itself is in English, for the developers.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, Qt, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFontDatabase,
    QGuiApplication,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.atomic_write import NotWrittenError, whole_file
from desktop_app.domain.job import display_text
from desktop_app.domain.sentences import mark
from desktop_app.gui.export.exporter import why_not_written
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.notice import Notice, NoticeAction
from desktop_app.services.support.report import Part, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.services.support.report import SupportReport


PURPOSE = "report"

_SIZE = (900, 620)

_TITLES = {
    Part.FAULT: mark("What happened"),
    Part.PROGRAM: mark("Program and computer"),
    Part.SETTINGS: mark("Settings and connection"),
    Part.QUEUE: mark("Queue"),
    Part.DATABASE: mark("Database"),
    Part.CHECKS: mark("Checks"),
    Part.LOG: mark("Log"),
}

_WAITING = "The queue is being asked…"


class ReportDialog(QDialog):
    """Shows the report while it is collected, and saves the selected parts.

    Signals:
        notice(Notice): The report was saved.

    Args:
        report: Collects the parts, on the pool.
        tasks: The pool.
        memory: Stores the last folder.
        show_file: Shows files in the file manager.
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
        self.resize(*_SIZE)
        self.parts = {part: QCheckBox(translated(title), self) for part, title in _TITLES.items()}
        self.names = QCheckBox(tr("File &names"), self)
        self.search = QLineEdit(self)
        self.text = QPlainTextEdit(self)
        self.state = QLabel(self)
        self._arrange()
        self.finished.connect(report.stop)
        tasks.run(report.collect, self._take_first, self._tell)

    def _arrange(self) -> None:
        words = QLabel(
            tr(
                "This is what will be saved. Nothing is sent anywhere. Review it, and clear what you don't "
                "want to share."
            ),
            self,
        )
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        self._prepare_text()
        ticks = QVBoxLayout()
        ticks.setSpacing(4)
        for part, box in self.parts.items():
            box.setChecked(True)
            box.setVisible(part in {Part.PROGRAM, Part.QUEUE})
            box.toggled.connect(self._show)
            ticks.addWidget(box)
        ticks.addSpacing(12)
        self.names.setToolTip(tr("File names and paths are replaced with [path] unless this is selected"))
        self.names.toggled.connect(self._show)
        ticks.addWidget(self.names)
        ticks.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.search)
        right.addWidget(self.text, 1)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addLayout(ticks)
        middle.addLayout(right, 1)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setWordWrap(True)
        self.state.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(words)
        column.addLayout(middle, 1)
        column.addWidget(self.state)
        column.addWidget(self._make_buttons())

    def _prepare_text(self) -> None:
        self.text.setReadOnly(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("The report"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.search.setPlaceholderText(tr("Search in the report"))
        self.search.setAccessibleName(tr("Search in the report"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._find_first)
        self.search.returnPressed.connect(self.find_next)

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(self)
        self.save = QPushButton(tr("&Save…"), buttons)
        self.save.setObjectName("primary")
        self.save.setEnabled(False)
        self.copy_all = QPushButton(tr("&Copy"), buttons)
        for button in (self.save, self.copy_all):
            button.setAutoDefault(False)  # Return finds the next place
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        self.save.clicked.connect(self.choose)
        self.copy_all.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        return buttons

    # --- collecting

    def _take_first(self, sections: list[Section]) -> None:
        self._sections = {section.part: section for section in sections}
        self._sections[Part.QUEUE] = Section(Part.QUEUE, _WAITING, _WAITING)
        self.save.setEnabled(True)
        self._show()
        self._tasks.run(self._report.ask_queue, self._take_queue, self._tell)

    def _take_queue(self, section: Section) -> None:
        self._sections[Part.QUEUE] = section
        self._show()

    def _tell(self, error: KnownError) -> None:
        self._say(translated(error.text))

    def _say(self, text: str) -> None:
        self.state.setText(text)
        self.state.setVisible(bool(text))
        if text:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @property
    def is_complete(self) -> bool:
        """Return whether all parts are collected, including the answer of the queue."""
        queue = self._sections.get(Part.QUEUE)
        return queue is not None and queue.text != _WAITING

    # --- showing

    @Slot()
    def _show(self) -> None:
        for part, box in self.parts.items():
            box.setVisible(part in self._sections)
        bar = self.text.verticalScrollBar()
        place = bar.value()
        self.text.setPlainText(self.content())
        bar.setValue(place)

    def content(self) -> str:
        """Return the text that would be saved now."""
        names = self.names.isChecked()
        pieces = [self._report.head(names=names)]
        for part, box in self.parts.items():
            section = self._sections.get(part)
            if section is not None and box.isChecked():
                pieces.append(f"--- {part.value}\n{section.with_names if names else section.text}\n")
        return "\n".join(pieces)

    @Slot(str)
    def _find_first(self, _typed: str) -> None:
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.find_next()

    @Slot()
    def find_next(self) -> None:
        """Go to the next match; after the last one to the first."""
        typed = self.search.text()
        if not typed:
            self._say("")
            return
        found = self.text.find(typed)
        if not found:
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            found = self.text.find(typed, QTextDocument.FindFlag(0))
        self._say("" if found else tr("“{words}” was not found in the report.").format(words=typed))

    # --- user actions

    @Slot()
    def copy(self) -> None:
        """Put the shown report on the clipboard."""
        QGuiApplication.clipboard().setText(self.content())
        self._say(tr("Copied the report."))

    @Slot()
    def choose(self) -> None:
        """Ask for the target file in the system's dialog."""
        moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
        name = tr("Filemill report {moment}").format(moment=moment)
        place = str(Path(self._memory.folder(PURPOSE)) / f"{name}.zip")
        dialog = QFileDialog(self, tr("Save Support Report"), place)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([tr("ZIP archives (*.zip)"), tr("Text files (*.txt)")])
        dialog.setDefaultSuffix("zip")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("txt" if "*.txt" in chosen else "zip"))
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    @Slot(str)
    def save_as(self, path: str) -> None:
        """Save the shown report: as text if the name ends in `.txt`, else as a ZIP archive."""
        target = Path(path)
        self._memory.set_folder(PURPOSE, str(target.parent))
        self._tasks.run(
            partial(save_report, target, self.content()), partial(self._saved, target), partial(self._not_saved, target)
        )

    def _saved(self, target: Path, _: None) -> None:
        text = tr("Saved the support report as “{name}”.").format(name=display_text(target.name))
        self.notice.emit(
            Notice(text, actions=(NoticeAction(tr("Show in Folder"), partial(self._show_file, [str(target)])),))
        )
        self.accept()

    def _not_saved(self, target: Path, error: KnownError) -> None:
        if isinstance(error, NotWrittenError):
            self._say(why_not_written(target, error))
        else:
            self._tell(error)


def save_report(target: Path, text: str) -> None:
    """Write a report. Any thread.

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
