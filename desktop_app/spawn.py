"""Starting this program once more, for work that needs a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def own_command(*words: str) -> list[str]:
    """Return the command line of this program with other arguments, in a checkout, installed, or frozen."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-m", "desktop_app", *words]


def own_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `own_command` finds this copy of the program, whatever the current folder is."""
    environment = dict(inherited)
    if getattr(sys, "frozen", False):
        # Else a one-file program's child would live in its parent's unpacked files, which end with the parent.
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        return environment
    environment["PYTHONSAFEPATH"] = "1"  # the current folder holds nothing of ours
    package_parent = Path(__file__).resolve().parents[1]
    if package_parent.name not in {"site-packages", "dist-packages"}:
        path = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{package_parent}{os.pathsep}{path}" if path else str(package_parent)
    return environment
