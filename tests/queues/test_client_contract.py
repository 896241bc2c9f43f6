"""The contract of the client, on the simulator, on moto and on the embedded queue, standard and FIFO."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import json
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.queues.embedded import RETENTION_SECONDS, EmbeddedQueue
from desktop_app.queues.messages import MAX_REQUEST_BYTES, Outgoing
from tests.helpers.sqs.backends import (
    EMBEDDED,
    FIFO,
    MOTO,
    SIMULATOR,
    STANDARD,
    ContractQueue,
    contract_queue,
    is_moto_as_measured,
)
from tests.helpers.sqs.kit import boto_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_sqs.client import SQSClient

    from tests.helpers.sqs.kit import SimulatedSqs

    Maker = Callable[..., ContractQueue]

pytest_plugins = ["tests.helpers.sqs.fixtures"]

LOST = QueueTrouble.LEASE_LOST
KINDS = (STANDARD, FIFO)
PLACES = (*itertools.product((SIMULATOR, MOTO), KINDS), (EMBEDDED, STANDARD))
SQS_ONLY = {
    "test_message_with_an_invalid_character_is_rejected_alone",
    "test_too_large_message_is_rejected_alone",
    "test_batch_above_the_limit_is_rejected_as_a_whole",
    "test_message_received_too_often_is_moved_to_the_dead_letter_queue",
    "test_deleted_queue_is_no_queue",
}
"""Tests that do not apply to the embedded queue: it has no limits, since only Filemill sends to it, and no dead-letter
queue; and it is created again if it was deleted (`test_embedded.py`).
"""


@dataclass(frozen=True)
class Deviation:
    """Behaviour of moto that differs from SQS, and the test that shows it."""

    test: str
    moto: str
    kinds: tuple[str, ...] = KINDS
    is_shown: bool = True

    @property
    def places(self) -> set[tuple[str, str]]:
        return set(itertools.product((MOTO,), self.kinds))


DEVIATIONS = [
    Deviation("test_late_delete_works_on_a_standard_queue_only", "takes an expired handle on FIFO too", (FIFO,)),
    Deviation("test_old_handle_deletes_nothing", "takes the handle of any earlier receive"),
    Deviation("test_old_handle_has_lost_its_lease", "takes the handle of any earlier receive"),
    Deviation("test_batch_may_contain_a_message_twice", "wants distinct handles, where SQS wants distinct ids"),
    Deviation("test_message_with_an_invalid_character_is_rejected_alone", "does not look at a body's characters"),
    Deviation("test_too_large_message_is_rejected_alone", "refuses the whole batch for one large message"),
    Deviation("test_batch_above_the_limit_is_rejected_as_a_whole", "counts characters, not bytes"),
    Deviation("test_group_keeps_its_order_after_its_visibility_timeout", "puts later messages first", (FIFO,)),
    Deviation("test_message_sent_twice_arrives_once_on_fifo", "gives a duplicate an id of its own", (FIFO,)),
    Deviation(
        "test_message_sent_again_after_its_delete_does_not_arrive_on_fifo",
        "forgets the deduplication id with the message",
        (FIFO,),
    ),
    Deviation(
        "test_long_poll_on_a_blocked_group_ends_when_it_is_free",
        "looks at the blocked groups once, when the poll begins",
        (FIFO,),
        is_shown=False,  # it would take as long as the poll
    ),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each kind of queue, except on those with a known deviation."""
    if "backend" not in metafunc.fixturenames or metafunc.function is test_moto_still_deviates:
        return
    deviating = {place for item in DEVIATIONS if item.test == metafunc.function.__name__ for place in item.places}
    if metafunc.function.__name__ in SQS_ONLY:
        deviating.add((EMBEDDED, STANDARD))
    places = [place for place in PLACES if place not in deviating]
    metafunc.parametrize(("backend", "kind"), places, ids=map("-".join, places))


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedQueue]:
    with closing(EmbeddedQueue(tmp_path / "queue")) as queue:
        yield queue


@pytest.fixture(scope="session")
def client_of() -> Iterator[Callable[[str], SQSClient]]:
    """Return the client of a server; there is only one, since creating it takes longer than a test."""
    made: dict[str, SQSClient] = {}

    def client_of(url: str) -> SQSClient:
        if url not in made:
            made[url] = boto_client(endpoint_url=url)
        return made[url]

    yield client_of
    for client in made.values():
        client.close()


