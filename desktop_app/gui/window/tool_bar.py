"""The toolbar: the most used actions, with texts as far as they fit, and the filter box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from desktop_app.gui.commands.actions import words_of
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QActionEvent, QResizeEvent

    from desktop_app.gui.commands.actions import Actions
    from desktop_app.gui.filtering.list_filter import FilterBox


_WORDS, _SHAPE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly

_ICON = QSize(18, 18)


class ToolBar(QToolBar):
    """The toolbar. Where not all texts fit, the last buttons only show their icons, with a tool tip.

    The first button always keeps its text.
    """

    def __init__(self, actions: Actions, box: FilterBox, parent: QWidget) -> None:
        super().__init__(tr("Tools"), parent)
        self._box = box
        self._fitted: tuple[object, ...] = ()
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.timeout.connect(self.fit)
        self.setObjectName("tools")
        self.setMovable(False)
        self.setFloatable(False)
        self.setIconSize(_ICON)
        self.setToolButtonStyle(_WORDS)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        first = (actions.add_files, actions.add_folder)
        for action in (*first, None, actions.pause, actions.retry_failed, actions.remove):
            if action is None:
                self.addSeparator()
                continue
            self.addAction(action)
            button = self.widgetForAction(action)
            if isinstance(button, QToolButton):
                # Qt leaves tool bars out of the Tab order.
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.setAccessibleName(words_of(action))
                button.setAccessibleDescription(action.statusTip())
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.addWidget(box)

    def _buttons(self) -> list[QToolButton]:
        found = (self.widgetForAction(action) for action in self.actions())
        return [button for button in found if isinstance(button, QToolButton)]

    @Slot()
    def fit(self) -> None:
        """Show as many texts as fit."""
        buttons = self._buttons()
        facts = (self.width(), self.font().toString(), *(button.text() for button in buttons))
        if facts == self._fitted:
            return
        self._fitted = facts
        for with_words in range(len(buttons), 0, -1):
            for place, button in enumerate(buttons):
                _dress(button, _WORDS if place < with_words else _SHAPE)
            if self._needed() <= self.width():
                return

    def _needed(self) -> int:
        """Return the total width in pixels with the narrowest filter box."""
        layout, margins = self.layout(), self.contentsMargins()
        widgets = [self.widgetForAction(action) for action in self.actions()]
        hints = [self._box.minimumWidth() if widget is self._box else widget.sizeHint().width() for widget in widgets]
        inner = layout.contentsMargins() if layout is not None else margins
        spacing = layout.spacing() if layout is not None else 0
        around = margins.left() + margins.right() + inner.left() + inner.right()
        return sum(hints) + spacing * (len(hints) - 1) + around

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the texts to the new width."""
        super().resizeEvent(event)
        self.fit()

    def actionEvent(self, event: QActionEvent) -> None:
        """Fit the texts again when a button's text has changed."""
        super().actionEvent(event)
        if event.type() == QEvent.Type.ActionChanged:
            self._fit_soon.start(0)


def _dress(button: QToolButton, style: Qt.ToolButtonStyle) -> None:
    if button.toolButtonStyle() is not style:
        button.setToolButtonStyle(style)
        button.style().unpolish(button)  # the style sheet has rules for both
        button.style().polish(button)
