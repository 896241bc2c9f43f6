"""Checks everything in one language, direction and scale; prints what is cut off or has no name, one per line."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_app.gui.theme.theme import Theme

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = ((1180, 720), (720, 440))


def main() -> int:
    """Run the checks; return 1 if something is cut off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pseudo", action="store_true", help="in the language that is 40 %% longer")
    parser.add_argument("--reverse", action="store_true", help="from right to left")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of all that is looked at")
    options = parser.parse_args()

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.window_app import make_application
    from tests.helpers.pseudo import speaking

    application = make_application()
    look = Theme()
    look.follow(application)
    with speaking(application, rtl=options.reverse) if options.pseudo else nullcontext():
        found = look_at_everything(look, options.pictures)
    for what in found:
        print(what)  # noqa: T201 - what it is for
    return 1 if found else 0


def look_at_everything(look: Theme, pictures: Path | None) -> list[str]:
    """Check every state and dialog in each size."""
    from tests.clipping.measure import findings
    from tests.clipping.names import unnamed
    from tests.clipping.states import DIALOGS, STATES, opened
    from tests.gallery.scene import Scene

    found = []
    for name, reach in STATES.items():
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(look, Path(folder))
            reach(scene)
            for size in SIZES:
                scene.window.resize(*size)
                scene.settle()
                where = f"{name} {size[0]}x{size[1]}"
                if scene.window.size().toTuple() != size:
                    found.append(f"{where}: the window is {scene.window.size().toTuple()}")
                found += [f"{where}: {what}" for what in findings(scene.window)]
                if size == SIZES[0]:
                    found += [f"{where}: no name: {what}" for what in unnamed(scene.window)]
                if pictures:
                    scene.window.grab().save(str(pictures / f"{where}.png"))
            if name == "busy":
                for dialog_name in DIALOGS:
                    with opened(scene, dialog_name) as dialog:
                        if dialog is None:
                            continue
                        found += [f"dialog {dialog_name}: {what}" for what in findings(dialog)]
                        found += [f"dialog {dialog_name}: no name: {what}" for what in unnamed(dialog)]
                        if pictures:
                            dialog.grab().save(str(pictures / f"dialog {dialog_name}.png"))
            scene.close()
    return found


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(main())
