"""Parts that several windows and dialogs share: the place on the screen, labels, text areas, tables, message boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, QSize, Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QIcon, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLayout,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.i18n import tr
from desktop_app.gui.wording import tool_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex

    from desktop_app.gui.window_memory import WindowMemory


_FRAME = QSize(8, 40)
"""The size of a window's frame while it is not known."""

_LEAST_CONTENT = QSize(280, 80)
"""Content that needs more than this can be scrolled."""

_LEAST_FIELD, _NARROW = 312, 440
"""The least width of a field, and the width from which its button is beside it instead of below it."""

_TOUCHED = 48
"""A window that is at most this many pixels away from where it opened was not moved by the user."""


class DialogMemory(QObject):
    """Gives the dialogs of a window, its parent, access to the saved state."""

    def __init__(self, memory: WindowMemory, window: QWidget) -> None:
        super().__init__(window)
        self.memory = memory


def _memory_of(window: QWidget) -> WindowMemory | None:
    parent = window.parentWidget()
    while parent is not None:
        found = parent.findChild(DialogMemory, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if isinstance(found, DialogMemory):
            return found.memory
        parent = parent.parentWidget()
    return None


def screen_room(window: QWidget) -> QRect:
    """Return where a window's frame can be: the available part of the screen that its parent window is on."""
    parent = window.parentWidget()
    screen = (parent.window() if parent is not None else window).screen()
    return screen.availableGeometry()


def frame_size(window: QWidget) -> QSize:
    """Return the width and the height that the frame adds to a window; a guess until a window has been shown."""
    parent = window.parentWidget()
    for known in (window, parent.window() if parent is not None else window):
        if known.isVisible() and known.windowHandle().isVisible():
            margins = known.windowHandle().frameMargins()
            return QSize(margins.left() + margins.right(), margins.top() + margins.bottom())
    return _FRAME


class WindowPlace(QObject):
    """Opens a dialog or another window inside the screen of its parent window, and never larger than that screen.

    The window opens where and as large as it was the last time, or else centred on its parent. The place of a dialog is
    saved when it is finished; another window calls `save` when it is hidden.

    Args:
        window: The window, which is also the parent.
        name: The name under which the place is saved.
        size: The size to open with at first; content that needs more gets more.
    """

    def __init__(self, window: QWidget, name: str, size: tuple[int, int] = (0, 0)) -> None:
        super().__init__(window)
        self._window = window
        self._name = name
        self._size = size
        self._opened = QRect()
        window.installEventFilter(self)
        if isinstance(window, QDialog):
            window.finished.connect(self.save)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Place the window before it is shown for the first time."""
        if event.type() is QEvent.Type.Show:
            # At once, because a window that is being destroyed must not call Python.
            self._window.removeEventFilter(self)
            self._open()
        return False

    def _open(self) -> None:
        window, screen, frame = self._window, screen_room(self._window), frame_size(self._window)
        room = (screen.size() - frame).expandedTo(QSize(1, 1))
        window.setMinimumSize(window.minimumSize().boundedTo(room))
        memory = _memory_of(window)
        saved = memory.place(self._name) if memory is not None else QByteArray()
        is_restored = not saved.isEmpty() and window.restoreGeometry(saved)
        size = (window.size() if is_restored else self._first_size()).boundedTo(room)
        window.resize(size)
        place = QRect(window.pos(), size + frame)
        parent = window.parentWidget()
        if not (is_restored and screen.contains(place.center())):
            place.moveCenter(parent.window().frameGeometry().center() if parent is not None else screen.center())
        window.move(_moved_into(place, screen).topLeft())
        self._opened = QRect(window.pos(), window.size())

    def _first_size(self) -> QSize:
        width = max(self._size[0], self._window.minimumSizeHint().width())
        if not self._size[0]:
            width = max(width, self._window.sizeHint().width())
        return QSize(width, max(self._size[1], _needed_height(self._window, width)))

    def grow(self) -> None:
        """Make the window higher if its content needs it, as far as the screen allows; it never becomes lower."""
        self.fit(max(self._window.height(), _needed_height(self._window, self._window.width())))

    def fit(self, height: int) -> None:
        """Give the window a height, as far as the screen allows. Such a height is not saved."""
        window, screen, frame = self._window, screen_room(self._window), frame_size(self._window)
        window.resize(window.width(), min(height, screen.height() - frame.height()))
        if window.isVisible():
            before = window.pos()
            place = _moved_into(QRect(before, window.size() + frame), screen)
            if place.topLeft() != before:
                window.move(place.topLeft())
                self._opened.translate(place.topLeft() - before)
        self._opened.setSize(window.size())

    @Slot()
    def save(self) -> None:
        """Save the place if the user has moved the window or changed its size."""
        memory, window = _memory_of(self._window), self._window
        moved: QPoint = window.pos() - self._opened.topLeft()
        is_touched = window.size() != self._opened.size() or moved.manhattanLength() > _TOUCHED
        if memory is not None and is_touched:
            memory.set_place(self._name, window.saveGeometry())


def _moved_into(place: QRect, room: QRect) -> QRect:
    """Return a rectangle moved as little as possible to lie in another one; its top left corner always does."""
    left = max(room.left(), min(place.left(), room.left() + room.width() - place.width()))
    top = max(room.top(), min(place.top(), room.top() + room.height() - place.height()))
    return QRect(QPoint(left, top), place.size())


def _needed_height(window: QWidget, width: int) -> int:
    """Return the height that a window with this width needs to show everything."""
    area = window.findChild(_Content)
    if isinstance(area, _Content):
        area.updateGeometry()  # the layout of the window still has the old size of the content
        return area.height_for(width) + window.sizeHint().height() - area.sizeHint().height()
    return height_at(window, width)


def height_at(widget: QWidget, width: int) -> int:
    """Return the height that a widget needs at a width."""
    return widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()


class FormArea(QScrollArea):
    """A scroll area without a frame, in which the widget that has the focus is always in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._show_focused)

    @Slot(QWidget, QWidget)
    def _show_focused(self, _before: QWidget | None, focused: QWidget | None) -> None:
        """Scroll to the widget that has got the focus; Qt does so only for the Tab key."""
        content = self.widget()
        if focused is not None and content is not None and content.isAncestorOf(focused):
            self.ensureWidgetVisible(focused)


