"""What a start can ask of the window besides adding files: the entries of its icon's menu on the desktop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction

    from desktop_app.gui.commands.actions import Actions

ADD_FILES, ADD_FOLDER = "filemill://add-files", "filemill://add-folder"
"""Addresses, so that they are handed to the window that is there as names of files are."""


def do_asked(names: Sequence[str], actions: Actions) -> list[str]:
    """Do what is asked for; gives the other names, which are to be added."""
    known: dict[str, QAction] = {ADD_FILES: actions.add_files, ADD_FOLDER: actions.add_folder}
    for name in names:
        if name in known:
            known[name].trigger()
    return [name for name in names if name not in known]