@pytest.fixture
def make_queue(
    request: pytest.FixtureRequest,
    backend: str,
    kind: str,
    live_sim: SimulatedSqs,
    client_of: Callable[[str], SQSClient],
) -> Maker:
    """Return a function that creates a queue; for the embedded queue it always returns the same one."""
    if backend == EMBEDDED:
        client = request.getfixturevalue("embedded")
        return lambda: ContractQueue(backend, kind, client, retention_s=RETENTION_SECONDS)
    sqs = live_sim.boto() if backend == SIMULATOR else client_of(request.getfixturevalue("moto_url"))
    return functools.partial(contract_queue, backend, kind, sqs)


@pytest.fixture
def queue(make_queue: Maker) -> ContractQueue:
    """Return an empty queue."""
    return make_queue()


def test_sent_message_is_received(queue: ContractQueue) -> None:
    messages = queue.outgoing("a1", "a2", "b1")
    results = queue.client.send(messages)
    assert [result.trouble for result in results] == [None] * 3
    if not isinstance(queue.client, EmbeddedQueue):  # nothing can alter a body on its way
        digests = [hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest() for message in messages]
        assert [result.body_md5 for result in results] == digests
    received = {message.body: message for message in queue.receive()}
    assert sorted(received) == ["a1", "a2", "b1"]
    assert [received[message.body].message_id for message in messages] == [result.message_id for result in results]
    assert {message.receive_count for message in received.values()} == {1}
    assert [received[body].group_id for body in ("a1", "b1")] == (["a", "b"] if queue.is_fifo else ["", ""])


def test_any_valid_text_is_received_unchanged(queue: ContractQueue) -> None:
    text = "a\t\n\r <&>\"'\\ ä € 𝄞 \ud7ff\ue000\ufffd"
    queue.send(text)
    assert queue.bodies() == [text]


def test_empty_queue_returns_nothing(queue: ContractQueue) -> None:
    assert queue.receive() == []


def test_no_more_messages_than_requested_are_received(queue: ContractQueue) -> None:
    queue.send(*(f"{letter}1" for letter in "abcdefghij"))
    assert [len(queue.receive(limit)) for limit in (1, 3, 10)] == [1, 3, 6]


def test_received_message_is_hidden(queue: ContractQueue) -> None:
    queue.send("a1")
    assert queue.bodies() == ["a1"]
    assert queue.bodies() == []


def test_each_receive_is_counted_and_has_its_own_handle(queue: ContractQueue) -> None:
    queue.send("a1")
    received = [message for _ in range(3) for message in queue.receive(visibility_s=0)]
    assert [message.receive_count for message in received] == [1, 2, 3]
    assert len({message.receipt_handle for message in received}) == 3


