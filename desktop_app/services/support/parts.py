"""The libraries that this copy of Filemill uses, with their versions and licences, from the packages' metadata."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from desktop_app.config.paths import resource
from desktop_app.store.backends.sqlite import ENGINE_VERSION

if TYPE_CHECKING:
    from importlib.metadata import Distribution


PROGRAM = "filemill"
_ALL = re.compile(r"extra == ['\"]all['\"]")
"""The extra with the libraries of all processors."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LICENCE_FILE = re.compile(
    r"(?:^|/)[^/]+\.dist-info/(?:licen[cs]es/)?[^/]*(?:licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE
)
_LONGEST_LICENCE = 60
"""Longer texts in the field `License` are not the name of a licence, but its text."""
_QT = ("pyside6", "shiboken6")
_UNSTATED = {"peewee": "MIT"}
"""Licences that the metadata of a package does not name, although the package contains their texts."""


@dataclass(frozen=True, slots=True)
class Part:
    """A library.

    Attributes:
        name: Its name.
        version: Its version; empty if it is unknown.
        licence: The name of its licence, such as `MIT`; empty if it is unknown.
        text: The text of its licence; empty if this copy of the program does not contain it.
    """

    name: str
    version: str
    licence: str
    text: str = ""


def licence_text() -> str:
    """Return the text of Filemill's own licence; empty if this copy of the program does not contain it."""
    try:
        return _text_of(distribution(PROGRAM))
    except PackageNotFoundError:
        return ""


def program_parts(qt_version: str) -> list[Part]:
    """Return the libraries in use. Python and Qt come first, then the packages that Filemill needs, by name.

    Args:
        qt_version: The version of Qt, which only the window can import.
    """
    packages = sorted(_needed(PROGRAM, {}).values(), key=lambda part: part.name.lower())
    return [
        Part("Python", platform.python_version(), "PSF-2.0"),
        Part("Qt", qt_version, "LGPL-3.0-only", _qt_text()),
        Part("SQLite", ENGINE_VERSION, "Public domain"),
        *packages,
    ]


def _needed(name: str, found: dict[str, Part]) -> dict[str, Part]:
    """Add the packages that a package needs, directly or indirectly, to those found, and return these."""
    try:
        requirements = distribution(name).requires or []
    except PackageNotFoundError:
        return found
    for requirement in requirements:
        text, _, marker = requirement.partition(";")
        match = _NAME.match(text)
        key = match[0].lower().replace("_", "-") if match else ""
        is_used = "extra" not in marker or (name == PROGRAM and _ALL.search(marker))
        if not key or key in found or not is_used:
            continue
        try:
            found[key] = _part_of(distribution(key))
        except PackageNotFoundError:  # not needed on this system, or not installed
            continue
        _needed(key, found)
    return found


def _part_of(package: Distribution) -> Part:
    metadata, name = package.metadata, package.metadata["Name"]
    fields = [*(metadata.get_all("License-Expression") or ()), *(metadata.get_all("License") or ())]
    stated = next(filter(None, (str(field).strip() for field in fields)), "")
    if not stated or len(stated) > _LONGEST_LICENCE or "\n" in stated or stated == "Dual License":
        classified = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
        stated = " OR ".join(line.rpartition(" :: ")[2] for line in classified) or _UNSTATED.get(name.lower(), "")
    text = _qt_text() if name.lower().startswith(_QT) else _text_of(package)
    return Part(name, package.version, stated, text)


def _text_of(package: Distribution) -> str:
    files = [file for file in package.files or [] if _LICENCE_FILE.search(str(file))]
    return "\n\n".join(text.strip() for file in files if (text := package.read_text(_inside(str(file)))))


def _inside(file: str) -> str:
    """Return the path of a file relative to the folder of the metadata."""
    return file.partition(".dist-info/")[2]


def _qt_text() -> str:
    try:
        return resource("packaging/licences/LGPL-3.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
