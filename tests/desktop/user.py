"""A simulated user, who has files, starts Filemill and checks the results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from tests.desktop.screen import Screen, UserInput, wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_FILEMILL = (sys.executable, "-m", "desktop_app")
_TITLE = "Filemill$"
_LOOK_S = 0.5
"""The seconds after which a user presses the first key in a new window."""


class User:
    """A user with a home folder.

    Attributes:
        screen, hand: The screen, keyboard and mouse. Preparations and checks do not use them, and are not counted.
        folder: The folder of the user's files.
        home: The home folder.
    """

    def __init__(self, screen: Screen, folder: Path, pictures: Path) -> None:
        self.screen = screen
        self.hand = UserInput(screen)
        self._pictures = pictures
        self.folder = folder / "files"
        self.folder.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        self.environment: dict[str, str] = {}
        self.adopt_screen()
        self._window: subprocess.Popen[bytes] | None = None

    def adopt_screen(self) -> None:
        """Use the screen's current environment for programs."""
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
        """Save a picture of the screen."""
        self.screen.picture(self._pictures / f"{name}.png")

    # --- files

    def write(self, *names: str, lines: int = 3) -> list[Path]:
        """Create files."""
        made = [self.folder / name for name in names]
        for path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("line\n" * lines, encoding="utf-8")
        return made

    def fail(self, *names: str, start: bool = True) -> list[Path]:
        """Create a list of files that are missing when they are processed, and open the window.

        Args:
            names: The names of the files.
            start: Whether to open the window.
        """
        paths = self.write(*names)
        self.run("submit", *map(str, paths))
        for path in paths:
            path.unlink()
        self.run("worker", "--until-idle")
        if start:
            self.start()
        return paths

    def run(self, *words: str) -> str:
        """Return the output of a Filemill command."""
        done = subprocess.run(
            [*_FILEMILL, *words], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs in the list."""
        return [json.loads(line) for line in self.run("status", "--json").splitlines()]

    def wait_for_jobs(self, count: int, *statuses: str) -> None:
        """Wait until this many jobs are in the list, each with one of the statuses.

        Raises:
            TimeoutError: If they are not.
        """

        def is_so() -> bool:
            jobs = self.jobs()
            return len(jobs) == count and (not statuses or all(job["status"] in statuses for job in jobs))

        wait_for(is_so, f"{count} jobs that are {' or '.join(statuses) or 'there'}; there are {self.jobs()!s:.300}")

    # --- an account

    def sign_in_at(self, endpoint_url: str) -> None:
        """Create a profile `work` with keys for a simulated AWS."""
        self._write_profile("aws_access_key_id = key\naws_secret_access_key = secret\n", endpoint_url)

    def let_session_end(self, endpoint_url: str) -> None:
        """Use a profile whose session has expired, and install a command that signs in again."""
        self.sign_in_at(endpoint_url)
        signed_in = self._config.rename(self.home / "signed-in")
        self._write_profile(
            "sso_session = company\nsso_account_id = 123456789012\nsso_role_name = Ops\n", endpoint_url,
            "[sso-session company]\nsso_start_url = https://company.example/start\nsso_region = eu-west-1\n",
        )  # fmt: skip
        command = self.home / "bin" / "aws"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\ncp "{signed_in}" "{self._config}"\n', encoding="utf-8")
        command.chmod(0o755)
        self.environment |= {
            "PATH": f"{command.parent}:{self.environment['PATH']}",
            "AWS_PROFILE": "work",
            "FILEMILL_QUEUE": "ingest",
        }

    def client(self, endpoint_url: str, region: str = "eu-west-1") -> SQSClient:
        """Return a client of the server."""
        session = boto3.Session("key", "secret", region_name=region)
        return session.client("sqs", endpoint_url=endpoint_url)

    def _write_profile(self, what: str, endpoint_url: str, more: str = "") -> None:
        text = f"[profile work]\nregion = eu-west-1\nendpoint_url = {endpoint_url}\n{what}\n{more}"
        self._config.write_text(text, encoding="utf-8")
        self.environment["AWS_CONFIG_FILE"] = str(self._config)

    @property
    def _config(self) -> Path:
        return self.home / "aws-config"

    # --- the window

    def _ask_objects(self, *words: str) -> subprocess.CompletedProcess[str]:
        script = str(Path(__file__).with_name("objects.py"))
        command = ["/usr/bin/python3", script, str(self._window.pid if self._window else 0), *words]
        return subprocess.run(
            command, env=self.screen.environment, capture_output=True, text=True, check=False, timeout=60
        )

    def objects(self, role: str = "") -> list[dict[str, Any]]:
        """Return the accessible objects on the screen, or those with a role; see `objects.py`. Start a reader first."""
        return [one for one in self.all_objects(role) if one["is_showing"]]

    def all_objects(self, role: str = "") -> list[dict[str, Any]]:
        """Return the accessible objects with a role, also those that are not on the screen."""
        found = [json.loads(line) for line in self._ask_objects().stdout.splitlines()]
        return [one for one in found if not role or one["role"] == role]

    def spoken_names(self, role: str) -> list[str]:
        """Return the accessible names with a role in the window."""
        return [one["name"] for one in self.objects(role)]

    def click(self, role: str, name: str, *, button: int = 1) -> None:
        """Click on the object with a role, whose name begins like this, once it is on the screen; one step.

        Raises:
            TimeoutError: If there is no such object.
        """
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [one for one in self.objects(role) if one["name"].startswith(name) and one["is_enabled"]]
            found.sort(key=lambda one: one["name"] != name)  # the whole name first
            return bool(found)

        wait_for(is_there, f"the {role} “{name}”")
        x, y, width, height = found[0]["place"]
        self.hand.click((x + width // 2, y + height // 2), button)

    def popup(self) -> tuple[int, int, int, int]:
        """Return the place of the open menu or list, which the accessibility interface does not show: x, y, size.

        Raises:
            TimeoutError: If there is none.
        """
        found: list[tuple[int, int, int, int]] = []

        def is_there() -> bool:
            found[:] = self.screen.popups()
            return bool(found)

        wait_for(is_there, "a menu")
        return found[-1]

    def use(self, role: str, name: str, action: str = "Press") -> None:
        """Do an action of an object through the accessibility interface; one step.

        Raises:
            TimeoutError: If there is no such object, or it refuses.
        """
        self.hand.steps += 1
        wait_for(lambda: not self._ask_objects("do", role, name, action).returncode, f"{action} of {role} “{name}”")

    def put(self, role: str, name: str, text: str) -> None:
        """Replace the text of an object through the accessibility interface; one step.

        Raises:
            TimeoutError: If there is no such object, or it refuses.
        """
        self.hand.steps += 1
        wait_for(lambda: not self._ask_objects("write", role, name, text).returncode, f"a text in the {role} “{name}”")

    def wait_for_log(self, text: str) -> None:
        """Wait until the log contains a text.

        Raises:
            TimeoutError: If it does not.
        """
        log = self.home / "filemill" / "logs" / "filemill.log"
        wait_for(lambda: log.exists() and text in log.read_text(encoding="utf-8"), f"“{text}” in the log")

    def offer_to_drag(self, *paths: Path) -> subprocess.Popen[bytes]:
        """Open another program's window from which these files can be dragged."""
        program = [sys.executable, str(Path(__file__).with_name("drag_source.py")), *map(str, paths)]
        process = subprocess.Popen(program, env=self.environment)
        wait_for(lambda: self.screen.windows("Files To Drag"), "the window to drag from")
        return process

    def start(self, *paths: str) -> None:
        """Open Filemill's window and wait until it has the focus."""
        self._window = subprocess.Popen(
            [*_FILEMILL, *paths], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: self.screen.windows(_TITLE), "the window")
        wait_for(lambda: self.screen.title().endswith("Filemill"), "the keyboard in the window")
        time.sleep(_LOOK_S)

    def wait_for_window(self, title: str) -> None:
        """Wait until a window whose title contains this has the focus.

        Raises:
            TimeoutError: If it does not.
        """
        wait_for(lambda: title in self.screen.title(), f"a window “{title}”; there is “{self.screen.title()}”")

    def wait_for_end(self) -> None:
        """Wait until Filemill has ended.

        Raises:
            TimeoutError: If it does not.
        """
        window = self._window
        assert window is not None
        wait_for(lambda: window.poll() is not None, "the end of the program")
        assert window.returncode == 0, f"it ended with {window.returncode}"
        self._window = None

    def close(self) -> None:
        """Stop what is still running."""
        if self._window is not None and self._window.poll() is None:
            os.kill(self._window.pid, signal.SIGTERM)
            try:
                self._window.wait(20)
            except subprocess.TimeoutExpired:
                self._window.kill()
