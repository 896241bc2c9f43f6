"""The environment for the programs that Filemill starts: the one in which the user started Filemill.

The frozen program runs with variables that lead its own libraries to the files beside it: PyInstaller's start program
sets LD_LIBRARY_PATH, and its hooks set QT_PLUGIN_PATH, PATH on Windows, and others. A program of the user, such as the
AWS CLI, a credential helper or a viewer, would load those libraries too, and fail or crash.

The frozen program imports this module before it runs PyInstaller's hooks (`resources/packaging/first_hook.py`), because
some of them overwrite variables of the user.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AT_START = dict(os.environ)
_OF_QT = ("QT_", "QML", "PYSIDE")
_OF_PYINSTALLER = ("_PYI_", "_MEIPASS")
_SAVED = "_ORIG"
"""The suffix of the variable in which PyInstaller's start program saves the user's value."""
_FOR_COMMANDS = frozenset(
    "HOME LANG LANGUAGE LD_LIBRARY_PATH LOGNAME PATH SHELL TEMP TMP TMPDIR TZ USER "  # noqa: SIM905 - one line each
    "APPDATA COMSPEC HOMEDRIVE HOMEPATH LOCALAPPDATA NUMBER_OF_PROCESSORS OS PATHEXT PROCESSOR_ARCHITECTURE "
    "PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) SYSTEMDRIVE SYSTEMROOT USERNAME USERPROFILE WINDIR".split()
)
_NEVER = ("AWS_", "FILEMILL_")
"""What the names of variables begin with that can contain credentials."""


def child_environment() -> dict[str, str]:
    """Return the environment for a child process. Start no program without it. Any thread.

    The result contains no path to the files of the frozen program. Qt's variables have the values with which Filemill
    was started, and all others the current ones.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OF_QT)}
    environment |= {name: value for name, value in _AT_START.items() if name.startswith(_OF_QT)}
    bundle = getattr(sys, "_MEIPASS", None)  # set by PyInstaller
    if bundle is None:
        return environment
    for name, value in list(environment.items()):
        entries = value.split(os.pathsep)
        kept = [entry for entry in entries if not _is_inside(entry, bundle)]
        if name.startswith(_OF_PYINSTALLER):
            del environment[name]
        elif kept != entries:
            environment[name] = environment.pop(name + _SAVED, os.pathsep.join(kept))
            if not environment[name]:
                del environment[name]
    return environment


def _is_inside(entry: str, folder: str) -> bool:
    return bool(entry) and Path(os.path.normpath(entry)).is_relative_to(folder)


def allowed_variables(environment: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of an environment that is passed to a command for files, which must get no credentials.

    Sockets of agents, such as those of SSH and of the desktop session with its keyring, are credentials too.

    Args:
        environment: The environment from `child_environment`.
        names: The names of further variables.
    """
    allowed = _FOR_COMMANDS | set(names)
    return {
        name: value
        for name, value in environment.items()
        if (name in allowed or name.startswith("LC_")) and can_be_passed(name)
    }


def can_be_passed(name: str) -> bool:
    """Return whether a command for files may get a variable, judging by its name; see `allowed_variables`."""
    return not name.upper().startswith(_NEVER)


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables of AWS."""
    return {name: value for name, value in environment.items() if not name.upper().startswith("AWS_")}


def own_command(word: str) -> list[str]:
    """Return the command line that starts this program as a child process with a word that says what it is for."""
    module = [] if getattr(sys, "frozen", False) else ["-m", "desktop_app"]
    return [sys.executable, *module, word]


def with_own_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `own_command` starts this copy of the program from any working folder."""
    if getattr(sys, "frozen", False):
        return dict(environment)
    package_parent = Path(__file__).resolve().parents[2]
    path = environment.get("PYTHONPATH")
    if package_parent.name not in {"site-packages", "dist-packages"}:
        path = f"{package_parent}{os.pathsep}{path}" if path else str(package_parent)
    # Do not search the working folder for modules.
    return {**environment, "PYTHONSAFEPATH": "1"} | ({} if path is None else {"PYTHONPATH": path})
