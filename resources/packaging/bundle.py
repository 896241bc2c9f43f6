"""Select the files for the frozen program from those that PyInstaller finds; used by `build_installer.spec`."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Entry = tuple[str, str, str]
    """An entry: its destination in the bundle, its source, and its kind."""

# botocore describes every AWS service; these are the ones that queues and signing in need.
_SERVICES = frozenset({"sqs", "sts", "sso", "sso-oidc", "signin"})
_LANGUAGES = frozenset({"de"})
# Qt's plugins by what they are for. Left out: pictures of kinds that we do not show, screens without a window system,
# OpenGL, encrypted sockets (Python has its own), and GTK's theme, which brings all of GTK; the desktop's light or dark
# scheme and its file dialogs come through xdgdesktopportal.
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
        destination: Its place there.
    """
    place = PurePosixPath(destination.replace("\\", "/"))
    parts = place.parts
    if "__pycache__" in parts:  # of scripts that are data here: left by running from the source
        return False
    if place.is_relative_to("resources/icons"):  # the program draws these; packages have others, in the system's places
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
    """Return the entries without libraries that only left-out files need. Linux only; elsewhere, all entries.

    Args:
        entries: The binaries, of which some have been left out already.
        imports: Gives the names of the libraries that a file asks for.
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
        entries: What may have links in it; of a link, the second is the place in the bundle that it leads to.
        others: What else is in the bundle.
    """
    kept = list(entries)
    places = {entry[0] for entry in (*kept, *others)}
    return [entry for entry in kept if entry[2] != "SYMLINK" or entry[1] in places]


def _is_library(entry: Entry) -> bool:
    """Return whether a library is included only because another file needs it; the program needs Python's own."""
    place = Path(entry[0])
    is_plain = len(place.parts) == 1 or place.is_relative_to("PySide6/Qt/lib")
    return is_plain and ".so" in place.name and entry[2] != "EXTENSION" and not place.name.startswith("libpython")
