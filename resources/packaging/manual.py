"""Generate the manual page from the program's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.cli.main import COMMANDS
from resources.packaging.product import PRODUCT

if TYPE_CHECKING:
    from desktop_app.cli.parser import Command

ENVIRONMENT = (
    ("FILEMILL_HOME", "Where settings, database and logs lie; by default the user's data folder."),
    ("FILEMILL_DATABASE", "Another database: a path, or sqlite:///path."),
    ("FILEMILL_QUEUE", "A name or URL of an Amazon SQS queue; unset, the embedded local queue is used."),
    ("FILEMILL_LANGUAGE", "The window's language, such as de; by default the system's."),
    ("AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_SQS", "As everywhere in AWS. Keys are never stored by Filemill."),
)
EXIT_CODES = (("0", "Done."), ("1", "Something went wrong, or blocks."), ("2", "Wrong use."))


def manual_page(date: str) -> str:
    """Return the page as roff, for section 1.

    Args:
        date: Of the version, as 2026-01-31.
    """
    name = PRODUCT.command
    lines = [
        f'.TH {name.upper()} 1 {date} "{PRODUCT.name} {PRODUCT.version}" "User Commands"',
        ".SH NAME",
        f"{name} \\- {_escaped(PRODUCT.summary[0].lower() + PRODUCT.summary[1:])}",
        ".SH SYNOPSIS",
        f".B {name}",
        "[\\fIPATH\\fR|\\fIURL\\fR ...]",
        *(line for command in COMMANDS for line in (".br", f".B {name} {command.name}", _escaped(command.usage))),
        ".br",
        f".B {name} \\-\\-self\\-test | \\-\\-version | \\-\\-help",
        ".SH DESCRIPTION",
        "Without a command the window opens, and what is named is added to its list. Each file becomes a row of a",
        "database and a message on a queue; a worker takes the messages at its own pace, counts lines and bytes, and",
        "writes down how each file ended. A command does the same, or shows it, in a terminal.",
        ".SH COMMANDS",
        *(line for command in COMMANDS for line in _command(command)),
        ".SH ENVIRONMENT",
        *(line for entry in ENVIRONMENT for line in (".TP", f".B {entry[0]}", _escaped(entry[1]))),
        ".SH EXIT STATUS",
        *(line for entry in EXIT_CODES for line in (".TP", f".B {entry[0]}", _escaped(entry[1]))),
        ".SH FILES",
        ".TP",
        ".I ~/.local/share/Filemill",
        "Settings, database, hourly copies of it, and logs.",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _command(command: Command) -> list[str]:
    summary = command.summary[:1].upper() + command.summary[1:] + "."
    return [".TP", f".B {command.name} {_escaped(command.usage)}".rstrip(), _escaped(f"{summary} {command.details}")]


def _escaped(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
