"""The entry point of the command line, which selects the command, runs it and reports errors."""

from __future__ import annotations

import logging
import os
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from desktop_app.cli.output import OutputClosedError, finish_output, prepare_streams, quoted, say
from desktop_app.domain.errors import KnownError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


log = logging.getLogger(__name__)

DONE, TROUBLE, WRONG_USE = 0, 1, 2
NAMES = ("submit", "watch", "worker", "status", "retry", "remove", "continue", "export", "processors", "doctor")
"""The names of the `COMMANDS`, whose modules are imported only if one of them or the help is meant."""


def run(words: Sequence[str], *, open_window: Callable[[Sequence[str]], int]) -> int:
    """Run the given command line.

    Args:
        words: The arguments, without the program's name.
        open_window: Called with the paths to add; opens the window and returns the exit code.

    Returns:
        The exit code. Errors are reported on standard error, not raised.
    """
    prepare_streams()
    try:
        code = _logged(_action(words, open_window), debug="--debug" in takewhile(lambda word: word != "--", words))
        finish_output()
    except SystemExit as ended:  # argparse has printed the help or the version
        return int(ended.code or DONE)
    except OutputClosedError:
        return DONE
    except KnownError as error:
        say(error.text)
        return WRONG_USE if isinstance(error, UsageError) else TROUBLE
    except KeyboardInterrupt:
        say("Stopped.")
        return TROUBLE
    return code


def _action(words: Sequence[str], open_window: Callable[[Sequence[str]], int]) -> Callable[[], int]:
    """Return a function that runs the command line and returns the exit code.

    Raises:
        UsageError: If the command line is not valid.
        SystemExit: After the help or the version has been printed.
    """
    rest = list(dropwhile(lambda word: word == "--debug", words))
    if not any(word.startswith("-") or word in NAMES for word in rest):
        _refuse_misspelt(rest)
        return lambda: open_window(rest)
    from desktop_app.cli.commands import COMMANDS
    from desktop_app.cli.parser import command_parser, parse, top_parser

    command = next((command for command in COMMANDS if command.name == rest[0]), None)
    if command is None:
        options = parse(top_parser(COMMANDS), rest)
        _refuse_misspelt(rest)
        return lambda: open_window(options.names)
    options = parse(command_parser(command), rest[1:])
    if options.names and not command.names:
        raise UsageError(f"Unexpected argument {quoted(options.names[0])}. See `filemill {command.name} --help`.")
    return lambda: command.run(options)


def _refuse_misspelt(words: Sequence[str]) -> None:
    """Raise an error for a misspelt command, such as `filemill stauts`, instead of opening a window."""
    first = next(iter(words), "")
    if not first.isalpha():
        return
    import difflib

    meant = difflib.get_close_matches(first, NAMES, n=1)
    if meant and not os.path.lexists(first):
        raise UsageError(f"There is no file {quoted(first)}. Did you mean `filemill {meant[0]}`?")


def _logged(action: Callable[[], int], *, debug: bool) -> int:
    """Run an action with logging enabled, also to the terminal if `debug` is set; log unexpected exceptions."""
    from desktop_app.config.paths import find_home, readable_settings
    from desktop_app.logs.log import log_file, start_logging
    from desktop_app.sources.share_access import require_response

    folder = find_home().logs
    require_response(str(folder))
    with start_logging(folder, debug=debug, is_detailed=readable_settings().log_level == "debug"):
        try:
            return action()
        except OutputClosedError:
            raise
        except KnownError as error:
            log.info("ended with: %s %s", error.text, error.detail, exc_info=debug)
            raise
        except Exception as error:
            log.exception("a bug")
            raise KnownError(f"An internal error occurred in Filemill. Details are in {log_file(folder)}.") from error
