"""The folder with the user's data, and the resources that are installed with the program."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from desktop_app.config.private_files import create_private_folder, make_private
from desktop_app.config.settings import Settings, load_settings
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.secrets import masked
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping


APP_NAME = "Filemill"

_OUR_NAMES = ("filemill.db", "settings.toml", "window.ini", "logs", "run")
"""What the names of the files and folders in the home begin with."""

ADD_FILES, ADD_FOLDER = "filemill://add-files", "filemill://add-folder"
"""The URLs that the menu of the desktop icon passes as arguments. The installation packages contain them too."""


@dataclass(frozen=True, slots=True)
class Home:
    """The home folder, which contains a user's settings, database, logs and locks."""

    folder: Path

    @property
    def settings_file(self) -> Path:
        """The settings file."""
        return self.folder / "settings.toml"

    @property
    def database_file(self) -> Path:
        """The default database file."""
        return self.folder / "filemill.db"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """The folder for the locks and addresses of running programs; not needed after the computer restarts."""
        return self.folder / "run"

    @property
    def own_paths(self) -> tuple[str, ...]:
        """What the paths of the files and folders in the home begin with; it can contain other files, too."""
        return tuple(str(self.folder / name) for name in _OUR_NAMES)

    def create(self) -> None:
        """Create the missing folders, with access for the owner only.

        Raises:
            SettingsError: If a folder can't be created.
        """
        try:
            for folder in (self.folder, self.logs, self.run):
                create_private_folder(folder)
        except NotADirectoryError as error:
            raise SettingsError(
                Sentence(
                    "The folder {folder} can't be used: it, or a part of its path, is not a folder. Set FILEMILL_HOME "
                    "to another folder.",
                    folder=folder,
                )
            ) from error
        except OSError as error:
            raise SettingsError(
                Sentence(
                    "The folder {folder} can't be used: {why}. Make it writable, or set FILEMILL_HOME to another "
                    "folder.",
                    folder=self.folder,
                    why=error.strerror or error,
                )
            ) from error
        self._make_private()

    def _make_private(self) -> None:
        """Remove the access of other users to a home that was created by hand, or by a backup program.

        A folder that also contains other things, such as the user's home directory, keeps its permissions.
        """
        entries = _entries(self.folder)
        ours = [entry for entry in entries if entry.name.startswith(_OUR_NAMES)]
        if ours and len(ours) == len(entries):
            make_private(self.folder)
        for entry in ours:
            make_private(entry)
            if entry.is_dir() and not entry.is_symlink():
                for file in _entries(entry):
                    make_private(file)


def _entries(folder: Path) -> list[Path]:
    """Return the entries of a folder; none if it can't be listed, since a folder of another user can be unusable."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def find_home() -> Home:
    """Return the home folder: FILEMILL_HOME if it is set, otherwise the platform's folder for application data.

    Raises:
        SettingsError: If FILEMILL_HOME is relative and the current folder was removed, or begins with an unknown
            `~user`.
    """
    named = os.environ.get("FILEMILL_HOME", "")
    if named:
        return Home(_absolute("FILEMILL_HOME", named))
    import platformdirs  # takes milliseconds, and is not needed with FILEMILL_HOME

    return Home(Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)))


def _absolute(variable: str, named: str) -> Path:
    """Return the path that a variable names; a relative path is relative to the current folder.

    Raises:
        SettingsError: If there is no current folder, or no user of that name.
    """
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError as error:
        text = Sentence(
            "{variable} is “{named}”, but there is no such user. Correct it.", variable=variable, named=named
        )
        raise SettingsError(text) from error
    except OSError as error:
        text = Sentence(
            "{variable} is “{named}”, a relative path, but the current folder was removed. Set it to an absolute path, "
            "or change to another folder.",
            variable=variable,
            named=named,
        )
        raise SettingsError(text) from error


def database_path(home: Home, named: str) -> Path:
    """Return the path of the database.

    Args:
        home: The home folder, which contains the default database.
        named: The value of FILEMILL_DATABASE: a path, a `sqlite:` URL, or empty for the default.

    Raises:
        SettingsError: If the value is a URL of an unsupported kind, or a path that can't be made absolute.
    """
    if not named:
        return home.database_file
    if "://" not in named:
        return _absolute("FILEMILL_DATABASE", named)
    try:
        parts = urlsplit(named)
        supported = parts.scheme == "sqlite" and not (parts.netloc or parts.query or parts.fragment)
    except ValueError:  # unbalanced brackets
        supported = False
    if not supported or not parts.path.strip("/"):
        raise SettingsError(
            Sentence(
                "FILEMILL_DATABASE is “{named}”: only a path or sqlite:///path is supported. Correct it, or unset it.",
                named=masked(named),
            )
        )
    path = unquote(parts.path)
    # The path of sqlite:////data/jobs.db is //data/jobs.db; that of sqlite:///C:/jobs.db on Windows is /C:/jobs.db.
    has_extra_slash = path.startswith("//") or (os.name == "nt" and path[2:3] == ":")
    return Path(path[1:] if has_extra_slash else path)


def resource(name: str) -> Path:
    """Return the path of a resource, in a checkout, an installed wheel, or a frozen program.

    Args:
        name: The path relative to `resources/`, with forward slashes, such as `icons/filemill.svg`.

    Raises:
        FileNotFoundError: If this copy of the program lacks the resource.
    """
    package = Path(__file__).resolve().parents[1]
    frozen = getattr(sys, "_MEIPASS", None)
    roots = [Path(frozen) / "resources"] if frozen else [package.parent / "resources", package / "_resources"]
    for root in roots:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"resource {name!r} is missing from this copy of the program")


def chosen_language(environment: Mapping[str, str]) -> str:
    """Return the language of the window as a code such as `de` or `de_AT`; empty for the system's language.

    Args:
        environment: The environment variables; FILEMILL_LANGUAGE overrides the settings.
    """
    return environment.get("FILEMILL_LANGUAGE", "").strip() or readable_settings().language.strip()


def readable_settings() -> Settings:
    """Return the settings, or the defaults if they can't be read; the error is reported when the program is opened."""
    try:
        return load_settings(find_home().settings_file)
    except SettingsError:
        return Settings()
