"""The tray icon: shown only if the user has enabled it and there is a tray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from desktop_app.gui.desktop.ports import Notification, Topic
from desktop_app.gui.i18n import tr
from desktop_app.gui.theme.theme import program_icon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QAction


class Tray(QObject):
    """Shows the icon while `keep` is checked. The window's close button then hides the window; Quit still quits.

    Args:
        window: The window to show and hide.
        keep: The action that enables it.
        actions: The other actions of its menu.
        is_available: Returns whether there is a tray.
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
        self._menu = QMenu(window)
        self._toggle = self._menu.addAction(tr("Hide"))
        self._toggle.triggered.connect(self.toggle)
        self._menu.addActions(list(actions))
        self._menu.aboutToShow.connect(self._name_toggle)
        keep.setVisible(is_available())
        keep.toggled.connect(self._follow)
        window.installEventFilter(self)
        self._follow()

    @property
    def is_shown(self) -> bool:
        """Return whether the icon is shown."""
        return self._icon is not None

    @property
    def menu(self) -> QMenu:
        """Return the icon's menu."""
        return self._menu

    @Slot()
    def toggle(self) -> None:
        """Show or hide the window."""
        if self._window.isVisible() and not self._window.isMinimized():
            self._window.hide()
        else:
            self.bring_back()

    def bring_back(self) -> None:
        """Show the window in front of the others."""
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    @Slot()
    def _follow(self) -> None:
        wanted = self._keep.isChecked() and self._is_available()
        if wanted and self._icon is None:
            self._icon = QSystemTrayIcon(program_icon(), self)
            self._icon.setToolTip("Filemill")
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._hear)
            self._icon.show()
        elif not wanted and self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None

    @Slot()
    def _name_toggle(self) -> None:
        self._toggle.setText(tr("Hide") if self._window.isVisible() else tr("Show"))

    @Slot(QSystemTrayIcon.ActivationReason)
    def _hear(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.toggle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hide the window on its close button, as long as the icon can bring it back."""
        # Closing by the program itself, on Quit or at the end of the session, still ends it.
        if watched is self._window and event.type() == QEvent.Type.Close and event.spontaneous() and self.is_shown:
            event.ignore()
            self._window.hide()
            return True
        return super().eventFilter(watched, event)


class TrayNotifier(QObject):
    """Notifications through a tray icon that is only shown with a message: Windows and macOS."""

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
            self._icon.messageClicked.connect(self._hear)
        self._topic = notification.topic
        self._icon.show()
        kind = (
            QSystemTrayIcon.MessageIcon.Warning if notification.is_urgent else QSystemTrayIcon.MessageIcon.Information
        )
        self._icon.showMessage(notification.title, notification.body, kind)

    @Slot()
    def _hear(self) -> None:
        if self._icon is not None:
            self._icon.hide()
        if self._clicked is not None:
            self._clicked(self._topic)

    def close(self) -> None:
        """Stop showing notifications."""
        if self._icon is not None:
            self._icon.hide()
