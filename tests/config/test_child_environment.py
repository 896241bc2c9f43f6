"""The environment of child processes, in the frozen program and otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop_app.config import child_environment as module
from desktop_app.config.child_environment import (
    allowed_variables,
    child_environment,
    own_command,
    with_own_package,
    without_credentials,
)

BUNDLE = os.path.abspath("/opt/filemill/_internal")  # noqa: PTH100 - a plain text
USER = {"HOME": "/home/u", "PATH": f"/usr/bin{os.pathsep}/opt/filemill", "AWS_PROFILE": "team", "PYTHONPATH": "/mine"}


def passed_on() -> dict[str, str]:
    """Return the environment of a child process without the variable of pytest."""
    return {name: value for name, value in child_environment().items() if name != "PYTEST_CURRENT_TEST"}


def joined(*folders: str) -> str:
    return os.pathsep.join(folders)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Replace the environment of this process by a copy of `USER`; return it to be changed by the test."""
    made = dict(USER)
    monkeypatch.setattr(os, "environ", made)
    monkeypatch.setattr(module, "_AT_START", dict(USER))
    return made


@pytest.fixture
def frozen(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", BUNDLE, raising=False)
    return environment


@pytest.mark.parametrize(
    ("changed", "restored"),
    [
        ({"LD_LIBRARY_PATH": BUNDLE}, {}),
        ({"LD_LIBRARY_PATH": joined(BUNDLE, "/mine"), "LD_LIBRARY_PATH_ORIG": "/mine"}, {"LD_LIBRARY_PATH": "/mine"}),
        ({"LD_LIBRARY_PATH": joined(BUNDLE, "/mine")}, {"LD_LIBRARY_PATH": "/mine"}),
        ({"LD_LIBRARY_PATH": BUNDLE, "LD_LIBRARY_PATH_ORIG": ""}, {}),
        ({"LD_LIBRARY_PATH": "/mine"}, {"LD_LIBRARY_PATH": "/mine"}),
        ({"DYLD_LIBRARY_PATH": joined(BUNDLE, "/mine", "/two")}, {"DYLD_LIBRARY_PATH": joined("/mine", "/two")}),
        ({"DYLD_FRAMEWORK_PATH": BUNDLE}, {}),
        ({"QT_PLUGIN_PATH": f"{BUNDLE}/PySide6/Qt/plugins"}, {}),
        ({"QT_QPA_PLATFORM_PLUGIN_PATH": f"{BUNDLE}/PySide6/Qt/plugins/platforms"}, {}),
        ({"QML2_IMPORT_PATH": f"{BUNDLE}/PySide6/Qt/qml", "PYSIDE6_OPTION_PYTHON_ENUM": "True"}, {}),
        ({"PATH": joined(BUNDLE, USER["PATH"])}, {}),
        ({"GIO_MODULE_DIR": f"{BUNDLE}/gio_modules", "GTK_PATH": BUNDLE, "GDK_PIXBUF_MODULE_FILE": f"{BUNDLE}/x"}, {}),
        ({"XDG_DATA_DIRS": joined(f"{BUNDLE}/share", "/usr/share")}, {"XDG_DATA_DIRS": "/usr/share"}),
        ({"SSL_CERT_FILE": f"{BUNDLE}/certifi/cacert.pem", "PYTHONHOME": BUNDLE}, {}),
        ({"_PYI_ARCHIVE_FILE": "/opt/filemill/filemill", "_PYI_PARENT_PROCESS_LEVEL": "1", "_MEIPASS2": BUNDLE}, {}),
        ({"SETTINGS_ORIG": "kept", "SETTINGS": "/mine"}, {"SETTINGS_ORIG": "kept", "SETTINGS": "/mine"}),
    ],
)
def test_frozen_program_gives_children_the_environment_of_the_user(
    frozen: dict[str, str], changed: dict[str, str], restored: dict[str, str]
) -> None:
    frozen |= changed
    assert passed_on() == USER | restored


def test_variables_that_a_hook_overwrites_are_restored(frozen: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"QT_PLUGIN_PATH": "/mine/plugins", "QML2_IMPORT_PATH": "/mine/qml"}
    monkeypatch.setattr(module, "_AT_START", USER | mine)
    frozen |= {"QT_PLUGIN_PATH": f"{BUNDLE}/plugins", "QML2_IMPORT_PATH": f"{BUNDLE}/qml"}
    assert passed_on() == USER | mine


def test_variable_of_qt_set_by_the_program_is_not_passed_on(environment: dict[str, str]) -> None:
    environment["QT_QPA_PLATFORM"] = "offscreen"
    assert passed_on() == USER


def test_other_changes_are_passed_on(environment: dict[str, str]) -> None:
    environment["AWS_PROFILE"] = "other"
    del environment["PYTHONPATH"]
    assert child_environment() == environment


def test_environment_is_recorded_before_anything_else_is_imported() -> None:
    code = (
        "import os, sys, desktop_app.__main__; os.environ['QT_PLUGIN_PATH'] = '/theirs'\n"
        "from desktop_app.config.child_environment import child_environment\n"
        "print(child_environment()['QT_PLUGIN_PATH'])"
    )
    environment = {**os.environ, "QT_PLUGIN_PATH": "/mine"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "/mine\n"


def test_command_gets_only_what_is_allowed_and_named() -> None:
    environment = {
        "PATH": "/bin",
        "LC_TIME": "C",
        "MAGICK_HOME": "/m",
        "SSH_AUTH_SOCK": "/s",
        "AWS_PROFILE": "team",
        "aws_session_token": "t",
        "FILEMILL_HOME": "/f",
    }
    assert allowed_variables(environment) == {"PATH": "/bin", "LC_TIME": "C"}
    named = allowed_variables(environment, ["MAGICK_HOME", "AWS_PROFILE", "aws_session_token", "MISSING"])
    assert named == {"PATH": "/bin", "LC_TIME": "C", "MAGICK_HOME": "/m"}
    assert without_credentials(environment).keys() == environment.keys() - {"AWS_PROFILE", "aws_session_token"}


def test_child_process_is_this_copy_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desktop_app.py").write_text("raise SystemExit('planted')")
    code = "import desktop_app; print(desktop_app.__file__)"
    environment = with_own_package(child_environment())
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()).parent == Path(module.__file__).parents[1]
    assert own_command("_process") == [sys.executable, "-m", "desktop_app", "_process"]


def test_child_process_of_the_frozen_program_is_the_program(frozen: dict[str, str]) -> None:
    assert own_command("_process") == [sys.executable, "_process"]
    assert with_own_package({"A": "1"}) == {"A": "1"}
