"""The behaviour that a test can request from the simulator, and its long polls."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.helpers import wait_until
from tests.helpers.sqs.one_message import OneMessageQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]


# Requested behaviour


def test_each_message_can_be_delivered_several_times(sim: SimulatedSqs) -> None:
    sim.simulator.deliver_each(3)
    queue = OneMessageQueue(sim, "q")
    received = queue.receive()
    assert len({message["MessageId"] for message in received}) == 1
    assert len({message["ReceiptHandle"] for message in received}) == 3
    queue.delete(received[0]["ReceiptHandle"])
    assert len(sim.simulator.bodies("q")) == 2


def test_order_of_a_standard_queue_can_be_shuffled_the_same_way_each_time(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    for number in range(20):
        queue.put(str(number))
    in_order = [message["Body"] for message in queue.receive(VisibilityTimeout=0)]
    orders = []
    for _ in range(2):
        sim.simulator.shuffle(seed=1)
        orders.append([message["Body"] for message in queue.receive(VisibilityTimeout=0)])
    assert orders[0] == orders[1] != in_order


def test_operation_can_be_throttled(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    sim.simulator.throttle("ReceiveMessage", 2)
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestThrottled"):
            queue.receive()
    assert queue.receive()


def test_entries_of_a_batch_can_fail(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    sim.simulator.fail_entries("SendMessageBatch", [1])
    entries: list[Any] = [{"Id": name, "MessageBody": name} for name in "abc"]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    assert [(entry["Id"], entry["SenderFault"]) for entry in answer["Failed"]] == [("b", False)]
    assert sim.simulator.bodies("q") == ["body", "a", "c"]
    assert "Failed" not in queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)


def test_queue_can_be_emptied_and_deleted_without_recorded_calls(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    for _ in range(2):
        sim.simulator.purge_queue("q")
        assert queue.is_empty
    sim.simulator.delete_queue("q")
    assert not sim.simulator.has_queue("q")
    with pytest.raises(ClientError, match="NonExistentQueue"):
        queue.receive()


def test_calls_are_recorded(sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(sim, "q")
    sim.advance(5)
    queue.receive(WaitTimeSeconds=3)
    assert sim.simulator.counts() == {"SendMessage": 1, "ReceiveMessage": 1}
    assert sim.simulator.calls[-1].at - sim.simulator.calls[0].at == 5
    assert sim.simulator.calls_of("ReceiveMessage")[0]["WaitTimeSeconds"] == 3
    sim.simulator.forget_calls()
    assert not sim.simulator.counts()


# Long polls


def in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    return thread, results


def polls_begun(sim: SimulatedSqs) -> bool:
    return sim.simulator.counts()["ReceiveMessage"] > 0


def test_long_poll_wakes_for_a_message(live_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(live_sim, "q")
    queue.delete(queue.handle())
    live_sim.simulator.forget_calls()
    thread, results = in_thread(lambda: queue.receive(WaitTimeSeconds=20))
    wait_until(lambda: polls_begun(live_sim))
    live_sim.simulator.put("q", "at last")
    thread.join(5)
    (messages,) = results
    assert [message["Body"] for message in messages] == ["at last"]  # type: ignore[attr-defined]


def test_long_poll_wakes_when_a_message_is_visible_again(live_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(live_sim, "q")
    queue.handle(VisibilityTimeout=1)
    assert queue.handle(WaitTimeSeconds=20)


def test_long_poll_ends_after_its_time(live_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(live_sim, "q")
    queue.delete(queue.handle())
    before = live_sim.clock.time()
    assert queue.receive(WaitTimeSeconds=1) == []
    assert 0.9 < live_sim.clock.time() - before < 5


def test_long_poll_ends_when_the_simulator_is_closed(live_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(live_sim, "q")
    queue.delete(queue.handle())
    live_sim.simulator.forget_calls()
    thread, results = in_thread(lambda: queue.receive(WaitTimeSeconds=20))
    wait_until(lambda: polls_begun(live_sim))
    live_sim.close()
    thread.join(5)
    assert results == [[]]


def test_polls_can_wait_for_a_virtual_clock(waiting_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(waiting_sim, "q")
    queue.handle(VisibilityTimeout=30)
    waiting_sim.simulator.forget_calls()
    thread, results = in_thread(lambda: queue.receive(WaitTimeSeconds=20))
    wait_until(lambda: polls_begun(waiting_sim))
    waiting_sim.advance(19)
    assert not results
    waiting_sim.advance(1)
    thread.join(5)
    assert results == [[]]
    thread, results = in_thread(lambda: queue.receive(WaitTimeSeconds=20))
    waiting_sim.advance(10)
    thread.join(5)
    assert len(results[0]) == 1  # type: ignore[arg-type]


def test_many_threads_get_each_message_once(live_sim: SimulatedSqs) -> None:
    queue = OneMessageQueue(live_sim, "q")
    for number in range(199):
        live_sim.simulator.put("q", str(number))
    taken: list[str] = []

    def drain() -> None:
        while messages := queue.receive():
            taken.extend(message["Body"] for message in messages)
            for message in messages:
                queue.delete(message["ReceiptHandle"])

    threads = [threading.Thread(target=drain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(taken) == sorted(["body", *map(str, range(199))])
    assert queue.is_empty
