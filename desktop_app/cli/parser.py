"""The command line's grammar and its help."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from desktop_app import __version__
from desktop_app.domain.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable, Sequence


_DEBUG_HELP = "log more, and tell the whole story of what goes wrong"
_HELP_HELP = "show this and end"
_WINDOW_USAGE = "[PATH|URL …]"
_EPILOG = """\
`filemill COMMAND --help` says more of a command. A file that is named like a
command can be given as ./status, one whose name begins with - after --.

environment:
  FILEMILL_HOME      where settings, database and logs lie
                     (default: the platform's own folder)
  FILEMILL_DATABASE  another database: a path, or sqlite:///path
  FILEMILL_QUEUE     a name or URL of an Amazon SQS queue;
                     unset = the embedded local queue
  AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_SQS …
                     as everywhere in AWS; keys are never stored by Filemill

exit codes:
  0  done
  1  something went wrong, or blocks
  2  wrong use

Results go to standard output, everything else to standard error.
"""


class _Parser(argparse.ArgumentParser):
    """Tells wrong use as every other trouble is told."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")


class _Alone(argparse.Action):
    """An option beside which nothing may stand."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(f"{self.option_strings[0]} stands alone")


def top_parser(commands: Iterable[Command]) -> argparse.ArgumentParser:
    """Return the parser of a command line without a command: the window's, and the help of everything."""
    commands = tuple(commands)
    uses = "\n".join(f"       filemill {command.name} {command.usage}".rstrip() for command in commands)
    summaries = "\n".join(f"  {command.name:<9} {command.summary}" for command in commands)
    parser = _Parser(
        prog="filemill",
        usage=f"filemill {_WINDOW_USAGE}\n{uses}",
        description="Pick files, let a queue feed them to a worker, watch every one of them end.\n\n"
        f"  {_WINDOW_USAGE:<9}\n            open the window, adding what is named\n{summaries}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("names", nargs="*", metavar="PATH|URL", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"filemill {__version__}", help="show the version")
    # Done before this is asked, since it needs a process of its own; here so that help tells of it.
    parser.add_argument("--self-test", action=_Alone, nargs=0, help="check that this copy of the program is whole")
    _add_common(parser)
    return parser


def command_parser(command: Command) -> argparse.ArgumentParser:
    """Return the parser of the words behind a command."""
    parser = _Parser(
        prog=f"filemill {command.name}",
        usage=f"filemill {command.name} {command.usage}".rstrip(),
        description=f"{command.summary[:1].upper()}{command.summary[1:]}.\n\n{command.details}".rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("names", nargs="*", metavar=command.names, help=argparse.SUPPRESS)
    command.add_options(parser)
    _add_common(parser)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help=_DEBUG_HELP)
    parser.add_argument("-h", "--help", action="help", help=_HELP_HELP)


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse words; options and names may be mixed, and behind a `--` there are only names.

    Raises:
        UsageError: If they make no sense.
        SystemExit: After `--help` or `--version`.
    """
    before, names = split_names(words)
    options = parser.parse_intermixed_args(before)
    options.names += names
    return options


def split_names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words before the first `--`, and those after it, which are names whatever they look like.

    Not left to argparse, which loses a leading `--` where options and names may be mixed.
    """
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


def no_options(_: ArgumentParser) -> None:
    """Add nothing: for a command without options."""


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command of `filemill`.

    Attributes:
        name: The word that calls it.
        usage: What follows the word.
        summary: What it does, in a line.
        details: More, for its own help; may be empty.
        names: What the words are that are no options, such as `PATH|URL`; they are in `options.names`.
        add_options: Adds its options to its parser.
        run: Does it; returns the exit code. Raises KnownError.
    """

    name: str
    usage: str
    summary: str
    run: Callable[[Namespace], int]
    details: str = ""
    names: str = ""
    add_options: Callable[[ArgumentParser], None] = no_options
