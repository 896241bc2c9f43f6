"""The Export List dialog, and functions that determine the path and the format of the file."""

from __future__ import annotations

import errno
from array import array
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.query import BY_ADDING, NO_FILTER, Filter, Sort
from desktop_app.gui.export.exporter import ExportRequest, Format, why_not_written
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    arrange_dialog,
    caption,
    form_layout,
    open_file_dialog,
    plain_label,
    primary_button,
    spaced,
)
from desktop_app.services.support.export import ALL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QAbstractButton

    from desktop_app.config.atomic_write import NotWrittenError
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


def target_path(typed: str, folder: str, suffix: str) -> Path | None:
    """Return the typed path as an absolute path with the suffix, or None if the text is empty.

    Args:
        typed: The typed text: an absolute or relative path, or one that starts with `~` for the home folder.
        folder: The folder for relative paths.
        suffix: The suffix to append if the path does not end with it.
    """
    text = typed.strip()
    if not text:
        return None
    path = Path.home() / text.lstrip("~").lstrip("/\\") if text.startswith("~") else Path(folder) / text
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)


def default_format() -> Format:
    """Return the format with the separator that spreadsheet programs expect in this locale."""
    return Format.CSV_SEMICOLON if QLocale().decimalPoint() == "," else Format.CSV


def default_name() -> str:
    """Return a file name that contains the current time, without a suffix."""
    moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
    return tr("Filemill list {moment}").format(moment=moment)


PURPOSE = "export"
"""The purpose for which `WindowMemory` saves the last folder."""

_WIDTH = 560

_INDENT = 24

_MOST_TITLE = 320


class Rows(StrEnum):
    """Which files to export."""

    GROUP = "group"
    SHOWN = "shown"
    SELECTED = "selected"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ExportedGroup:
    """Files that can be exported although they are not the ones shown in the list.

    Attributes:
        where: The filter that they match.
        title: What they have in common; empty if they are all files.
        count: The number of files.
    """

    where: Filter
    title: str
    count: int