class _Content(FormArea):
    """The content of a dialog. It is scrolled only if the dialog can't be as large as the content needs."""

    def __init__(self, layout: QLayout, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dialogContent")
        self._inside = QWidget()
        self._inside.setObjectName("dialogInside")
        self._inside.setLayout(layout)
        self.setWidget(self._inside)

    def height_for(self, width: int) -> int:
        """Return the height of the whole content at a width."""
        return height_at(self._inside, width)

    def sizeHint(self) -> QSize:
        """Return the size of the whole content; Qt's would be limited."""
        return self._inside.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the size of the content or a smaller size at which it can still be scrolled."""
        return self._inside.minimumSizeHint().boundedTo(_LEAST_CONTENT)


class ButtonRow(QDialogButtonBox):
    """The buttons of a dialog, side by side, or one below the other where the dialog is too narrow for that."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the buttons side by side if there is room for them."""
        super().resizeEvent(event)
        margins = self.contentsMargins().left() + self.contentsMargins().right()
        layout, buttons = self.layout(), self.buttons()
        gap = layout.spacing() if layout is not None else 0
        needed = sum(button.sizeHint().width() + gap for button in buttons) - gap + margins
        fits = needed <= event.size().width()
        wanted = Qt.Orientation.Horizontal if fits else Qt.Orientation.Vertical
        if wanted is not self.orientation():
            self.setOrientation(wanted)
            # Qt makes a column of buttons as narrow as possible, so that it could not become a row again.
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Return the size of the widest button in a column, or the height of one row."""
        widths = [button.sizeHint().width() for button in self.buttons()]
        return QSize(max(widths, default=0), super().minimumSizeHint().height())


def primary_button(text: str, buttons: QDialogButtonBox) -> QPushButton:
    """Add the default button, which accepts the dialog and stands out, to the buttons of a dialog, and return it."""
    button = QPushButton(text)
    button.setObjectName("primary")  # before it is added, because the style sheet is not read again afterwards
    button.setDefault(True)
    buttons.addButton(button, QDialogButtonBox.ButtonRole.AcceptRole)
    return button


class SideBySide(QWidget):
    """A field with a button beside it, or below it where the dialog is narrow."""

    def __init__(self, field: QWidget, button: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._row = spaced(QHBoxLayout(self), 8)
        self._row.addWidget(field, 1)
        self._row.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the button."""
        super().resizeEvent(event)
        directions = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._row.setDirection(directions[event.size().width() >= _NARROW])

    def minimumSizeHint(self) -> QSize:
        """Return a width at which the button lies below the field."""
        return QSize(_LEAST_FIELD, super().minimumSizeHint().height())


def arrange_dialog(
    dialog: QDialog, content: QLayout, buttons: QWidget | QLayout, *, name: str, size: tuple[int, int]
) -> WindowPlace:
    """Fill a dialog with content, which is scrolled if the screen is too small for it, above buttons always visible.

    Args:
        dialog: The dialog, which is also the parent of all widgets in the layouts.
        content: The layout of the content; its margins are set.
        buttons: The buttons.
        name: The name under which the size and the place are saved.
        size: The width and height to open with at first; 0 for what the content needs.

    Returns:
        The place of the dialog, whose `grow` is to be called after the content has become higher.
    """
    content.setContentsMargins(16, 16, 16, 8)
    foot = spaced(QVBoxLayout(), 0, (16, 8, 16, 16))
    if isinstance(buttons, QLayout):
        foot.addLayout(buttons)
    else:
        foot.addWidget(buttons)
    column = spaced(QVBoxLayout(dialog), 0)
    column.addWidget(_Content(content, dialog), 1)
    column.addLayout(foot)
    return WindowPlace(dialog, name, size)


def spaced(box: QBoxLayout, spacing: int, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QBoxLayout:
    """Set the spacing and the margins of a layout, in pixels, and return the layout.

    Args:
        box: The layout.
        spacing: The spacing.
        margins: Left, top, right and bottom. In a right-to-left layout, left and right are exchanged, which Qt leaves
            to the program.
    """
    left, top, right, bottom = margins
    if QGuiApplication.isRightToLeft():
        left, right = right, left
    box.setSpacing(spacing)
    box.setContentsMargins(left, top, right, bottom)
    return box


def form_layout() -> QFormLayout:
    """Return a layout for captions and fields, with each field below its caption where the dialog is narrow."""
    return QFormLayout(
        rowWrapPolicy=QFormLayout.RowWrapPolicy.WrapLongRows,
        fieldGrowthPolicy=QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow,
        labelAlignment=Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
        horizontalSpacing=12,
        verticalSpacing=8,
    )


def add_field(form: QFormLayout, field: QWidget) -> None:
    """Add a field without a caption; in a row with nothing in that place, Qt makes wrapped texts too high."""
    form.addRow("", field)
    form.setItem(form.rowCount() - 1, QFormLayout.ItemRole.LabelRole, QSpacerItem(0, 0))


def stacked(parent: QWidget, *widgets: QWidget) -> QWidget:
    """Return a widget with others below each other, such as a field and its hint."""
    whole = QWidget(parent)
    column = spaced(QVBoxLayout(whole), 4)
    for widget in widgets:
        column.addWidget(widget)
    return whole


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again, after a change of a property on which its rules depend."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def plain_label(text: str, parent: QWidget, name: str = "") -> QLabel:
    """Return a label that wraps its text and never interprets it as HTML.

    Args:
        text: The text.
        parent: The parent.
        name: The object name, for the style sheet.
    """
    label = QLabel(text, parent, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
    label.setObjectName(name)
    return label


class IconLabel(QWidget):
    """Shows an icon; unlike a pixmap in a QLabel, it follows the theme."""

    def __init__(self, size: int, parent: QWidget, icon: QIcon | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        self._icon = icon

    def show_icon(self, icon: QIcon) -> None:
        """Show another icon."""
        self._icon = icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Paint the icon."""
        if self._icon is not None:
            self._icon.paint(QPainter(self), self.rect())


def show_problem(label: QLabel, text: str) -> None:
    """Show why what was entered can't be used, or hide the label if the text is empty."""
    label.setText(f"▲ {text}" if text else "")
    label.setVisible(bool(text))


def caption(text: str, field: QWidget) -> QLabel:
    """Return a label whose mnemonic key moves the focus to a field, and which has the field's parent."""
    label = QLabel(text, field.parentWidget())
    label.setBuddy(field)
    return label


def read_only_text(name: str, parent: QWidget) -> QPlainTextEdit:
    """Return a text area with a fixed-width font whose text can be selected and copied but not changed.

    Args:
        name: The accessible name.
        parent: The parent.
    """
    area = QPlainTextEdit(parent, readOnly=True, tabChangesFocus=True)
    # Qt makes read-only text selectable with the mouse only.
    area.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    area.setAccessibleName(name)
    area.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return area


class MessageBox(QMessageBox):
    """A message box that stacks its buttons if they do not fit side by side, where Qt would truncate their texts."""

    def showEvent(self, event: QShowEvent) -> None:
        """Stack the buttons if one of them is too narrow for its text."""
        super().showEvent(event)
        box = self.findChild(QDialogButtonBox)
        if box is not None and any(button.width() < button.sizeHint().width() for button in self.buttons()):
            box.setOrientation(Qt.Orientation.Vertical)


def leading(widget: QWidget) -> Qt.AlignmentFlag:
    """Return left alignment, or right alignment in a right-to-left layout, whatever direction the text has."""
    side = Qt.AlignmentFlag.AlignRight if widget.isRightToLeft() else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter


def open_file_dialog(dialog: QFileDialog) -> None:
    """Open a dialog for choosing files, at the place where the last one was closed.

    In Qt's own dialog, which systems without one get, the columns are as wide as their texts.
    """
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    WindowPlace(dialog, "choose")
    dialog.open()
    files = dialog.findChild(QTreeView, "treeView")
    if files is not None:
        header = files.header()
        header.setResizeContentsPrecision(0)  # only the visible rows are measured, even in a large folder
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)


def show_rows(table: QTableView) -> None:
    """Make a table a read-only list: a click selects the whole row, and Tab leaves the table.

    Call this after a header of its own was set.
    """
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setHighlightSections(False)
    table.addScrollBarWidget(_HeaderEnd(table), Qt.AlignmentFlag.AlignTop)


class _HeaderEnd(QFrame):
    """Continues the header of a table above its vertical scroll bar, which Qt would draw up to the top."""

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self._header = table.horizontalHeader()
        self.setObjectName("headerEnd")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._header.geometriesChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return the height of the header."""
        return QSize(0, self._header.sizeHint().height())


_CELL_PADDING = 8
"""The padding on each side of a cell in the style sheet, with Qt's own margin."""


class WrappedCells(QStyledItemDelegate):
    """A delegate that knows the padding of the style sheet, which Qt forgets when it wraps a text to measure it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of a cell."""
        narrower = QStyleOptionViewItem(option)
        narrower.rect = option.rect.adjusted(0, 0, -2 * _CELL_PADDING, 0)
        return super().sizeHint(narrower, index)


def align_titles(table: QTableWidget, sides: Sequence[Qt.AlignmentFlag]) -> None:
    """Align each title of a table like the cells below it."""
    for column, side in enumerate(sides):
        title = table.horizontalHeaderItem(column)
        if title is not None:
            title.setTextAlignment(side)


def text_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    parent: QWidget,
    *,
    name: str,
    style: str = "pairs",
    has_tips: bool = False,
) -> QTableWidget:
    """Return a read-only list of texts, whose titles are aligned like the texts.

    Args:
        headings: The titles of the columns.
        rows: The texts of each row.
        parent: The parent.
        name: The accessible name.
        style: The object name, for the style sheet.
        has_tips: Whether each text is also a tool tip, because it may be elided.
    """
    table = QTableWidget(len(rows), len(headings), parent)
    table.setObjectName(style)
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(headings))
    show_rows(table)
    align_titles(table, [Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter] * len(headings))
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(tool_tip(text) if has_tips else "")
            table.setItem(row, column, item)
    return table


_FIRST_WIDTH = 330

_FIRST_PART = 0.6
"""The first column is at most this part of the table."""


class PairsDialog(QDialog):
    """A dialog with a two-column table that can be copied as a whole. It deletes itself when it is closed.

    Args:
        title: The window title.
        explanation: The sentence above the table.
        headings: The titles of the two columns.
        pairs: The rows.
        parent: The parent.
        name: The name under which the size and the place are saved.
    """

    def __init__(
        self,
        title: str,
        explanation: str,
        headings: tuple[str, str],
        pairs: Sequence[tuple[str, str]],
        parent: QWidget,
        *,
        name: str,
    ) -> None:
        super().__init__(parent)
        self._pairs = pairs
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        buttons = ButtonRow(self)
        buttons.addButton(tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole).clicked.connect(self.copy)
        buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        self._table = text_table(headings, pairs, self, name=title, has_tips=True)
        self._table.setWordWrap(False)
        self._table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(plain_label(explanation, self))
        column.addWidget(self._table, 1)
        arrange_dialog(self, column, buttons, name=name, size=(780, 420))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for the second column."""
        super().resizeEvent(event)
        self._table.setColumnWidth(0, min(_FIRST_WIDTH, int(event.size().width() * _FIRST_PART)))

    def copy(self) -> None:
        """Copy all rows to the clipboard, with a tab between the columns."""
        QGuiApplication.clipboard().setText("".join(f"{left}\t{right}\n" for left, right in self._pairs))
