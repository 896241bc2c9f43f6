"""The form on the queue page, for entering a connection."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
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
from desktop_app.gui.widgets.dialogs import SideBySide, caption, spaced

if TYPE_CHECKING:
    from collections.abc import Iterable


_MIN_LETTERS = 14


class EditableBox(QComboBox):
    """An editable combo box whose completer matches any part of a name.

    Attributes:
        line: The line edit, which gets the keyboard focus.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, insertPolicy=QComboBox.InsertPolicy.NoInsert)
        self.line = QLineEdit(self)
        self.setLineEdit(self.line)
        self.line.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.line.completer().setFilterMode(Qt.MatchFlag.MatchContains)

    def set_names(self, names: Iterable[str]) -> None:
        """Replace the items, but keep the entered text."""
        text = self.currentText()
        with QSignalBlocker(self):
            self.clear()
            self.addItems(list(names))
            self.setCurrentIndex(self.findText(text))
            self.setEditText(text)


class Hint(QLabel):
    """A label with muted text below a field; hidden while the text is empty."""

    def __init__(self, parent: QWidget, text: str = "") -> None:
        super().__init__(text, parent, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.setObjectName("detailsCaption")
        self.setVisible(bool(text))

    def show_text(self, text: str) -> None:
        """Show a text, or hide the hint if the text is empty."""
        self.setText(text)
        self.setVisible(bool(text))


def _row_of(field: QWidget, button: QWidget | None, hint: Hint | None, parent: QWidget) -> QWidget:
    """Return a widget that contains a field, with its button beside it and its hint below it."""
    widget = QWidget(parent)
    column = spaced(QVBoxLayout(widget), 2)
    column.addWidget(SideBySide(field, button, widget) if button is not None else field)
    if hint is not None:
        column.addWidget(hint)
    return widget


class Place(Enum):
    """The place where a queue is hosted: this computer, AWS, or another SQS-compatible server."""

    COMPUTER = 0
    AWS = 1
    SERVER = 2


class ConnectionForm(QWidget):
    """A form with the fields of a connection.

    Signals:
        changed(): A field was changed.

    Attributes:
        places: The radio buttons, in the order of `Place`.
        server, profile, region, queue, process_here: The fields.
        list_queues, reload: The buttons, whose signals the owner of the form connects.
        queue_hint: The hint below the queue field.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._profiles = Profiles()
        self._region_typed = False
        self._permitted = Connection()
        """The entered connection for which `process_here` was selected."""
        self._place_group = QButtonGroup(self)
        self.places = self._make_places()
        self.server = QLineEdit(self, placeholderText="http://localhost:9324")
        self.profile = QComboBox(self)
        self.region = EditableBox(self)
        self.queue = EditableBox(self)
        for box in (self.profile, self.region, self.queue):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(_MIN_LETTERS)
        self.reload = QPushButton(tr("Reload"), self)
        self.reload.setAccessibleName(tr("Read the profiles again"))
        self.list_queues = QPushButton(tr("List Queues"), self)
        self._profile_hint, self._region_hint, self.queue_hint = (Hint(self) for _ in range(3))
        self.process_here = QCheckBox(tr("&Process files from this queue on this computer"), self)
        self._process_hint = Hint(
            self,
            tr(
                "Select this only if no other program uses the queue: each time Filemill receives "
                "another program's message, it counts as a delivery attempt."
            ),
        )
        self._local_hint = Hint(
            self,
            tr(
                "Files are added, queued and processed on this computer. Files that are unfinished "
                "when you close Filemill will be processed the next time you start it."
            ),
        )
        self._rows = self._arrange()
        fields = (self.server, self.profile, self.reload, self.region, self.queue, self.list_queues, self.process_here)
        for before, after in pairwise([*self.places, *fields]):
            QWidget.setTabOrder(before, after)
        self._connect()
        self._show_place()

    def _make_places(self) -> list[QRadioButton]:
        texts = (
            tr("This &computer – no account needed"),
            tr("&Amazon SQS"),
            tr("A&nother SQS-compatible server"),
        )
        buttons = [QRadioButton(text, self) for text in texts]
        for number, button in enumerate(buttons):
            self._place_group.addButton(button, number)
        buttons[0].setChecked(True)
        return buttons

    def _arrange(self) -> QFormLayout:
        column = spaced(QVBoxLayout(self), 8)
        for choice in self.places:
            column.addWidget(choice)
        rows = QFormLayout()
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setVerticalSpacing(8)
        rows.setHorizontalSpacing(12)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        fields: tuple[tuple[str, QWidget, QPushButton | None, Hint | None], ...] = (
            (tr("&Server"), self.server, None, None),
            (tr("P&rofile"), self.profile, self.reload, self._profile_hint),
            (tr("Re&gion"), self.region, None, self._region_hint),
            (tr("&Queue"), self.queue, self.list_queues, self.queue_hint),
        )
        for text, field, button, hint in fields:
            field.setAccessibleName(text.replace("&", ""))
            if isinstance(field, EditableBox):
                field.line.setAccessibleName(field.accessibleName())
            rows.addRow(caption(text, field), _row_of(field, button, hint, self))
        column.addWidget(self._local_hint)
        column.addLayout(rows)
        column.addWidget(self.process_here)
        column.addWidget(self._process_hint)
        return rows

    def _connect(self) -> None:
        self.changed.connect(self._revoke_permission)
        self.process_here.toggled.connect(self._note_permission)
        for button in self.places:
            button.toggled.connect(self._show_place)
            button.clicked.connect(self._focus_next)
        self.profile.currentIndexChanged.connect(self._show_profile)
        self.region.line.textEdited.connect(self._keep_region)
        self.region.activated.connect(self._keep_region)
        self.queue.editTextChanged.connect(self.changed)
        self.region.editTextChanged.connect(self.changed)
        self.server.textChanged.connect(self.changed)

    @Slot(bool)
    def _note_permission(self, is_given: bool) -> None:  # noqa: FBT001 - Qt's signal
        if is_given:
            self._permitted = self.entered

    @Slot()
    def _revoke_permission(self) -> None:
        """Clear `process_here` if the connection is no longer the one for which it was selected."""
        entered = self.entered
        if not entered.region and not self._region_typed:  # shown once the profiles have been read
            entered = replace(entered, region=self._permitted.region)
        if entered != self._permitted:
            self.process_here.setChecked(False)

    @property
    def place(self) -> Place:
        """Return the selected place."""
        return Place(self._place_group.checkedId())

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
        """Fill in the fields.

        Args:
            connection: The connection, of which only what the user has entered is shown.
            processes_here: Whether files of its queue are processed on this computer.
        """
        resolved, connection = connection, connection.entered
        place = Place.COMPUTER if connection.is_local else Place.SERVER if connection.endpoint_url else Place.AWS
        self.places[place.value].setChecked(True)
        self.server.setText(connection.endpoint_url)
        self._ensure_profile(connection.profile)
        self.profile.setCurrentIndex(self.profile.findData(connection.profile))
        self._region_typed = bool(connection.region)
        self.region.setEditText(connection.region)
        self.queue.setEditText(connection.queue)
        self.process_here.setChecked(processes_here and not connection.is_local)
        self._permitted = replace(self.entered, region=resolved.region)
        self._show_profile()

    def set_profiles(self, profiles: Profiles) -> None:
        """Replace the profiles, but keep the selected one even if it no longer exists."""
        selected = str(self.profile.currentData() or "")
        self._profiles = profiles
        with QSignalBlocker(self.profile):
            self.profile.clear()
            self._ensure_profile("")
            for profile in profiles.found:
                more = f"▲ {translated(profile.trouble)}" if profile.trouble else translated(profile.kind.value)
                self.profile.addItem(f"{profile.name} – {more}", profile.name)
                self.profile.setItemData(self.profile.count() - 1, more, Qt.ItemDataRole.ToolTipRole)
            self._ensure_profile(selected)
            self.profile.setCurrentIndex(self.profile.findData(selected))
        self._show_profile()

    def _ensure_profile(self, name: str) -> None:
        if self.profile.findData(name) < 0:
            self.profile.addItem(name or tr("AWS default – no profile named"), name)

    @Slot()
    def _keep_region(self) -> None:
        self._region_typed = True
        self._region_hint.show_text("")

    @Slot()
    def _show_profile(self) -> None:
        name = str(self.profile.currentData() or "")
        profile = self._profiles.named(name or "default")
        trouble = translated(profile.trouble) if profile is not None and profile.trouble else ""
        if not trouble and self._profiles.trouble:
            trouble = translated(self._profiles.trouble)
        if not trouble and name and profile is None and self._profiles.files:
            trouble = tr("This profile does not exist in {files}.").format(files=tr(" or ").join(self._profiles.files))
        self._profile_hint.show_text(f"▲ {trouble}" if trouble else "")
        region = profile.region if profile is not None else ""
        if not self._region_typed:
            self.region.setEditText(region)
        from_profile = region and self.region.currentText() == region and not self._region_typed
        self._region_hint.show_text(tr("From the profile.") if from_profile else "")
        self.changed.emit()

    @Slot()
    def _focus_next(self) -> None:
        """Focus the next field if a place was selected by its mnemonic. The arrow keys do not move the focus."""
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
        self.region.line.setPlaceholderText(tr("Optional") if place is Place.SERVER else tr("For example, eu-west-1"))
        self.queue.line.setPlaceholderText(tr("A queue's name, URL or ARN"))
        self.changed.emit()
