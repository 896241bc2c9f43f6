"""The reasons why a job has its status or why a file was not added.

A reason is stored as a code with arguments. Its sentence is formatted when it is shown, in the user's language.
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
    """A category of reasons, which groups failed files and determines the remedies offered.

    The values are typed by users (`reason:missing`) and stored in settings, so do not rename them.
    """

    MISSING = "missing"
    NOT_ALLOWED = "not_allowed"
    NOT_A_FILE = "not_a_file"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    BAD_CONTENT = "bad_content"
    MISMATCH = "mismatch"
    LIMIT = "limit"
    NOT_AVAILABLE = "not_available"
    COMMAND = "command"
    PLUGIN = "plugin"
    CRASHED = "crashed"
    NOT_SENT = "not_sent"
    DEAD_LETTERED = "dead_lettered"
    INTERNAL = "internal"


class ReasonCode(StrEnum):
    """The code of a reason, with its English sentence and the problem that it belongs to.

    The codes and the names of the arguments are stored, so do not rename them. The sentences may be changed.

    Attributes:
        template: The sentence with argument names in braces. It does not name the file, which is shown next to it.
        problem: The problem; None for codes that do not make a job FAILED.
        singular: The template for a `count` of 1; empty to use `template`.
    """

    template: str
    problem: FileProblem | None
    singular: str

    def __new__(cls, code: str, template: str = "", problem: FileProblem | None = None, singular: str = "") -> Self:
        """Create a member from its code, template, problem and singular."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.template, made.problem, made.singular = template, problem, singular
        return made

    # Operating system errors.
    FILE_GONE = "file_gone", mark("The file no longer exists"), FileProblem.MISSING
    PATH_BROKEN = (
        "path_broken",
        mark("The file no longer exists: part of its path is not a folder"),
        FileProblem.MISSING,
    )
    PATH_TOO_LONG = "path_too_long", mark("The path is too long for this system"), FileProblem.MISSING
    IMPOSSIBLE_NAME = "impossible_name", mark("This is not a valid file name"), FileProblem.MISSING
    MAY_NOT_READ = "may_not_read", mark("You don't have permission to read this file"), FileProblem.NOT_ALLOWED
    MAY_NOT_READ_OR_IN_USE = (
        "may_not_read_or_in_use",
        mark("You don't have permission to read this file, or another program is using it"),
        FileProblem.NOT_ALLOWED,
    )
    IN_USE = "in_use", mark("Another program is using this file"), FileProblem.UNREADABLE
    NOT_DELIVERED = (
        "not_delivered",
        mark("The file could not be read from its disk or network share"),
        FileProblem.UNREADABLE,
    )
    NO_ANSWER = "no_answer", mark("The disk or network share did not answer for 10 minutes"), FileProblem.UNREADABLE
    SHARE_SILENT = (
        "share_silent",
        mark("The disk or network share at {place} does not respond"),
        FileProblem.UNREADABLE,
    )
    SHORT_OF_RESOURCES = (
        "short_of_resources",
        mark("This computer is low on memory or has too many files open"),
        FileProblem.UNREADABLE,
    )
    SYSTEM_ERROR = "system_error", mark("The system can't read this file: {why}"), FileProblem.UNREADABLE
    # Not a regular file.
    IS_FOLDER = "is_folder", mark("This is a folder, not a file"), FileProblem.NOT_A_FILE
    IS_PIPE = "is_pipe", mark("This is a named pipe; only regular files can be processed"), FileProblem.NOT_A_FILE
    IS_SOCKET = "is_socket", mark("This is a socket; only regular files can be processed"), FileProblem.NOT_A_FILE
    IS_DEVICE = "is_device", mark("This is a device; only regular files can be processed"), FileProblem.NOT_A_FILE
    NOT_ORDINARY = "not_ordinary", mark("This is not a regular file"), FileProblem.NOT_A_FILE
    LINK_CIRCLE = (
        "link_circle",
        mark("This symbolic link points back to itself and never reaches a file"),
        FileProblem.NOT_A_FILE,
    )
    WEB_ADDRESS = (
        "web_address",
        mark("Web addresses are not supported yet; download the file and add it from this computer"),
        FileProblem.NOT_A_FILE,
    )
    # Processing failed.
    NO_PROCESSOR = "no_processor", mark("Filemill can't process this kind of file"), FileProblem.NOT_A_FILE
    NOT_AVAILABLE = (
        "not_available",
        mark("“{processor}” is not available on this computer: {why}"),
        FileProblem.NOT_AVAILABLE,
    )
    BAD_OPTIONS = "bad_options", mark("It can't be processed with these options: {why}"), FileProblem.NOT_AVAILABLE
    MISMATCH = (
        "mismatch",
        mark("The {kind} checksum does not match: expected {expected}, found {found}"),
        FileProblem.MISMATCH,
    )
    LIST_MISMATCH = (
        "list_mismatch",
        mark("The {kind} checksum does not match “{list}”: expected {expected}, found {found}"),
        FileProblem.MISMATCH,
    )
    NOT_VERIFIED = "not_verified", mark("It can't be verified: {why}"), FileProblem.MISMATCH
    BAD_CONTENT = "bad_content", mark("The content is not valid: {why}"), FileProblem.BAD_CONTENT
    PLUGIN_FAILED = "plugin_failed", mark("The plug-in “{plugin}” failed: {why}"), FileProblem.PLUGIN
    TOO_LONG = (
        "too_long",
        mark("Processing was ended because it took longer than {seconds} seconds"),
        FileProblem.LIMIT,
    )
    TOO_LARGE = "too_large", mark("It can't be processed within the limits: {why}"), FileProblem.LIMIT
    BAD_RESULT = "bad_result", mark("The result can't be stored: {why}"), FileProblem.LIMIT
    COMMAND_FAILED = "command_failed", mark("The command failed (exit code {exit_code}): {why}"), FileProblem.COMMAND
    COMMAND_EXIT_CODE = (
        "command_exit_code",
        mark("The command failed with exit code {exit_code}, without a message"),
        FileProblem.COMMAND,
    )
    COMMAND_KILLED = "command_killed", mark("The command was ended by the signal {signal}"), FileProblem.COMMAND
    COMMAND_NOT_STARTED = "command_not_started", mark("The command can't be started: {why}"), FileProblem.COMMAND
    COMMAND_QUIET = (
        "command_quiet",
        mark("The command was ended because it printed nothing for {seconds} seconds"),
        FileProblem.LIMIT,
    )
    OUTPUT_REFUSED = "output_refused", mark("What the command wrote is not accepted: {why}"), FileProblem.COMMAND
    OUTPUT_NOT_WRITTEN = "output_not_written", mark("The output folder can't be used: {why}"), FileProblem.COMMAND
    CHANGED_WHILE_READ = (
        "changed_while_read",
        mark("The file changed while it was being read; the result was discarded because it could be wrong"),
        FileProblem.CHANGED,
    )
    SIZE_UNTRUE = (
        "size_untrue",
        mark("The size that the system reports for this file does not match its content, so it can't be processed"),
        FileProblem.UNREADABLE,
    )
    CRASHED = "crashed", mark("Filemill exited unexpectedly while it was processing this file"), FileProblem.CRASHED
    CRASHED_OFTEN = (
        "crashed_often",
        mark(
            "Filemill exited unexpectedly {count} times while it was processing this file. Other files are not affected"
        ),
        FileProblem.CRASHED,
    )
    INTERNAL = (
        "internal",
        mark("An internal error occurred in Filemill. See the log for details."),
        FileProblem.INTERNAL,
    )
    NO_WORKER = (
        "no_worker",
        mark("“{processor}” is not available on {computer}; it waits for a worker that has it"),
    )
    OTHER_WORKER = "other_worker", mark("“{processor}” is not available on {computer}; it waits for {others}")
    BATCH_HELD = "batch_held", mark("The batch is paused, because many of its files failed for the same reason")
    """Never stored: it is shown for the waiting files of a paused batch."""
    # Sending or receiving the message failed.
    MESSAGE_REFUSED = "message_refused", mark("The queue rejected its message: {why}"), FileProblem.NOT_SENT
    REQUEST_REFUSED = (
        "request_refused",
        mark("The queue rejected its message: The queue “{name}” rejected the request: {why}"),
        FileProblem.NOT_SENT,
    )
    """Occurs only in rows written by version 0.1.0; later versions use `MESSAGE_REFUSED`."""
    DEAD_LETTERED = (
        "dead_lettered",
        mark("Moved to the dead-letter queue after {count} deliveries"),
        FileProblem.DEAD_LETTERED,
        mark("Moved to the dead-letter queue after one delivery"),
    )
    # The file was not added.
    NO_SUCH_FILE = "no_such_file", mark("The file does not exist")
    LINK_TO_NOTHING = "link_to_nothing", mark("This link points to a file that does not exist")
    NAMED_FOLDER = "named_folder", mark("This is a folder; add it as a folder to include the files in it")
    LINKED_FOLDER = (
        "linked_folder",
        mark("This is a link to a folder; links to folders are not followed, so that nothing is added twice"),
    )
    NAMED_ADDRESS = "named_address", mark("Web addresses can't be added yet; download the file first")
    NETWORK_LOCATION = (
        "network_location",
        mark("This location is not mounted on this computer; open it in the file manager first, and try again"),
    )
    OTHER_COMPUTER = (
        "other_computer",
        mark("This address points to another computer; only files on this computer can be added"),
    )
    CURRENT_FOLDER_GONE = (
        "current_folder_gone",
        mark("The current folder was removed; change to another folder, or give an absolute path"),
    )
    FOLDER_GONE = "folder_gone", mark("This folder no longer exists")
    FOLDER_NOT_ALLOWED = "folder_not_allowed", mark("You don't have permission to open this folder")
    PARENT_NOT_ALLOWED = (
        "parent_not_allowed",
        mark("You don't have permission to open the folder that contains this item"),
    )

    TEXT = "text", "{text}"
    """A literal sentence. Another version of Filemill stored it under a code that this version does not know."""


