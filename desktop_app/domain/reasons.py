"""Why a job, or a file that was not added, stands where it stands: a code and its arguments.

The code and the arguments are stored; the sentence is made when it is shown, in the reader's language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from desktop_app.domain.sentences import Sentence, folded, mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class FileProblem(StrEnum):
    """What kinds of reasons have in common: decides what a person is offered, and groups the files that have failed.

    Typed by people (`reason:missing`) and kept in settings: never rename one.
    """

    MISSING = "missing"
    NOT_ALLOWED = "not_allowed"
    NOT_A_FILE = "not_a_file"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    CRASHED = "crashed"
    NOT_SENT = "not_sent"
    DEAD_LETTERED = "dead_lettered"
    INTERNAL = "internal"


class ReasonCode(StrEnum):
    """Every reason that there is: the stored code, the English sentence, and for a job that has failed the problem.

    The codes and the names of the arguments are stored: never rename one. The sentences may be changed at any time.

    Attributes:
        template: With the names of the arguments in braces, without the file's name, which stands beside it.
        problem: None for a reason that no job has failed for.
        singular: The sentence where `count` is 1; empty if it is the same.
    """

    template: str
    problem: FileProblem | None
    singular: str

    def __new__(cls, code: str, template: str = "", problem: FileProblem | None = None, singular: str = "") -> Self:
        """Make a member; see the class."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.template, made.problem, made.singular = template, problem, singular
        return made

    # What the system says against a file.
    FILE_GONE = "file_gone", mark("The file is no longer there"), FileProblem.MISSING
    PATH_BROKEN = (
        "path_broken",
        mark("The file is no longer there: a part of its path is not a folder"),
        FileProblem.MISSING,
    )
    PATH_TOO_LONG = (
        "path_too_long",
        mark("No file can be there: the path is too long for this system"),
        FileProblem.MISSING,
    )
    IMPOSSIBLE_NAME = "impossible_name", mark("No file can have this name"), FileProblem.MISSING
    MAY_NOT_READ = "may_not_read", mark("You may not read this file"), FileProblem.NOT_ALLOWED
    MAY_NOT_READ_OR_IN_USE = (
        "may_not_read_or_in_use",
        mark("You may not read this file, or another program is using it"),
        FileProblem.NOT_ALLOWED,
    )
    IN_USE = "in_use", mark("Another program is using this file"), FileProblem.UNREADABLE
    NOT_DELIVERED = (
        "not_delivered",
        mark("The disk or network share that holds this file did not deliver it"),
        FileProblem.UNREADABLE,
    )
    NO_ANSWER = (
        "no_answer",
        mark("The disk or network share did not answer for 10 minutes"),
        FileProblem.UNREADABLE,
    )
    SHORT_OF_RESOURCES = (
        "short_of_resources",
        mark("This computer is short of memory or has too many files open at once"),
        FileProblem.UNREADABLE,
    )
    SYSTEM_ERROR = "system_error", mark("The system can't read this file: {why}"), FileProblem.UNREADABLE
    # What is no ordinary file.
    IS_FOLDER = "is_folder", mark("This is a folder, not a file"), FileProblem.NOT_A_FILE
    IS_PIPE = (
        "is_pipe",
        mark("This is a named pipe; only ordinary files can be processed"),
        FileProblem.NOT_A_FILE,
    )
    IS_SOCKET = "is_socket", mark("This is a socket; only ordinary files can be processed"), FileProblem.NOT_A_FILE
    IS_DEVICE = "is_device", mark("This is a device; only ordinary files can be processed"), FileProblem.NOT_A_FILE
    NOT_ORDINARY = "not_ordinary", mark("This is not an ordinary file"), FileProblem.NOT_A_FILE
    LINK_CIRCLE = "link_circle", mark("This link leads in a circle and never to a file"), FileProblem.NOT_A_FILE
    WEB_ADDRESS = (
        "web_address",
        mark("Addresses on the web are not supported yet; download the file and add it from this computer"),
        FileProblem.NOT_A_FILE,
    )
    # What came of processing it.
    NO_PROCESSOR = "no_processor", mark("There is no way to process this kind of file"), FileProblem.NOT_A_FILE
    CHANGED_WHILE_READ = (
        "changed_while_read",
        mark("The file changed while it was read; its result was thrown away so that no wrong numbers are kept"),
        FileProblem.CHANGED,
    )
    SIZE_UNTRUE = (
        "size_untrue",
        mark("The system reports another size for this file than it has content, so it can't be processed"),
        FileProblem.UNREADABLE,
    )
    CRASHED = "crashed", mark("The program ended while it worked on this file"), FileProblem.CRASHED
    CRASHED_OFTEN = (
        "crashed_often",
        mark("The program ended {count} times while it worked on this file. The file is put aside; the others go on"),
        FileProblem.CRASHED,
    )
    INTERNAL = (
        "internal",
        mark("Something went wrong in Filemill itself. The file is put aside; the log has the details."),
        FileProblem.INTERNAL,
    )
    # What became of its message.
    MESSAGE_REFUSED = "message_refused", mark("The queue refuses its message: {why}"), FileProblem.NOT_SENT
    REQUEST_REFUSED = (
        "request_refused",
        mark("The queue refuses its message: The queue “{name}” refuses the request: {why}"),
        FileProblem.NOT_SENT,
    )
    """Until 0.1.0; since then `MESSAGE_REFUSED` says what the queue has said to the request."""
    DEAD_LETTERED = (
        "dead_lettered",
        mark("The queue has put its message aside after {count} deliveries without an end"),
        FileProblem.DEAD_LETTERED,
        mark("The queue has put its message aside after one delivery without an end"),
    )
    # Why something was not added.
    NO_SUCH_FILE = "no_such_file", mark("There is no such file")
    LINK_TO_NOTHING = "link_to_nothing", mark("This link leads to a file that is not there")
    NAMED_FOLDER = "named_folder", mark("This is a folder; add it as a folder to include the files in it")
    LINKED_FOLDER = (
        "linked_folder",
        mark("This is a link to a folder; such links are not followed, so that nothing is added twice"),
    )
    NAMED_ADDRESS = "named_address", mark("Addresses on the web can't be added yet; download the file first")
    OTHER_COMPUTER = (
        "other_computer",
        mark("This address names another computer; only files of this one can be added"),
    )
    FOLDER_GONE = "folder_gone", mark("This folder is no longer there")
    FOLDER_NOT_ALLOWED = "folder_not_allowed", mark("You may not look into this folder")
    PARENT_NOT_ALLOWED = "parent_not_allowed", mark("You may not look into the folder that this lies in")

    TEXT = "text", "{text}"
    """A sentence that no code stands for, as it is: of another version of Filemill."""


