"""The tray icon that the user can enable, and notifications through a tray icon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from desktop_app.gui.desktop.ports import Notification, Topic
from desktop_app.gui.i18n import tr
from desktop_app.gui.startup.single_instance import activate
from desktop_app.gui.theme.theme import program_icon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QAction


class Tray(QObject):
    """Shows a tray icon while an action is checked. While the icon is shown, the close button only hides the window.

    Attributes:
        menu: The context menu of the icon.

    Args:
        window: The window to show and hide.
        keep: The checkable action that enables the icon.
        actions: Further actions for the menu.
        is_available: A function that returns whether the desktop has a tray.
    """

    def __init__(
        self,
        window: QWidget,
        keep: QAction,
        actions: Sequence[QAction],
        *,
        is_available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._keep = keep
        self._is_available = is_available
        self._icon: QSystemTrayIcon | None = None
        self.menu = QMenu(window)
        self._toggle_action = self.menu.addAction(tr("Hide"))
        self._toggle_action.triggered.connect(self._toggle)
        self.menu.addActions(list(actions))
        self.menu.aboutToShow.connect(self._update_menu)
        keep.setVisible(is_available())
        keep.toggled.connect(self._update_icon)
        window.installEventFilter(self)
        self._update_icon()

    @property
    def is_shown(self) -> bool:
        """Whether the icon is shown."""
        return self._icon is not None

    @Slot()
    def _toggle(self) -> None:
        if self._window.isVisible() and not self._window.isMinimized():
            self._window.hide()
        else:
            activate(self._window)

    @Slot()
    def _update_icon(self) -> None:
        wanted = self._keep.isChecked() and self._is_available()
        if wanted and self._icon is None:
            self._icon = QSystemTrayIcon(program_icon(), self, toolTip="Filemill")
            self._icon.setContextMenu(self.menu)
            self._icon.activated.connect(self._click)
            self._icon.show()
        elif not wanted and self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None

    @Slot()
    def _update_menu(self) -> None:
        self._toggle_action.setText(tr("Hide") if self._window.isVisible() else tr("Show"))

    @Slot(QSystemTrayIcon.ActivationReason)
    def _click(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self._toggle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hide the window instead of closing it if the close button is clicked while the icon is shown."""
        # Close events from the program itself (Quit, the end of the session) are not spontaneous.
        if watched is self._window and event.type() == QEvent.Type.Close and event.spontaneous() and self.is_shown:
            event.ignore()
            self._window.hide()
            return True
        return super().eventFilter(watched, event)


class TrayNotifier(QObject):
    """Shows notifications on Windows and macOS through a tray icon that is hidden when it is not needed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon: QSystemTrayIcon | None = None
        self._topic = Topic.ENDED
        self._clicked: Callable[[Topic], None] | None = None

    def on_click(self, call: Callable[[Topic], None]) -> None:
        """Call a function when the user clicks a notification."""
        self._clicked = call

    def show(self, notification: Notification) -> None:
        """Show a notification."""
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return
        if self._icon is None:
            self._icon = QSystemTrayIcon(program_icon(), self)
            self._icon.messageClicked.connect(self._click)
        self._topic = notification.topic
        self._icon.show()
        kind = (
            QSystemTrayIcon.MessageIcon.Warning if notification.is_urgent else QSystemTrayIcon.MessageIcon.Information
        )
        self._icon.showMessage(notification.title, notification.body, kind)

    @Slot()
    def _click(self) -> None:
        self.close()
        if self._clicked is not None:
            self._clicked(self._topic)

    def close(self) -> None:
        """Hide the notification and its icon."""
        if self._icon is not None:
            self._icon.hide()
