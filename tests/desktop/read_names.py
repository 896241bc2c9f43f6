"""Print the names of all accessible objects with a role: `read_names.py PID ROLE`. Run it with the system's Python."""
# ruff: noqa: T201 - what it is for

from __future__ import annotations

import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # type: ignore[import-not-found]  # noqa: E402 - only after the version is chosen


def walk(node: Any, role: str) -> None:
    """Print the names of a node and its descendants with this role."""
    if node is None:
        return
    if node.get_role_name() == role:
        print(node.get_name())
    if node.get_role_name() != "table":  # a table has many cells
        for number in range(node.get_child_count()):
            walk(node.get_child_at_index(number), role)


Atspi.init()
desktop = Atspi.get_desktop(0)
for place in range(desktop.get_child_count()):
    program = desktop.get_child_at_index(place)
    if program is not None and program.get_process_id() == int(sys.argv[1]):
        walk(program, sys.argv[2])
