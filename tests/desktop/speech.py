"""A session in which a test receives what a screen reader would."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.desktop.screen import Screen, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAUNCHER = Path("/usr/libexec/at-spi-bus-launcher")
_PYTHON = "/usr/bin/python3"


def can_listen() -> bool:
    """Return whether the requirements are installed (Debian: dbus, at-spi2-core, python3-gi, gir1.2-atspi-2.0)."""
    if shutil.which("dbus-daemon") is None or not _LAUNCHER.exists() or not Path(_PYTHON).exists():
        return False
    asks = [_PYTHON, "-c", "import gi; gi.require_version('Atspi', '2.0')"]
    return subprocess.run(asks, capture_output=True, check=False).returncode == 0


class ScreenReader:
    """Receives what a screen reader would, from another process; a context manager.

    Start programs after it, on the same screen.

    Attributes:
        heard: Everything received so far.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._stack = ExitStack()
        self.heard: list[str] = []

    def __enter__(self) -> Self:
        bus = self._run(["dbus-daemon", "--session", "--nofork", "--print-address=1"])
        assert bus.stdout is not None
        address = bus.stdout.readline().strip()
        self._screen.environment |= {"DBUS_SESSION_BUS_ADDRESS": address, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}
        self._run([str(_LAUNCHER), "--launch-immediately"])
        listener = self._run([_PYTHON, str(Path(__file__).with_name("listen.py"))])
        threading.Thread(target=self._take, args=(listener,), daemon=True).start()
        wait_for(lambda: "listening" in self.heard, "the listener")
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def wait_for(self, text: str) -> None:
        """Wait until a text that contains this one is received.

        Raises:
            TimeoutError: If it is not.
        """
        wait_for(lambda: any(text in line for line in self.heard), f"“{text}”; heard was {self.heard}")

    def _take(self, listener: subprocess.Popen[str]) -> None:
        assert listener.stdout is not None
        for line in listener.stdout:
            self.heard.append(line.strip())

    def _run(self, command: Sequence[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, env=self._screen.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._stack.callback(process.wait, 20)
        self._stack.callback(process.terminate)
        return process
