"""The form of the queue page: shows a connection in fields and reads one from them."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.settings import Connection
from desktop_app.domain.connection_checks import Profiles
from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_SHORT = 14


def combo(parent: QWidget, *, editable: bool) -> QComboBox:
    """Return a combo box; an editable one completes by any part of a name."""
    box = QComboBox(parent)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_SHORT)
    box.setEditable(editable)
    if editable:
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = box.completer()
        if completer is not None:
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
    return box


def line_of(box: QComboBox) -> QLineEdit:
    """Return the line edit of an editable combo box."""
    line = box.lineEdit()
    if line is None:
        raise TypeError("this box is not editable")
    return line


def fill(box: QComboBox, names: Iterable[str]) -> None:
    """Replace the items of an editable combo box; keep the typed text."""
    typed = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(list(names))
    box.setCurrentIndex(box.findText(typed))
    box.setEditText(typed)
    box.blockSignals(False)


def hint(parent: QWidget) -> QLabel:
    """Return a muted hint for below a field; empty at first."""
    label = QLabel(parent)
    label.setObjectName("detailsCaption")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def set_hint(hint: QLabel, text: str) -> None:
    """Set the text of a hint; hide it if the text is empty."""
    hint.setText(text)
    hint.setVisible(bool(text))


def beside(field: QWidget, button: QWidget | None, hint: QLabel | None, parent: QWidget) -> QWidget:
    """Return a field with its button and its hint as one form row."""
    whole = QWidget(parent)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    row = QHBoxLayout()
    row.addWidget(field, 1)
    if button is not None:
        row.addWidget(button)
    column.addLayout(row)
    if hint is not None:
        column.addWidget(hint)
        hint.hide()
    return whole


class Place(Enum):
    """The kinds of place where a queue can be."""

    COMPUTER = 0
    AWS = 1
    SERVER = 2


class ConnectionForm(QWidget):
    """The fields of a connection.

    Signals:
        changed(): A field was changed.
        list_requested(): The button List Queues was pressed, or Stop.
        reload_requested(): The button Reload was pressed.

    Attributes:
        places: The three choices, in the order of `Place`.
        server, profile, region, queue, list_queues, reload, process_here: The fields and buttons.
    """

    changed = Signal()
    list_requested = Signal()
    reload_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._profiles = Profiles()
        self._region_typed = False
        self.places = self._make_places()
        self.server = QLineEdit(self)
        self.server.setPlaceholderText("http://localhost:9324")
        self.profile = combo(self, editable=False)
        self.region = combo(self, editable=True)
        self.queue = combo(self, editable=True)
        self.reload = QPushButton(tr("Reload"), self)
        self.reload.setAccessibleName(tr("Read the profiles again"))
        self.list_queues = QPushButton(tr("List Queues"), self)
        self._profile_hint, self._region_hint, self._queue_hint = (hint(self) for _ in range(3))
        self.process_here = QCheckBox(tr("&Process files from this queue on this computer"), self)
        self._process_hint = hint(self)
        self._process_hint.setText(
            tr(
                "Only for a queue that no other program uses: receiving another program's message counts as a "
                "delivery attempt for it."
            )
        )
        self._local_hint = hint(self)
        self._local_hint.setText(
            tr(
                "Files are added, queued and processed on this computer. Files that are unfinished when you "
                "close Filemill continue at the next start."
            )
        )
        self._rows = self._arrange()
        chain = [*self.places, self.server, self.profile, self.reload, self.region, self.queue, self.list_queues]
        for before, after in pairwise([*chain, self.process_here]):
            QWidget.setTabOrder(before, after)
        self._connect()
        self._show_place()

    def _make_places(self) -> list[QRadioButton]:
        texts = (
            tr("This &computer – no account needed"),
            tr("&Amazon SQS"),
            tr("A&nother SQS-compatible server"),
        )
        group = QButtonGroup(self)
        buttons = [QRadioButton(text, self) for text in texts]
        for number, button in enumerate(buttons):
            group.addButton(button, number)
        buttons[0].setChecked(True)
        return buttons

    def _arrange(self) -> QFormLayout:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for choice in self.places:
            column.addWidget(choice)
        rows = QFormLayout()
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setVerticalSpacing(8)
        rows.setHorizontalSpacing(12)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        fields: tuple[tuple[str, QWidget, QPushButton | None, QLabel | None], ...] = (
            (tr("&Server"), self.server, None, None),
            (tr("P&rofile"), self.profile, self.reload, self._profile_hint),
            (tr("Re&gion"), self.region, None, self._region_hint),
            (tr("&Queue"), self.queue, self.list_queues, self._queue_hint),
        )
        for text, field, button, quiet in fields:
            label = QLabel(text, self)
            label.setBuddy(field)
            field.setAccessibleName(text.replace("&", ""))
            if isinstance(field, QComboBox) and field.isEditable():
                line_of(field).setAccessibleName(field.accessibleName())  # it has the focus
            rows.addRow(label, beside(field, button, quiet, self))
        column.addWidget(self._local_hint)
        column.addLayout(rows)
        column.addWidget(self.process_here)
        column.addWidget(self._process_hint)
        return rows

    def _connect(self) -> None:
        for button in self.places:
            button.toggled.connect(self._show_place)
            button.clicked.connect(self._focus_next)
        self.profile.currentIndexChanged.connect(self._show_profile)
        line_of(self.region).textEdited.connect(self._keep_region)
        self.region.activated.connect(self._keep_region)
        self.queue.editTextChanged.connect(self.changed)
        self.region.editTextChanged.connect(self.changed)
        self.server.textChanged.connect(self.changed)
        self.list_queues.clicked.connect(self.list_requested)
        self.reload.clicked.connect(self.reload_requested)

    @property
    def place(self) -> Place:
        """Return the chosen place."""
        return next(place for place, button in zip(Place, self.places, strict=True) if button.isChecked())

    @property
    def entered(self) -> Connection:
        """Return the entered connection."""
        if self.place is Place.COMPUTER:
            return Connection()
        server = self.server.text().strip() if self.place is Place.SERVER else ""
        return Connection(
            queue=self.queue.currentText().strip(),
            profile=str(self.profile.currentData() or ""),
            region=self.region.currentText().strip(),
            endpoint_url=server,
        )

    def set_connection(self, connection: Connection, *, processes_here: bool) -> None:
        """Show a connection in the fields."""
        place = Place.COMPUTER if connection.is_local else Place.SERVER if connection.endpoint_url else Place.AWS
        self.places[place.value].setChecked(True)
        self.server.setText(connection.endpoint_url)
        self._ensure_profile(connection.profile)
        self.profile.setCurrentIndex(self.profile.findData(connection.profile))
        self._region_typed = bool(connection.region)
        self.region.setEditText(connection.region)
        self.queue.setEditText(connection.queue)
        self.process_here.setChecked(processes_here and not connection.is_local)
        self._show_profile()

    def set_profiles(self, profiles: Profiles) -> None:
        """Offer these profiles; keep the chosen one even if it is not among them."""
        chosen = str(self.profile.currentData() or "")
        self._profiles = profiles
        self.profile.blockSignals(True)
        self.profile.clear()
        self.profile.addItem(tr("AWS default – no profile named"), "")
        for profile in profiles.found:
            more = f"▲ {translated(profile.trouble)}" if profile.trouble else translated(profile.kind.value)
            self.profile.addItem(f"{profile.name}   –   {more}", profile.name)
            self.profile.setItemData(self.profile.count() - 1, more, Qt.ItemDataRole.ToolTipRole)
        self._ensure_profile(chosen)
        self.profile.setCurrentIndex(self.profile.findData(chosen))
        self.profile.blockSignals(False)
        self._show_profile()

    def _ensure_profile(self, name: str) -> None:
        if self.profile.findData(name) < 0:
            self.profile.addItem(name or tr("AWS default – no profile named"), name)

    def set_regions(self, names: Iterable[str]) -> None:
        """Offer these regions."""
        fill(self.region, names)

    def set_queues(self, names: Sequence[str]) -> None:
        """Offer these queues."""
        fill(self.queue, names)

    def set_queue_hint(self, text: str) -> None:
        """Show the progress of listing the queues."""
        set_hint(self._queue_hint, text)

    @Slot()
    def _keep_region(self) -> None:
        self._region_typed = True
        set_hint(self._region_hint, "")

    @Slot()
    def _show_profile(self) -> None:
        name = str(self.profile.currentData() or "")
        profile = self._profiles.named(name or "default")
        trouble = translated(profile.trouble) if profile is not None and profile.trouble else ""
        if not trouble and self._profiles.trouble:
            trouble = translated(self._profiles.trouble)
        if not trouble and name and profile is None and self._profiles.files:
            trouble = tr("This profile does not exist in {files}.").format(files=tr(" or ").join(self._profiles.files))
        set_hint(self._profile_hint, f"▲ {trouble}" if trouble else "")
        region = profile.region if profile is not None else ""
        if not self._region_typed:
            self.region.setEditText(region)
        from_profile = region and self.region.currentText() == region and not self._region_typed
        set_hint(self._region_hint, tr("From the profile.") if from_profile else "")
        self.changed.emit()

    @Slot()
    def _focus_next(self) -> None:
        """Focus the next field if the place was chosen by its mnemonic; the arrow keys only choose."""
        if QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier and self.place is not Place.COMPUTER:
            (self.server if self.place is Place.SERVER else self.profile).setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def _show_place(self) -> None:
        place = self.place
        for row in range(self._rows.rowCount()):
            self._rows.setRowVisible(row, place is Place.SERVER if row == 0 else place is not Place.COMPUTER)
        self._local_hint.setVisible(place is Place.COMPUTER)
        for widget in (self.process_here, self._process_hint):
            widget.setVisible(place is not Place.COMPUTER)
        line_of(self.region).setPlaceholderText(
            tr("Optional") if place is Place.SERVER else tr("For example, eu-west-1")
        )
        line_of(self.queue).setPlaceholderText(tr("A queue's name, URL or ARN"))
        self.changed.emit()
