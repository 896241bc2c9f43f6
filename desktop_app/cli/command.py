"""What a sub-command is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable


def no_options(_: ArgumentParser) -> None:
    """For a command that has none."""


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
        run: Does it; gives the exit code. Raises KnownError.
    """

    name: str
    usage: str
    summary: str
    run: Callable[[Namespace], int]
    details: str = ""
    names: str = ""
    add_options: Callable[[ArgumentParser], None] = no_options
