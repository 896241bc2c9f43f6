"""Searches: the conditions that the text in the filter box becomes, and the list of what can be typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.domain.sentences import mark

if TYPE_CHECKING:
    from desktop_app.domain.job import Status
    from desktop_app.domain.sentences import Sentence


class Key(StrEnum):
    """A word that can be typed before a colon."""

    NAME = "name"
    FOLDER = "folder"
    PATH = "path"
    TYPE = "type"
    STATUS = "status"
    REASON = "reason"
    BATCH = "batch"
    WORKER = "worker"
    PROCESSOR = "processor"
    SIZE = "size"
    LINES = "lines"
    ATTEMPTS = "attempts"
    TOOK = "took"
    ADDED = "added"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """A field of results, by its name, as what a condition is about."""

    name: str


class SyntaxEntry(NamedTuple):
    """Something that can be typed into the filter box. The texts can be translated.

    Attributes:
        key: The key; None for words.
        meaning: What it finds.
        example: A search that can be typed as it is.
    """

    key: Key | None
    meaning: str
    example: str


SYNTAX: tuple[SyntaxEntry, ...] = (
    SyntaxEntry(None, mark("Words in the path or the reason"), mark("orders 2026")),
    SyntaxEntry(None, mark("A phrase, or signs such as * and : as they are"), '"Q3 2026"'),
    SyntaxEntry(None, mark("The whole name: * is any text, ? any character"), "*.json"),
    SyntaxEntry(None, mark("All except these; works before a key, too"), mark("-draft")),
    SyntaxEntry(Key.NAME, mark("The file name"), mark("name:report*")),
    SyntaxEntry(Key.FOLDER, mark("The folder"), mark("folder:invoices")),
    SyntaxEntry(Key.PATH, mark("The folder and the name"), mark("path:2026/*.csv")),
    SyntaxEntry(Key.TYPE, mark("The file type, or several"), mark("type:json,csv")),
    SyntaxEntry(Key.STATUS, mark("Pending, processing, processed or failed"), mark("status:failed")),
    SyntaxEntry(Key.REASON, mark("Why a file failed or is waiting"), mark("reason:permission")),
    SyntaxEntry(Key.BATCH, mark("The name of the batch"), mark("batch:reports")),
    SyntaxEntry(Key.WORKER, mark("The computer that processed the file"), mark("worker:laptop")),
    SyntaxEntry(Key.PROCESSOR, mark("What the file is processed as"), mark("processor:lines")),
    SyntaxEntry(Key.SIZE, mark("The size: a limit, or a range"), mark("size:1MB..2GB")),
    SyntaxEntry(Key.LINES, mark("The number of lines"), mark("lines:0")),
    SyntaxEntry(Key.ATTEMPTS, mark("The number of attempts"), mark("attempts:>1")),
    SyntaxEntry(Key.TOOK, mark("The duration in ms, s, m or h"), mark("took:>1m")),
    SyntaxEntry(Key.ADDED, mark("A day, a time or a range of them"), mark("added:today")),
    SyntaxEntry(Key.FINISHED, mark("When it was processed; 2h: in the last two hours"), mark("finished:2h")),
)
"""What can be typed, for the help in the window."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text to find, ignoring case.

    Attributes:
        value: The text.
        is_pattern: Whether `*` and `?` are wildcards. A pattern must match a whole value, any other text a part of it.
    """

    value: str
    is_pattern: bool = False


class Anchor(Enum):
    """What a moment is relative to."""

    EPOCH = 0
    TODAY = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that may depend on when the search is run.

    Attributes:
        anchor: The Unix epoch, the start of today in local time, or now.
        ms: Milliseconds after the anchor.
        days: Calendar days after the start of today.
    """

    anchor: Anchor
    ms: int = 0
    days: int = 0

    def at(self, now_ms: int) -> int:
        """Return the moment in milliseconds since the Unix epoch, if it is now `now_ms`."""
        match self.anchor:
            case Anchor.EPOCH:
                return self.ms
            case Anchor.NOW:
                return now_ms + self.ms
            case Anchor.TODAY:
                today = datetime.fromtimestamp(now_ms / 1000).astimezone()
                day = today.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
                return round((day + timedelta(days=self.days)).timestamp() * 1000) + self.ms


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A condition for a text. One of the texts must match.

    Attributes:
        key: What to look in; None for the path and the reason. With `Key.TYPE`, a text must match the whole type. An
            unknown field of a result contains no text.
        texts: The texts.
        is_negated: Whether the condition must not hold.
    """

    key: Key | ResultKey | None
    texts: tuple[Text, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class StatusTerm:
    """A condition for the status, which must be one of these."""

    statuses: frozenset[Status]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """An inclusive range of a number; None for no limit. An unknown number is in no range.

    Attributes:
        key: The number; a size is in bytes, a duration in milliseconds. In a result, 1 is also true, and 0 false.
        least, most: The limits.
        is_negated: Whether the condition must not hold.
    """

    key: Key | ResultKey
    least: float | None = None
    most: float | None = None
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class TimeTerm:
    """An inclusive range of a time; None for no limit. A time that has not come yet is in no range."""

    key: Key
    least: Moment | None = None
    most: Moment | None = None
    is_negated: bool = False

    @property
    def is_relative(self) -> bool:
        """Whether the range moves with time."""
        return any(limit is not None and limit.anchor is not Anchor.EPOCH for limit in (self.least, self.most))


Term = TextTerm | StatusTerm | NumberTerm | TimeTerm


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search. All conditions must match.

    Attributes:
        terms: The conditions.
        translated_matches: Pairs of a word or a text for the reason, and the reasons whose translated sentence contains
            it, in addition to those whose English sentence does; see `reasons_containing`.
        problems: Why parts of the typed text are not in the search.
    """

    terms: tuple[Term, ...] = ()
    translated_matches: tuple[tuple[str, frozenset[str]], ...] = ()
    problems: tuple[Sentence, ...] = field(default=(), compare=False)

    @property
    def is_relative(self) -> bool:
        """Whether other jobs may match as time passes, even if no job changes."""
        return any(isinstance(term, TimeTerm) and term.is_relative for term in self.terms)

    def reason_texts(self) -> list[str]:
        """Return the texts that are looked for in reasons, each once."""
        found = [term for term in self.terms if isinstance(term, TextTerm) and term.key in {None, Key.REASON}]
        return list(dict.fromkeys(text.value for term in found for text in term.texts if not text.is_pattern))


NO_SEARCH = Search()


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Values of jobs on the list, to be offered while the user is typing a search.

    Attributes:
        types: File types in lower case, most frequent first.
        batches: The names of batches, newest first.
        computers: The names of computers that processed files.
        processors: The names of processors.
    """

    types: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    computers: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
