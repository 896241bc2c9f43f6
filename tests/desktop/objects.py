"""Read and use the accessible objects of a program, as a screen reader does. Run it with the system's Python.

    objects.py PID                           print each object that is on the screen as a line of JSON
    objects.py PID do ROLE NAME ACTION       do an action of an object, such as Press
    objects.py PID write ROLE NAME TEXT      replace the text of an object

A name may be only the beginning of the object's name. Exit code 1 if there is no such object or it refuses.
"""
# ruff: noqa: T201 - what it is for

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import gi  # type: ignore[import-not-found]

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # type: ignore[import-not-found]  # noqa: E402 - only after the version is chosen

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CELLS = 100
"""Larger tables are not looked into."""


def objects(node: Any) -> Iterator[Any]:
    """Yield a node and its descendants."""
    if node is None:
        return
    yield node
    count = node.get_child_count()
    if node.get_role_name() != "table" or count <= MOST_CELLS:
        for number in range(count):
            yield from objects(node.get_child_at_index(number))


def program() -> Iterator[Any]:
    """Yield the objects of the program."""
    desktop = Atspi.get_desktop(0)
    for place in range(desktop.get_child_count()):
        found = desktop.get_child_at_index(place)
        if found is not None and found.get_process_id() == int(sys.argv[1]):
            yield from objects(found)


def facts(node: Any) -> dict[str, Any]:
    """Return what the test needs to know about an object."""
    component = node.get_component_iface()
    area = component.get_extents(Atspi.CoordType.SCREEN) if component is not None else None
    place = [area.x, area.y, area.width, area.height] if area is not None else [0, 0, 0, 0]
    actions = node.get_action_iface()
    names = [Atspi.Action.get_action_name(actions, at) for at in range(actions.get_n_actions())] if actions else []
    states = node.get_state_set()
    return {
        "role": node.get_role_name(),
        "name": node.get_name(),
        "place": place,
        "actions": names,
        "is_showing": states.contains(Atspi.StateType.SHOWING),
        "is_enabled": states.contains(Atspi.StateType.ENABLED),
    }


def chosen() -> Any:
    """Return the object with the role and name of the command line, preferably the whole name and on the screen."""
    role, name = sys.argv[3:5]
    found = [node for node in program() if node.get_role_name() == role and node.get_name().startswith(name)]
    found.sort(key=lambda node: (node.get_name() != name, not node.get_state_set().contains(Atspi.StateType.SHOWING)))
    return next(iter(found), None)


def main() -> int:
    """Run the command."""
    Atspi.init()
    if len(sys.argv) == 2:
        for node in program():
            print(json.dumps(facts(node)), flush=True)
        return 0
    node = chosen()
    if node is None:
        return 1
    if sys.argv[2] == "write":
        return 0 if Atspi.EditableText.set_text_contents(node.get_editable_text_iface(), sys.argv[5]) else 1
    actions = facts(node)["actions"]
    if sys.argv[5] not in actions:
        print(actions, file=sys.stderr)
        return 1
    return 0 if Atspi.Action.do_action(node.get_action_iface(), actions.index(sys.argv[5])) else 1


sys.exit(main())
