"""Commit the results of jobs in batches, and delete the messages after the commit."""

from __future__ import annotations

import logging
import random
from collections import deque
from typing import TYPE_CHECKING

from desktop_app.domain.reasons import ReasonCode
from desktop_app.services.consuming.in_flight import InFlightMessage, InFlightMessages, MessageGroups, Outcome
from desktop_app.services.loops import Backoff
from desktop_app.store.results import Result, Tick, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from desktop_app.domain.clock import Clock
    from desktop_app.domain.errors import FileError
    from desktop_app.domain.reasons import Reason
    from desktop_app.services.consuming.acknowledger import Acknowledger
    from desktop_app.services.consuming.publisher import Publisher
    from desktop_app.services.consuming.worker_pool import Done, WorkerPool
    from desktop_app.store.claims import Claim, ClaimedJob


log = logging.getLogger(__name__)

MAX_TRIES = 5
MAX_CRASHING_TRIES = 3
"""The maximum number of attempts for a file that makes the process crash."""
RETRY_FIRST_SECONDS = 5.0
RETRY_LONGEST_SECONDS = 900.0
PROGRESS_EVERY_SECONDS = 0.25
WAIT_SECONDS = 2.0
"""How long a claimed file may wait for a free thread before it is released."""
DEDUPLICATION_MS = 330_000
"""The deduplication interval of FIFO queues, five minutes, and a margin for the difference between clocks."""
_RETRY_JITTER = 1.1


