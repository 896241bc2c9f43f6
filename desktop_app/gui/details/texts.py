"""The texts of the details: what happened to the selected files, what to do about it, and which buttons help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING

from desktop_app.domain.fields import DEFAULT_PROCESSOR
from desktop_app.domain.job import Attempt, AttemptOutcome, Job, Status
from desktop_app.domain.queue_key import FIRST_GROUP, name_of
from desktop_app.domain.reasons import FileProblem
from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.i18n import reason_text, tr, translated
from desktop_app.gui.wording import DASH, Wording, queue_text, status_word
from desktop_app.services.sending.sender import deduplication_id

if TYPE_CHECKING:
    from desktop_app.domain.query import SelectionSums
    from desktop_app.gui.ports import ProcessorInfo
    from desktop_app.services.support.path_status import PathStatus

_MOST_RESULT_FACTS = 60

Facts = tuple[tuple[str, str], ...]
"""Pairs of captions and values."""


class Fix(Enum):
    """The actions that have a button in the details."""

    RETRY = auto()
    RETRY_AS = auto()
    LOCATE = auto()
    SHOW_FILE = auto()
    SHOW_ATTEMPTS = auto()
    REPORT = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of the Summary tab and of the header above the tabs.

    Attributes:
        title: The name of the file, or the number of selected files.
        happened: The status and its reason, or the number of files with each status.
        advice: The cause, and what to do about it; may be empty.
        path: The full path; empty unless one file is selected.
        facts: Further facts, such as the size.
        fields: The names of the fields of the result by the captions of their facts.
        status: The status, shown as an icon; None unless one file is selected.
        fixes: The buttons, most helpful first.
    """

    title: str
    happened: str = ""
    advice: str = ""
    path: str = ""
    facts: Facts = ()
    fields: tuple[tuple[str, str], ...] = ()
    status: Status | None = None
    fixes: tuple[Fix, ...] = ()


def nothing_selected() -> Summary:
    """Return the summary for an empty selection."""
    return Summary(tr("No file selected"), advice=tr("Select a file to see what happened to it."))


def summary_of_one(
    job: Job,
    wording: Wording,
    path_status: PathStatus | None = None,
    last_result: str = "",
    processor: ProcessorInfo | None = None,
) -> Summary:
    """Return the summary of one file.

    Args:
        job: The job.
        wording: The formatter of numbers and times.
        path_status: The current state of the job's path; None if it was not checked.
        last_result: The result of the job's last attempt, in words; empty if it was not read.
        processor: The job's processor; None if it is not available on this computer.
    """
    moments = ((tr("Added"), job.created_at), (tr("Started"), job.started_at), (tr("Finished"), job.finished_at))
    facts = [
        (tr("Size"), "" if job.file_size is None else wording.bytes(job.file_size)),
        (tr("Lines"), "" if job.lines_count is None else wording.number(job.lines_count)),
        *((caption, "" if moment is None else wording.stamp(moment)) for caption, moment in moments),
        (tr("Duration"), "" if job.took_ms is None else wording.span(job.took_ms)),
        *_processing_facts(job, processor),
    ]
    results = _result_facts(job, wording, processor)
    happened = wording.status(job)
    if job.problem is FileProblem.DEAD_LETTERED:
        happened = f"{status_word(job.status)}{DASH}" + tr(
            "Gave up after %Ln deliver(y|ies)", "", max(1, job.receive_count)
        )
    advice, fixes = _advice(job, wording, path_status, last_result)
    return Summary(
        job.name,
        happened,
        advice,
        display_text(job.file_path),
        (*_without_empty(facts), *((caption, value) for caption, value, _ in results)),
        tuple((caption, name) for caption, _, name in results),
        job.status,
        fixes,
    )


def _processing_facts(job: Job, processor: ProcessorInfo | None) -> list[tuple[str, str]]:
    """Return what a job is processed with, unless that is usual."""
    if job.processor == DEFAULT_PROCESSOR:
        return []
    title = job.processor if processor is None else translated(processor.title)
    version = tr("version {number}").format(number=job.processor_version) if job.processor_version else ""
    return [(tr("Processed as"), f"{title}, {version}" if version else title)]


def _result_facts(job: Job, wording: Wording, processor: ProcessorInfo | None) -> list[tuple[str, str, str]]:
    """Return the captions, texts and names of the fields of a job's result."""
    declared = {} if processor is None else {field.name: field for field in processor.fields}
    facts = []
    for name, value in islice(job.result.items(), _MOST_RESULT_FACTS):
        field = declared.get(name)
        title = name if field is None else translated(field.title)
        facts.append((title, wording.value(value, "" if field is None else field.unit), name))
    return facts


