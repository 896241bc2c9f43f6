"""An X server with a window manager, and a simulated keyboard and mouse that count the steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NEEDED = ("Xvfb", "openbox", "xdotool", "import", "xclip", "xwininfo")
"""The required programs. Debian: xvfb, openbox, xdotool, imagemagick, xclip, x11-utils."""
_PATIENCE_S = 20.0
_WINDOW = re.compile(r"^ +(0x[0-9a-f]+) ", re.MULTILINE)
_GEOMETRY = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
_SMALLEST_POPUP = 40
_POLL_S = 0.05
_KEY_DELAY_MS = 12
_DRAG_PARTS = 12
_BETWEEN_KEYS_S = 0.15
"""The delay between keys in seconds: a button pressed by its mnemonic is animated for 0.1 s."""


def missing_programs() -> list[str]:
    """Return the programs that have to be installed first."""
    return [name for name in NEEDED if shutil.which(name) is None]


def wait_for(condition: Callable[[], object], what: str, seconds: float = _PATIENCE_S) -> None:
    """Wait until a condition holds that depends on another process.

    Raises:
        TimeoutError: If it does not.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL_S)


class Screen:
    """A virtual screen; a context manager that closes it.

    Attributes:
        environment: For programs to be shown on it.
    """

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        self._size = f"{width}x{height}x24"
        self._stack = ExitStack()
        self.environment = dict(os.environ)

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        self._run(["Xvfb", "-displayfd", str(writing), "-screen", "0", self._size, "-nolisten", "tcp"], (writing,))
        os.close(writing)
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        self.environment |= {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        self._run(["openbox"])
        # Keys are lost until a window manager assigns the focus.
        wait_for(lambda: self._call("xdotool", "get_desktop").returncode == 0, "the window manager")
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def picture(self, file: Path) -> None:
        """Save a picture of the screen."""
        self._call("import", "-window", "root", str(file))

    def windows(self, title: str) -> list[str]:
        """Return the visible windows whose title matches a regular expression."""
        return self._call("xdotool", "search", "--onlyvisible", "--name", title).stdout.split()

    def popups(self) -> list[tuple[int, int, int, int]]:
        """Return the position and size of each visible menu or list, which the window manager does not manage."""
        tree = self._call("xwininfo", "-root", "-children").stdout
        found = []
        for number in _WINDOW.findall(tree):
            facts = self._call("xwininfo", "-id", number).stdout
            if "Override Redirect State: yes" in facts and "Map State: IsViewable" in facts:
                values = [int(match[1]) for name in _GEOMETRY if (match := re.search(rf"{name}: +(-?\d+)", facts))]
                if len(values) == len(_GEOMETRY) and min(values[2:]) > _SMALLEST_POPUP:
                    found.append((values[0], values[1], values[2], values[3]))
        return found

    def title(self) -> str:
        """Return the title of the focused window."""
        return self._call("xdotool", "getactivewindow", "getwindowname").stdout.strip()

    def clipboard(self) -> str:
        """Return the text on the clipboard."""
        return self._call("xclip", "-selection", "clipboard", "-out").stdout

    def do(self, *words: str) -> None:
        """Run an xdotool command."""
        self._call("xdotool", *words)

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )

    def _run(self, command: list[str], descriptors: Sequence[int] = ()) -> None:
        process = subprocess.Popen(
            command, env=self.environment, pass_fds=descriptors, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._stack.callback(process.wait, _PATIENCE_S)
        self._stack.callback(process.terminate)


@dataclass
class UserInput:
    """A simulated keyboard and mouse.

    Attributes:
        screen: The screen.
        steps: The number of keys and clicks; a text counts as one.
    """

    screen: Screen
    steps: int = field(default=0)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, in the notation of xdotool: `ctrl+o`, `Return`."""
        for key in keys:
            self.steps += 1
            self.screen.do("key", "--clearmodifiers", "--delay", str(_KEY_DELAY_MS), key)
            time.sleep(_BETWEEN_KEYS_S)

    def write(self, text: str) -> None:
        """Type a text."""
        self.steps += 1
        self.screen.do("type", "--delay", str(_KEY_DELAY_MS), text)

    def click(self, place: tuple[int, int], button: int = 1) -> None:
        """Click at a screen position in pixels; one step."""
        self.steps += 1
        self.screen.do("mousemove", "--sync", *map(str, place))
        time.sleep(_BETWEEN_KEYS_S)
        self.screen.do("click", str(button))
        time.sleep(_BETWEEN_KEYS_S)

    def drag(self, start: tuple[int, int], end: tuple[int, int], on_the_way: Callable[[], None]) -> None:
        """Drag with the mouse from one screen position to another; one step.

        Args:
            start, end: The positions in pixels.
            on_the_way: Called when the pointer is at the end, before the button is released.
        """
        self.steps += 1
        move = ("mousemove", "--sync")
        self.screen.do(*move, *map(str, start), "mousedown", "1")
        for part in range(1, _DRAG_PARTS + 1):
            place = (round(a + (b - a) * part / _DRAG_PARTS) for a, b in zip(start, end, strict=True))
            self.screen.do(*move, *map(str, place))
            time.sleep(_POLL_S)
        on_the_way()
        self.screen.do("mouseup", "1")
