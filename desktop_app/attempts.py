"""One try at a job: the vocabulary that the store writes and the window shows. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AttemptOutcome(StrEnum):
    """How a try ended. The values are stored: never rename one."""

    PROCESSED = "processed"
    FAILED = "failed"
    LATER = "later"
    """It failed for a reason that may pass; another one follows."""
    RETURNED = "returned"
    """The program that worked on it was closed in order, or its share of the work was taken back."""
    STOPPED = "stopped"
    """No result: the program ended, or did not answer until its lease was over."""
    PUT_ASIDE = "put_aside"
    """No result: the queue has put the message aside meanwhile."""
    REMOVED = "removed"
    """The job was taken off the list meanwhile."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a job, as it was when it was read. Times are milliseconds since 1970, UTC.

    Attributes:
        token: The fencing token of the claim; grows with every try of a job.
        generation: Of which submission.
        number: The how-manieth of that submission.
        worker: Who worked, as `<computer>/<tag>`.
        started_at: When the job was claimed.
        ended_at: When it was known how it ended; None while it runs.
        outcome: None while it runs.
        reason: A plain sentence; empty where the outcome says all.
    """

    token: int
    generation: int
    number: int
    worker: str
    started_at: int
    ended_at: int | None = None
    outcome: AttemptOutcome | None = None
    reason: str = ""

    @property
    def computer(self) -> str:
        """The computer's name."""
        return self.worker.rpartition("/")[0] or self.worker

    @property
    def took_ms(self) -> int | None:
        """How long it worked, in milliseconds; None while it runs, and where nobody saw its end."""
        if self.ended_at is None or self.outcome in _UNSEEN:
            return None
        return max(0, self.ended_at - self.started_at)


_UNSEEN = frozenset({AttemptOutcome.STOPPED, AttemptOutcome.PUT_ASIDE})
