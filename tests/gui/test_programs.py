"""Other programs that the window starts: their environment and their arguments."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from desktop_app.config import child_environment as module
from desktop_app.gui import programs as programs_module
from desktop_app.gui.connection.remedies import SignIn
from desktop_app.gui.programs import new_process, open_url, start_detached

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

BUNDLE = "/opt/filemill/_internal"
SCRIPT = """#!/bin/sh
{ printf '%s\\n' "$@"
echo "PLUGINS=${QT_PLUGIN_PATH-none} LIBRARIES=${LD_LIBRARY_PATH-none} PYI=${_PYI_X-none}"
} > new
mv new said
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as programs")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a folder first in PATH and make it the working directory; the programs write there what they got."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the environment as the frozen program does."""
    monkeypatch.setattr(module, "_AT_START", {"QT_PLUGIN_PATH": "/mine"})
    monkeypatch.setattr(sys, "_MEIPASS", BUNDLE, raising=False)
    monkeypatch.setenv("QT_PLUGIN_PATH", f"{BUNDLE}/PySide6/Qt/plugins")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{BUNDLE}:/opt/mine")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/mine")
    monkeypatch.setenv("_PYI_X", "1")


def install(folder: Path, name: str) -> None:
    (folder / name).write_text(SCRIPT)
    (folder / name).chmod(0o755)


def said(folder: Path, qtbot: QtBot) -> list[str]:
    qtbot.waitUntil((folder / "said").exists)
    return (folder / "said").read_text().splitlines()


USERS = "PLUGINS=/mine LIBRARIES=/opt/mine PYI=none"


@pytest.mark.usefixtures("frozen")
def test_program_gets_the_environment_of_the_user(programs: Path, qtbot: QtBot) -> None:
    install(programs, "viewer")
    assert start_detached("viewer", ["a b", "c"])
    assert said(programs, qtbot) == ["a b", "c", USERS]


@pytest.mark.usefixtures("frozen")
def test_sign_in_gets_the_environment_of_the_user(programs: Path, qtbot: QtBot) -> None:
    install(programs, "aws")
    parent = QObject()
    sign_in = SignIn(lambda: None, parent)
    with qtbot.waitSignal(sign_in.notice, check_params_cb=lambda notice: notice.passing):
        sign_in.start(("aws", "login"))
    assert said(programs, qtbot) == ["login", USERS]


@pytest.mark.parametrize(
    "name", ["two words", "it's mine", 'the "best"', "$HOME", "`id`", "a;id", "--profile=-x", "Ärger-名前", "a\\ b"]
)
def test_profile_name_is_one_argument_of_the_sign_in(programs: Path, qtbot: QtBot, name: str) -> None:
    install(programs, "aws")
    parent = QObject()
    sign_in = SignIn(lambda: None, parent)
    with qtbot.waitSignal(sign_in.notice, check_params_cb=lambda notice: notice.passing):
        sign_in.start(("aws", "sso", "login", "--profile", name))
    assert said(programs, qtbot)[:-1] == ["sso", "login", "--profile", name]


@pytest.mark.usefixtures("frozen")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands of Linux desktops")
@pytest.mark.parametrize(("program", "before"), [("xdg-open", []), ("gio", ["open"]), ("kde-open", [])])
def test_file_is_opened_in_the_environment_of_the_user(
    programs: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, program: str, before: list[str]
) -> None:
    for name in ("mv", "sh"):
        (programs / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(programs))
    install(programs, program)
    owner = QObject()
    open_url(QUrl.fromEncoded(b"file:///a%20b%E9.txt"), owner, partial(pytest.fail, "not opened"))
    assert said(programs, qtbot) == [*before, "file:///a%20b%E9.txt", USERS]


@pytest.mark.usefixtures("frozen", "programs")
def test_without_a_command_that_opens_files_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "platform", "linux")
    told: list[str] = []
    open_url(QUrl("file:///a"), QObject(), partial(told.append, "not opened"))
    assert told == ["not opened"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands of Linux desktops")
def test_failure_of_the_command_that_opens_files_is_told(programs: Path, qtbot: QtBot) -> None:
    (programs / "xdg-open").write_text("#!/bin/sh\nexit 4\n")
    (programs / "xdg-open").chmod(0o755)
    told: list[str] = []
    owner = QObject()
    open_url(QUrl("file:///a"), owner, partial(told.append, "not opened"))
    assert told == []
    qtbot.waitUntil(lambda: told == ["not opened"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands of Linux desktops")
def test_command_that_keeps_running_has_opened_the_file(
    programs: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some commands run until the user closes the program, and then return its exit code."""
    monkeypatch.setattr(programs_module, "_START_MS", 0)
    (programs / "xdg-open").write_text("#!/bin/sh\nread line < closed; exit 4\n")
    (programs / "xdg-open").chmod(0o755)
    os.mkfifo(programs / "closed")
    owner = QObject()
    open_url(QUrl("file:///a"), owner, partial(pytest.fail, "not opened"))
    (opening,) = owner.children()
    with qtbot.waitSignal(opening.destroyed):
        pass
    (programs / "closed").write_text("now\n")
    assert programs_module._started[-1].wait() == 4


@pytest.mark.usefixtures("frozen")
def test_windows_opens_files_in_the_environment_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def open_it(_: QUrl) -> bool:
        seen.extend((os.environ["QT_PLUGIN_PATH"], os.environ["LD_LIBRARY_PATH"]))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_it)
    monkeypatch.setattr(sys, "platform", "win32")
    before = dict(os.environ)
    open_url(QUrl("file:///a"), QObject(), partial(pytest.fail, "not opened"))
    assert seen == ["/mine", "/opt/mine"]
    assert os.environ == before


def test_process_without_a_frozen_program_gets_the_environment_unchanged() -> None:
    given = new_process().processEnvironment()
    assert {name: given.value(name) for name in given.keys()} == dict(os.environ)  # noqa: SIM118 - not a mapping
