"""The toolbar with the most frequently used actions and the filter box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from desktop_app.gui.commands.actions import Actions, words_of
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QActionEvent, QResizeEvent

    from desktop_app.gui.filtering.filter_box import FilterBox


_TEXT_AND_ICON, _ICON_ONLY = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly

_ICON = QSize(18, 18)


class ToolBar(QToolBar):
    """The toolbar. If it is too narrow for all texts, the last buttons show only their icons.

    The first button always shows its text.
    """

    def __init__(self, actions: Actions, box: FilterBox, parent: QWidget) -> None:
        super().__init__(
            tr("Tools"), parent, movable=False, floatable=False, iconSize=_ICON, toolButtonStyle=_TEXT_AND_ICON
        )
        self._box = box
        self._fitted: tuple[object, ...] = ()
        self._fit_timer = QTimer(self, singleShot=True)
        self._fit_timer.timeout.connect(self.fit)
        self.setObjectName("tools")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addActions([actions.add_files, actions.add_folder])
        self.addSeparator()
        self.addActions([actions.pause, actions.retry_failed, actions.remove])
        for button in self._buttons():
            # By default, the buttons of a toolbar are not in the Tab order.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(words_of(button.defaultAction()))
            button.setAccessibleDescription(button.defaultAction().statusTip())
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.addWidget(box)

    def _buttons(self) -> list[QToolButton]:
        found = (self.widgetForAction(action) for action in self.actions())
        return [button for button in found if isinstance(button, QToolButton)]

    @Slot()
    def fit(self) -> None:
        """Show as many button texts as fit."""
        buttons = self._buttons()
        state = (self.width(), self.font().toString(), *(button.text() for button in buttons))
        if state == self._fitted:
            return
        self._fitted = state
        for texts in range(len(buttons), 0, -1):
            for place, button in enumerate(buttons):
                _set_style(button, _TEXT_AND_ICON if place < texts else _ICON_ONLY)
            if self._needed_width() <= self.width():
                return

    def _needed_width(self) -> int:
        """Return the width in pixels that all widgets need, with the filter box at its minimum width."""
        layout, margins = self.layout(), self.contentsMargins()
        widgets = [self.widgetForAction(action) for action in self.actions()]
        hints = [self._box.minimumWidth() if widget is self._box else widget.sizeHint().width() for widget in widgets]
        if layout is None:
            return sum(hints)
        inner = layout.contentsMargins()
        around = margins.left() + margins.right() + inner.left() + inner.right()
        return sum(hints) + layout.spacing() * (len(hints) - 1) + around

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the button texts to the new width."""
        super().resizeEvent(event)
        self.fit()

    def actionEvent(self, event: QActionEvent) -> None:
        """Fit the button texts again after an action has changed."""
        super().actionEvent(event)
        if event.type() == QEvent.Type.ActionChanged:
            self._fit_timer.start(0)


def _set_style(button: QToolButton, style: Qt.ToolButtonStyle) -> None:
    if button.toolButtonStyle() is not style:
        button.setToolButtonStyle(style)
        button.style().unpolish(button)  # the style sheet has a rule for each button style
        button.style().polish(button)
