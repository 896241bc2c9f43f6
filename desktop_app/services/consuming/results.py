"""From work to ends: commit results, fenced and in batches, and only then let the messages be deleted."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from desktop_app.domain.reasons import ReasonCode
from desktop_app.services.consuming.in_flight import Fate
from desktop_app.services.loops import Backoff
from desktop_app.store.results import Result, Tick

if TYPE_CHECKING:
    from desktop_app.domain.errors import FileError
    from desktop_app.domain.job import Job
    from desktop_app.services.consuming.dispatcher import Hands
    from desktop_app.services.consuming.in_flight import InFlightMessage
    from desktop_app.services.consuming.worker_pool import Done
    from desktop_app.store.results import Work


log = logging.getLogger(__name__)


MAX_TRIES = 5

MAX_CRASHING_TRIES = 3
"""A file that ends the process it is worked on in is given up sooner."""

RETRY_FIRST_SECONDS = 5.0

RETRY_LONGEST_SECONDS = 900.0

PROGRESS_EVERY_SECONDS = 0.25

_SMOOTHING = 0.1

WAIT_SECONDS = 2.0
"""So long a claimed file may wait for a free thread."""


class Committer:
    """Collects what the workers have done and writes it down. One thread.

    Args:
        work: The rows.
        hands: What it shares with the dispatcher.
    """

    def __init__(self, work: Work, hands: Hands) -> None:
        self._work = work
        self._book, self._acks, self._lanes = hands.book, hands.acks, hands.lanes
        self._pool, self._tally, self._clock = hands.pool, hands.tally, hands.clock
        self._ended: list[tuple[Done, Result]] = []
        self._unfinished: deque[Done] = deque()
        self._next_progress = 0.0
        self.usual_seconds = 0.0
        """How long a file takes, lately: tells whether it is worth having the next ones at hand."""

    def take(self, done: Done) -> None:
        """A worker has ended with one file; it is written at the next `commit`."""
        if done.held.is_settled:
            return  # given back at a stop while its thread hung
        self.usual_seconds += _SMOOTHING * (done.seconds - self.usual_seconds)
        job = done.held.job
        can_be_tried_again = job is not None and done.error is not None and _may_pass(done.error, job)
        if job is None or can_be_tried_again or (done.result is None and done.error is None):
            self._unfinished.append(done)
        else:
            # Also with a lost message lease: the row's fencing token alone decides whether the result counts.
            self._ended.append((done, _result(done, job, self._clock.now_ms())))

    def commit(self) -> bool:
        """Write everything that was taken; True if the list changed.

        Raises:
            StoreError: If the database can't be written. Nothing is lost: the next call writes it.
        """
        changed = bool(self._ended or self._unfinished)
        if self._ended:
            kept = self._work.finish([result for _, result in self._ended])
            ended, self._ended = self._ended, []
            for (done, result), is_written in zip(ended, kept, strict=True):
                _log_end(done, result, is_written=is_written)
                self._conclude(done.held, result, is_written=is_written)
        while self._unfinished:
            self._put_back(self._unfinished[0])
            self._unfinished.popleft()
        return self._write_progress() or changed

    def _conclude(self, held: InFlightMessage, result: Result, *, is_written: bool) -> None:
        """After the commit: the message may go, and the next of its group may start."""
        if is_written:
            self._tally.settle(held, Fate.FAILED if result.reason else Fate.PROCESSED)
            self._acks.delete(held)
        elif self._lose(held):
            # Another worker has it: what comes behind it must not overtake it here.
            for waiting in self._lanes.break_off(held):
                self._interrupt(waiting)
            return
        following = self._lanes.leave(held)
        if following is not None:
            self._pool.submit(following)

    def _lose(self, held: InFlightMessage) -> bool:
        """The fence held: nothing is written. False if nobody can want the message any more, so that it goes."""
        job = held.job
        if job is not None and self._work.is_stale(job.row_id, job.generation):
            self._tally.settle(held, Fate.STALE)
            self._acks.delete(held)
            return False
        self._tally.settle(held, Fate.LOST)
        self._book.let_go(held)
        return True

    def _put_back(self, done: Done) -> None:
        """Work without an end: to be tried again later, interrupted, or lost."""
        held, job = done.held, done.held.job
        behind = self._lanes.break_off(held)
        if job is not None and done.error is not None:
            self._try_later(held, job, done.error)
        else:
            self._interrupt(held)
        for waiting in behind:
            self._interrupt(waiting)

    def _try_later(self, held: InFlightMessage, job: Job, error: FileError) -> None:
        backoff = Backoff(first=RETRY_FIRST_SECONDS, longest=RETRY_LONGEST_SECONDS)
        backoff.tries = max(0, job.attempts - 1)
        seconds = max(1, round(backoff.next()))
        reason = error.reason.tried_again(job.attempts + 1, _tries(error))
        now = self._clock.now_ms()
        crashed = error.reason.code is ReasonCode.CRASHED
        if self._work.give_back(
            job.row_id, held.token, now_ms=now, reason=reason, next_try_at=now + seconds * 1000, crashed=crashed
        ):
            log.info("job %s: attempt %d: %s (%s), again in %d s", job.id, job.attempts, reason, error.detail, seconds)
            self._tally.settle(held, Fate.RETRIED)
            self._acks.release(held, seconds)
        else:
            self._lose(held)

    def _interrupt(self, held: InFlightMessage) -> None:
        """Give a file back as it was, at once and for everybody; not begun, it does not count as an attempt."""
        job = held.job
        is_ours = job is None or self._work.give_back(
            job.row_id, held.token, now_ms=self._clock.now_ms(), uncount=not held.is_begun
        )
        if job is not None:
            level = logging.INFO if held.is_begun else logging.DEBUG
            log.log(level, "job %s: %s", job.id, "given back" if is_ours else "the lease was lost")
        if held.is_lost or not is_ours:
            self._lose(held)
        else:
            self._tally.settle(held, Fate.RELEASED)
            self._acks.release(held, 0)

    def give_back_waiting(self, after_s: float = WAIT_SECONDS) -> None:
        """What can't start soon goes back: it is not being processed, and another worker may have time for it.

        Args:
            after_s: So long it may wait for a free thread; 0 to give back all that has not begun.

        Raises:
            StoreError: If the database can't be written.
        """
        now = self._clock.steady()
        for held in self._book.all():
            if held.job is None or held.is_settled or now - held.taken_at < after_s:
                continue
            if not self._pool.withdraw(held):
                continue
            for one in [held, *self._lanes.break_off(held)]:
                one.cancelled.set()
                self._interrupt(one)

    def interrupt(self, *, also_begun: bool) -> None:
        """At a stop: what has not ended goes back, oldest first; a result that comes late is fenced off.

        Args:
            also_begun: False to leave alone what a thread works on.

        Raises:
            StoreError: If the database can't be written. The messages come back by themselves then.
        """
        for held in self._book.all():
            if not held.is_settled and (self._pool.withdraw(held) or also_begun):
                held.cancelled.set()
                self._interrupt(held)

    def _write_progress(self) -> bool:
        """Tell how far long files are, a few times a second."""
        now = self._clock.steady()
        if now < self._next_progress:
            return False
        self._next_progress = now + PROGRESS_EVERY_SECONDS
        ticks = []
        for held in self._book.all():
            progress = held.progress
            if held.job is not None and progress is not None and progress != held.told:
                held.told = progress
                ticks.append(Tick(held.job.row_id, held.token, *progress))
        if ticks:
            self._work.progress(ticks)
        return bool(ticks)


def _log_end(done: Done, result: Result, *, is_written: bool) -> None:
    """One line for the file's log; of thousands that went well, only for who asks for everything."""
    job = done.held.job
    if job is None:
        return
    if not is_written:
        log.info("job %s: attempt %d: the lease was lost, its result is thrown away", job.id, job.attempts)
    elif done.error is not None:
        why = (done.error.reason.code.problem, result.reason, done.error.detail)
        log.info("job %s: attempt %d: failed (%s): %s (%s)", job.id, job.attempts, *why)
    else:
        numbers = (result.lines_count, result.file_size, done.seconds)
        log.debug("job %s: attempt %d: processed, %s lines, %s bytes, %.1f s", job.id, job.attempts, *numbers)


def _tries(error: FileError) -> int:
    """How often a file with this trouble is tried in all."""
    return MAX_CRASHING_TRIES if error.reason.code is ReasonCode.CRASHED else MAX_TRIES


def _may_pass(error: FileError, job: Job) -> bool:
    """Whether trying again later makes sense."""
    return error.passing and job.attempts < _tries(error)


def _result(done: Done, job: Job, now_ms: int) -> Result:
    if done.result is not None:
        return Result(job.row_id, done.held.token, now_ms, done.result.file_size, done.result.lines_count)
    error = done.error
    if error is None:
        raise ValueError("work that has not ended has no result")
    reason = error.reason.given_up(job.attempts) if error.passing else error.reason
    return Result(job.row_id, done.held.token, now_ms, reason=reason)
