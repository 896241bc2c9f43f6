"""The form on the queue page, for entering a connection."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QRadioButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.config.server_address import is_server_url, pasted_queue, server_url
from desktop_app.config.settings import Connection
from desktop_app.domain.connection_checks import Profiles
from desktop_app.domain.secrets import AccessKeys
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.widgets.dialogs import SideBySide, add_field, caption, form_layout, spaced
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect
    from PySide6.QtGui import QFontMetrics, QPainter


_MIN_LETTERS = 14
_GAP = 24
"""The room between an entry of a list and its detail."""
_MOST_VISIBLE = 16
"""The number of entries of a list that are visible without scrolling."""


class WideBox(QComboBox):
    """A combo box whose list is as wide as its longest entry, as far as the screen allows."""

    def showPopup(self) -> None:
        """Show the list, with its entries in full."""
        view = self.view()
        view.setMinimumWidth(self._list_width())
        super().showPopup()
        last = view.visualRect(view.model().index(self.count() - 1, 0))
        missing = last.bottom() + 1 - view.viewport().height()
        if missing > 0 and not self._scrolls:  # Qt does not count all margins of the style sheet
            popup = view.window()
            popup.resize(popup.width(), popup.height() + missing)

    @property
    def _scrolls(self) -> bool:
        return self.count() > self.maxVisibleItems()

    def _list_width(self) -> int:
        """Return the width of a list whose entries are shown in full, as far as the screen allows."""
        view = self.view()
        bar = view.verticalScrollBar().sizeHint().width() if self._scrolls else 0
        needed = view.sizeHintForColumn(0) + bar + 2 * view.frameWidth()
        return min(needed, self.screen().availableGeometry().width())


class _DetailDelegate(QStyledItemDelegate):
    """Shows the same muted text at the right end of each entry of a list."""

    detail = ""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the entry, then the text."""
        super().paint(painter, option, index)
        state: QStyle.StateFlag = option.state
        palette: QPalette = option.palette
        area: QRect = option.rect
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.PlaceholderText
        painter.save()
        painter.setPen(palette.color(role))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area.adjusted(0, 0, -_GAP // 2, 0), right, self.detail)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of the entry with the text."""
        metrics: QFontMetrics = option.fontMetrics
        more = metrics.horizontalAdvance(self.detail) + _GAP if self.detail else 0
        return super().sizeHint(option, index) + QSize(more, 0)


class EditableBox(WideBox):
    """An editable combo box whose completer matches any part of a name.

    Attributes:
        line: The line edit, which gets the keyboard focus.
        offered: The list of the completer.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, insertPolicy=QComboBox.InsertPolicy.NoInsert)
        self.line = QLineEdit(self)
        self.setLineEdit(self.line)
        completer = self.line.completer()
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(_MOST_VISIBLE)
        self.offered = QListView()
        completer.setPopup(self.offered)
        self.offered.setObjectName("offered")
        self.offered.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._delegate = _DetailDelegate(self)
        for view in (self, self.offered):
            view.setItemDelegate(self._delegate)

    def offer(self) -> None:
        """Show all items; unlike those of `showPopup`, they are narrowed down by what is typed."""
        self.offered.setMinimumWidth(self._list_width())
        self.line.completer().setCompletionPrefix("")
        self.line.completer().complete()

    def set_names(self, names: Iterable[str], detail: str = "") -> None:
        """Replace the items, but keep the entered text.

        Args:
            names: The items.
            detail: A text to show beside each of them; empty for none.
        """
        self._delegate.detail = detail
        text = self.currentText()
        with QSignalBlocker(self):
            self.clear()
            self.addItems(list(names))
            for row in range(self.count() if detail else 0):
                self.setItemData(row, f"{self.itemText(row)}, {detail}", Qt.ItemDataRole.AccessibleTextRole)
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
        resized(): Other fields are visible, so that the form needs more or less room.

    Attributes:
        places: The radio buttons, in the order of `Place`.
        server, key_id, secret, remember, use_profile, profile, region, queue, process_here: The fields.
        list_queues, reload: The buttons, whose signals the owner of the form connects.
        queue_hint: The hint below the queue field.
    """

    changed = Signal()
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._profiles = Profiles()
        self._region_typed = False
        self._completed = ("", "")
        """The texts of `server` and `queue` when a pasted URL was looked for the last time."""
        self._is_meant = False
        """Whether a place is being selected by the mouse or its mnemonic."""
        self._permitted = Connection()
        """The entered connection for which `process_here` was selected."""
        self._remembered = Connection()
        """The connection whose access keys are in the system's keyring, if there is one."""
        self._current = Connection()
        """The current connection, as it was entered."""
        self._place_group = QButtonGroup(self)
        self.places = self._make_places()
        self.server = QLineEdit(self, placeholderText="127.0.0.1:9324")
        self.key_id = QLineEdit(self)
        self.secret = QLineEdit(self, echoMode=QLineEdit.EchoMode.Password)
        self.remember = QCheckBox(tr("Re&member in the keyring"), self)
        self.use_profile = QCheckBox(tr("&Use an AWS profile or a region"), self)
        self.profile = WideBox(self)
        self.region = EditableBox(self)
        self.queue = EditableBox(self)
        for box in (self.profile, self.region, self.queue):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(_MIN_LETTERS)
            box.setMaxVisibleItems(_MOST_VISIBLE)
        self.reload = QPushButton(tr("Reload"), self)
        self.reload.setAccessibleName(tr("Read the profiles again"))
        self.list_queues = QPushButton(tr("List Queues"), self)
        self._server_hint, self._profile_hint, self._region_hint, self.queue_hint = (Hint(self) for _ in range(4))
        self._keys_hint = Hint(self)
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
        self._local_facts = Hint(self)
        self._rows = self._arrange()
        fields = (
            *(self.server, self.key_id, self.secret, self.remember, self.use_profile),
            *(self.profile, self.reload, self.region, self.queue, self.list_queues, self.process_here),
        )
        for before, after in pairwise([*self.places, *fields]):
            QWidget.setTabOrder(before, after)
        self.set_keyring_problem(tr("Looking for the system's keyring…"))
        self._connect()
        self._show_place()
        self._show_keys()

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
        rows = form_layout()
        rows.setContentsMargins(0, 8, 0, 0)
        fields: tuple[tuple[str, QWidget, QPushButton | None, Hint | None], ...] = (
            (tr("&Server"), self.server, None, self._server_hint),
            (tr("Access &key ID"), self.key_id, None, None),
            (tr("Secret access ke&y"), self.secret, None, self._keys_hint),
            ("", self.remember, None, None),
            ("", self.use_profile, None, None),
            (tr("P&rofile"), self.profile, self.reload, self._profile_hint),
            (tr("Re&gion"), self.region, None, self._region_hint),
            (tr("&Queue"), self.queue, self.list_queues, self.queue_hint),
        )
        for text, field, button, hint in fields:
            if not text:
                add_field(rows, field)
                continue
            field.setAccessibleName(text.replace("&", ""))
            if isinstance(field, EditableBox):
                field.line.setAccessibleName(field.accessibleName())
            rows.addRow(caption(text, field), _row_of(field, button, hint, self))
        for widget in (self._local_hint, self._local_facts):
            column.addWidget(widget)
        column.addLayout(rows)
        column.addWidget(self.process_here)
        column.addWidget(self._process_hint)
        return rows

    def _connect(self) -> None:
        self.changed.connect(self._revoke_permission)
        self.process_here.toggled.connect(self._note_permission)
        for button in self.places:
            button.toggled.connect(self._show_place)
            button.toggled.connect(self._show_queue)
            button.pressed.connect(self._note_press)
            button.clicked.connect(self._focus_next)
        self.use_profile.toggled.connect(self._show_place)
        self.profile.currentIndexChanged.connect(self._show_profile)
        self.region.line.textEdited.connect(self._keep_region)
        self.region.activated.connect(self._keep_region)
        self.server.textChanged.connect(self._show_server)
        self.server.textEdited.connect(self._show_queue)
        for line in (self.server, self.queue.line):
            line.editingFinished.connect(self.complete)
        for line in (self.key_id, self.secret):
            line.textChanged.connect(self._show_keys)
        self.remember.toggled.connect(self._show_keys)
        self.queue.editTextChanged.connect(self.changed)
        self.region.editTextChanged.connect(self.changed)

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

    # --- what is entered

    @property
    def place(self) -> Place:
        """Return the selected place."""
        return Place(self._place_group.checkedId())

    @property
    def first_field(self) -> QWidget:
        """Return the widget that gets the focus first: the selected place."""
        return self.places[self.place.value]

    @property
    def has_profile(self) -> bool:
        """Return whether a profile and a region can be entered."""
        return self.place is Place.AWS or (self.place is Place.SERVER and self.use_profile.isChecked())

    @property
    def entered(self) -> Connection:
        """Return the entered connection."""
        if self.place is Place.COMPUTER:
            return Connection()
        entered = Connection(
            queue=self.queue.currentText().strip(),
            endpoint_url=server_url(self.server.text()) if self.place is Place.SERVER else "",
        )
        if self.has_profile:
            profile, region = str(self.profile.currentData() or ""), self.region.currentText().strip()
            return replace(entered, profile=profile, region=region)
        if self._keys is None and self.remember.isChecked() and self._are_keys_remembered:
            return replace(entered, access_keys=self._remembered.access_keys, uses_keyring=True)
        return entered.with_keys(self._keys)

    @property
    def _keys(self) -> AccessKeys | None:
        key_id, secret = self.key_id.text().strip(), self.secret.text().strip()
        return AccessKeys(key_id, secret) if key_id or secret else None

    @property
    def _are_keys_remembered(self) -> bool:
        """Return whether the system's keyring contains keys for the entered server."""
        server = server_url(self.server.text())
        return bool(server) and self._remembered.endpoint_url == server

    @property
    def is_half_of_keys_missing(self) -> bool:
        """Return whether only one of the two keys is entered."""
        return not self.has_profile and bool(self.key_id.text().strip()) != bool(self.secret.text().strip())

    def set_connection(
        self, connection: Connection, *, processes_here: bool, remembered: Connection | None = None
    ) -> None:
        """Fill in the fields.

        Args:
            connection: The connection, of which only what the user has entered is shown.
            processes_here: Whether files of its queue are processed on this computer.
            remembered: The same connection if the system's keyring contains its access keys.
        """
        resolved, connection = connection, connection.entered
        self._current = connection
        place = Place.COMPUTER if connection.is_local else Place.SERVER if connection.endpoint_url else Place.AWS
        self.places[place.value].setChecked(True)
        self.server.setText(connection.endpoint_url)
        self._remembered = remembered.entered if remembered is not None else Connection()
        self.key_id.setText(connection.keys.key_id if connection.keys is not None else "")
        self.secret.setText(connection.keys.secret if connection.keys is not None else "")
        self.remember.setChecked(remembered is not None)
        self.use_profile.setChecked(place is Place.SERVER and bool(connection.profile or connection.region))
        self._ensure_profile(connection.profile)
        self.profile.setCurrentIndex(self.profile.findData(connection.profile))
        self._region_typed = bool(connection.region)
        self.region.setEditText(connection.region)
        self.queue.setEditText(connection.queue)
        self._completed = (self.server.text(), self.queue.currentText())
        self.process_here.setChecked(processes_here and not connection.is_local)
        self._permitted = replace(self.entered, region=resolved.region)
        self._show_profile()

    def set_keyring_problem(self, why: str) -> None:
        """Disable `remember` if the system's keyring can't be used, with the reason as its tool tip."""
        self.remember.setEnabled(not why)
        tip = why or tr("Otherwise, the keys are forgotten when you quit Filemill. They are never in its settings.")
        self.remember.setToolTip(tool_tip(tip))
        self.remember.setAccessibleDescription(tip)

    def set_local_facts(self, text: str) -> None:
        """Set the text about the queue on this computer."""
        self._local_facts.setText(text)
        self._show_place()

    @Slot()
    def complete(self) -> None:
        """Take a pasted queue URL or ARN apart, and select the place that it belongs to."""
        texts = (self.server.text(), self.queue.currentText())
        if self.place is Place.COMPUTER or texts == self._completed:
            return
        self._completed = texts
        in_server = pasted_queue(self.server.text()) if self.place is Place.SERVER else None
        found = in_server or pasted_queue(self.queue.currentText())
        if found is None:
            return
        typed = server_url(self.server.text()) if self.place is Place.SERVER and in_server is None else ""
        if typed and typed != found.server:
            return  # the server knows the queue by another of its addresses
        place = Place.SERVER if found.server else Place.AWS
        self.server.setText(found.server)
        self.places[place.value].setChecked(True)
        self.queue.setEditText(found.queue)
        if found.region and found.region != self.region.currentText():
            self._keep_region()
            self.region.setEditText(found.region)

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
    def _show_server(self) -> None:
        """Show the address that will be used, if it is not the typed one."""
        typed, url = self.server.text().strip(), server_url(self.server.text())
        is_completed = url not in {"", typed} and is_server_url(url) and pasted_queue(typed) is None
        self._server_hint.show_text(tr("Filemill will use {url}").format(url=url) if is_completed else "")
        self._show_keys()

    @Slot()
    def _show_queue(self) -> None:
        """Show the current queue only for its own server, because another server has other queues."""
        current, typed = self._current, self.queue.currentText().strip()
        if self.place is not Place.COMPUTER and typed in {"", current.queue}:
            is_its_server = self.entered.endpoint_url == current.endpoint_url
            self.queue.setEditText(current.queue if is_its_server else "")

    @Slot()
    def _show_keys(self) -> None:
        """Show where the access keys come from."""
        is_kept = self.remember.isChecked() and self._are_keys_remembered
        for line in (self.key_id, self.secret):
            line.setPlaceholderText(tr("In the system's keyring") if is_kept else tr("Optional"))
        if is_kept:
            text = tr("Type both to replace those in the system's keyring.")
        elif self.remember.isChecked():
            text = tr("They will be kept in the system's keyring.")
        else:
            text = tr("Leave both empty if the server checks no keys. They are forgotten when you quit.")
        self._keys_hint.show_text(text)
        self.changed.emit()

    @Slot()
    def _note_press(self) -> None:
        # Not when it is clicked: that is a moment later, after the Alt key may have been released.
        has_alt = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier)
        self._is_meant = has_alt or bool(QGuiApplication.mouseButtons())

    @Slot()
    def _focus_next(self) -> None:
        """Focus the first field of a place that was clicked or selected by its mnemonic, but not by an arrow key."""
        if self._is_meant and self.place is not Place.COMPUTER:
            (self.server if self.place is Place.SERVER else self.profile).setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def _show_place(self) -> None:
        place = self.place
        is_server, has_profile = place is Place.SERVER, self.has_profile
        own_keys = is_server and not has_profile
        visible = (is_server, own_keys, own_keys, own_keys, is_server, has_profile, has_profile)
        for row, is_visible in enumerate((*visible, place is not Place.COMPUTER)):
            self._rows.setRowVisible(row, is_visible)
        self._local_hint.setVisible(place is Place.COMPUTER)
        self._local_facts.setVisible(place is Place.COMPUTER and bool(self._local_facts.text()))
        for widget in (self.process_here, self._process_hint):
            widget.setVisible(place is not Place.COMPUTER)
        self.region.line.setPlaceholderText(tr("Optional") if place is Place.SERVER else tr("For example, eu-west-1"))
        self.queue.line.setPlaceholderText(tr("A queue's name, URL or ARN"))
        self.changed.emit()
        self.resized.emit()