def test_released_message_is_visible_at_once(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive()
    (result,) = queue.client.change_visibility([(message.receipt_handle, 0)])
    assert result.is_done
    assert queue.bodies() == ["a1"]


def test_expired_lease_without_another_receive_can_be_extended(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive(visibility_s=0)
    (result,) = queue.client.change_visibility([(message.receipt_handle, 60)])
    assert result.is_done
    assert queue.receive() == []


def test_deleted_message_is_gone_and_deleting_it_again_succeeds(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive()
    for _ in range(2):
        (result,) = queue.client.delete([message.receipt_handle])
        assert result.is_done
    assert queue.receive() == []


def test_invalid_handle_has_lost_its_lease(queue: ContractQueue) -> None:
    assert [result.trouble for result in queue.client.delete(["garbage"])] == [LOST]
    assert [result.trouble for result in queue.client.change_visibility([("garbage", 10)])] == [LOST]


def test_handle_of_a_deleted_message_has_lost_its_lease(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive()
    queue.client.delete([message.receipt_handle])
    assert [result.trouble for result in queue.client.change_visibility([(message.receipt_handle, 10)])] == [LOST]


def test_late_delete_works_on_a_standard_queue_only(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive(visibility_s=0)
    (result,) = queue.client.delete([message.receipt_handle])
    assert result.trouble is (LOST if queue.is_fifo else None)
    assert queue.bodies() == (["a1"] if queue.is_fifo else [])


def test_old_handle_deletes_nothing(queue: ContractQueue) -> None:
    queue.send("a1")
    (old,) = queue.receive(visibility_s=0)
    queue.receive(visibility_s=0)
    (result,) = queue.client.delete([old.receipt_handle])
    assert result.trouble is (LOST if queue.is_fifo else None)
    assert queue.bodies() == ["a1"]


def test_old_handle_has_lost_its_lease(queue: ContractQueue) -> None:
    queue.send("a1")
    (old,) = queue.receive(visibility_s=0)
    queue.receive()
    (result,) = queue.client.change_visibility([(old.receipt_handle, 0)])
    assert result.trouble is LOST
    assert queue.receive() == []


def test_entries_of_a_batch_fail_by_themselves(queue: ContractQueue) -> None:
    queue.send("a1", "b1")
    first, second = queue.receive()
    changed = queue.client.change_visibility([(first.receipt_handle, 9), ("garbage", 9), (second.receipt_handle, 9)])
    assert [result.trouble for result in changed] == [None, LOST, None]
    deleted = queue.client.delete([first.receipt_handle, "garbage", second.receipt_handle])
    assert [result.trouble for result in deleted] == [None, LOST, None]


def test_batch_may_contain_a_message_twice(queue: ContractQueue) -> None:
    queue.send("a1")
    (message,) = queue.receive()
    assert all(result.is_done for result in queue.client.delete([message.receipt_handle] * 2))
    assert queue.receive() == []


def test_message_with_an_invalid_character_is_rejected_alone(queue: ContractQueue) -> None:
    results = queue.client.send(queue.outgoing("a1", "a2\x01", "a3"))
    assert [result.trouble for result in results] == [None, QueueTrouble.REFUSED, None]
    assert "nvalid characters" in results[1].text
    assert sorted(queue.bodies()) == ["a1", "a3"]


def test_too_large_message_is_rejected_alone(queue: ContractQueue, make_queue: Maker) -> None:
    small = make_queue(MaximumMessageSize="1024")
    results = small.client.send(small.outgoing("a1", "a" * 1025, "a" + "ä" * 512, "a" * 1024))
    assert [result.trouble for result in results] == [None, QueueTrouble.REFUSED, QueueTrouble.REFUSED, None]
    assert "shorter than 1024 bytes" in results[1].text


def test_batch_of_exactly_the_limit_is_accepted(queue: ContractQueue) -> None:
    half = "𝄞" * (MAX_REQUEST_BYTES // 8)
    assert sum(message.size for message in queue.outgoing(f"{half}", half)) == MAX_REQUEST_BYTES
    messages = [Outgoing(half, "a", str(number)) for number in range(2)]
    assert all(result.is_done for result in queue.client.send(messages))


def test_batch_above_the_limit_is_rejected_as_a_whole(queue: ContractQueue) -> None:
    half = "𝄞" * (MAX_REQUEST_BYTES // 8)
    messages = [Outgoing(body, "a", str(number)) for number, body in enumerate([half, half, "a"])]
    with pytest.raises(QueueError) as refused:
        queue.client.send(messages)
    assert refused.value.trouble is QueueTrouble.REFUSED
    assert queue.receive() == []


def test_group_is_received_in_order_and_waits_for_messages_in_flight(queue: ContractQueue) -> None:
    queue.send("a1", "a2", "a3", "b1")
    if not queue.is_fifo:
        assert sorted(queue.bodies()) == ["a1", "a2", "a3", "b1"]
        return
    first = queue.receive(limit=2)
    assert [message.body for message in first] == ["a1", "a2"]
    assert queue.bodies() == ["b1"]
    queue.client.delete([first[0].receipt_handle])
    assert queue.bodies() == []
    queue.client.delete([first[1].receipt_handle])
    assert queue.bodies() == ["a3"]


def test_released_group_keeps_its_order(queue: ContractQueue) -> None:
    queue.send("a1", "a2", "a3")
    messages = queue.receive()
    queue.client.change_visibility([(message.receipt_handle, 0) for message in messages])
    bodies = queue.bodies()
    assert (bodies if queue.is_fifo else sorted(bodies)) == ["a1", "a2", "a3"]


def test_group_keeps_its_order_after_its_visibility_timeout(queue: ContractQueue) -> None:
    queue.send("a1", "a2", "a3")
    queue.receive(limit=2, visibility_s=0)
    bodies = queue.bodies()
    assert (bodies if queue.is_fifo else sorted(bodies)) == ["a1", "a2", "a3"]


def test_message_sent_twice_arrives_once_on_fifo(queue: ContractQueue) -> None:
    first, second = (queue.client.send(queue.outgoing("a1"))[0] for _ in range(2))
    assert first.is_done
    assert second.is_done
    assert (first.message_id == second.message_id) is queue.is_fifo
    assert len(queue.receive()) == (1 if queue.is_fifo else 2)


def test_message_sent_again_after_its_delete_does_not_arrive_on_fifo(queue: ContractQueue) -> None:
    queue.send("a1")
    queue.client.delete([queue.receive()[0].receipt_handle])
    queue.send("a1")
    assert queue.bodies() == ([] if queue.is_fifo else ["a1"])


def test_message_received_too_often_is_moved_to_the_dead_letter_queue(queue: ContractQueue, make_queue: Maker) -> None:
    assert queue.boto is not None
    dead_url = queue.client.info.url
    arn = queue.boto.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    work = make_queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}))
    work.send("a1")
    assert [work.bodies(visibility_s=0) for _ in range(3)] == [["a1"], ["a1"], []]
    (letter,) = queue.receive()
    assert (letter.body, letter.receive_count) == ("a1", 3)


def test_queue_returns_its_counts(queue: ContractQueue) -> None:
    before = time.time()
    queue.send("a1", "b1", "c1")
    queue.receive(limit=2)
    state = queue.client.state()
    assert (state.visible, state.in_flight, state.delayed, state.total) == (1, 2, 0, 3)
    assert abs(state.created_at_ms - before * 1000) < 60_000
    assert (state.retention_s, state.dead_letter_arn) == (queue.retention_s, "")


def test_long_poll_ends_when_a_message_arrives(queue: ContractQueue) -> None:
    received: list[str] = []
    poll = threading.Thread(
        target=lambda: received.extend(message.body for message in queue.receive(wait_s=3)), daemon=True
    )
    poll.start()
    queue.send("a1")
    poll.join(10)
    assert received == ["a1"]


def test_long_poll_on_a_blocked_group_ends_when_it_is_free(queue: ContractQueue) -> None:
    queue.send("a1", "a2")
    (first,) = queue.receive(limit=1)
    received: list[str] = []
    poll = threading.Thread(
        target=lambda: received.extend(message.body for message in queue.receive(wait_s=3)), daemon=True
    )
    poll.start()
    queue.client.delete([first.receipt_handle])
    poll.join(10)
    assert received == ["a2"]


def test_deleted_queue_is_no_queue(queue: ContractQueue) -> None:
    assert queue.boto is not None
    queue.boto.delete_queue(QueueUrl=queue.client.info.url)
    calls: list[Callable[[], object]] = [
        lambda: queue.client.send(queue.outgoing("a1")),
        queue.receive,
        queue.client.state,
        lambda: queue.client.delete(["handle"]),
        lambda: queue.client.change_visibility([("handle", 0)]),
    ]
    for call in calls:
        with pytest.raises(QueueError) as gone:
            call()
        assert gone.value.trouble is QueueTrouble.NO_QUEUE


@pytest.mark.skipif(not is_moto_as_measured(), reason="another version of moto")
@pytest.mark.parametrize(
    ("test", "backend", "kind"),
    [(item.test, *place) for item in DEVIATIONS if item.is_shown for place in sorted(item.places)],
)
def test_moto_still_deviates(test: str, queue: ContractQueue, make_queue: Maker) -> None:
    """If a deviation no longer occurs, remove it from the list."""
    run = globals()[test]
    wanted = {"queue": queue, "make_queue": make_queue}
    with pytest.raises((AssertionError, QueueError, pytest.fail.Exception)):
        run(**{name: wanted[name] for name in inspect.signature(run).parameters})