def _without_empty(facts: list[tuple[str, str]]) -> Facts:
    return tuple((caption, value) for caption, value in facts if value)


_KILOBYTE = 1000

_RETRY_FIRST = (Fix.RETRY, Fix.SHOW_FILE, Fix.REMOVE)
_SHOW_FIRST = (Fix.SHOW_FILE, Fix.RETRY, Fix.REMOVE)
_OUR_ERROR = (Fix.RETRY, Fix.REPORT, Fix.SHOW_ATTEMPTS, Fix.REMOVE)

_ADVICE = {
    FileProblem.CHANGED: (
        mark(
            "Another program changed it during each of three attempts. The results were discarded because they "
            "could be wrong. Retry when the other program has finished."
        ),
        _RETRY_FIRST,
    ),
    FileProblem.NOT_A_FILE: (
        mark(
            "Only regular files can be processed, so it was not opened. Removing it from the list does not delete it."
        ),
        (Fix.REMOVE, Fix.SHOW_FILE),
    ),
    FileProblem.UNREADABLE: (
        mark("Check the disk, or the connection to it, then retry. The file was not changed."),
        _RETRY_FIRST,
    ),
    FileProblem.BAD_CONTENT: (
        mark("The file was read completely, but it is not what it should be. It was not changed."),
        _SHOW_FIRST,
    ),
    FileProblem.MISMATCH: (
        mark("The content is not what the list of checksums says: the file is damaged, or it was changed."),
        _SHOW_FIRST,
    ),
    FileProblem.LIMIT: (
        mark("The limits keep one file from stopping all others. Retry As… can set other options."),
        (Fix.RETRY_AS, Fix.SHOW_FILE, Fix.REMOVE),
    ),
    FileProblem.NOT_AVAILABLE: (
        mark("The file was not opened. Set up what is missing and retry, or choose something else with Retry As…."),
        (Fix.RETRY_AS, Fix.RETRY, Fix.REMOVE),
    ),
    FileProblem.COMMAND: (
        mark("The command has ended with an error. What it has written is in the log of this file."),
        (Fix.RETRY, Fix.RETRY_AS, Fix.SHOW_FILE, Fix.REMOVE),
    ),
    FileProblem.PLUGIN: (
        mark("The error is in the plug-in, or the file is not what it expects. The log of this file says more."),
        (Fix.RETRY, Fix.RETRY_AS, Fix.SHOW_FILE, Fix.REMOVE),
    ),
    FileProblem.CRASHED: (
        mark(
            "Filemill exited unexpectedly several times while it was processing this file. The other "
            "files are not affected. You can retry this file; if it happens again, please send a report. The "
            "report does not include the content of your files."
        ),
        _OUR_ERROR,
    ),
    FileProblem.INTERNAL: (
        mark(
            "This is an error in Filemill, not in your file. The file was skipped; the other files "
            "are not affected. The report does not include the content of your files; you can "
            "review it before it is saved."
        ),
        _OUR_ERROR,
    ),
    FileProblem.NOT_SENT: (
        mark("The file was not changed. Check the connection and the queue, then retry."),
        (Fix.RETRY, Fix.REMOVE),
    ),
    FileProblem.DEAD_LETTERED: (
        mark(
            "The queue delivered the file's message several times without a result, then moved it "
            "to the dead-letter queue. The file was not changed. Retry sends a new message."
        ),
        (Fix.RETRY, Fix.SHOW_ATTEMPTS, Fix.REMOVE),
    ),
}
"""The advice and the buttons for the problems whose advice does not depend on the current state of the file."""


def _advice(
    job: Job, wording: Wording, path_status: PathStatus | None, last_result: str
) -> tuple[str, tuple[Fix, ...]]:
    """Return what to do about a job, and the buttons for it, most helpful first."""
    if job.status is not Status.FAILED:
        if job.status is Status.PROCESSED:
            return "", (Fix.SHOW_FILE, Fix.RETRY, Fix.REMOVE)
        if wording.waits_for_another_queue(job):
            text = tr(
                "It will be processed when Filemill is connected to that queue again. Choose Retry to move it to the "
                "current queue."
            )
            return text, _RETRY_FIRST
        waits = job.next_try_at is not None
        text = tr("It will be retried automatically; you don't need to do anything.") if waits else ""
        return text, (Fix.SHOW_FILE, Fix.REMOVE)
    match job.problem:
        case FileProblem.MISSING:
            return _advice_if_missing(wording.moment(job.created_at), path_status)
        case FileProblem.NOT_ALLOWED:
            return _advice_if_not_allowed(path_status), _RETRY_FIRST
        case None:
            return "", _RETRY_FIRST
    text, fixes = _ADVICE[job.problem]
    text = translated(text)
    if last_result and job.problem is FileProblem.DEAD_LETTERED:
        text = tr("Last attempt: {result}").format(result=last_result) + "\n" + text
    return text, fixes


