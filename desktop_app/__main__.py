"""The entry point of `python -m desktop_app`, the `filemill` command, and the frozen program.

Slow modules are imported only when a command needs them.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

import desktop_app.config.child_environment  # noqa: F401 - records the environment before anything changes it

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window, or run a subcommand.

    Args:
        arguments: The command-line arguments without the program's name; `sys.argv` by default. File names that are
            not UTF-8 are decoded as by `os.fsdecode`.

    Returns:
        The exit code: 0 for success, 1 for failure, 2 for invalid arguments.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    match arguments:
        case ["_process"]:
            # This is a child process; see `processing/isolation.py`.
            from desktop_app.processing.isolation_child import private_pipes, serve_requests
            from desktop_app.processing.registry import default_registry

            with private_pipes() as (requests, answers):
                return serve_requests(requests, default_registry(), answers)
        case ["_commands"]:
            # This is a child process, too; see `processing/supervisor.py`.
            from desktop_app.processing.supervisor import serve_commands

            return serve_commands(sys.stdin, sys.stdout)
        case ["--self-test"]:
            from desktop_app.self_test import self_test

            return self_test()
        case _:
            try:
                from desktop_app.cli.main import run

                return run(arguments, open_window=_open_window)
            except KeyboardInterrupt:  # Ctrl+C during the imports, before the signal handlers were installed
                return 1


def _open_window(paths: Sequence[str]) -> int:
    """Open the window if there is a display, and return the exit code."""
    # Importing Qt leaves little garbage, and would run the collector often; see `MainThreadGarbageCollector`.
    gc.disable()
    from desktop_app.gui.startup.qt_runtime import skip_feature_search

    skip_feature_search()
    from desktop_app.gui.startup.display import NO_DISPLAY, display
    from desktop_app.gui.startup.stop_signals import QtStopSignals

    with closing(QtStopSignals()) as signals:
        with display(os.environ) as is_found:
            if not is_found:
                print(NO_DISPLAY, file=sys.stderr)  # noqa: T201 - there is no display to show it on
                return 2
            from desktop_app.window_app import make_application, run_window

            application = make_application()
        return run_window(application, paths, signals)


def run_and_exit() -> NoReturn:
    """Run `main`, and end the process with its exit code; at once if a window was open."""
    code = main()
    from desktop_app.services.stop_signals import ignore_stop_signals

    ignore_stop_signals()  # another Ctrl+C would interrupt Python's clean-up, which would print a traceback
    if "desktop_app.window_app" in sys.modules:
        from desktop_app.gui.startup.shutdown import end_process

        end_process(code)
    sys.exit(code)


if __name__ == "__main__":
    run_and_exit()
