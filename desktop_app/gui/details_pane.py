"""The pane below the list: what happened to the selected file, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Slot
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui.delegates import STATUS_ICONS
from desktop_app.gui.details_texts import NOTHING_SELECTED, Summary

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QResizeEvent

    from desktop_app.gui.actions import Actions
    from desktop_app.gui.look import Look

_ICON = 18
_NARROW = 640
_ROWS = 3
"""Facts below each other; the next ones stand beside them."""


class DetailsPane(QScrollArea):
    """Shows a `Summary`; asks nothing itself.

    Attributes:
        buttons: Retry, Show File, Remove.
    """

    def __init__(self, actions: Actions, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._summary = NOTHING_SELECTED
        self.setObjectName("details")
        self.setAccessibleName("Details")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setMinimumHeight(90)
        inside = QWidget(self)
        inside.setObjectName("detailsInside")
        self._icon = QLabel(inside)
        self._title = self._label(inside, "detailsTitle")
        self._happened = self._label(inside, "detailsText")
        self._advice = self._label(inside, "detailsText")
        self._path = QLineEdit(inside)
        self._path.setObjectName("detailsPath")
        self._path.setReadOnly(True)
        self._path.setAccessibleName("Path")
        self._path_caption = QLabel("Path", inside)
        self._path_caption.setObjectName("detailsCaption")
        self._fact_labels: list[QLabel] = []
        self._is_narrow = False
        self._title.setWordWrap(False)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(4)
        self.buttons = tuple(
            self._button(inside, text, action)
            for text, action in (
                ("Retry", actions.retry),
                ("Show File", actions.show_file),
                ("Remove", actions.remove),
            )
        )
        self._title.installEventFilter(self)
        self._arrange(inside)
        self.setWidget(inside)
        look.changed.connect(self._draw)
        self.show_summary(NOTHING_SELECTED)

    def _arrange(self, inside: QWidget) -> None:
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        title.addWidget(self._title, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in self.buttons:
            buttons.addWidget(button)
        buttons.addStretch()
        self._head.setSpacing(8)
        self._head.addLayout(title, 1)
        self._head.addLayout(buttons)
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        column.addLayout(self._head)
        for widget in (self._happened, self._advice):
            column.addWidget(widget)
        column.addSpacing(2)
        self._facts.addWidget(self._path_caption, 0, 0)
        self._facts.addWidget(self._path, 0, 1, 1, 3)
        column.addLayout(self._facts)
        column.addStretch(1)

    def _label(self, parent: QWidget, name: str) -> QLabel:
        label = QLabel(parent)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _button(self, parent: QWidget, text: str, action: QAction) -> QPushButton:
        button = QPushButton(text, parent)
        button.setAccessibleDescription(action.statusTip())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        return button

    @property
    def summary(self) -> Summary:
        """What is shown."""
        return self._summary

    def show_summary(self, summary: Summary) -> None:
        """Show this."""
        facts = summary.facts if summary.facts != self._summary.facts else None
        self._summary = summary
        self._title.setAccessibleName(summary.title)
        self._fit_title()
        for widget, text in (
            (self._happened, summary.happened),
            (self._advice, summary.advice),
            (self._path, summary.path),
        ):
            if widget.text() != text:
                widget.setText(text)
            widget.setVisible(bool(text))
        self._path_caption.setVisible(bool(summary.path))
        self._path.setCursorPosition(0)
        if facts is not None:
            self._show_facts(facts)
        self._draw()

    def _show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        for label in self._fact_labels:
            label.hide()
            self._facts.removeWidget(label)
            label.deleteLater()
        self._fact_labels.clear()
        inside = self.widget()
        for caption, value in facts:
            name, words = QLabel(caption, inside), QLabel(value, inside)
            name.setObjectName("detailsCaption")
            words.setTextFormat(Qt.TextFormat.PlainText)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._fact_labels += [name, words]
        self._place_facts()

    def _place_facts(self) -> None:
        rows = len(self._fact_labels) if self._is_narrow else _ROWS
        for number, label in enumerate(self._fact_labels):
            fact, part = divmod(number, 2)
            self._facts.addWidget(label, 1 + fact % rows, 2 * (fact // rows) + part)
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(3, 0 if self._is_narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, things stand below each other."""
        super().resizeEvent(event)
        is_narrow = event.size().width() < _NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            directions = QBoxLayout.Direction
            self._head.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)
            self._place_facts()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The title has its width when the layout has given it one."""
        if watched is self._title and event.type() == QEvent.Type.Resize:
            self._fit_title()
        return super().eventFilter(watched, event)

    def _fit_title(self) -> None:
        """A name has up to 255 characters; its end is as telling as its beginning, and the path below shows all."""
        metrics, width = self._title.fontMetrics(), self._title.width()
        self._title.setText(metrics.elidedText(self._summary.title, Qt.TextElideMode.ElideMiddle, width))

    @Slot()
    def _draw(self) -> None:
        status = self._summary.status
        self._icon.setVisible(status is not None)
        if status is not None:
            icon = self._look.icon(STATUS_ICONS[status], self._look.colours.of(status))
            self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
