"""The real window with its real loops, and a simulated network."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from desktop_app import window_app
from desktop_app.bootstrap import open_program
from desktop_app.config.paths import find_home
from desktop_app.config.settings import Settings, connection_from, update_settings
from desktop_app.domain.job import Job, Status
from desktop_app.gui.connection.queue_page import QueuePage
from desktop_app.queues.identity import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop_app.bootstrap import Program
    from desktop_app.gui.connection.controller import ConnectionController
    from desktop_app.gui.connection.dialog import ConnectionDialog
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.window_app import RunningWindow

SOON = 90_000
"""In milliseconds: more than the longest backoff of the loops, which they may reach on a busy machine."""


class RunningApp:
    """The window, and files to add.

    Args:
        qtbot: For waiting.
        theme: The colours and icons.
        folder: For the added files.
        settings: The saved settings.
    """

    def __init__(self, qtbot: QtBot, theme: Theme, folder: Path, settings: Settings) -> None:
        self._qtbot = qtbot
        self._folder = folder
        find_home().create()
        update_settings(find_home().settings_file, **asdict(settings))
        self.program: Program = open_program()
        self.running: RunningWindow = window_app.assemble(self.program, theme)
        self.window = self.running.window
        self.connection: ConnectionController = self.window._controller
        self.running.start()

    def path(self, name: str) -> Path:
        """Return the path of a file with this name."""
        return self._folder / name

    def add(self, *names: str, content: str = "a\nb\n") -> None:
        paths = [self.path(name) for name in names]
        for path in paths:
            path.write_text(content)
        before = len(self.jobs())
        self.window.add([str(path) for path in paths])
        self.until(lambda: len(self.jobs()) == before + len(paths))

    def jobs(self) -> dict[str, Job]:
        return {job.name: job for job in self.program.jobs.all()}

    def until(self, condition: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=SOON)

    def until_processed(self, *names: str) -> None:
        self.until(lambda: all(self.jobs()[name].status is Status.PROCESSED for name in names))

    def text_of(self, name: str) -> str:
        """Return the list's status text of a file."""
        return self.window._wording.status(self.jobs()[name])

    def until_banner(self, title: str) -> list[str]:
        """Wait for a problem in the banner; return its buttons."""
        self.until(lambda: self.window.banner.notice is not None and self.window.banner.notice.title == title)
        assert self.window.banner.isVisible()
        return [button.text() for button in self.window.banner.buttons]

    def press(self, text: str) -> None:
        """Press a button of the banner."""
        next(button for button in self.window.banner.buttons if button.text() == text).click()

    def said(self) -> str:
        """Return the text of the notice bar."""
        notice = self.window.notices.notice
        return "" if notice is None else f"{notice.title} {notice.text}".strip()

    def close(self) -> None:
        with self._qtbot.waitSignal(self.running.ended, timeout=SOON):
            self.window.close()


def allowed(settings: Settings) -> Settings:
    """Return the app, with its queue's files processed here."""
    return Settings(
        settings.queue,
        settings.profile,
        settings.region,
        settings.endpoint_url,
        process_queue=resolve(connection_from(settings, os.environ)).permission_key,
    )


def queue_page(dialog: ConnectionDialog) -> QueuePage:
    """Return the queue page of the Connection dialog."""
    return next(page for page in dialog.pages if isinstance(page, QueuePage))