class ExportDialog(QDialog):
    """Asks what to export, and to which file. Clicking Export only hides the dialog; `show_error` can show it again.

    Signals:
        requested(ExportRequest): The user has clicked Export.

    Args:
        memory: The storage that keeps the choices for next time.
        wording: The formatter for texts.
        parent: The parent.

    Attributes:
        rows, columns: The radio buttons for the files and for the columns; `columns[True]` is the button for the
            visible columns.
        with_path: Whether to add the path to the visible columns.
        format: The file format.
        path: The text field for the path of the file to write.
        button: The button that starts the export.
    """

    requested = Signal(object)

    def __init__(self, memory: WindowMemory, wording: Wording, parent: QWidget) -> None:
        super().__init__(parent)
        self._memory = memory
        self._wording = wording
        self._where = NO_FILTER
        self._group_where = NO_FILTER
        self._sort = BY_ADDING
        self._selected: array[int] = array("q")
        self._shown_fields: Sequence[str] = ALL_FIELDS
        self._may_replace = ""
        self.setWindowTitle(tr("Export List"))
        self.rows = {kind: QRadioButton("…", self) for kind in Rows}  # without text, the dialog would be too small
        self.columns = {
            True: QRadioButton(tr("The columns s&hown"), self),
            False: QRadioButton(tr("E&verything, with full paths"), self),
        }
        self.with_path = QCheckBox(tr("Add the full &path of each file"), self)
        self.format = QComboBox(self)
        self.path = QLineEdit(self)
        self._error = plain_label("", self, "notice")
        self.rows[Rows.GROUP].hide()  # before it is in a layout, which would keep room for it
        self._arrange()
        self._fill()

    def _arrange(self) -> None:
        form = form_layout()
        columns = [self.columns[True], self.with_path, self.columns[False]]
        for title, choices in ((tr("Files"), list(self.rows.values())), (tr("Columns"), columns)):
            label = QLabel(title, self)
            label.setFixedHeight(choices[0].sizeHint().height())  # beside the first choice; Qt puts it lower
            form.addRow(label, self._group(choices, title))
        self.format.setAccessibleName(tr("Format"))
        form.addRow(tr("&Format"), self.format)
        self.path.setAccessibleName(tr("Target file"))
        self.path.setMinimumWidth(200)
        choose = QPushButton(tr("&Choose…"), self, autoDefault=False)
        choose.setAccessibleName(tr("Choose the file to export to"))
        choose.clicked.connect(self.choose)
        where = spaced(QHBoxLayout(), 8)
        where.addWidget(self.path, 1)
        where.addWidget(choose)
        form.addRow(caption(tr("&Save as"), self.path), where)
        self._error.setProperty("kind", "warning")
        self._error.setAccessibleName(tr("Problem"))
        self._error.hide()
        buttons = ButtonRow(QDialogButtonBox.StandardButton.Cancel, self)
        self.button = primary_button(tr("&Export"), buttons)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        column = spaced(QVBoxLayout(), 16)
        column.addLayout(form)
        column.addWidget(self._error)
        column.addStretch(1)
        self._place = arrange_dialog(self, column, buttons, name="export", size=(_WIDTH, 0))

    def _group(self, choices: Sequence[QAbstractButton], name: str) -> QWidget:
        box = QWidget(self)
        box.setAccessibleName(name)
        column = spaced(QVBoxLayout(box), 6, (0, 0, 0, 6))  # more below a group than between its choices
        group = QButtonGroup(box)
        for choice in choices:
            if isinstance(choice, QRadioButton):
                group.addButton(choice)
                column.addWidget(choice)
            else:
                indented = spaced(QHBoxLayout(), 0, (_INDENT, 0, 0, 0))
                indented.addWidget(choice)
                column.addLayout(indented)
        return box

    def _fill(self) -> None:
        for form, text in (
            (Format.CSV, tr("CSV with commas")),
            (Format.CSV_SEMICOLON, tr("CSV with semicolons")),
            (Format.JSON, tr("JSON, for other programs")),
        ):
            self.format.addItem(text, form)
        self.format.setCurrentIndex(
            max(0, self.format.findData(self._memory.text("export_format") or default_format()))
        )
        self.columns[True].toggled.connect(self.with_path.setEnabled)
        self.columns[self._memory.text("export_columns") != "all"].setChecked(True)
        # By default, because names can repeat.
        self.with_path.setChecked(self._memory.text("export_path") != "no")
        self.with_path.setEnabled(self.columns[True].isChecked())
        self.rows[Rows.SHOWN].setChecked(True)
        self.path.setText(str(Path(self._memory.folder(PURPOSE)) / f"{default_name()}{self.form.suffix}"))
        self.format.currentIndexChanged.connect(self._follow_format)
        self.path.textChanged.connect(self._hide_error)

    # --- choices

    def offer(
        self, *, listed: int, where: Filter, order: Sort, selected: array[int], total: int, shown_fields: Sequence[str]
    ) -> None:
        """Set the files and fields that can be exported. Can be called again while the dialog is open.

        Args:
            listed: The number of files in the list.
            where: The filter of the list.
            order: The order of the list.
            selected: The keys of the selected files, in the order of the list.
            total: The total number of files.
            shown_fields: The fields of the columns shown.
        """
        files = self._wording.files
        texts = {
            Rows.SHOWN: tr("The files shown in the &list ({count})").format(count=files(listed)),
            Rows.SELECTED: tr("&Only the selected files ({count})").format(count=files(len(selected))),
            Rows.ALL: tr("&All files ({count})").format(count=files(total)),
        }
        for kind, text in texts.items():
            self.rows[kind].setText(text)
        self.rows[Rows.SELECTED].setEnabled(bool(selected))
        if not selected and self.rows[Rows.SELECTED].isChecked():
            self.rows[Rows.SHOWN].setChecked(True)
        self._where, self._sort, self._selected, self._shown_fields = where, order, selected, shown_fields

    def offer_group(self, group: ExportedGroup) -> None:
        """Choose the files of a group, which are offered in addition to those of `offer`."""
        if not group.title:
            self.rows[Rows.ALL].setChecked(True)
            return
        self._group_where = group.where
        button = self.rows[Rows.GROUP]
        title = self.fontMetrics().elidedText(group.title, Qt.TextElideMode.ElideMiddle, _MOST_TITLE)
        text = tr("&Files of “{group}” ({count})")
        button.setText(text.format(group=title.replace("&", "&&"), count=self._wording.files(group.count)))
        button.show()
        button.setChecked(True)
        self._place.grow()

    @property
    def form(self) -> Format:
        """Return the chosen file format."""
        return Format(self.format.currentData())

    @property
    def request(self) -> ExportRequest | None:
        """Return the request for the exporter, or None if no file name was typed."""
        target = self._target()
        if target is None:
            return None
        kind = next(kind for kind, button in self.rows.items() if button.isChecked())
        offered: dict[Rows, Filter | array[int]] = {
            Rows.GROUP: self._group_where,
            Rows.SHOWN: self._where,
            Rows.SELECTED: self._selected,
            Rows.ALL: NO_FILTER,
        }
        fields = self._fields() if self.columns[True].isChecked() else ALL_FIELDS
        return ExportRequest(
            offered[kind], self._sort, fields, self.form, target, replace=self._may_replace == str(target)
        )

    def _fields(self) -> Sequence[str]:
        """Return the fields of the columns shown, with the path after the name if the user wants it."""
        shown = list(self._shown_fields)
        if self.with_path.isChecked() and "file_path" not in shown:
            shown.insert(shown.index("name") + 1 if "name" in shown else 0, "file_path")
        return tuple(shown)

    def _target(self) -> Path | None:
        return target_path(self.path.text(), self._memory.folder(PURPOSE), self.form.suffix)

    @Slot()
    def _follow_format(self) -> None:
        path = Path(self.path.text())
        if path.suffix.lower() in {form.suffix for form in Format}:
            self.path.setText(str(path.with_suffix(self.form.suffix)))

    @Slot()
    def choose(self) -> None:
        """Open the system's file dialog, which asks before an existing file is replaced."""
        names = {".csv": tr("CSV files (*.csv)"), ".json": tr("JSON files (*.json)")}
        dialog = QFileDialog(self, tr("Export List"), str(self._target() or self._memory.folder(PURPOSE)))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(names[self.form.suffix])
        dialog.setDefaultSuffix(self.form.suffix.lstrip("."))
        dialog.fileSelected.connect(self._take_chosen)
        open_file_dialog(dialog)

    @Slot(str)
    def _take_chosen(self, path: str) -> None:
        self.path.setText(path)
        self._may_replace = path

    # --- exporting

    @Slot()
    def _accept(self) -> None:
        request = self.request
        if request is None:
            self._show_error_text(tr("Choose a file to export to."))
            return
        self._memory.set_text("export_format", self.form)
        self._memory.set_text("export_columns", "shown" if self.columns[True].isChecked() else "all")
        self._memory.set_text("export_path", "yes" if self.with_path.isChecked() else "no")
        self._memory.set_folder(PURPOSE, str(request.target.parent))
        self.hide()
        self.requested.emit(request)

    def show_error(self, request: ExportRequest, error: NotWrittenError) -> None:
        """Show the dialog again, with the reason why the file can't be written. Offer to replace it if it exists."""
        self.path.setText(str(request.target))
        self._show_error_text(why_not_written(request.target, error))
        if error.code == errno.EEXIST:
            self._may_replace = str(request.target)
            self.button.setText(tr("&Replace"))
        self.show()
        self.activateWindow()

    @property
    def error_text(self) -> str:
        """Return the text of the error shown, or an empty string if there is none."""
        return self._error.text() if self._error.isVisibleTo(self) else ""

    def _show_error_text(self, text: str) -> None:
        self._error.setText(text)
        self._error.show()
        self._place.grow()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._error, text))
        self.path.setFocus()
        self.path.selectAll()

    @Slot()
    def _hide_error(self) -> None:
        self._may_replace = ""
        self._error.hide()
        self.button.setText(tr("&Export"))
