"""Generate the manual page from the program's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.cli.commands import COMMANDS
from resources.packaging.product import PRODUCT

if TYPE_CHECKING:
    from desktop_app.cli.parser import Command

ENVIRONMENT = (
    ("FILEMILL_HOME", "The folder of the settings, the database and the logs; by default, in the user's data folder."),
    ("FILEMILL_DATABASE", "Another database: a path, or sqlite:///path."),
    ("FILEMILL_QUEUE", "A name or URL of an Amazon SQS queue; unset, the embedded local queue is used."),
    ("FILEMILL_LANGUAGE", "The window's language, such as de; by default, the system's language."),
    ("AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_SQS", "As for all AWS tools. Filemill stores no keys."),
)
EXIT_CODES = (("0", "Done."), ("1", "Something failed."), ("2", "The command line is not valid."))


def manual_page(date: str) -> str:
    """Return the page for section 1 of the manual, as roff.

    Args:
        date: The date of the version, such as 2026-01-31.
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
        "Without a command, the window opens and adds the named files and folders to its list. Each file becomes a row",
        "in a database and a message on a queue. A worker receives the messages at its own pace, counts the lines and",
        "bytes of each file, and stores the result. The commands do the same in a terminal.",
        ".SH COMMANDS",
        *(line for command in COMMANDS for line in _command(command)),
        ".SH ENVIRONMENT",
        *(line for entry in ENVIRONMENT for line in (".TP", f".B {entry[0]}", _escaped(entry[1]))),
        ".SH EXIT STATUS",
        *(line for entry in EXIT_CODES for line in (".TP", f".B {entry[0]}", _escaped(entry[1]))),
        ".SH FILES",
        ".TP",
        ".I ~/.local/share/Filemill",
        "The settings, the database, its hourly backups, and the logs.",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _command(command: Command) -> list[str]:
    summary = command.summary[:1].upper() + command.summary[1:] + "."
    return [".TP", f".B {command.name} {_escaped(command.usage)}".rstrip(), _escaped(f"{summary} {command.details}")]


def _escaped(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
