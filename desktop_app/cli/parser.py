"""The argument parsers and the help texts of the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from desktop_app import __version__
from desktop_app.domain.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable, Sequence


_WINDOW_USAGE = "[PATH …]"
_EPILOG = """\
Run `filemill COMMAND --help` for details. For a file that is named like a
command, write ./status; names that begin with - go after --.

environment:
  FILEMILL_HOME      the folder of settings, database and logs
                     (default: the platform's own folder)
  FILEMILL_DATABASE  another database: a path, or sqlite:///path
  FILEMILL_QUEUE     a name or URL of an Amazon SQS queue;
                     unset = the embedded local queue
  AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_SQS …
                     as in every AWS tool; Filemill never stores keys
  FILEMILL_LANGUAGE  the language of the window, such as de

settings:
  Edit > Settings in the window; the file settings.toml in FILEMILL_HOME

exit codes:
  0  done
  1  something failed, or a check found a problem
  2  wrong usage

Results go to standard output, everything else to standard error.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` instead of exiting the program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")


class _Formatter(argparse.HelpFormatter):
    """A formatter that fits each paragraph of a description to the terminal."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(super(_Formatter, self)._fill_text(part, width, indent) for part in text.split("\n\n"))


class _Alone(argparse.Action):
    """The action for an option that is valid only without other arguments."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(f"{self.option_strings[0]} must be the only argument")


def top_parser(commands: Iterable[Command]) -> argparse.ArgumentParser:
    """Return the parser for a command line without a command, which opens the window or shows the general help."""
    commands = tuple(commands)
    uses = "\n".join(f"       filemill {command.name} {command.usage}".rstrip() for command in commands)
    summaries = "\n".join(f"  {command.name:<9} {command.summary}" for command in commands)
    parser = _Parser(
        prog="filemill",
        usage=f"filemill {_WINDOW_USAGE}\n{uses}",
        description="Pick files, process them through a queue, and follow the status of each file.\n\n"
        f"  {_WINDOW_USAGE:<9}\n            open the window and add the files named\n{summaries}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("names", nargs="*", metavar="PATH", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"filemill {__version__}", help="show the version")
    # When given alone, the option is handled before this parser is used; it is added here for the help.
    parser.add_argument("--self-test", action=_Alone, nargs=0, help="check that this copy of the program is complete")
    _add_common(parser)
    return parser


def command_parser(command: Command) -> argparse.ArgumentParser:
    """Return the parser for the arguments of a command."""
    parser = _Parser(
        prog=f"filemill {command.name}",
        usage=f"filemill {command.name} {command.usage}".rstrip(),
        description=f"{command.summary[:1].upper()}{command.summary[1:]}.\n\n{command.details}".rstrip(),
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("names", nargs="*", metavar=command.names, help=argparse.SUPPRESS)
    if command.add_options is not None:
        command.add_options(parser)
    _add_common(parser)
    return parser


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a type for an option whose value is a whole number, as a function that reads it.

    Args:
        least: The smallest number that is allowed, at least 0.
        most: The greatest number that is allowed.
    """

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= len(str(most)):
            number = int(text)
            if least <= number <= most:
                return number
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")

    return read


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help="log more, and show tracebacks of errors")
    parser.add_argument("-h", "--help", action="help", help="show this help and exit")


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments. Options and names can be mixed; everything after `--` is a name.

    Raises:
        UsageError: If the arguments are not valid.
        SystemExit: After the help or the version has been printed.
    """
    before, names = split_names(words)
    options = parser.parse_intermixed_args(before)
    options.names += names
    return options


def split_names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before the first `--` and the names after it.

    `parse_intermixed_args` does not handle `--` correctly.
    """
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


@dataclass(frozen=True, slots=True)
class Command:
    """A command of `filemill`.

    Attributes:
        name: The name on the command line.
        usage: The arguments, as shown in the usage line.
        summary: One line for the general help.
        details: Further text for the help of the command; may be empty.
        names: The name of the positional arguments in the help, such as `PATH`; empty if there are none. Their
            values are in `options.names`.
        add_options: A function that adds the options of the command to a parser.
        run: A function that runs the command and returns the exit code; it can raise `KnownError`.
    """

    name: str
    usage: str
    summary: str
    run: Callable[[Namespace], int]
    details: str = ""
    names: str = ""
    add_options: Callable[[ArgumentParser], None] | None = None
