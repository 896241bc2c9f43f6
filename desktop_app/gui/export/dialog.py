"""The file that an exported list is written to: what is suggested, and what is meant by what was typed."""

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
    """Return the file that is meant by what a person typed; None if nothing was.

    Args:
        typed: A path; `~` is the person's own folder.
        folder: Where a name without a folder lies.
        suffix: What its name ends in; put behind where it is missing.
    """
    text = typed.strip()
    if not text:
        return None
    path = Path.home() / text.lstrip("~").lstrip("/\\") if text.startswith("~") else Path(folder) / text
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)


def usual_format() -> Format:
    """Return what spreadsheets open well with a double click: they expect the list separator of the country."""
    return Format.CSV_SEMICOLON if QLocale().decimalPoint() == "," else Format.CSV


def suggested_name() -> str:
    """Return a file name without its suffix, which is unlikely to exist already."""
    moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
    return tr("Filemill list {moment}").format(moment=moment)


PURPOSE = "export"
"""Under which the folder is remembered."""

_WIDTH = 560


class Rows(StrEnum):
    """Which files are exported."""

    SHOWN = "shown"
    SELECTED = "selected"
    ALL = "all"


class ExportDialog(QDialog):
    """Asks, and gives an order. It only hides then, so that what was wrong can be corrected in it: `complain`.

    Signals:
        ordered(ExportOrder): Export was pressed.

    Args:
        memory: What was chosen the last time.
        wording: Makes the texts.
        parent: Qt's owner.
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
        self.rows = {kind: QRadioButton("…", self) for kind in Rows}  # an empty one is lower, and its row stays so
        self.columns = {
            True: QRadioButton(tr("The columns that are s&hown"), self),
            False: QRadioButton(tr("E&verything that is known, with full paths"), self),
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
        self.path.setAccessibleName(tr("File to write"))
        self.path.setMinimumWidth(320)
        choose = QPushButton(tr("&Choose…"), self)
        choose.setAccessibleName(tr("Choose the file to write"))
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
        self._trouble.setAccessibleName(tr("What stands in the way"))
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

    # --- what there is to export

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
        """Say what there is; may come again while the dialog is open.

        Args:
            listed: How many files the list shows, which are those that pass `where`.
            where: What is shown.
            order: In which order.
            selected: The keys of the selected files, in the list's order.
            total: How many files there are.
            shown_fields: What the columns on the screen tell.
        """
        files = self._wording.files
        texts = {
            Rows.SHOWN: tr("Those that the &list shows ({count})").format(count=files(listed)),
            Rows.SELECTED: tr("The selected &ones ({count})").format(count=files(len(selected))),
            Rows.ALL: tr("&All ({count})").format(count=files(total)),
        }
        for kind, text in texts.items():
            self.rows[kind].setText(text)
        self.rows[Rows.SELECTED].setEnabled(bool(selected))
        if not selected and self.rows[Rows.SELECTED].isChecked():
            self.rows[Rows.SHOWN].setChecked(True)
        self._where, self._sort, self._selected, self._shown_fields = where, order, selected, shown_fields

    @property
    def form(self) -> Format:
        """Return the format that is chosen."""
        return Format(self.format.currentData())

    @property
    def order(self) -> ExportOrder | None:
        """Return what is chosen; None as long as no file is named."""
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
        """Open the system's dialog for the file; it asks by itself before a file is replaced."""
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

    # --- ordering

    @Slot()
    def _order(self) -> None:
        order = self.order
        if order is None:
            self._tell(tr("Say where to write to."))
            return
        self._memory.set_text("export_format", self.form)
        self._memory.set_text("export_columns", "shown" if self.columns[True].isChecked() else "all")
        self._memory.set_folder(PURPOSE, str(order.target.parent))
        self.hide()
        self.ordered.emit(order)

    def complain(self, order: ExportOrder, error: NotWrittenError) -> None:
        """Come back, say why nothing can be written there, and let it be corrected."""
        self.path.setText(str(order.target))
        self._tell(why_not_written(order.target, error))
        if error.code == errno.EEXIST:
            self._may_replace = str(order.target)
            self.button.setText(tr("&Replace"))
        self.show()
        self.activateWindow()

    @property
    def trouble(self) -> str:
        """Return what stands in the way; empty if nothing does."""
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
