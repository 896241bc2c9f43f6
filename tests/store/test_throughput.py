from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.job import Ended, RunSums
from desktop_app.store.results import Result, Tick
from tests.helpers import a_reason
from tests.store.kit import NOW, QUEUE

if TYPE_CHECKING:
    from tests.store.kit import Store


def test_empty_list_has_no_throughput(store: Store) -> None:
    assert store.jobs.run_sums(queue=QUEUE, since_ms=0) == RunSums()
    assert store.jobs.ended(since_ms=0, until_ms=NOW, step_ms=1000) == []


def test_run_counts_unfinished_files_and_those_finished_since(store: Store) -> None:
    before, good, bad, reading, _waiting = store.add(*"abcde", size=100)
    store.work.finish([Result(before.row_id, store.claim(before).token, NOW, lines_count=1)])
    store.work.finish([Result(good.row_id, store.claim(good).token, NOW + 5, file_size=120, lines_count=1)])
    store.work.finish([Result(bad.row_id, store.claim(bad).token, NOW + 9, reason=a_reason("gone"))])
    store.work.progress([Tick(reading.row_id, store.claim(reading).token, 40, 100)])
    sums = store.jobs.run_sums(queue=QUEUE, since_ms=NOW)
    assert sums == RunSums(
        open_files=2,
        open_bytes=200,
        processing=1,
        read_bytes=40,
        done_files=2,
        done_bytes=220,
        failed=1,
        newest_end=NOW + 9,
        oldest_start=NOW,
    )


def test_files_waiting_for_another_queue_do_not_belong_to_the_run(store: Store) -> None:
    store.add("a", queue="another", size=100)
    assert store.jobs.run_sums(queue=QUEUE, since_ms=0).open_files == 0
    assert store.jobs.run_sums(queue="another", since_ms=0).open_bytes == 100


def test_removing_takes_waiting_files_but_not_finished_ones_off_the_run(store: Store) -> None:
    done, waiting = store.add("a", "b", size=100)
    store.work.finish([Result(done.row_id, store.claim(done).token, NOW + 1, lines_count=1)])
    store.intake.remove([done.row_id, waiting.row_id], now_ms=NOW)
    sums = store.jobs.run_sums(queue=QUEUE, since_ms=NOW)
    assert (sums.open_files, sums.done_files) == (0, 1)


def test_unknown_sizes_count_as_zero(store: Store) -> None:
    store.add("a", size=None)
    sums = store.jobs.run_sums(queue=QUEUE, since_ms=0)
    assert (sums.open_files, sums.open_bytes) == (1, 0)


def test_finished_files_are_grouped_by_time_steps(store: Store) -> None:
    for name, at in (("a", 0), ("b", 900), ("c", 5_000)):
        (job,) = store.add(name, size=10)
        store.work.finish([Result(job.row_id, store.claim(job).token, NOW + at, lines_count=1)])
    assert sorted(
        store.jobs.ended(since_ms=NOW - 1, until_ms=NOW + 9_000, step_ms=1000), key=lambda one: one.start_ms
    ) == [
        Ended(NOW, 2, 20),
        Ended(NOW + 5_000, 1, 10),
    ]
    assert len(store.jobs.ended(since_ms=NOW + 900, until_ms=NOW + 9_000, step_ms=1000)) == 1
    assert len(store.jobs.ended(since_ms=NOW - 1, until_ms=NOW + 4_999, step_ms=1000)) == 1


def test_sizes_of_sparse_files_whose_sum_is_too_large_for_the_database_are_added_up(store: Store) -> None:
    size = 8_000_000_000_000_000_000
    *waiting, done = store.add(*"abc", size=size)
    store.work.finish([Result(done.row_id, store.claim(done).token, NOW + 1, file_size=size)])
    store.add("d", size=size)
    sums = store.jobs.run_sums(queue=QUEUE, since_ms=NOW)
    assert (sums.open_bytes, sums.done_bytes) == (3 * size, size)
    assert store.jobs.sums([one.row_id for one in waiting]).size == 2 * size
