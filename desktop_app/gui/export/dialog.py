"""The Export List dialog, and the target file: the suggested name and the meaning of what was typed."""

from __future__ import annotations

import errno
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.query import BY_ADDING, NO_FILTER
from desktop_app.gui.export.exporter import ExportOrder, Format, why_not_written
from desktop_app.gui.i18n import tr
from desktop_app.services.support.export import ALL_FIELDS

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from desktop_app.config.atomic_write import NotWrittenError
    from desktop_app.domain.query import Filter, Sort
    from desktop_app.gui.window_memory import WindowMemory
    from desktop_app.gui.wording import Wording


def named_file(typed: str, folder: str, suffix: str) -> Path | None:
    """Return the file meant by the typed text; None if it is empty.

    Args:
        typed: A path; `~` is the home folder.
        folder: The folder for a name without one.
        suffix: Appended to the name if it is missing.
    """
    text = typed.strip()
    if not text:
        return None
    path = Path.home() / text.lstrip("~").lstrip("/\\") if text.startswith("~") else Path(folder) / text
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)


def usual_format() -> Format:
    """Return the format that spreadsheets open correctly: they expect the locale's list separator."""
    return Format.CSV_SEMICOLON if QLocale().decimalPoint() == "," else Format.CSV


def suggested_name() -> str:
    """Return a file name, without suffix, that is unlikely to exist already."""
    moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
    return tr("Filemill list {moment}").format(moment=moment)


PURPOSE = "export"
"""The key of the last folder in `WindowMemory`."""

_WIDTH = 560


class Rows(StrEnum):
    """The files to export."""

    SHOWN = "shown"
    SELECTED = "selected"
    ALL = "all"


