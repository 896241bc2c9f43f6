"""The automatic names of batches, which are the same in the window and on the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from desktop_app.domain.sentences import Sentence, display_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from desktop_app.domain.job import NewFile
    from desktop_app.sources.scan import ScanResult


def english_number(value: int) -> str:
    """Return a whole number with thousands separators."""
    return f"{value:,}"


def batch_name(files: Sequence[NewFile], found: ScanResult, number: Callable[[int], str] = english_number) -> str:
    """Return a name for the files that are added, such as `Reports` or `3 files from Reports`.

    It is the name of the file if there is only one, and the name of the folder if all of its files are added.

    Args:
        files: The files that are added; at least one.
        found: The result of the scan that found them.
        number: Formats the number of files.

    Returns:
        A name, or a `Sentence` that the window translates.
    """
    count = len(files)
    if count == 1:
        return _name(files[0].path)
    whole = _whole_folder(files, found)
    if whole:
        return _name(whole)
    folders = [folder.path for folder in found.folders if folder.files]
    has_only_folders = sum(len(folder.files) for folder in found.folders) == len(found.files)
    if has_only_folders and count == len(found.files):
        return _folders_name(folders, number)
    common = folders[0] if has_only_folders and len(folders) == 1 else _common_folder(file.path for file in files)
    if os.path.basename(common):  # noqa: PTH119 - faster than pathlib, and it keeps every name as it is
        return Sentence("{count} files from {folder}", count=number(count), folder=_name(common))
    if count == 2:  # noqa: PLR2004
        return Sentence("{name} and {other}", name=_name(files[0].path), other=_name(files[1].path))
    return Sentence("{name} and {count} more files", name=_name(files[0].path), count=number(count - 1))


def _whole_folder(files: Sequence[NewFile], found: ScanResult) -> str:
    """Return the folder whose files are exactly these; empty if there is none."""
    paths = found.files.paths
    for folder in found.folders:
        part = folder.files
        if len(part) == len(files) and (files[0].path, files[-1].path) == (paths[part[0]], paths[part[-1]]):
            return folder.path
    return ""


def _folders_name(folders: Sequence[str], number: Callable[[int], str]) -> str:
    """Return a name for all files in these folders, of which there are several."""
    if len(folders) == 2:  # noqa: PLR2004
        return Sentence("{name} and {other}", name=_name(folders[0]), other=_name(folders[1]))
    common = _common_folder(os.path.join(folder, "") for folder in folders)  # noqa: PTH118
    if os.path.basename(common):  # noqa: PTH119
        return Sentence("{count} folders in {folder}", count=number(len(folders)), folder=_name(common))
    return Sentence("{name} and {count} more folders", name=_name(folders[0]), count=number(len(folders) - 1))


def unused_name(name: str, used: Collection[str]) -> str:
    """Return a name that no other batch has: the name itself or, for example, `Reports (2)`."""
    number, unused = 1, name
    while unused in used:
        number += 1
        unused = f"{name} ({number})"
    return unused


def _name(path: str) -> str:
    return display_text(os.path.basename(path) or path)  # noqa: PTH119


def _common_folder(paths: Iterable[str]) -> str:
    """Return the innermost folder that contains all files or, with a separator at the end, folders; empty if none."""
    found = list(paths)
    try:
        # In alphabetical order, all paths lie between these two, so they begin as both of these do.
        return os.path.commonpath([min(found), max(found)])
    except ValueError:  # on different drives
        return ""
