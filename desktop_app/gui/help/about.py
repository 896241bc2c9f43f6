"""The About dialog: the version, the libraries, and all licences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app import __version__
from desktop_app.gui.i18n import tr
from desktop_app.gui.theme.theme import program_icon
from desktop_app.gui.widgets.dialogs import ButtonRow, arrange_dialog, plain_label, read_only_text, spaced, text_table
from desktop_app.services.support.parts import Part, licence_text, program_parts

if TYPE_CHECKING:
    from collections.abc import Sequence


class AboutDialog(QDialog):
    """Shows the version of Filemill and the libraries it uses. It deletes itself when it is closed.

    Attributes:
        table: The libraries with their versions and licences.

    Args:
        parent: The parent.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("About Filemill"))
        self._parts = program_parts(qVersion())
        picture = QLabel(self)
        picture.setPixmap(program_icon().pixmap(64, 64))
        name = plain_label(tr("Filemill {version}").format(version=__version__), self, "sheetTitle")
        about = plain_label(
            tr("Pick files, process them through a queue, and follow the status of each file."), self, "sheetText"
        )
        licence = plain_label(tr("Free software under the MIT licence."), self)
        texts = spaced(QVBoxLayout(), 4)
        for label in (name, about, licence):
            texts.addWidget(label)
        head = spaced(QHBoxLayout(), 14)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(texts, 1)
        self.table = _table(self._parts, self)
        buttons = ButtonRow(self)
        role = QDialogButtonBox.ButtonRole.ActionRole
        buttons.addButton(tr("Copy &Versions"), role).clicked.connect(self.copy)
        buttons.addButton(tr("&Licences…"), role).clicked.connect(self.show_licences)
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        content = spaced(QVBoxLayout(), 12)
        content.addLayout(head)
        content.addWidget(self.table, 1)
        arrange_dialog(self, content, buttons, name="about", size=(560, 480))
        close.setFocus()

    @Slot()
    def copy(self) -> None:
        """Copy the versions to the clipboard, for example for a bug report."""
        lines = [f"Filemill {__version__}", *(f"{part.name} {part.version}" for part in self._parts)]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")

    @Slot()
    def show_licences(self) -> LicencesDialog:
        """Show the texts of all licences."""
        dialog = LicencesDialog(self._parts, self)
        dialog.open()
        return dialog


class LicencesDialog(QDialog):
    """Shows the licence of Filemill, and those of the libraries. It deletes itself when it is closed."""

    def __init__(self, parts: Sequence[Part], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Licences"))
        self.text = read_only_text(tr("Licences"), self)
        self.text.setPlainText(_all_texts(parts))
        buttons = ButtonRow(self)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        content = spaced(QVBoxLayout(), 0)
        content.addWidget(self.text, 1)
        arrange_dialog(self, content, buttons, name="licences", size=(720, 520))


def _all_texts(parts: Sequence[Part]) -> str:
    """Return all licences as one text. A text that several libraries share is contained once."""
    owners: dict[str, list[str]] = {licence_text(): ["Filemill"]}
    for part in parts:
        title = f"{part.name} {part.version} ({part.licence})" if part.licence else f"{part.name} {part.version}"
        owners.setdefault(part.text, []).append(title)
    without = owners.pop("", [])
    blocks = ["\n".join(without)] if without else []
    blocks += [f"{', '.join(names)}\n\n{text.strip()}" for text, names in owners.items()]
    rule = f"\n\n{'-' * 72}\n\n"
    # Filemill's own licence first, then what has no text here, then the others.
    own = blocks.pop(1) if without and len(blocks) > 1 else blocks.pop(0)
    return rule.join([own, *blocks]) + "\n"


def _table(parts: Sequence[Part], parent: QWidget) -> QTableWidget:
    headings = (tr("Component"), tr("Version"), tr("Licence"))
    rows = [(part.name, part.version, part.licence) for part in parts]
    table = text_table(headings, rows, parent, name=tr("Components"))
    table.setMinimumHeight(120)
    header = table.horizontalHeader()
    header.setMinimumSectionSize(max(header.sectionSizeHint(column) for column in range(len(headings))))
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
    return table