def _advice_if_missing(added: str, path_status: PathStatus | None) -> tuple[str, tuple[Fix, ...]]:
    if path_status is not None and path_status.is_there:
        return tr("The file is available again. Choose Retry to process it."), _RETRY_FIRST
    if path_status is not None and path_status.missing_folder:
        text = tr(
            "The folder {folder} does not exist: it was moved, renamed or deleted after the file was added "
            "({time}), or its drive or network share is not connected. Connect it and retry, or locate the "
            "file."
        ).format(folder=display_text(path_status.missing_folder), time=added)
        return text, (Fix.RETRY, Fix.LOCATE, Fix.REMOVE)
    text = tr(
        "It was moved, renamed or deleted after it was added ({time}). Locate it, put it back and retry, or "
        "remove it from the list."
    ).format(time=added)
    return text, (Fix.LOCATE, Fix.RETRY, Fix.REMOVE)


def _advice_if_not_allowed(path_status: PathStatus | None) -> str:
    if path_status is not None and path_status.is_readable:
        return tr("It can be read now. Choose Retry to process it.")
    if path_status is not None and path_status.owner:
        return tr(
            "It belongs to {owner}. Allow your account to read the file, then retry. The file was not changed."
        ).format(owner=display_text(path_status.owner))
    return tr("Allow your account to read the file, then retry. The file was not changed.")


def summary_of_many(count: int, sums: SelectionSums | None, wording: Wording) -> Summary:
    """Return the summary of several files.

    Args:
        count: The number of selected files.
        sums: Their number by status, total size and total lines; None while these are being calculated.
        wording: The formatter of numbers and sizes.
    """
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
    size = wording.bytes(sums.size)
    if sums.size >= _KILOBYTE:
        size = tr("{size} ({bytes})").format(size=wording.size(sums.size), bytes=size)
    facts = [(tr("Size"), size)]
    if sums.counts.processed:
        facts.append((tr("Lines"), wording.number(sums.lines)))
    return Summary(title, " · ".join(parts), facts=tuple(facts), fixes=fixes)


def message_facts(job: Job, wording: Wording, *, strict_order: bool) -> Facts:
    """Return the facts about the newest message that was sent for a job.

    Args:
        job: The job.
        wording: The formatter of numbers and times.
        strict_order: Whether all messages to a FIFO queue are sent in one message group.
    """
    facts = [
        (tr("Message ID"), display_text(job.message_id or "") or tr("Not sent yet")),
        (tr("Queue"), queue_text(job)),
        (tr("Sent"), "" if job.sent_at is None else wording.stamp(job.sent_at)),
        (tr("Received"), tr("%Ln time(s)", "", job.receive_count) if job.receive_count else ""),
        (tr("Submission"), wording.number(job.generation)),
        (tr("Job ID"), job.id),
        (tr("Batch"), tr("{number}, added {time}").format(number=job.batch_id, time=wording.moment(job.created_at))),
    ]
    if name_of(job.queue).endswith(".fifo"):
        facts += [
            (tr("Message group"), FIRST_GROUP if strict_order else job.id),
            (tr("Deduplication ID"), deduplication_id(job.id, job.generation, job.resends)),
        ]
    return _without_empty(facts)


def attempt_result(attempt: Attempt) -> str:
    """Return the result of an attempt, in words."""
    reason = reason_text(attempt.reason)
    match attempt.outcome:
        case None:
            return tr("In progress")
        case AttemptOutcome.PROCESSED:
            return status_word(Status.PROCESSED)
        case AttemptOutcome.FAILED:
            return f"{status_word(Status.FAILED)}{DASH}{reason}" if reason else status_word(Status.FAILED)
        case AttemptOutcome.LATER:
            return reason
        case AttemptOutcome.RETURNED:
            return tr("Released before it finished (Filemill was closed)")
        case AttemptOutcome.STOPPED:
            return tr("Ended without a result (Filemill exited)")
        case AttemptOutcome.PUT_ASIDE:
            return tr("Ended without a result (the message was moved to the dead-letter queue)")
        case AttemptOutcome.REMOVED:
            return tr("Cancelled: the file was removed from the list")