ENDINGS: dict[str, str] = {
    "tries": mark("{reason} (gave up after {tries} attempts)"),
    "next": mark("{reason}; attempt {next} of {most} will follow"),
}
"""The templates that extend a reason's sentence. Each is used if the reason has the argument given as its key."""
_ENDING_ARGUMENTS = frozenset({"tries", "next", "most"})


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code with arguments.

    Attributes:
        code: The code.
        arguments: The arguments for the template, by name. There can also be `tries`, the number of attempts if no more
            will follow, or `next` and `most`, the number of the next attempt and the maximum number of attempts.
    """

    code: ReasonCode
    arguments: Mapping[str, str | int] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """Return the sentence in English."""
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """The sentence, which can be translated."""
        is_one = bool(self.code.singular) and self.arguments.get("count") == 1
        sentence = Sentence.unchanged(self.code.singular if is_one else self.code.template, **self.arguments)
        for name, ending in ENDINGS.items():
            if name in self.arguments:
                sentence = Sentence.unchanged(ending, **{**self.arguments, "reason": sentence})
        return sentence

    @property
    def cause(self) -> Reason:
        """This reason without the arguments about other attempts."""
        own = {name: value for name, value in self.arguments.items() if name not in _ENDING_ARGUMENTS}
        return Reason(self.code, own)

    def given_up(self, tries: int) -> Reason:
        """Return this reason with the number of attempts after which Filemill gave up."""
        return Reason(self.code, {**self.arguments, "tries": tries})

    def tried_again(self, number: int, most: int) -> Reason:
        """Return this reason with the number of the next attempt and the maximum number of attempts."""
        return Reason(self.code, {**self.arguments, "next": number, "most": most})


def reasons_containing(text: str, translate: Callable[[str], str] = str) -> frozenset[str]:
    """Return the reason codes and the keys of `ENDINGS` whose templates contain the text, ignoring case.

    Args:
        text: The text to find.
        translate: Called to translate each template; by default, the English templates are searched.
    """
    key = folded(text)
    return frozenset(
        name for name, template in _TEMPLATES if key in folded(_PLACEHOLDER.sub("\0", translate(template)))
    )


_TEMPLATES = (
    *((code, text) for code in ReasonCode for text in (code.template, code.singular) if text),
    *ENDINGS.items(),
)
