"""Select the files for the frozen program from those that PyInstaller finds; used by `build_installer.spec`."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Entry = tuple[str, str, str]
    """An entry: its destination in the bundle, its source, and its kind."""

# botocore contains data for every AWS service; these are needed for queues and for signing in.
_SERVICES = frozenset({"sqs", "sts", "sso", "sso-oidc", "signin"})
_LANGUAGES = frozenset({"de"})
# The metadata of packages is needed for the About dialog, but not how they were installed on the build machine.
_ABOUT_THE_INSTALLATION = frozenset({"direct_url.json", "INSTALLER", "REQUESTED"})
# Qt's plugins, one line per kind. Left out: other image formats, platforms without a window system, OpenGL, TLS
# (Python has its own), and the GTK theme, which needs all of GTK; xdgdesktopportal provides the desktop's colour scheme
# and file dialogs.
_PLUGINS = frozenset(
    {
        "qsvgicon", "qsvg", "qico",
        "qxcb", "qwayland", "qoffscreen", "qwindows", "qcocoa",
        "qxdgdesktopportal",
        "composeplatforminputcontextplugin", "ibusplatforminputcontextplugin",
        "xdg-shell", "adwaita", "bradient",
    }
)  # fmt: skip


def is_needed(destination: str) -> bool:
    """Return whether an entry belongs in the bundle.

    Args:
        destination: The entry's path in the bundle.
    """
    place = PurePosixPath(destination.replace("\\", "/"))
    parts = place.parts
    if parts[0].endswith(".dist-info") and parts[-1] in _ABOUT_THE_INSTALLATION:
        return False
    if "__pycache__" in parts:  # left by running the migration scripts from the source
        return False
    if place.is_relative_to("resources/icons"):  # the window uses no others
        return place.suffix == ".svg"
    for package in ("botocore", "boto3"):
        service = PurePosixPath(package, "data")
        if place.is_relative_to(service) and len(parts) > len(service.parts) + 1:
            return parts[len(service.parts)] in _SERVICES
    if "translations" in parts and "PySide6" in parts:
        return PurePosixPath(parts[-1]).stem in {f"qtbase_{code}" for code in _LANGUAGES}
    if "plugins" in parts and "PySide6" in parts:
        return PurePosixPath(parts[-1]).name.split(".")[0].removeprefix("lib") in _PLUGINS
    return True


def needed(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that belong in the bundle."""
    return [entry for entry in entries if is_needed(entry[0])]


def reached(entries: Sequence[Entry], imports: Callable[[str], Iterable[str]]) -> list[Entry]:
    """Return the entries without libraries that only left-out files need; on other systems than Linux, all entries.

    Args:
        entries: The needed binaries.
        imports: Returns the names of the libraries that a file needs.
    """
    if sys.platform != "linux":
        return list(entries)
    libraries = {Path(entry[0]).name: entry[1] for entry in entries if _is_library(entry) and entry[2] != "SYMLINK"}
    wanted: set[str] = set()
    waiting = [entry[1] for entry in entries if not _is_library(entry)]
    while waiting:
        found = {name for name in imports(waiting.pop()) if name in libraries and name not in wanted}
        wanted |= found
        waiting += [libraries[name] for name in found]
    return [entry for entry in entries if not _is_library(entry) or Path(entry[0]).name in wanted]


def whole(entries: Iterable[Entry], others: Iterable[Entry]) -> list[Entry]:
    """Return the entries without links to left-out files.

    Args:
        entries: The entries to check. A link's source is the path in the bundle to which it points.
        others: The other entries of the bundle.
    """
    kept = list(entries)
    places = {entry[0] for entry in (*kept, *others)}
    return [entry for entry in kept if entry[2] != "SYMLINK" or entry[1] in places]


def _is_library(entry: Entry) -> bool:
    """Return whether an entry is a library that is included only because another file needs it; not Python's own."""
    place = Path(entry[0])
    is_plain = len(place.parts) == 1 or place.is_relative_to("PySide6/Qt/lib")
    return is_plain and ".so" in place.name and entry[2] != "EXTENSION" and not place.name.startswith("libpython")
