"""What the details pane says about one file, or about several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_app.errors import FileProblem
from desktop_app.gui.wording import status_word
from desktop_app.jobs import Job, SelectionSums, Status, display_text

if TYPE_CHECKING:
    from desktop_app.gui.wording import Wording

_ADVICE = {
    FileProblem.MISSING: "Put the file back and retry, or remove it from the list.",
    FileProblem.NOT_ALLOWED: "Allow this account to read the file, then retry.",
    FileProblem.NOT_A_FILE: "Only ordinary files can be processed; remove it from the list.",
    FileProblem.CHANGED: "Retry when no other program writes to the file any more.",
    FileProblem.UNREADABLE: "Check the disk, or the connection to it, then retry.",
    FileProblem.CRASHED: "Processing this file ended the program that did it. Retry it alone, or remove it.",
    FileProblem.NOT_SENT: "Check the connection and the queue, then retry.",
    FileProblem.DEAD_LETTERED: "Retry sends the file to the queue anew.",
    FileProblem.INTERNAL: "This is a mistake in Filemill; the log says more. The other files go on.",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What the pane shows.

    Attributes:
        title: What it is about.
        happened: What happened to it.
        advice: What a person can do; may be empty.
        path: The whole path; empty for several files.
        facts: Captions and values.
        status: For the shape beside the title; None for several files.
    """

    title: str
    happened: str = ""
    advice: str = ""
    path: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    status: Status | None = None


NOTHING_SELECTED = Summary("Nothing is selected", "Select a file to see what happened to it.")


def summary_of_one(job: Job, wording: Wording) -> Summary:
    """All there is to say about one file."""
    moments = (("Added", job.created_at), ("Started", job.started_at), ("Finished", job.finished_at))
    facts = [
        ("Size", "" if job.file_size is None else wording.bytes(job.file_size)),
        ("Lines", "" if job.lines_count is None else wording.number(job.lines_count)),
        *((caption, "" if moment is None else wording.full_moment(moment)) for caption, moment in moments),
        ("Took", "" if job.took_ms is None else wording.span(job.took_ms)),
        ("Attempts", wording.number(job.attempts) if job.attempts else ""),
    ]
    return Summary(
        title=job.name,
        happened=wording.status(job),
        advice=_advice(job),
        path=display_text(job.file_path),
        facts=tuple((caption, value) for caption, value in facts if value),
        status=job.status,
    )


def _advice(job: Job) -> str:
    if job.status is not Status.FAILED or job.reason_code not in _ADVICE:
        return ""
    return _ADVICE[FileProblem(job.reason_code)]


def summary_of_many(count: int, sums: SelectionSums | None, wording: Wording) -> Summary:
    """The sums of several files; None while they are still being added up."""
    title = f"{wording.files(count)} selected"
    if sums is None:
        return Summary(title, "Adding up…")
    parts = [
        f"{wording.number(sums.counts.of(status))} {status_word(status).lower()}"
        for status in reversed(Status)
        if sums.counts.of(status)
    ]
    facts = [("Size", f"{wording.size(sums.size)} ({wording.bytes(sums.size)})")]
    if sums.counts.processed:
        facts.append(("Lines", wording.number(sums.lines)))
    return Summary(title, " · ".join(parts), facts=tuple(facts))
