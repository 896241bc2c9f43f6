"""The heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.domain.errors import QueueTrouble
from desktop_app.queues.messages import EntryResult
from desktop_app.services.consuming.in_flight import Heartbeat, InFlightMessage, InFlightMessages
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.results import Work
from tests.services.fakes import DONE, OFFLINE, FakeClient, FakeConnector, received

if TYPE_CHECKING:
    from tests.services.conftest import Bench

GONE = EntryResult(trouble=QueueTrouble.LEASE_LOST, text="gone")


class Kept:
    """Messages in hand and their keeper."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.client = FakeClient()
        self.book = InFlightMessages()
        self.work = Work(bench.database)
        self.claims = Claims(bench.database)
        self.keeper = Heartbeat(self.book, FakeConnector(self.client), self.work, bench.clock, visibility_s=30)

    def hold(self, left: float, *, claim: str = "") -> InFlightMessage:
        held = InFlightMessage(received(handle=f"h{len(self.book)}"), expires=self.bench.clock.steady() + left)
        if claim:
            (job,) = self.bench.add(claim)
            request = ClaimRequest(job.id, 1, "m", 1)
            (claimed,) = self.claims.claim([request], worker="me", now_ms=self.bench.clock.now_ms(), lease_ms=40_000)
            held.job, held.token = claimed.job, claimed.token
        self.book.take(held)
        return held


def test_only_what_is_near_its_end_is_extended(bench: Bench) -> None:
    kept = Kept(bench)
    near, far = kept.hold(14), kept.hold(16)
    assert kept.keeper.beat() == 1
    assert kept.client.made("change_visibility") == [[("h0", 30)]]
    assert near.expires == bench.clock.steady() + 30
    assert far.expires == bench.clock.steady() + 16


def test_forty_long_files_cost_four_requests_a_beat(bench: Bench) -> None:
    kept = Kept(bench)
    for _ in range(40):
        kept.hold(5)
    assert kept.keeper.beat() == 40
    assert len(kept.client.made("change_visibility")) == 4


def test_a_late_beat_still_tries(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(-5)
    assert kept.keeper.beat() == 1
    assert held.expires > bench.clock.steady()


def test_a_lost_message_cancels_the_work(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5)
    kept.client.script("change_visibility", [GONE])
    assert kept.keeper.beat() == 0
    assert held.is_lost
    assert held.cancelled.is_set()
    kept.keeper.beat()
    assert len(kept.client.made("change_visibility")) == 1, "what is lost is not asked for again"


def test_a_beat_that_does_not_get_through_is_tried_again(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5)
    kept.client.script("change_visibility", OFFLINE, [EntryResult(trouble=QueueTrouble.THROTTLED)], [DONE])
    assert [kept.keeper.beat() for _ in range(3)] == [0, 0, 1]
    assert not held.cancelled.is_set()


def test_the_row_is_kept_together_with_its_message(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5, claim="a.txt")
    bench.clock.advance(25)
    assert kept.keeper.beat() == 1
    bench.clock.advance(25)
    assert held.job is not None
    other = kept.claims.claim(
        [ClaimRequest(held.job.id, 1, "m", 2)], worker="other", now_ms=bench.clock.now_ms(), lease_ms=1
    )
    assert other[0].outcome == "busy"


def test_a_row_that_was_taken_off_the_list_cancels_the_work(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5, claim="a.txt")
    assert held.job is not None
    bench.intake.remove([held.job.row_id], now_ms=bench.clock.now_ms())
    assert kept.keeper.beat() == 0
    assert held.cancelled.is_set()
    assert kept.client.made("change_visibility") == []


def test_what_is_being_given_back_is_not_hidden_again(bench: Bench) -> None:
    kept = Kept(bench)
    kept.hold(5).is_going_back = True
    assert kept.keeper.beat() == 0
    assert kept.client.calls == []


def test_what_is_done_but_not_deleted_is_kept_without_its_row(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5, claim="a.txt")
    held.is_settled = True
    held.token = -1
    assert kept.keeper.beat() == 1
    assert not held.is_lost


def test_the_keeper_beats_until_it_is_stopped(bench: Bench) -> None:
    kept = Kept(bench)
    beats: list[int] = []

    def beat() -> int:
        beats.append(1)
        return 0

    kept.keeper.beat = beat  # type: ignore[method-assign]
    kept.keeper.run(lambda: len(beats) == 1)
    assert beats == [1]


def test_letting_go_twice_is_fine(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5)
    kept.book.let_go(held)
    kept.book.let_go(held)
    assert len(kept.book) == 0


def test_work_longer_than_twelve_hours_goes_on_under_a_new_message(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5, claim="a.txt")
    held.taken_at = bench.clock.steady()
    for _ in range(4):
        bench.clock.advance(3 * 3600)
        kept.keeper.beat()
    assert held.is_handed_over
    assert not held.cancelled.is_set()
    assert kept.client.made("delete") == [["h0"]], "the old message is gone"
    assert bench.outbox.waiting("q") == 1, "a new one is sent"
    calls = len(kept.client.made("change_visibility"))
    bench.clock.advance(20)
    kept.keeper.beat()
    assert len(kept.client.made("change_visibility")) == calls
    assert held.job is not None
    assert kept.work.extend([(held.job.row_id, held.token)], until_ms=0) == [True], "the row is still ours"
    fresh = received(handle="new")
    assert kept.book.adopt(held.job.id, fresh, bench.clock.steady() + 30, bench.clock.steady())
    assert not kept.book.adopt(held.job.id, fresh, 0, 0), "only once"
    bench.clock.advance(20)
    assert kept.keeper.beat() == 1
    assert kept.client.made("change_visibility")[-1] == [("new", 30)]


def test_a_hand_over_that_does_not_get_through_is_tried_again(bench: Bench) -> None:
    kept = Kept(bench)
    held = kept.hold(5, claim="a.txt")
    held.taken_at = bench.clock.steady() - 12 * 3600
    kept.client.script("delete", OFFLINE)
    kept.keeper.beat()
    assert held.is_handed_over
    bench.intake.remove([held.job.row_id if held.job else 0], now_ms=1)
    other = kept.hold(5)
    other.taken_at = held.taken_at
    kept.keeper.beat()
    assert not other.is_handed_over, "what is not claimed has nothing to hand over"
