"""macOS: the dock's badge, and staying awake."""

from __future__ import annotations

import logging
import os
import subprocess

from desktop_app.gui.desktop.badge import show_badge

log = logging.getLogger(__name__)


class DockBadge:
    """How many files have failed, on the program's icon in the dock."""

    def show(self, fraction: float | None, failed: int) -> None:  # noqa: ARG002 - the dock has no bar
        """Show the failures."""
        show_badge(failed)

    def close(self) -> None:
        """Show nothing any more."""
        show_badge(0)


class MacAwake:
    """`caffeinate`, which ends with us even if we are killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self, *, awake: bool) -> None:
        """Keep the computer awake, or no longer."""
        if awake and self._process is None:
            try:
                self._process = subprocess.Popen(["caffeinate", "-i", "-w", str(os.getpid())])  # noqa: S603, S607
            except OSError as error:
                log.info("nothing keeps this computer awake: %r", error)
        elif not awake and self._process is not None:
            self._process.terminate()
            self._process = None

    def close(self) -> None:
        """No longer, for good."""
        self.keep(awake=False)
