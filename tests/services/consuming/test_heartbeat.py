"""The heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueTrouble
from desktop_app.queues.messages import EntryResult
from desktop_app.services.consuming.in_flight import (
    HEARTBEAT_SECONDS,
    VISIBILITY_SECONDS,
    Heartbeat,
    InFlightMessage,
    InFlightMessages,
    Outcome,
)
from desktop_app.store.claims import ClaimRequest, Claims
from desktop_app.store.results import Work
from tests.helpers.fakes import DONE, OFFLINE, Countdown, FakeClient, FakeConnector, received

if TYPE_CHECKING:
    from tests.services.conftest import ServicesSetup

GONE = EntryResult(trouble=QueueTrouble.LEASE_LOST, text="gone")


class HeartbeatSetup:
    """Messages in flight and their heartbeat."""

    def __init__(self, services: ServicesSetup) -> None:
        self.services = services
        self.client = FakeClient()
        self.in_flight = InFlightMessages()
        self.work = Work(services.database)
        self.claims = Claims(services.database)
        self.heartbeat = Heartbeat(
            self.in_flight, FakeConnector(self.client), self.work, services.clock, visibility_s=30
        )

    def extended(self) -> int:
        """Extend once; return the number of messages whose visibility was extended."""
        before = {message: message.expires for message in self.in_flight.all()}
        self.heartbeat.beat()
        return sum(message.expires > expires for message, expires in before.items())

    def receive(self, left: float, *, claim: str = "") -> InFlightMessage:
        message = InFlightMessage(
            received(handle=f"h{len(self.in_flight)}"), expires=self.services.clock.steady() + left
        )
        if claim:
            (job,) = self.services.add(claim)
            request = ClaimRequest(job.id, 1, "m", 1)
            (claimed,) = self.claims.claim([request], worker="me", now_ms=self.services.clock.now_ms(), lease_ms=40_000)
            message.job, message.token = claimed.job, claimed.token
        self.in_flight.add(message)
        return message


def test_only_leases_near_their_end_are_extended(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    near, far = fixture.receive(14), fixture.receive(16)
    assert fixture.extended() == 1
    assert fixture.client.made("change_visibility") == [[("h0", 30)]]
    assert near.expires == services.clock.steady() + 30
    assert far.expires == services.clock.steady() + 16


def test_forty_long_files_cost_four_requests_a_beat(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    for _ in range(40):
        fixture.receive(5)
    assert fixture.extended() == 40
    assert len(fixture.client.made("change_visibility")) == 4


def test_late_heartbeat_still_extends(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(-5)
    assert fixture.extended() == 1
    assert message.expires > services.clock.steady()


def test_lost_message_cancels_the_work(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5)
    fixture.client.script("change_visibility", [GONE])
    assert fixture.extended() == 0
    assert message.is_lost
    assert message.is_cancelled
    fixture.heartbeat.beat()
    assert len(fixture.client.made("change_visibility")) == 1, "what is lost is not asked for again"


def test_failed_heartbeat_is_retried(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5)
    fixture.client.script("change_visibility", OFFLINE, [EntryResult(trouble=QueueTrouble.THROTTLED)], [DONE])
    assert [fixture.extended() for _ in range(3)] == [0, 0, 1]
    assert not message.is_cancelled


def test_row_is_extended_together_with_its_message(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5, claim="a.txt")
    services.clock.advance(25)
    assert fixture.extended() == 1
    services.clock.advance(25)
    assert message.job is not None
    other = fixture.claims.claim(
        [ClaimRequest(message.job.id, 1, "m", 2)], worker="other", now_ms=services.clock.now_ms(), lease_ms=1
    )
    assert other[0].outcome == "busy"


def test_removed_row_cancels_the_work(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5, claim="a.txt")
    assert message.job is not None
    services.intake.remove([message.job.row_id], now_ms=services.clock.now_ms())
    assert fixture.extended() == 0
    assert message.is_cancelled
    assert fixture.client.made("change_visibility") == []


def test_released_message_is_not_hidden_again(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    fixture.receive(5).is_releasing = True
    assert fixture.extended() == 0
    assert fixture.client.calls == []


def test_finished_message_is_extended_without_its_row(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5, claim="a.txt")
    message.settle(Outcome.PROCESSED)
    message.token = -1
    assert fixture.extended() == 1
    assert not message.is_lost


def test_heartbeat_extends_until_it_is_stopped(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)

    fixture.heartbeat.beat = beat  # type: ignore[method-assign]
    fixture.heartbeat.run(Countdown(2))
    assert beats == [1, 1]


def test_without_messages_the_heartbeat_looks_rarely_but_early_enough(services: ServicesSetup) -> None:
    fixture, stop = HeartbeatSetup(services), Countdown(1)
    fixture.heartbeat.run(stop)
    (idle,) = stop.waits
    assert HEARTBEAT_SECONDS < idle < VISIBILITY_SECONDS / 2
    fixture.receive(25)
    busy = Countdown(1)
    fixture.heartbeat.run(busy)
    assert busy.waits == [HEARTBEAT_SECONDS]


def test_removing_twice_is_fine(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5)
    fixture.in_flight.remove(message)
    fixture.in_flight.remove(message)
    assert len(fixture.in_flight) == 0


def test_work_longer_than_twelve_hours_continues_under_a_new_message(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5, claim="a.txt")
    message.received_at = services.clock.steady()
    for _ in range(4):
        services.clock.advance(3 * 3600)
        fixture.heartbeat.beat()
    assert message.awaits_message
    assert not message.is_cancelled
    assert fixture.client.made("delete") == [["h0"]], "the old message is gone"
    assert services.outbox.waiting("q") == 1, "a new one is sent"
    calls = len(fixture.client.made("change_visibility"))
    services.clock.advance(20)
    fixture.heartbeat.beat()
    assert len(fixture.client.made("change_visibility")) == calls
    assert message.job is not None
    assert fixture.work.extend([(message.job.row_id, message.token)], until_ms=0) == [True], "the row is still ours"
    fresh = received(handle="new")
    assert fixture.in_flight.attach(message.job.id, fresh, services.clock.steady() + 30, services.clock.steady())
    assert not fixture.in_flight.attach(message.job.id, fresh, 0, 0), "only once"
    services.clock.advance(20)
    assert fixture.extended() == 1
    assert fixture.client.made("change_visibility")[-1] == [("new", 30)]


def test_failed_renewal_is_retried(services: ServicesSetup) -> None:
    fixture = HeartbeatSetup(services)
    message = fixture.receive(5, claim="a.txt")
    message.received_at = services.clock.steady() - 12 * 3600
    fixture.client.script("delete", OFFLINE)
    fixture.heartbeat.beat()
    assert message.awaits_message
    services.intake.remove([message.job.row_id if message.job else 0], now_ms=1)
    other = fixture.receive(5)
    other.received_at = message.received_at
    fixture.heartbeat.beat()
    assert not other.awaits_message, "what is not claimed has nothing to renew"


def test_message_is_finished_only_once(services: ServicesSetup) -> None:
    message = HeartbeatSetup(services).receive(5)
    message.settle(Outcome.PROCESSED)
    with pytest.raises(RuntimeError, match="settled twice"):
        message.settle(Outcome.LOST)