ENDINGS: dict[str, str] = {
    "tries": mark("{reason} (given up after {tries} tries)"),
    "next": mark("{reason}; try {next} of {most} follows"),
}
"""What is put behind the sentence of a reason that has an argument of this name."""
_ENDING_ARGUMENTS = frozenset({"tries", "next", "most"})


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with what its sentence tells of this one case.

    Attributes:
        code: What it is.
        arguments: By their names; besides those of the sentence's template `tries`, after how many tries the file was
            given up, or `next` and `most`, which try follows and how many there are at most.
    """

    code: ReasonCode
    arguments: Mapping[str, str | int] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """Return the sentence in English."""
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """The sentence, which can still be translated."""
        is_one = bool(self.code.singular) and self.arguments.get("count") == 1
        said = Sentence(self.code.singular if is_one else self.code.template, **self.arguments)
        for name, ending in ENDINGS.items():
            if name in self.arguments:
                said = Sentence(ending, **{**self.arguments, "reason": said})
        return said

    @property
    def cause(self) -> Reason:
        """The same without a word of other tries."""
        own = {name: value for name, value in self.arguments.items() if name not in _ENDING_ARGUMENTS}
        return Reason(self.code, own)

    def given_up(self, tries: int) -> Reason:
        """Return the same for a file that has been given up after so many tries."""
        return Reason(self.code, {**self.arguments, "tries": tries})

    def tried_again(self, number: int, most: int) -> Reason:
        """Return the same for a file whose try of this number follows, of `most`."""
        return Reason(self.code, {**self.arguments, "next": number, "most": most})


def saying(text: str, in_language: Callable[[str], str] = str) -> frozenset[str]:
    """Return which reasons say a text: their codes, and the names of `ENDINGS`.

    Args:
        text: What is looked for, upper and lower case alike; it is not found in arguments.
        in_language: Translates a template; English if it is left out.
    """
    key = folded(text)
    return frozenset(
        name for name, template in _TEMPLATES if key in folded(_PLACEHOLDER.sub("\0", in_language(template)))
    )


_TEMPLATES = (
    *((code, text) for code in ReasonCode for text in (code.template, code.singular) if text),
    *ENDINGS.items(),
)