class Committer:
    """Collects the results of the workers and commits them. One thread.

    Args:
        work: The part of the store that writes results.
        in_flight: All messages in flight.
        acknowledger: The acknowledger that deletes and releases messages.
        groups: The FIFO message groups, within which the order is kept.
        pool: The pool of threads that process the files.
        publisher: Publishes the files that commands have written.
        clock: The clock.
    """

    def __init__(
        self,
        work: Work,
        *,
        in_flight: InFlightMessages,
        acknowledger: Acknowledger,
        groups: MessageGroups,
        pool: WorkerPool,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._work = work
        self._in_flight = in_flight
        self._acknowledger = acknowledger
        self._groups = groups
        self._pool = pool
        self._clock = clock
        self._ended: list[tuple[Done, Result]] = []
        self._rejected: deque[InFlightMessage] = deque()
        """The messages of files whose leases were lost before their results were written."""
        self._unfinished: deque[Done] = deque()
        self._failed: list[tuple[int, str]] = []
        self._next_progress = 0.0

    def take(self, done: Done) -> None:
        """Accept the outcome of one file, which the next `commit` writes."""
        if done.message.is_settled:
            return  # the message was released during a shutdown because the thread did not respond
        job = done.message.job
        can_be_tried_again = job is not None and done.error is not None and _may_pass(done.error, job)
        if job is None or can_be_tried_again or (done.result is None and done.error is None):
            self._unfinished.append(done)
        else:
            # Even if the lease of the message was lost, since only the fencing token decides whether a result is
            # accepted.
            self._ended.append((done, _result(done, job, self._clock.now_ms())))

    def discard_others(self, epoch: int) -> None:
        """Discard the claims and results of another epoch, because the database was replaced."""
        self._ended = [ended for ended in self._ended if ended[0].message.epoch == epoch]
        self._rejected = deque(message for message in self._rejected if message.epoch == epoch)
        self._unfinished = deque(done for done in self._unfinished if done.message.epoch == epoch)
        for message in self._in_flight.all():
            if message.job is not None and not message.is_settled and message.epoch != epoch:
                message.is_cancelled = True
                self._pool.withdraw(message)
                self._groups.cut(message)
                message.settle(Outcome.LOST)
                self._in_flight.remove(message)

    @property
    def has_results(self) -> bool:
        """Whether there are results to write."""
        return bool(self._ended)

    def finish(self, claim: Callable[[], list[Claim]]) -> list[Claim]:
        """Write all accepted results, and call a function that claims further jobs, in one transaction.

        Raises:
            StoreError: If the database can't be written. The next call writes the results.
        """
        written, claims = self._work.finish_and([result for _, result in self._ended], claim)
        ended, self._ended = self._ended, []
        kept = []
        for (done, result), is_kept in zip(ended, written, strict=True):
            _log_end(done, result, is_written=is_kept)
            if is_kept:
                done.message.settle(Outcome.FAILED if result.reason else Outcome.PROCESSED)
                kept.append(done.message)
                if result.reason is not None and done.message.job is not None:
                    self._failed.append((done.message.job.batch_id, result.reason.code))
            else:
                self._rejected.append(done.message)
            if done.result is not None and (staged := done.result.staged) is not None:
                (self._publisher.publish if is_kept else self._publisher.discard)(staged)
        self._acknowledger.delete(*kept)
        self._start_following(kept)
        return claims

    def take_failed(self) -> list[tuple[int, str]]:
        """Return the batches and reason codes of the files that were written as FAILED since the last call."""
        failed, self._failed = self._failed, []
        return failed

    def put_back(self) -> bool:
        """Release the files without a result, and write the progress of running ones; return whether a job has changed.

        Raises:
            StoreError: If the database can't be written. The next call goes on.
        """
        changed = bool(self._unfinished)
        while self._rejected:
            self._discard(self._rejected[0])
            self._rejected.popleft()
        while self._unfinished:
            self._put_back(self._unfinished[0])
            self._unfinished.popleft()
        return self._write_progress() or changed

    def _start_following(self, ended: Sequence[InFlightMessage]) -> None:
        """Start processing the next messages of the groups of messages that have ended."""
        following = map(self._groups.leave, ended)
        self._pool.submit(*(message for message in following if message is not None))

    def _discard(self, message: InFlightMessage) -> None:
        """Settle a message whose result was rejected, because the lease was lost."""
        if not self._lose(message):
            self._start_following([message])
            return
        # Another worker might have the message, and later messages of its group must not overtake it.
        for waiting in self._groups.cut(message):
            self._interrupt(waiting)

    def _lose(self, message: InFlightMessage) -> bool:
        """Discard a result whose lease was lost; return False if the message was obsolete and has been deleted."""
        job = message.job
        if job is not None and self._work.is_stale(job.row_id, job.generation):
            message.settle(Outcome.STALE)
            self._acknowledger.delete(message)
            return False
        message.settle(Outcome.LOST)
        self._in_flight.remove(message)
        return True

    def _put_back(self, done: Done) -> None:
        """Release a message that has no result, and the messages after it in its group."""
        message, job = done.message, done.message.job
        behind = self._groups.cut(message)
        if job is None or done.error is None:
            self._interrupt(message)
        elif done.retry_after_s is None:
            self._try_later(message, job, done.error)
        else:
            self._try_when_responding(done, job, done.error.reason, done.retry_after_s)
        for waiting in behind:
            self._interrupt(waiting)

    def _try_later(self, message: InFlightMessage, job: ClaimedJob, error: FileError) -> None:
        backoff = Backoff(first=RETRY_FIRST_SECONDS, longest=RETRY_LONGEST_SECONDS)
        backoff.tries = max(0, job.attempts - 1)
        seconds = max(1, round(backoff.next()))
        reason = error.reason.tried_again(job.attempts + 1, _tries(error))
        now = self._clock.now_ms()
        crashed = error.reason.code is ReasonCode.CRASHED
        if self._work.give_back(
            job.row_id, message.token, now_ms=now, reason=reason, next_try_at=now + seconds * 1000, crashed=crashed
        ):
            log.info("job %s: attempt %d: %s (%s), again in %d s", job.id, job.attempts, reason, error.detail, seconds)
            message.settle(Outcome.RETRIED)
            self._acknowledger.release(message, seconds)
        else:
            self._lose(message)

    def _try_when_responding(self, done: Done, job: ClaimedJob, reason: Reason, retry_after_s: float) -> None:
        """Return a file to the outbox because its disk or network share does not respond.

        A new message is sent later. If the old message were released again and again, SQS would move it to the
        dead-letter queue. Only in strict order it must stay in the queue, since other messages would overtake it.
        """
        message, now = done.message, self._clock.now_ms()
        seconds = retry_after_s * random.uniform(1, _RETRY_JITTER)  # noqa: S311 - not a secret
        next_try_at = now + int(seconds * 1000)
        group = message.received.group_id
        if is_resent := group in {"", job.id}:
            # SQS drops a message that has the deduplication ID of a message sent in the last five minutes.
            next_try_at = max(next_try_at, (job.sent_at or 0) + DEDUPLICATION_MS) if group else next_try_at
        if not self._work.give_back(
            job.row_id,
            message.token,
            now_ms=now,
            reason=reason,
            next_try_at=next_try_at,
            uncount=not done.was_tried,
            is_resent=is_resent,
        ):
            self._lose(message)
            return
        log.info("job %s: %s; again in %d s", job.id, reason, seconds)
        message.settle(Outcome.RETRIED)
        if is_resent:
            self._acknowledger.delete(message)
        else:
            self._acknowledger.release(message, int(seconds))

    def _interrupt(self, message: InFlightMessage) -> None:
        """Release a message and its row without a result; the attempt counts only if processing had started."""
        job = message.job
        is_ours = job is None or self._work.give_back(
            job.row_id, message.token, now_ms=self._clock.now_ms(), uncount=not message.is_begun
        )
        if job is not None:
            level = logging.INFO if message.is_begun else logging.DEBUG
            log.log(level, "job %s: %s", job.id, "released" if is_ours else "the lease was lost")
        if message.is_lost or not is_ours:
            self._lose(message)
        else:
            message.settle(Outcome.RELEASED)
            self._acknowledger.release(message, 0)

    def release_waiting(self, after_s: float = WAIT_SECONDS) -> None:
        """Release messages that have waited too long for a free thread, so that another worker can process them.

        Args:
            after_s: The maximum waiting time in seconds; 0 to release all messages whose processing has not started.

        Raises:
            StoreError: If the database can't be written.
        """
        before = self._clock.steady() - after_s
        self._release_unbegun(lambda message: message.received_at <= before)

    def release_batches(self, batch_ids: Collection[int]) -> None:
        """Release the messages of batches that were paused, unless their files are being processed.

        Raises:
            StoreError: If the database can't be written. The other files are processed.
        """
        self._release_unbegun(lambda message: message.job is not None and message.job.batch_id in batch_ids)

    def _release_unbegun(self, which: Callable[[InFlightMessage], bool]) -> None:
        for message in self._in_flight.all():
            if message.job is None or message.is_settled or not which(message) or not self._pool.withdraw(message):
                continue
            for one in [message, *self._groups.cut(message)]:
                one.is_cancelled = True
                self._interrupt(one)

    def interrupt(self, *, also_begun: bool) -> None:
        """Release unfinished messages during a shutdown, oldest first.

        Args:
            also_begun: Whether to also release the messages of files that are being processed; their late results will
                be rejected.

        Raises:
            StoreError: If the database can't be written. The messages are redelivered after their visibility timeout.
        """
        for message in self._in_flight.all():
            if not message.is_settled and (self._pool.withdraw(message) or also_begun):
                message.is_cancelled = True
                self._interrupt(message)

    def _write_progress(self) -> bool:
        """Write the progress of running files, a few times per second; return whether anything was written."""
        now = self._clock.steady()
        if now < self._next_progress:
            return False
        self._next_progress = now + PROGRESS_EVERY_SECONDS
        ticks = []
        for message in self._in_flight.all():
            progress = message.progress
            if message.job is not None and progress is not None and progress != message.saved_progress:
                message.saved_progress = progress
                ticks.append(Tick(message.job.row_id, message.token, *progress))
        if ticks:
            self._work.progress(ticks)
        return bool(ticks)


def _log_end(done: Done, result: Result, *, is_written: bool) -> None:
    """Log the outcome of a job; a success is logged at DEBUG level."""
    job = done.message.job
    if job is None:
        return
    if not is_written:
        log.info("job %s: attempt %d: the lease was lost, its result is discarded", job.id, job.attempts)
    elif done.error is not None:
        why = (done.error.reason.code.problem, result.reason, done.error.detail)
        log.info("job %s: attempt %d: failed (%s): %s (%s)", job.id, job.attempts, *why)
    else:
        numbers = (result.lines_count, result.file_size, done.seconds)
        log.debug("job %s: attempt %d: processed, %s lines, %s bytes, %.1f s", job.id, job.attempts, *numbers)


def _tries(error: FileError) -> int:
    """Return the maximum number of attempts after an error."""
    return MAX_CRASHING_TRIES if error.reason.code is ReasonCode.CRASHED else MAX_TRIES


def _may_pass(error: FileError, job: ClaimedJob) -> bool:
    """Return whether another attempt is allowed and could succeed."""
    is_silent = error.reason.code is ReasonCode.SHARE_SILENT
    return is_silent or (error.passing and job.attempts < _tries(error))


def _result(done: Done, job: ClaimedJob, now_ms: int) -> Result:
    if done.result is not None:
        size, lines, values, _ = done.result
        return Result(job.row_id, done.message.token, now_ms, size, lines, values=values, processor=job.processor)
    error = done.error
    if error is None:
        raise ValueError("work that has not ended has no result")
    reason = error.reason.given_up(job.attempts) if error.passing else error.reason
    values = error.values
    return Result(job.row_id, done.message.token, now_ms, reason=reason, values=values, processor=job.processor)
