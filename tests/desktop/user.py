"""A person at the screen: has files, starts Filemill, and looks at what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.desktop.screen import Hand, Screen, wait_for

_MILL = (sys.executable, "-m", "desktop_app")
_TITLE = "Filemill$"


class User:
    """One person with a home of their own.

    Attributes:
        screen, hand: What they see and do. What only prepares or checks is done by programs and not counted.
        folder: Where their files lie.
        home: Where their own things lie.
    """

    def __init__(self, screen: Screen, folder: Path, pictures: Path) -> None:
        self.screen = screen
        self.hand = Hand(screen)
        self._pictures = pictures
        self.folder = folder / "files"
        self.folder.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        self.environment: dict[str, str] = {}
        self.adopt_screen()
        self._window: subprocess.Popen[bytes] | None = None

    def adopt_screen(self) -> None:
        """Start programs as the screen's environment says now."""
        kept = {
            name: value for name, value in self.screen.environment.items() if not name.startswith(("AWS_", "FILEMILL_"))
        }
        self.environment = kept | {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            "FILEMILL_HOME": str(self.home / "filemill"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "LC_ALL": "C.UTF-8",
        }

    def take_picture(self, name: str) -> None:
        """Keep what is on the screen now."""
        self.screen.picture(self._pictures / f"{name}.png")

    # --- files

    def write(self, *names: str, lines: int = 3) -> list[Path]:
        """Make files."""
        made = [self.folder / name for name in names]
        for path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("line\n" * lines, encoding="utf-8")
        return made

    def run(self, *words: str) -> str:
        """What a command of Filemill's prints in a terminal."""
        done = subprocess.run(
            [*_MILL, *words], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout

    def jobs(self) -> list[dict[str, Any]]:
        """What is on the list."""
        return [json.loads(line) for line in self.run("status", "--json").splitlines()]

    def wait_for_jobs(self, count: int, *statuses: str) -> None:
        """Wait until so many jobs are on the list, each with one of the statuses.

        Raises:
            TimeoutError: If that does not come.
        """

        def is_so() -> bool:
            jobs = self.jobs()
            return len(jobs) == count and (not statuses or all(job["status"] in statuses for job in jobs))

        wait_for(is_so, f"{count} jobs that are {' or '.join(statuses) or 'there'}; there are {self.jobs()!s:.300}")

    # --- the window

    def offer_to_drag(self, *paths: Path) -> subprocess.Popen[bytes]:
        """Open a window of another program that these can be dragged out of."""
        program = [sys.executable, str(Path(__file__).with_name("drag_source.py")), *map(str, paths)]
        process = subprocess.Popen(program, env=self.environment)
        wait_for(lambda: self.screen.windows("Files To Drag"), "the window to drag from")
        return process

    def start(self, *paths: str) -> None:
        """Open Filemill's window and wait until it has the keyboard."""
        self._window = subprocess.Popen(
            [*_MILL, *paths], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: self.screen.windows(_TITLE), "the window")
        wait_for(lambda: self.screen.title().endswith("Filemill"), "the keyboard in the window")

    def wait_for_window(self, title: str) -> None:
        """Wait until a window with this in its title has the keyboard.

        Raises:
            TimeoutError: If it does not come.
        """
        wait_for(lambda: title in self.screen.title(), f"a window “{title}”; there is “{self.screen.title()}”")

    def wait_for_end(self) -> None:
        """Wait until Filemill has ended by itself.

        Raises:
            TimeoutError: If it does not.
        """
        window = self._window
        assert window is not None
        wait_for(lambda: window.poll() is not None, "the end of the program")
        assert window.returncode == 0, f"it ended with {window.returncode}"
        self._window = None

    def close(self) -> None:
        """End what still runs."""
        if self._window is not None and self._window.poll() is None:
            os.kill(self._window.pid, signal.SIGTERM)
            try:
                self._window.wait(20)
            except subprocess.TimeoutExpired:
                self._window.kill()
