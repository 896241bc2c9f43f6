"""The dialog that lists the plug-ins of this computer, and in which they are allowed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout

from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    MessageBox,
    arrange_dialog,
    plain_label,
    show_problem,
    spaced,
)
from desktop_app.services.plugins import WARNING, Consent, Plugin, Plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QBoxLayout, QWidget

    from desktop_app.domain.errors import KnownError
    from desktop_app.gui.tasks import Tasks

_SIZE = (680, 480)
_CONSENTS = {
    Consent.ALLOWED: mark("Allowed"),
    Consent.CHANGED: mark("Changed since it was allowed, so it is not used"),
    Consent.MISSING: mark("Not allowed"),
}


class PluginsDialog(QDialog):
    """Lists the plug-ins with their files and digests. It deletes itself when it is closed.

    Signals:
        changed(): A plug-in was allowed or forbidden.
        folder_requested(str): The folder of this path has to be shown in the file manager.

    Attributes:
        rows: The frames of the plug-ins, by the names that are shown.

    Args:
        plugins: The plug-ins.
        tasks: The pool for reading and executing them.
        parent: The parent.
    """

    changed = Signal()
    folder_requested = Signal(str)

    def __init__(self, plugins: Plugins, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self._plugins = plugins
        self._tasks = tasks
        self.rows: dict[str, QFrame] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Plug-ins"))
        content = spaced(QVBoxLayout(), 10)
        text = tr("A plug-in is a processor that somebody else has written, as a Python file in the plug-in folder.")
        content.addWidget(plain_label(text, self))
        content.addWidget(plain_label(translated(WARNING), self))
        self._list = spaced(QVBoxLayout(), 8)
        content.addLayout(self._list)
        self.empty = plain_label(tr("There are no plug-ins."), self, "detailsCaption")
        self.empty.hide()
        content.addWidget(self.empty)
        content.addStretch(1)
        self.problem = plain_label("", self)
        self.problem.hide()
        self.open_folder = QPushButton(tr("Open &Folder"), self)
        self.open_folder.clicked.connect(self._open_folder)
        self.look_again = QPushButton(tr("&Look Again"), self)
        self.look_again.clicked.connect(self.look)
        buttons = ButtonRow(self)
        buttons.addButton(self.open_folder, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.look_again, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        foot = spaced(QVBoxLayout(), 8)
        foot.addWidget(self.problem)
        foot.addWidget(buttons)
        arrange_dialog(self, content, foot, name="plugins", size=_SIZE)
        self.look()

    @Slot()
    def look(self) -> None:
        """Read the plug-ins again."""
        self._tasks.run(self._plugins.all, self._show, self._fail)

    @Slot()
    def _open_folder(self) -> None:
        self._tasks.run(self._plugins.create_folder, self._show_folder, self._fail)

    def _show_folder(self, _: None) -> None:
        self.folder_requested.emit(str(self._plugins.folder))

    def _show(self, plugins: Sequence[Plugin]) -> None:
        for row in self.rows.values():
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {}
        for plugin in plugins:
            self.rows[plugin.name] = row = self._row(plugin)
            self._list.addWidget(row)
        self.empty.setVisible(not plugins)

    def _row(self, plugin: Plugin) -> QFrame:
        row = QFrame(self)
        row.setObjectName("plugin")
        title = display_text(plugin.name)
        if plugin.processor is not None:
            title = tr("{title} ({name}), version {version}").format(
                title=plugin.processor.title, name=title, version=plugin.processor.version
            )
        texts = spaced(QVBoxLayout(), 2)
        texts.addWidget(plain_label(title, row, "noticeTitle"))
        lines = [translated(_CONSENTS[plugin.consent]), display_text(plugin.file)]
        lines.append(tr("SHA-256: {digest}").format(digest=plugin.code.digest or "–"))
        for line in lines:
            texts.addWidget(_selectable(line, row))
        if plugin.problem:
            texts.addWidget(plain_label(tr("It can't be used: {why}").format(why=translated(plugin.problem)), row))
        columns = spaced(QHBoxLayout(row), 12, (0, 6, 0, 6))
        columns.addLayout(texts, 1)
        if plugin.consent is Consent.ALLOWED:
            self._add_button(tr("Stop Using"), row, columns, title, partial(self._forbid, plugin))
        elif plugin.code.digest:
            self._add_button(tr("Allow…"), row, columns, title, partial(self._ask, plugin))
        return row

    def _add_button(self, text: str, row: QFrame, columns: QBoxLayout, title: str, run: Callable[[], object]) -> None:
        button = QPushButton(text, row)
        button.setAccessibleDescription(title)
        button.clicked.connect(lambda _checked=False: run())
        columns.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)

    def _ask(self, plugin: Plugin) -> None:
        """Ask for consent to exactly this code."""
        box = MessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(tr("Allow Plug-in"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(tr("Allow “{name}” to be used on this computer?").format(name=display_text(plugin.name)))
        digest = tr("SHA-256: {digest}").format(digest=plugin.code.digest)
        box.setInformativeText(f"{display_text(plugin.file)}\n\n{digest}\n\n{translated(WARNING)}")
        allow = box.addButton(tr("&Allow"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        allow.clicked.connect(lambda: self._change(partial(self._plugins.allow, plugin)))
        box.open()

    def _forbid(self, plugin: Plugin) -> None:
        self._change(partial(self._plugins.forbid, plugin))

    def _change(self, work: Callable[[], object]) -> None:
        show_problem(self.problem, "")
        for row in self.rows.values():
            row.setEnabled(False)
        self._tasks.run(work, self._note_change, self._fail)

    def _note_change(self, _: object) -> None:
        self.changed.emit()
        self.look()

    def _fail(self, error: KnownError) -> None:
        show_problem(self.problem, translated(error.text))
        for row in self.rows.values():
            row.setEnabled(True)


def _selectable(text: str, parent: QWidget) -> QWidget:
    label = plain_label(text, parent, "detailsCaption")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
