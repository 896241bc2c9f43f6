"""Start other programs, and open URLs in the programs of the user, in the environment of `child_environment`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QUrl
from PySide6.QtGui import QDesktopServices

from desktop_app.config.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from PySide6.QtCore import QTimerEvent

_OPENERS = (("xdg-open",), ("gio", "open"), ("kde-open",))
"""The commands of Linux desktops that open a URL, followed by the URL."""
_START_MS = 10_000
_CHECK_MS = 50
_started: list[subprocess.Popen[bytes]] = []
"""The commands that were still running when the last one was started; each is waited for, so that none is a zombie."""


def new_process(parent: QObject | None = None) -> QProcess:
    """Return a process, not yet started, whose program gets the user's environment."""
    process = QProcess(parent)
    environment = QProcessEnvironment()
    for name, value in child_environment().items():
        environment.insert(name, value)
    process.setProcessEnvironment(environment)
    return process


def start_detached(program: str, arguments: Sequence[str]) -> bool:
    """Start a program that may outlive this one; return whether it was started."""
    process = new_process()
    process.setProgram(program)
    process.setArguments(list(arguments))
    return bool(process.startDetached())  # not a tuple, whatever PySide6's stubs say


def open_url(url: QUrl, owner: QObject, not_opened: Callable[[], object]) -> None:
    """Open a URL in its default program. Main thread.

    On Linux, the desktop's command opens the URL: unlike Qt, it says whether it succeeded, and it gets the user's
    environment, while that of this process, which other threads may read at any time, is not changed.

    Args:
        url: The URL.
        owner: The object for which the URL is opened. When it is destroyed, `not_opened` is no longer called.
        not_opened: Called if no program can open the URL, now or within `_START_MS`.
    """
    environment = child_environment()
    if sys.platform.startswith("linux"):
        for name, *arguments in _OPENERS:
            program = shutil.which(name)
            if program is not None:
                _Opening([program, *arguments, bytes(url.toEncoded().data()).decode()], owner, not_opened)
                return
    if environment == os.environ or sys.platform == "darwin":
        is_open = QDesktopServices.openUrl(url)
    elif sys.platform == "win32":
        with _exchanged(environment):
            is_open = QDesktopServices.openUrl(url)
    else:
        is_open = False
    if not is_open:
        not_opened()


class _Opening(QObject):
    """Watches a desktop's command that opens a URL, until it ends or has run for `_START_MS`.

    The command is not a QProcess, whose destructor would end it: some commands run until the user closes the program.
    """

    def __init__(self, command: Sequence[str], owner: QObject, not_opened: Callable[[], object]) -> None:
        super().__init__(owner)
        self._not_opened = not_opened
        self._since = time.monotonic()
        _started[:] = [process for process in _started if process.poll() is None]
        try:
            self._process = subprocess.Popen(command, env=child_environment(), start_new_session=True)  # noqa: S603 - found in PATH
        except OSError:
            not_opened()
            return
        _started.append(self._process)
        self.startTimer(_CHECK_MS)

    def timerEvent(self, event: QTimerEvent) -> None:
        """Check whether the command has ended."""
        code = self._process.poll()
        if code is None and time.monotonic() - self._since < _START_MS / 1000:
            return
        self.killTimer(event.timerId())
        self.deleteLater()
        if code:
            self._not_opened()


@contextmanager
def _exchanged(environment: Mapping[str, str]) -> Iterator[None]:
    """Give this process another environment within the context."""
    before = dict(os.environ)
    _exchange(environment)
    try:
        yield
    finally:
        _exchange(before)


def _exchange(environment: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