class ExportDialog(QDialog):
    """Asks what to export. Only hides when accepted, so that `complain` can reopen it to correct an error.

    Signals:
        ordered(ExportOrder): Export was pressed.

    Args:
        memory: Stores the last choices.
        wording: Formats the texts.
        parent: The parent.
    """

    ordered = Signal(object)

    def __init__(self, memory: WindowMemory, wording: Wording, parent: QWidget) -> None:
        super().__init__(parent)
        self._memory = memory
        self._wording = wording
        self._where = NO_FILTER
        self._sort = BY_ADDING
        self._selected: array[int] | None = None
        self._shown_fields: Sequence[str] = ALL_FIELDS
        self._may_replace = ""
        self.setWindowTitle(tr("Export List"))
        self.rows = {kind: QRadioButton("…", self) for kind in Rows}  # an empty label is lower, and so would be its row
        self.columns = {
            True: QRadioButton(tr("The columns s&hown"), self),
            False: QRadioButton(tr("E&verything, with full paths"), self),
        }
        self.format = QComboBox(self)
        self.path = QLineEdit(self)
        self._trouble = QLabel(self)
        self._arrange()
        self._fill()

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(14)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(tr("Files:"), self._group(list(self.rows.values()), tr("Files")))
        form.addRow(tr("Columns:"), self._group(list(self.columns.values()), tr("Columns")))
        self.format.setAccessibleName(tr("Format"))
        form.addRow(tr("&Format:"), self.format)
        self.path.setAccessibleName(tr("Target file"))
        self.path.setMinimumWidth(320)
        choose = QPushButton(tr("&Choose…"), self)
        choose.setAccessibleName(tr("Choose the file to export to"))
        choose.setAutoDefault(False)
        choose.clicked.connect(self.choose)
        where = QHBoxLayout()
        where.setSpacing(8)
        where.addWidget(self.path, 1)
        where.addWidget(choose)
        form.addRow(tr("&Save as:"), where)
        label = form.labelForField(where)
        if isinstance(label, QLabel):
            label.setBuddy(self.path)
        self._trouble.setTextFormat(Qt.TextFormat.PlainText)
        self._trouble.setWordWrap(True)
        self._trouble.setObjectName("notice")
        self._trouble.setProperty("kind", "warning")
        self._trouble.setAccessibleName(tr("Problem"))
        self._trouble.hide()
        buttons = QDialogButtonBox(self)
        self.button = QPushButton(tr("&Export"), buttons)
        self.button.setObjectName("primary")
        buttons.addButton(self.button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.button.setDefault(True)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._order)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(self._trouble)
        column.addStretch(1)
        column.addWidget(buttons)
        self.resize(_WIDTH, self.sizeHint().height())

    def _group(self, choices: list[QRadioButton], name: str) -> QWidget:
        box = QWidget(self)
        box.setAccessibleName(name)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        group = QButtonGroup(box)
        for choice in choices:
            group.addButton(choice)
            column.addWidget(choice)
        return box

    def _fill(self) -> None:
        for form, text in (
            (Format.CSV, tr("CSV with commas")),
            (Format.CSV_SEMICOLON, tr("CSV with semicolons")),
            (Format.JSON, tr("JSON, for other programs")),
        ):
            self.format.addItem(text, form)
        self.format.setCurrentIndex(max(0, self.format.findData(self._memory.text("export_format") or usual_format())))
        self.columns[self._memory.text("export_columns") != "all"].setChecked(True)
        self.rows[Rows.SHOWN].setChecked(True)
        self.path.setText(str(Path(self._memory.folder(PURPOSE)) / f"{suggested_name()}{self.form.suffix}"))
        self.format.currentIndexChanged.connect(self._follow_format)
        self.path.textChanged.connect(self._forget_trouble)

    # --- choices

    def offer(
        self,
        *,
        listed: int,
        where: Filter,
        order: Sort,
        selected: array[int],
        total: int,
        shown_fields: Sequence[str],
    ) -> None:
        """Set the choices; may be called again while the dialog is open.

        Args:
            listed: The number of files shown in the list, which pass `where`.
            where: The list's filter.
            order: The list's order.
            selected: The keys of the selected files, in the list's order.
            total: The number of files.
            shown_fields: The fields of the shown columns.
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

    @property
    def form(self) -> Format:
        """Return the chosen format."""
        return Format(self.format.currentData())

    @property
    def order(self) -> ExportOrder | None:
        """Return the order for the exporter; None while no file is named."""
        target = self._target()
        if target is None or self._selected is None:
            return None
        kind = next(kind for kind, button in self.rows.items() if button.isChecked())
        offered: dict[Rows, Filter | array[int]] = {
            Rows.SHOWN: self._where,
            Rows.SELECTED: self._selected,
            Rows.ALL: NO_FILTER,
        }
        fields = self._shown_fields if self.columns[True].isChecked() else ALL_FIELDS
        return ExportOrder(
            offered[kind], self._sort, fields, self.form, target, replace=self._may_replace == str(target)
        )

    def _target(self) -> Path | None:
        return named_file(self.path.text(), self._memory.folder(PURPOSE), self.form.suffix)

    @Slot()
    def _follow_format(self) -> None:
        path = Path(self.path.text())
        if path.suffix.lower() in {form.suffix for form in Format}:
            self.path.setText(str(path.with_suffix(self.form.suffix)))

    @Slot()
    def choose(self) -> None:
        """Open the system's file dialog, which itself asks before replacing a file."""
        names = {".csv": tr("CSV files (*.csv)"), ".json": tr("JSON files (*.json)")}
        dialog = QFileDialog(self, tr("Export List"), str(self._target() or self._memory.folder(PURPOSE)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(names[self.form.suffix])
        dialog.setDefaultSuffix(self.form.suffix.lstrip("."))
        dialog.fileSelected.connect(self._take_chosen)
        dialog.open()

    @Slot(str)
    def _take_chosen(self, path: str) -> None:
        self.path.setText(path)
        self._may_replace = path

    # --- exporting

    @Slot()
    def _order(self) -> None:
        order = self.order
        if order is None:
            self._tell(tr("Choose a file to export to."))
            return
        self._memory.set_text("export_format", self.form)
        self._memory.set_text("export_columns", "shown" if self.columns[True].isChecked() else "all")
        self._memory.set_folder(PURPOSE, str(order.target.parent))
        self.hide()
        self.ordered.emit(order)

    def complain(self, order: ExportOrder, error: NotWrittenError) -> None:
        """Reopen the dialog, show why the file can't be written, and let the user correct it."""
        self.path.setText(str(order.target))
        self._tell(why_not_written(order.target, error))
        if error.code == errno.EEXIST:
            self._may_replace = str(order.target)
            self.button.setText(tr("&Replace"))
        self.show()
        self.activateWindow()

    @property
    def trouble(self) -> str:
        """Return the problem shown; empty if there is none."""
        return self._trouble.text() if self._trouble.isVisibleTo(self) else ""

    def _tell(self, text: str) -> None:
        self._trouble.setText(text)
        self._trouble.show()
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._trouble, text))
        self.path.setFocus()
        self.path.selectAll()

    @Slot()
    def _forget_trouble(self) -> None:
        self._may_replace = ""
        self._trouble.hide()
        self.button.setText(tr("&Export"))
