"""The toolbar with the most frequently used actions and the filter box."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolBar, QToolButton, QWidget

from desktop_app.gui.commands.actions import Actions, words_of
from desktop_app.gui.i18n import tr
from desktop_app.gui.widgets.dialogs import leading, restyle

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QActionEvent, QResizeEvent

    from desktop_app.gui.filtering.filter_box import FilterBox
    from desktop_app.gui.theme.theme import Theme


_TEXT_AND_ICON, _ICON_ONLY = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly

_GAP = 3

_BOX_WIDTH = 170
"""Buttons lose their texts before the filter box becomes narrower than this, so that it can show what it is for."""

_ICON = QSize(18 + _GAP, 18)


class ToolBar(QToolBar):
    """The toolbar. If it is too narrow for all texts, the last buttons show only their icons.

    The first button, Add Files, always shows its text. It has a menu with all ways to add files.
    """

    def __init__(self, actions: Actions, box: FilterBox, theme: Theme, parent: QWidget) -> None:
        super().__init__(
            tr("Tools"), parent, movable=False, floatable=False, iconSize=_ICON, toolButtonStyle=_TEXT_AND_ICON
        )
        self._box = box
        self._theme = theme
        self._fitted: tuple[object, ...] = ()
        self._fit_timer = QTimer(self, singleShot=True)
        self._fit_timer.timeout.connect(self.fit)
        self.setObjectName("tools")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addAction(actions.add_files)
        self._make_primary(actions)
        self.addAction(actions.process_as)
        button = self.widgetForAction(actions.process_as)
        if isinstance(button, QToolButton):
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.addSeparator()
        self.addActions([actions.pause, actions.retry_failed, actions.remove])
        for button in self._buttons():
            # By default, the buttons of a toolbar are not in the Tab order.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            # The button takes the icon of its action after each change of the action.
            button.defaultAction().changed.connect(partial(self._draw_button, button))
        self._pause = self.widgetForAction(actions.pause)
        self._pause_texts = tr("&Pause"), tr("Res&ume")
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.addWidget(box)
        for button in self._buttons():
            self._draw_button(button)

    def _make_primary(self, actions: Actions) -> None:
        button = self.widgetForAction(actions.add_files)
        if isinstance(button, QToolButton):
            button.setProperty("primary", True)
            # Not with `setMenu`: for assistive technology, pressing the button would then open the menu.
            button.addActions([actions.add_folder, actions.paste])
            button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def _buttons(self) -> list[QToolButton]:
        found = (self.widgetForAction(action) for action in self.actions())
        return [button for button in found if isinstance(button, QToolButton)]

    def _draw_button(self, button: QToolButton) -> None:
        action: QAction = button.defaultAction()
        colour = "selected_text" if button.property("primary") else "text"
        has_text = button.toolButtonStyle() is _TEXT_AND_ICON
        alignment = leading(self) if has_text else Qt.AlignmentFlag.AlignCenter
        if button.property("reversed") is not self.isRightToLeft():  # the style sheet can't mirror margins
            button.setProperty("reversed", self.isRightToLeft())
            restyle(button)
        button.setIcon(self._theme.icon(str(action.data()), colour, alignment=alignment))
        button.setAccessibleName(words_of(action))
        button.setAccessibleDescription(action.whatsThis() if action.isEnabled() else action.toolTip())

    def emphasize(self, *, primary: bool) -> None:
        """Show Add Files as the primary button, or as a plain one while the window shows another primary button."""
        button = self._buttons()[0]
        if button.property("primary") is not primary:
            button.setProperty("primary", primary)
            restyle(button)
            self._draw_button(button)
            self._fitted = ()
            self.fit()

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
                self._set_style(button, _TEXT_AND_ICON if place < texts else _ICON_ONLY)
            if self._needed_width() <= self.width():
                break
        # Qt has already hidden what did not fit with the old texts, and ignores new sizes of hidden widgets.
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
            QApplication.postEvent(self, QEvent(QEvent.Type.LayoutRequest))

    def _set_style(self, button: QToolButton, style: Qt.ToolButtonStyle) -> None:
        if button.toolButtonStyle() is not style:
            button.setToolButtonStyle(style)
            restyle(button)  # there is a rule for each button style
            self._draw_button(button)
        if button is self._pause:
            button.setMinimumWidth(self._pause_width(button) if style is _TEXT_AND_ICON else 0)

    def _pause_width(self, button: QToolButton) -> int:
        """Return the width of the Pause button, which is the same for all of its texts."""
        metrics = button.fontMetrics()
        widths = [metrics.horizontalAdvance(text.replace("&", "")) for text in self._pause_texts]
        now = metrics.horizontalAdvance(words_of(button.defaultAction()))
        return button.sizeHint().width() - now + max(widths)

    def _needed_width(self) -> int:
        """Return the width in pixels that all widgets need, with a narrow filter box."""
        layout, margins = self.layout(), self.contentsMargins()
        widgets = [self.widgetForAction(action) for action in self.actions()]
        hints = [
            _BOX_WIDTH if widget is self._box else max(widget.sizeHint().width(), widget.minimumWidth())
            for widget in widgets
        ]
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
