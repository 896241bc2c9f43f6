"""The user's preferences: saving them, and what overrides them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from desktop_app.config.settings import Settings, update_settings
from desktop_app.domain.errors import SettingsError
from desktop_app.gui.i18n import tr, user_locale
from desktop_app.logs.log import set_detailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from desktop_app.gui.progress.presenter import RunNotifications
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.services.control import ProcessingControl


log = logging.getLogger(__name__)


class Preferences(QObject):
    """Saves what the user chooses in the Settings dialog, and applies it at once, except for the language.

    Signals:
        changed(): A setting was saved.

    Attributes:
        settings: The settings as last read or saved.

    Args:
        file: The settings file.
        read: Returns the settings; can raise `SettingsError`.
        environment: The environment variables.
        theme: The theme of the window.
        control: The control of the consumer, for the number of files to process at once.
        notifications: The notifications of the window.
        parent: The parent.
    """

    changed = Signal()

    def __init__(
        self,
        file: Path,
        read: Callable[[], Settings],
        environment: Mapping[str, str],
        *,
        theme: Theme,
        control: ProcessingControl,
        notifications: RunNotifications,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._file = file
        self._read = read
        self._environment = environment
        self._theme = theme
        self._control = control
        self._notifications = notifications
        self.settings = Settings()
        self.reread()
        # `--debug` logs details, whatever the settings are.
        self._is_debugging = self.settings.log_level == "normal" and log.isEnabledFor(logging.DEBUG)
        self._language = self._chosen_language
        notifications.level = self.settings.notifications

    def reread(self) -> None:
        """Read the settings again, because another program may have changed them. If that fails, keep these."""
        try:
            self.settings = self._read()
        except SettingsError as error:  # saving the next change reports it
            log.info("the settings stay unchanged: %s", error.text)

    @property
    def needs_restart(self) -> bool:
        """Whether the window is shown in another language than the chosen one."""
        return user_locale(self._chosen_language) != user_locale(self._language)

    @property
    def _forced_language(self) -> str:
        return self._environment.get("FILEMILL_LANGUAGE", "").strip()

    @property
    def _chosen_language(self) -> str:
        return self._forced_language or self.settings.language

    def value_of(self, name: str) -> Any:  # noqa: ANN401 - the value of any field
        """Return the value of a setting that is in effect.

        Args:
            name: The name of a field of `Settings`.
        """
        if name == "language":
            return self._chosen_language
        if name == "log_level" and self._is_debugging:
            return "debug"
        return getattr(self.settings, name)

    def override_of(self, name: str) -> str:
        """Return why a setting has no effect in this program; empty if it has one.

        Args:
            name: The name of a field of `Settings`.
        """
        if name == "language" and self._forced_language:
            return tr("Set by the environment variable {name}.").format(name="FILEMILL_LANGUAGE")
        if name == "log_level" and self._is_debugging:
            return tr("Filemill was started with {option}.").format(option="--debug")
        return ""

    def save(self, **changes: Any) -> None:  # noqa: ANN401 - the values of any field
        """Save settings and apply them.

        Args:
            changes: The new values by the names of the fields of `Settings`.

        Raises:
            SettingsError: If they can't be saved. Nothing is changed.
        """
        before = self.settings
        self.settings = after = update_settings(self._file, **changes)
        if after.theme != before.theme:
            self._theme.choose(after.theme)
        if after.concurrency != before.concurrency:
            self._control.concurrency = after.workers
        if after.log_level != before.log_level:
            set_detailed(is_detailed=after.log_level == "debug")
        self._control.brakes = after.brake
        self._notifications.level = after.notifications
        self.changed.emit()
