"""The single entry point: `python -m desktop_app`, the command `filemill`, and the frozen program.

Heavy modules are imported only when the command needs them.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program: open the window, or run a sub-command.

    Args:
        arguments: The arguments without the program's name; `sys.argv` by default. Names that are not UTF-8 are
            decoded as by `os.fsdecode`.

    Returns:
        The exit code: 0 done, 1 something failed, 2 wrong usage.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    match words:
        case ["_process", path]:
            # The child process for one file that was being processed when a program ended unexpectedly.
            from desktop_app.processing.isolation import serve_one
            from desktop_app.processing.registry import default_registry

            return serve_one(path, default_registry())
        case ["--self-test"]:
            from desktop_app.self_test import self_test

            return self_test()
        case _:
            return _run(words)


def _run(words: Sequence[str]) -> int:
    try:
        from desktop_app.cli.main import run

        return run(words, open_window=_open_window)
    except KeyboardInterrupt:  # so early that nothing has started
        return 1


def _open_window(paths: Sequence[str]) -> int:
    """Open the window if there is a display, and return the exit code. Qt is imported only here."""
    from desktop_app.gui.startup.display import NO_DISPLAY, display
    from desktop_app.gui.startup.stop_signals import QtStopSignals

    with closing(QtStopSignals()) as signals:
        with display(os.environ) as is_found:
            if not is_found:
                print(NO_DISPLAY, file=sys.stderr)  # noqa: T201 - there is nowhere else to say it
                return 2
            from desktop_app.window_app import make_application, run_window

            application = make_application()
        return run_window(application, paths, signals)


if __name__ == "__main__":
    sys.exit(main())
