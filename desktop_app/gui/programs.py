"""Start other programs, and open URLs in the programs of the user, in the environment of `child_environment`."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QUrl
from PySide6.QtGui import QDesktopServices

from desktop_app.config.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OPENERS = (("xdg-open",), ("gio", "open"), ("kde-open",))
"""The commands of Linux desktops that open a URL, followed by the URL."""


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


def open_url(url: QUrl) -> bool:
    """Open a URL in its default program; return False if no program can open it. Main thread.

    Qt starts the program in the environment of this process, except on macOS, whose desktop starts it. On Linux, where
    other threads may read the environment at any time, it is not changed; instead, the desktop's command opens the URL.
    """
    environment = child_environment()
    if environment == os.environ or sys.platform == "darwin":
        return QDesktopServices.openUrl(url)
    if sys.platform == "win32":
        with _exchanged(environment):
            return QDesktopServices.openUrl(url)
    for name, *arguments in _OPENERS:
        program = shutil.which(name)
        if program is not None:
            return start_detached(program, [*arguments, bytes(url.toEncoded().data()).decode()])
    return False


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
