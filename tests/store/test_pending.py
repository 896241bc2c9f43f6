"""The list is read as if the pending changes had been written already."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.domain.keys import NOTHING_PENDING, KeySet, Pending, Retried
from desktop_app.domain.query import NO_FILTER, Filter, Sort
from desktop_app.domain.reasons import FileProblem
from desktop_app.domain.search import Search, StatusTerm
from desktop_app.store.models import JobRow
from tests.store.kit import NOW, QUEUE, Store, row_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

FILTERS = (
    NO_FILTER,
    Filter(statuses=frozenset({Status.FAILED})),
    Filter(statuses=frozenset({Status.PENDING, Status.PROCESSED})),
    Filter(problems=frozenset({FileProblem.MISSING})),
    Filter(batches=frozenset({1, 3})),
    Filter(search=Search((StatusTerm(frozenset({Status.PENDING}), is_negated=True),))),
)


@pytest.fixture
def keys(store: Store) -> list[int]:
    """Add jobs of each status in several batches."""
    added = [key for batch in range(4) for key in row_ids(store.add(*(f"/data/{batch}-{at}" for at in range(10))))]
    changes: tuple[dict[str, Any], ...] = (
        {"status": Status.FAILED, "reason_code": "file_gone"},
        {"status": Status.FAILED, "reason_code": "may_not_read"},
        {"status": Status.PROCESSED, "lines_count": 4},
        {"status": Status.PROCESSING},
    )
    for start, fields in enumerate(changes):
        with store.database.write() as revision:
            of_status = JobRow.id.in_(added[start::5])
            store.database.run(JobRow.update(revision=revision, file_size=7, **fields).where(of_status))
    return added


def facts(job: Job) -> tuple[object, ...]:
    return job.row_id, job.status, job.reason, job.lines_count, job.generation, job.attempts, job.finished_at


def everything(store: Store, keys: Sequence[int]) -> list[Any]:
    """Return all that the window shows of the list."""
    jobs = store.jobs
    return [
        *(jobs.ids(where, Sort.by("name", descending=True)) for where in FILTERS),
        jobs.counts(),
        jobs.problems(),
        jobs.batches(also={1}),
        jobs.sums(keys),
        [facts(job) for job in jobs.page(keys).values()],
        jobs.run_sums(queue=QUEUE, since_ms=NOW * 2).open_files,
    ]


CHOICES = [slice(0, 40), slice(3, 17), slice(1, 40, 2), slice(0, 40, 7), slice(5, 5)]


@pytest.mark.parametrize("choice", CHOICES)
def test_pending_removal(store: Store, keys: list[int], choice: slice) -> None:
    store.jobs.pending = Pending(removed=KeySet(array("q", keys[choice])))
    before = everything(store, keys)
    assert len(before[0]) == 40 - len(keys[choice])
    store.intake.remove(keys[choice][::3], now_ms=NOW)
    assert everything(store, keys) == before, "a part of it has been written"
    store.intake.remove(keys[choice], now_ms=NOW)
    store.jobs.pending = NOTHING_PENDING
    assert everything(store, keys) == before


@pytest.mark.parametrize("choice", CHOICES)
def test_pending_restoration(store: Store, keys: list[int], choice: slice) -> None:
    finished = [job.row_id for job in store.jobs.all() if job.status.is_final]
    chosen = [key for key in keys[choice] if key in finished]
    left = everything(store, keys)
    store.intake.remove(chosen, now_ms=NOW)
    store.intake.remove(keys[-1:], now_ms=NOW + 9)
    hidden = everything(store, keys)
    store.jobs.pending = Pending(restored_times=frozenset({NOW, NOW + 1}))
    before = everything(store, keys)
    store.intake.restore(chosen[::2], removed_at={NOW})
    assert everything(store, keys) == before
    store.intake.restore(chosen, removed_at={NOW})
    store.jobs.pending = NOTHING_PENDING
    assert everything(store, keys) == before
    assert (before == hidden) == (not chosen)
    store.intake.restore(keys)
    assert len(everything(store, keys)[0]) == len(left[0])


@pytest.mark.parametrize("choice", CHOICES)
def test_pending_retry(store: Store, keys: list[int], choice: slice) -> None:
    store.jobs.pending = Pending(retried=(Retried(KeySet(array("q", keys[choice])), store.revision),))
    before = everything(store, keys)
    store.intake.retry(keys[choice][::3], queue=QUEUE)
    assert everything(store, keys)[:-1] == before[:-1], "a part of it has been written"
    store.intake.retry(keys[choice], queue=QUEUE)
    store.jobs.pending = NOTHING_PENDING
    assert everything(store, keys)[:-1] == before[:-1]


def test_job_that_ends_again_during_a_retry_is_shown_as_ended(store: Store, keys: list[int]) -> None:
    waiting = Retried(KeySet(keys[20:]), None)  # a second retry
    store.jobs.pending = Pending(retried=(Retried(KeySet(keys), store.revision), waiting))
    store.intake.retry(keys[:2], queue=QUEUE)
    with store.database.write() as revision:
        ended = JobRow.update(status=Status.PROCESSED, revision=revision).where(JobRow.id == keys[0])
        store.database.run(ended)
    assert [job.status for job in store.jobs.page(keys[:3]).values()] == [
        Status.PROCESSED,
        Status.PENDING,
        Status.PENDING,
    ]
    assert store.jobs.counts().processed == 1
