"""For each reason: what is behind it, what is safe, what happens next, and the buttons that do it, the fix first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from desktop_app.domain.job import Job, Status, display_text
from desktop_app.domain.reasons import FileProblem
from desktop_app.gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.gui.wording import Wording
    from desktop_app.services.support.path_status import PathStatus


class Fix(Enum):
    """What a button in the details does."""

    RETRY = auto()
    LOCATE = auto()
    SHOW_FILE = auto()
    SHOW_ATTEMPTS = auto()
    REPORT = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class Advice:
    """What is said about a file beside its status.

    Attributes:
        text: Why, what is safe, what next; may be empty.
        fixes: The buttons, the one that mends it first.
        title: What happened, where that is told better than by the reason; may be empty.
    """

    text: str
    fixes: tuple[Fix, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What an advice is made from.

    Attributes:
        job: The job.
        wording: Writes numbers and times.
        seen: What lies at its path now; None before that was looked at.
        last: How its last attempt ended; empty before that was read.
    """

    job: Job
    wording: Wording
    seen: PathStatus | None = None
    last: str = ""


def advice_on(known: Known) -> Advice:
    """What to say and to offer."""
    job = known.job
    if job.status is Status.PROCESSED:
        return Advice("", (Fix.SHOW_FILE, Fix.RETRY, Fix.REMOVE))
    if job.status is not Status.FAILED:
        text = tr("It is tried again by itself; there is nothing to do.") if job.next_try_at is not None else ""
        return Advice(text, (Fix.SHOW_FILE, Fix.REMOVE))
    make = _BY_PROBLEM.get(job.problem) if job.problem else None
    return make(known) if make else Advice("", (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _missing(known: Known) -> Advice:
    seen, added = known.seen, known.wording.moment(known.job.created_at)
    if seen is not None and seen.is_there:
        text = tr("The file is there again. Retry processes it now.")
        return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))
    if seen is not None and seen.missing_folder:
        text = tr(
            "The folder {folder} is not there: it was moved, renamed or deleted after the file was added ({time}), or "
            "its drive or network share is not connected. Connect it and retry, or say where the file is now."
        ).format(folder=display_text(seen.missing_folder), time=added)
        return Advice(text, (Fix.RETRY, Fix.LOCATE, Fix.REMOVE))
    text = tr(
        "It was moved, renamed or deleted after it was added ({time}). Say where it is now, put it back and retry, or "
        "remove it from the list."
    ).format(time=added)
    return Advice(text, (Fix.LOCATE, Fix.RETRY, Fix.REMOVE))


def _not_allowed(known: Known) -> Advice:
    seen = known.seen
    if seen is not None and seen.is_readable:
        text = tr("It can be read now. Retry processes it.")
    elif seen is not None and seen.owner:
        text = tr("Its owner is {owner}. Allow this account to read the file, then retry. Nothing was changed.").format(
            owner=display_text(seen.owner)
        )
    else:
        text = tr("Allow this account to read the file, then retry. Nothing was changed.")
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _changed(known: Known) -> Advice:  # noqa: ARG001 - one of a table
    text = tr(
        "Another program wrote to it in each of three tries. What was read was thrown away, so that no wrong numbers "
        "are kept. Retry when the other program is done."
    )
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _not_a_file(known: Known) -> Advice:  # noqa: ARG001
    text = tr("Only ordinary files can be processed, so it was not opened. Removing it from the list leaves it there.")
    return Advice(text, (Fix.REMOVE, Fix.SHOW_FILE))


def _unreadable(known: Known) -> Advice:  # noqa: ARG001
    text = tr("Check the disk, or the connection to it, then retry. The file was not changed.")
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _crashed(known: Known) -> Advice:  # noqa: ARG001
    text = tr(
        "Processing this file ended the program that did it, again and again. The other files go on. Retry gives it "
        "new chances; if it happens again, please send a report. It contains no content of your files."
    )
    return Advice(text, (Fix.RETRY, Fix.REPORT, Fix.SHOW_ATTEMPTS, Fix.REMOVE))


def _internal(known: Known) -> Advice:  # noqa: ARG001
    text = tr(
        "This is a fault of Filemill, not of your file. It was put aside; the others go on. The report contains no "
        "content of your files; you read it before it is saved."
    )
    return Advice(text, (Fix.RETRY, Fix.REPORT, Fix.SHOW_ATTEMPTS, Fix.REMOVE))


def _not_sent(known: Known) -> Advice:  # noqa: ARG001
    text = tr("Nothing has happened to the file. Check the connection and the queue, then retry.")
    return Advice(text, (Fix.RETRY, Fix.REMOVE))


def _dead_lettered(known: Known) -> Advice:
    text = tr(
        "The queue has delivered its message again and again without a result, and has put it aside. The file was not "
        "changed. Retry sends a new message."
    )
    if known.last:
        text = f"{tr('Last attempt: {result}').format(result=known.last)}\n{text}"
    title = tr("Gave up after %Ln deliver(y|ies)", "", max(1, known.job.receive_count))
    return Advice(text, (Fix.RETRY, Fix.SHOW_ATTEMPTS, Fix.REMOVE), title)


_BY_PROBLEM: dict[FileProblem, Callable[[Known], Advice]] = {
    FileProblem.MISSING: _missing,
    FileProblem.NOT_ALLOWED: _not_allowed,
    FileProblem.NOT_A_FILE: _not_a_file,
    FileProblem.CHANGED: _changed,
    FileProblem.UNREADABLE: _unreadable,
    FileProblem.CRASHED: _crashed,
    FileProblem.NOT_SENT: _not_sent,
    FileProblem.DEAD_LETTERED: _dead_lettered,
    FileProblem.INTERNAL: _internal,
}
