"""Performs the most common tasks on a real window, by keyboard unless noted, and counts the steps.

    python -m tests.desktop [--pictures FOLDER] [TASK …]

Each task is checked by `filemill status`, the clipboard or a file, never by the picture. Exit code 1 if
one of them can't be done.
"""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.desktop.screen import Screen, missing_programs
from tests.desktop.tasks import TASKS, Task
from tests.desktop.user import User

PICTURES = Path("build", "desktop")


def main() -> int:
    """Perform all tasks, or the named ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help="numbers of tasks; all if none is named")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="where a picture after each task goes")
    options = parser.parse_args()
    missing = missing_programs()
    if missing:
        print(
            f"Not here: {', '.join(missing)}. On Debian: apt install xvfb openbox xdotool imagemagick xclip x11-utils"
        )
        return 1
    options.pictures.mkdir(parents=True, exist_ok=True)
    wanted = [task for task in TASKS if not options.tasks or str(task.number) in options.tasks]
    failed = sum(not does(task, options.pictures) for task in wanted)
    print(f"\n{len(wanted) - failed} of {len(wanted)} tasks done.")
    return 1 if failed else 0


def does(task: Task, pictures: Path) -> bool:
    """Perform one task on its own screen and print the result."""
    with tempfile.TemporaryDirectory() as folder, Screen() as screen:
        user = User(screen, Path(folder), pictures)
        began = time.monotonic()
        problem = ""
        try:
            task.do(user)
        except (AssertionError, TimeoutError) as error:
            problem = f"  NOT DONE: {error}"
        finally:
            user.take_picture(f"task-{task.number:02}")
            user.close()
    steps = user.hand.steps
    if not problem and steps > task.most:
        problem = "  TOO MANY"
    print(f"{task.number:>2}  {task.name:<44} {steps} of {task.most} steps {time.monotonic() - began:5.1f} s{problem}")
    return not problem


if __name__ == "__main__":
    sys.exit(main())
