"""Print what a screen reader would say, one line each. Run it with the system's Python, which has PyGObject."""
# ruff: noqa: T201 - what it is for

from __future__ import annotations

import gi  # type: ignore[import-not-found]

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # type: ignore[import-not-found]  # noqa: E402 - only after the version is chosen


def hear(event: object) -> None:
    """Print the new focus or an announcement."""
    kind = str(event.type)  # type: ignore[attr-defined]
    if kind.startswith("object:announcement"):
        print(f"announced: {event.any_data}", flush=True)  # type: ignore[attr-defined]
    elif event.detail1:  # type: ignore[attr-defined]
        print(f"focused: {event.source.get_name()}", flush=True)  # type: ignore[attr-defined]


Atspi.init()
listener = Atspi.EventListener.new(hear)
for wanted in ("object:state-changed:focused", "object:announcement"):
    listener.register(wanted)
print("listening", flush=True)
Atspi.event_main()
