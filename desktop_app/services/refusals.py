"""What can't become a job, and the sentences that say why."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum, auto

from desktop_app.processing.source import file_error, unprocessable_kind
from desktop_app.sentences import Sentence

NOT_THERE = Sentence("There is no such file")
LINK_TO_NOTHING = Sentence("This link leads to a file that is not there")
FOLDER = Sentence("This is a folder; add it as a folder to include the files in it")
LINKED_FOLDER = Sentence("This is a link to a folder; such links are not followed, so that nothing is added twice")
WEB_ADDRESS = Sentence("Addresses on the web can't be added yet; download the file first")
OTHER_COMPUTER = Sentence("This address names another computer; only files of this one can be added")
FOLDER_GONE = Sentence("This folder is no longer there")
FOLDER_NOT_ALLOWED = Sentence("You may not look into this folder")
PLACE_NOT_ALLOWED = Sentence("You may not look into the folder that this lies in")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was named, or lay in a folder that was, and can't become a job."""

    path: str
    """As it was named, or absolute for what a folder holds."""
    text: str
    """Why, as a plain sentence without the name."""


class RefusalKind(Enum):
    """What the reasons have in common, for counting."""

    LINK = auto()
    MISSING = auto()
    NOT_ALLOWED = auto()
    NOT_ORDINARY = auto()
    ADDRESS = auto()
    OTHER = auto()


_KINDS: dict[str, RefusalKind] = {
    **dict.fromkeys((LINKED_FOLDER, LINK_TO_NOTHING), RefusalKind.LINK),
    **dict.fromkeys((NOT_THERE, FOLDER_GONE), RefusalKind.MISSING),
    **dict.fromkeys((FOLDER_NOT_ALLOWED, PLACE_NOT_ALLOWED), RefusalKind.NOT_ALLOWED),
    **dict.fromkeys((WEB_ADDRESS, OTHER_COMPUTER), RefusalKind.ADDRESS),
    **{
        unprocessable_kind(mode): RefusalKind.NOT_ORDINARY
        for mode in (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)
    },
}


def kind_of(refusal: Refusal) -> RefusalKind:
    """What a refusal has in common with others."""
    return _KINDS.get(refusal.text, RefusalKind.OTHER)


def why_not_seen(error: OSError, path: str) -> str:
    """Why the system would not let us look at something."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return LINK_TO_NOTHING if os.path.islink(path) else NOT_THERE  # noqa: PTH114
    return PLACE_NOT_ALLOWED if isinstance(error, PermissionError) else file_error(error).text


def why_not_listed(error: OSError) -> str:
    """Why the system would not list a folder."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return FOLDER_GONE
    return FOLDER_NOT_ALLOWED if isinstance(error, PermissionError) else file_error(error).text
