"""The texts of the details about one file or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.config.settings import LOCAL_QUEUE
from desktop_app.domain.job import Attempt, AttemptOutcome, Job, Status, display_text
from desktop_app.gui.details.advice import Fix, Known, advice_on
from desktop_app.gui.i18n import reason_text, tr
from desktop_app.gui.wording import DASH, status_word
from desktop_app.services.sending.sender import deduplication_id, message_group

if TYPE_CHECKING:
    from desktop_app.domain.query import SelectionSums
    from desktop_app.gui.wording import Wording
    from desktop_app.services.support.path_status import PathStatus

Facts = tuple[tuple[str, str], ...]
"""Captions and values."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of the summary page.

    Attributes:
        title: The file, or the number of files.
        happened: What happened to it.
        advice: The cause and what to do; may be empty.
        path: The full path; empty for several files.
        facts: Captions and values.
        status: The symbol beside the title; None for several files.
        fixes: The buttons in order.
    """

    title: str
    happened: str = ""
    advice: str = ""
    path: str = ""
    facts: Facts = ()
    status: Status | None = None
    fixes: tuple[Fix, ...] = ()


def nothing_selected() -> Summary:
    """Return the summary for an empty selection."""
    return Summary(tr("No file selected"), advice=tr("Select a file to see what happened to it."))


def summary_of_one(job: Job, wording: Wording, seen: PathStatus | None = None, last: str = "") -> Summary:
    """Return the summary of one file.

    Args:
        job: The job.
        wording: Formats numbers and times.
        seen: The state of its path now, if known.
        last: How its last attempt ended, if known.
    """
    moments = ((tr("Added"), job.created_at), (tr("Started"), job.started_at), (tr("Finished"), job.finished_at))
    facts = [
        (tr("Size"), "" if job.file_size is None else wording.bytes(job.file_size)),
        (tr("Lines"), "" if job.lines_count is None else wording.number(job.lines_count)),
        *((caption, "" if moment is None else wording.full_moment(moment)) for caption, moment in moments),
        (tr("Took"), "" if job.took_ms is None else wording.span(job.took_ms)),
        (tr("Attempts"), wording.number(job.attempts) if job.attempts else ""),
    ]
    advice = advice_on(Known(job, wording, seen, last))
    return Summary(
        title=job.name,
        happened=f"{status_word(job.status)}{DASH}{advice.title}" if advice.title else wording.status(job),
        advice=advice.text,
        path=display_text(job.file_path),
        facts=_without_empty(facts),
        status=job.status,
        fixes=advice.fixes,
    )


def _without_empty(facts: list[tuple[str, str]]) -> Facts:
    return tuple((caption, value) for caption, value in facts if value)


def summary_of_many(count: int, sums: SelectionSums | None, wording: Wording) -> Summary:
    """Return the summary of several files, without sums while they are being calculated."""
    title = tr("%Ln file(s) selected", "", count)
    fixes = (Fix.RETRY, Fix.REMOVE)
    if sums is None:
        return Summary(title, tr("Calculating…"), fixes=fixes)
    parts = [
        tr("{number} {status}", "12 processed").format(
            number=wording.number(sums.counts.of(status)), status=status_word(status).lower()
        )
        for status in reversed(Status)
        if sums.counts.of(status)
    ]
    size = tr("{size} ({bytes})").format(size=wording.size(sums.size), bytes=wording.bytes(sums.size))
    facts = [(tr("Size"), size)]
    if sums.counts.processed:
        facts.append((tr("Lines"), wording.number(sums.lines)))
    return Summary(title, " · ".join(parts), facts=tuple(facts), fixes=fixes)


def message_facts(job: Job, wording: Wording, *, strict_order: bool) -> Facts:
    """Return the facts about the message of a job's newest submission.

    Args:
        job: The job.
        wording: Formats numbers and times.
        strict_order: Whether all messages to a FIFO queue are sent in one group.
    """
    facts = [
        (tr("Message ID"), job.message_id or tr("Not sent yet")),
        (tr("Queue"), tr("Local queue") if job.queue == LOCAL_QUEUE else job.queue),
        (tr("Sent"), "" if job.sent_at is None else wording.full_moment(job.sent_at)),
        (tr("Received"), tr("%Ln time(s)", "", job.receive_count) if job.receive_count else ""),
        (tr("Submission"), wording.number(job.generation)),
        (tr("Job ID"), job.id),
        (tr("Batch"), tr("{number}, added {time}").format(number=job.batch_id, time=wording.moment(job.created_at))),
    ]
    if job.queue.endswith(".fifo"):
        facts += [
            (tr("Message group"), message_group(job.id, strict_order=strict_order)),
            (tr("Deduplication ID"), deduplication_id(job.id, job.generation)),
        ]
    return _without_empty(facts)


def attempt_result(attempt: Attempt) -> str:
    """Return how an attempt ended, in words."""
    reason = reason_text(attempt.reason)
    match attempt.outcome:
        case None:
            return tr("Running")
        case AttemptOutcome.PROCESSED:
            return status_word(Status.PROCESSED)
        case AttemptOutcome.FAILED:
            return f"{status_word(Status.FAILED)}{DASH}{reason}" if reason else status_word(Status.FAILED)
        case AttemptOutcome.LATER:
            return reason
        case AttemptOutcome.RETURNED:
            return tr("Released before it finished (the program was closed)")
        case AttemptOutcome.STOPPED:
            return tr("Ended without a result (the program stopped)")
        case AttemptOutcome.PUT_ASIDE:
            return tr("Ended without a result (the message was moved to the dead-letter queue)")
        case AttemptOutcome.REMOVED:
            return tr("Cancelled: the file was removed from the list")
