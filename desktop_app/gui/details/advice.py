"""The advice for each reason: the cause, what happens next, and the buttons, the fix first."""

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
    """The actions that a button in the details can trigger."""

    RETRY = auto()
    LOCATE = auto()
    SHOW_FILE = auto()
    SHOW_ATTEMPTS = auto()
    REPORT = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class Advice:
    """The advice about a file.

    Attributes:
        text: The cause and what to do; may be empty.
        fixes: The buttons, the one that fixes it first.
        title: What happened, where the reason alone does not say it well; may be empty.
    """

    text: str
    fixes: tuple[Fix, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that an advice is based on.

    Attributes:
        job: The job.
        wording: Formats numbers and times.
        seen: The state of its path now; None before it was checked.
        last: How its last attempt ended; empty before it was read.
    """

    job: Job
    wording: Wording
    seen: PathStatus | None = None
    last: str = ""


def advice_on(known: Known) -> Advice:
    """Return the advice about a file."""
    job = known.job
    if job.status is Status.PROCESSED:
        return Advice("", (Fix.SHOW_FILE, Fix.RETRY, Fix.REMOVE))
    if job.status is not Status.FAILED:
        text = (
            tr("It will be retried automatically; you don't need to do anything.")
            if job.next_try_at is not None
            else ""
        )
        return Advice(text, (Fix.SHOW_FILE, Fix.REMOVE))
    make = _BY_PROBLEM.get(job.problem) if job.problem else None
    return make(known) if make else Advice("", (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _missing(known: Known) -> Advice:
    seen, added = known.seen, known.wording.moment(known.job.created_at)
    if seen is not None and seen.is_there:
        text = tr("The file is available again. Choose Retry to process it.")
        return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))
    if seen is not None and seen.missing_folder:
        text = tr(
            "The folder {folder} does not exist: it was moved, renamed or deleted after the file was added "
            "({time}), or its drive or network share is not connected. Connect it and retry, or locate the "
            "file."
        ).format(folder=display_text(seen.missing_folder), time=added)
        return Advice(text, (Fix.RETRY, Fix.LOCATE, Fix.REMOVE))
    text = tr(
        "It was moved, renamed or deleted after it was added ({time}). Locate it, put it back and retry, or "
        "remove it from the list."
    ).format(time=added)
    return Advice(text, (Fix.LOCATE, Fix.RETRY, Fix.REMOVE))


def _not_allowed(known: Known) -> Advice:
    seen = known.seen
    if seen is not None and seen.is_readable:
        text = tr("It can be read now. Choose Retry to process it.")
    elif seen is not None and seen.owner:
        text = tr(
            "It belongs to {owner}. Allow your account to read the file, then retry. The file was not changed."
        ).format(owner=display_text(seen.owner))
    else:
        text = tr("Allow your account to read the file, then retry. The file was not changed.")
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _changed(known: Known) -> Advice:  # noqa: ARG001 - one of a table
    text = tr(
        "Another program changed it during each of three attempts. The results were discarded because they "
        "could be wrong. Retry when the other program has finished."
    )
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _not_a_file(known: Known) -> Advice:  # noqa: ARG001
    text = tr(
        "Only ordinary files can be processed, so it was not opened. Removing it from the list does not delete it."
    )
    return Advice(text, (Fix.REMOVE, Fix.SHOW_FILE))


def _unreadable(known: Known) -> Advice:  # noqa: ARG001
    text = tr("Check the disk, or the connection to it, then retry. The file was not changed.")
    return Advice(text, (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE))


def _crashed(known: Known) -> Advice:  # noqa: ARG001
    text = tr(
        "The program ended repeatedly while it was processing this file. The other files continue. You can "
        "retry it; if it happens again, please send a report. The report contains no content of your files."
    )
    return Advice(text, (Fix.RETRY, Fix.REPORT, Fix.SHOW_ATTEMPTS, Fix.REMOVE))


def _internal(known: Known) -> Advice:  # noqa: ARG001
    text = tr(
        "This is an error in Filemill, not in your file. The file was skipped; the others continue. The report "
        "contains no content of your files; you can review it before it is saved."
    )
    return Advice(text, (Fix.RETRY, Fix.REPORT, Fix.SHOW_ATTEMPTS, Fix.REMOVE))


def _not_sent(known: Known) -> Advice:  # noqa: ARG001
    text = tr("The file was not changed. Check the connection and the queue, then retry.")
    return Advice(text, (Fix.RETRY, Fix.REMOVE))


def _dead_lettered(known: Known) -> Advice:
    text = tr(
        "The queue delivered its message repeatedly without a result and moved it to the dead-letter queue. "
        "The file was not changed. Retry sends a new message."
    )
    if known.last:
        text = tr("Last attempt: {result}").format(result=known.last) + "\n" + text
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
